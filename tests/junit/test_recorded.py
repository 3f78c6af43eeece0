"""Reports that real runners wrote for one project, whose failures are known (`recorded/`).

pytest 6.2, 7.4, 8.3 and 9, unittest-xml-reporting, nose2, green, subunit, Django, and the files that
Bazel makes of a test's log. Paths and times were made the same; tests were left out, nothing else.
"""

from pathlib import Path
from typing import NamedTuple

import pytest

from triage.junit.cases import read_cases
from triage.model.case import ExceptionInfo, Problem, TestCase
from triage.model.terms import Phase
from triage.text import Masker

RECORDED = Path(__file__).parent / "recorded"
FILES = sorted(RECORDED.glob("*.xml"))
WITHOUT_FRAMES = ("-no", "-line")
QUOTED = "log begins\n"


class Truth(NamedTuple):
    """`own` are the functions of the project that the traceback leads through; None: not asked."""

    type: str
    message: str
    phase: Phase = Phase.CALL
    cause: str | None = None
    own: list[str] | None = None


DOMAIN = ("app.logic.DomainError", "no k\nsecond line\n\n  indented")
TRUTH = {
    "test_cause": Truth(*DOMAIN, cause="KeyError", own=["test_cause", "outer"]),
    "test_chain": Truth(*DOMAIN, cause="KeyError", own=["test_chain", "outer"]),
    "test_unit_error": Truth(*DOMAIN, cause="KeyError", own=["test_unit_error", "outer"]),
    "test_setup_chain": Truth(*DOMAIN, Phase.SETUP, "KeyError", ["chained", "outer"]),
    "tests.test_e": Truth(*DOMAIN, Phase.COLLECT, "KeyError"),
    "test_doc.g": Truth(*DOMAIN, cause="KeyError"),
    "test_doc.f": Truth("doctest.DocTestFailure", "Expected:\n    3\nGot:\n    2"),
    "test_three": Truth("RuntimeError", "third", cause="app.logic.DomainError", own=["test_three", "three"]),
    "test_context": Truth("ValueError", "while: handling", own=["test_context", "handling"]),
    "test_context_then_cause": Truth("LookupError", "caused", cause="ValueError"),
    "test_diff": Truth("AssertionError", "", own=["test_diff"]),
    "test_both": Truth("KeyError", "'body'", own=["test_both"]),
    "test_fixture": Truth("_pytest.fixtures.FixtureLookupError", "fixture 'nosuch' not found", Phase.SETUP),
    "test_recursive_fixture": Truth(
        "_pytest.fixtures.FixtureLookupError", "recursive dependency involving fixture", Phase.SETUP
    ),
    "test_empty": Truth("app.logic.DomainError", "", own=["test_empty"]),
    "test_empty_lower": Truth("app.logic.odd_lower", "", own=["test_empty_lower"]),
    "test_lower": Truth("app.logic.odd_lower", "is: lower", own=["test_lower"]),
    "test_nested": Truth("app.logic.Outer.Nested", "E   KeyError: 'quoted'\n\nE   TypeError: more"),
    "test_quoting": Truth("ValueError", QUOTED, own=["test_quoting"]),
    "test_printing": Truth("ValueError", "not printed", own=["test_printing"]),
    "test_local_named_e": Truth("KeyError", "2", own=["test_local_named_e", "inner"]),
    "test_library": Truth(
        "json.decoder.JSONDecodeError", "Expecting property", own=["test_library", "library"]
    ),
    "test_warning": Truth("UserWarning", "made an error", own=["test_warning"]),
    "test_unit_multi": Truth("AssertionError", "'a\\nb\\nc' != ", own=["test_unit_multi"]),
    "test_unit": Truth("AssertionError", "1 != 2", own=["test_unit"]),
    "test_sql": Truth("sqlite3.OperationalError", "no such table: nosuch", own=["test_sql"]),
    "tests.test_b": Truth("SyntaxError", "invalid syntax", Phase.COLLECT),
    "test_syn": Truth("SyntaxError", "invalid syntax", Phase.COLLECT),
    "test_imp": Truth("ModuleNotFoundError", "No module named 'nosuchmodule'", Phase.COLLECT),
    "test_in_cause": Truth("RuntimeError", "head", cause="ExceptionGroup", own=["test_in_cause"]),
    "setUpModule": Truth("OSError", "setUpModule broke", Phase.SETUP, own=["setUpModule"]),
    "setUpClass": Truth("OSError", "setUpClass broke", Phase.SETUP, own=["setUpClass"]),
    "tearDownClass": Truth("OSError", "tearDownClass broke", Phase.TEARDOWN, own=["tearDownClass"]),
    "test_not_null": Truth(
        "django.db.utils.IntegrityError",
        "NOT NULL constraint failed: shop_owner.email",
        cause="sqlite3.IntegrityError",
        own=["test_not_null"],
    ),
    "test_missing": Truth("shop.models.Owner.DoesNotExist", "Owner matching query does not exist."),
}
LOGGED = {
    "bazel-unittest": Truth(*DOMAIN, cause="KeyError", own=["test_unit_error", "outer"]),
    "bazel-pytest": TRUTH["test_three"],
    "bazel-import": TRUTH["test_imp"],
    "bazel-script": Truth("ZeroDivisionError", "division by zero"),
}


