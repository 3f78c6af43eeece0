"""Cases of the model from XML alone, as `classify` reads other people's reports."""

from pathlib import Path

import pytest

from triage.errors import ReportError
from triage.junit.cases import read_cases
from triage.model.case import TestCase
from triage.model.terms import Outcome, Phase
from triage.text import Masker


def cases(tmp_path: Path, inner: str, masker: Masker | None = None) -> tuple[list[TestCase], dict[str, int]]:
    path = tmp_path / "junit.xml"
    path.write_text(f"<testsuites><testsuite name='pytest'>{inner}</testsuite></testsuites>")
    report = read_cases(path, masker or Masker())
    found = list(report)
    counts = report.counts
    return found, {name: getattr(counts, name) for name in counts.__slots__ if getattr(counts, name)}


def case(inner: str = "", name: str = "t", extra: str = "") -> str:
    return f"<testcase classname='tests.test_a' name='{name}' time='1' {extra}>{inner}</testcase>"


@pytest.mark.parametrize(
    ("inner", "outcome", "phase"),
    [
        ("<failure message='assert 0'/>", Outcome.FAILED, Phase.CALL),
        ("<error message='failed on setup with &quot;KeyError: 1&quot;'/>", Outcome.ERROR, Phase.SETUP),
        ("<error message='test setup failure'/>", Outcome.ERROR, Phase.SETUP),
        ("<error message='failed on teardown with &quot;KeyError: 1&quot;'/>", Outcome.ERROR, Phase.TEARDOWN),
        ("<error message='collection failure'/>", Outcome.ERROR, Phase.COLLECT),
        ("<error message='internal error'/>", Outcome.ERROR, Phase.SESSION),
        ("<error type='KeyError' message='1'/>", Outcome.ERROR, Phase.CALL),
        (
            "<error message='failed on setup with \"worker &apos;gw0&apos; crashed while running a\"'/>",
            Outcome.FAILED,
            Phase.CALL,
        ),
    ],
)
def test_the_wording_tells_the_phase(tmp_path: Path, inner: str, outcome: Outcome, phase: Phase) -> None:
    (found,), _ = cases(tmp_path, case(inner))
    assert (found.outcome, found.problems[0].phase, found.problems[0].outcome) == (outcome, phase, outcome)


TEARDOWN = "<error message='failed on teardown with &quot;KeyError: 1&quot;'/>"


def test_a_test_that_fails_twice_is_one_case_with_two_problems(tmp_path: Path) -> None:
    between = "".join(case("<failure/>", f"other{n}") for n in range(3))
    found, counts = cases(tmp_path, case("<failure message='assert 0'/>") + between + case(TEARDOWN))
    assert [one.name for one in found] == ["other0", "other1", "other2", "t"]
    assert [problem.phase for problem in found[-1].problems] == [Phase.CALL, Phase.TEARDOWN]
    assert (found[-1].outcome, found[-1].duration_s) == (Outcome.FAILED, 2.0)
    assert counts == {"total": 4, "failed": 4, "errors": 1}  # pytest says "4 failed, 1 error"


def test_two_failures_of_one_name_are_two_cases(tmp_path: Path) -> None:
    _, counts = cases(tmp_path, case("<failure/>") + case("<failure/>") + case("<failure/>", "") * 2)
    assert counts == {"total": 4, "failed": 4}


def test_subtests_are_problems_of_their_test(tmp_path: Path) -> None:
    (found,), _ = cases(
        tmp_path, case("<failure message='assert 1 == 0'/><failure message='assert 2 == 0'/>")
    )
    assert [problem.chain[0].message for problem in found.problems] == ["assert 1 == 0", "assert 2 == 0"]


def test_plain_passes_are_only_counted(tmp_path: Path) -> None:
    found, counts = cases(
        tmp_path, case() * 5 + case("<skipped/>") + case("<skipped type='pytest.xfail'/>", "x")
    )
    assert [one.outcome for one in found] == [Outcome.SKIPPED, Outcome.XFAILED]
    assert counts == {"total": 7, "passed": 5, "skipped": 1, "xfailed": 1}


def test_a_thousand_failures_come_in_order(tmp_path: Path) -> None:
    found, counts = cases(tmp_path, "".join(case("<failure/>", f"t{n}") for n in range(1000)))
    assert [one.name for one in found] == [f"t{n}" for n in range(1000)]
    assert counts == {"total": 1000, "failed": 1000}


def test_the_node_id_is_exact_or_none(tmp_path: Path) -> None:
    known = case("<failure/>", "a", "file='tests/test_a.py' line='11'")
    told = case("<properties><property name='triage.nodeid' value='x.py::B::t'/></properties><failure/>", "c")
    found, _ = cases(tmp_path, known + case("<failure/>", "b") + told)
    assert [one.nodeid for one in found] == ["tests/test_a.py::a", None, "x.py::B::t"]
    assert (found[0].file, found[0].line, found[0].function) == ("tests/test_a.py", 12, "a")
    assert found[1].id == "tests.test_a::b"


def test_texts_are_cleaned_and_masked(tmp_path: Path) -> None:
    inner = "<failure message='ValueError: hunter2xyz'>E   ValueError: hunter2xyz #x1B[31m\u202e</failure>"
    (found,), _ = cases(tmp_path, case(inner, "t[hunter2xyz]"), Masker(["hunter2xyz"]))
    assert found.name == "t[***]"
    assert found.problems[0].text == "E   ValueError: *** #x202E"
    assert found.problems[0].chain[0].message == "*** #x202E"


def test_a_torn_file_gives_every_case_until_then(tmp_path: Path) -> None:
    path = tmp_path / "torn.xml"
    path.write_text("<testsuite>" + case("<failure/>", "a") + case("<failure/>", "b") + "<testcase name='c'")
    report = read_cases(path, Masker())
    given = iter(report)
    assert [next(given).name, next(given).name] == ["a", "b"]
    with pytest.raises(ReportError):
        next(given)
    assert report.counts.failed == 2