def cases(path: Path) -> list[TestCase]:
    return list(read_cases(path, Masker(), root="/srv/app"))


def cause_of(problem: Problem) -> str | None:
    """Without the name of the package that gives Python before 3.11 its groups."""
    causes = [one for one in problem.chain[1:2] if one.via == "cause"]
    return causes[0].type.removeprefix("exceptiongroup.") if causes else None


def own(head: ExceptionInfo) -> list[str]:
    return [frame.function for frame in head.frames if frame.is_own]


def known(path: Path, case: TestCase) -> Truth | None:
    if path.stem in LOGGED:
        return LOGGED[path.stem]
    where = f"{case.classname}.{case.name}"
    stand_in = next(
        (name for name in ("setUpModule", "setUpClass", "tearDownClass") if f"{name} (" in where), ""
    )
    if stand_in and path.stem != "django":
        return TRUTH[stand_in]
    return TRUTH.get(case.name) or TRUTH.get(case.name.rpartition("tests.")[2])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_a_real_runner_wrote_is_read_as_what_happened(path: Path) -> None:
    checked = 0
    for case in cases(path):
        truth = known(path, case)
        if truth is None:
            continue
        problem = case.problems[0]
        head = problem.chain[0]
        assert (head.type, problem.phase, cause_of(problem)) == (truth.type, truth.phase, truth.cause), (
            case.name
        )
        assert head.message.startswith(truth.message), case.name
        if truth.own is not None and not path.stem.endswith(WITHOUT_FRAMES):
            assert own(head) == truth.own, case.name
        checked += 1
    assert checked >= (1 if path.stem in LOGGED else 3)


@pytest.mark.parametrize("path", [one for one in FILES if "pytest-9" in one.stem], ids=lambda path: path.stem)
def test_a_group_of_one_kind_decides_through_what_it_holds(path: Path) -> None:
    found = {case.name: case.problems[0].chain for case in cases(path)}
    shown = [(one.via, one.type) for one in found["test_group_one"][:3]]
    assert shown == [("raised", "ExceptionGroup"), ("cause", "app.logic.DomainError"), ("cause", "KeyError")]


def test_a_failure_in_body_and_teardown_is_one_case() -> None:
    for path in FILES:
        for case in cases(path):
            if case.name == "test_both":
                assert [problem.phase for problem in case.problems] == [Phase.CALL, Phase.TEARDOWN]
                assert case.problems[1].chain[0].message == "teardown broke"
