"""`playbooks check`, what it needs no example for: each kind of fault, planted."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.builders import playbook, write_files
from tests.playbook.checking import REPORT, TODAY, changed, checked, good_playbook, only, problems
from triage.cli.playbook_check import known_names
from triage.errors import ConfigurationError
from triage.model.playbook import Cascade, Diagnose, Playbook, Symptom
from triage.playbook.check import check_library
from triage.playbook.checks.alone import dead_parts
from triage.playbook.checks.fault import KINDS
from triage.playbook.load import load_library
from triage.resources import data_folder


@pytest.fixture
def good(tmp_path: Path) -> Playbook:
    return good_playbook(tmp_path)


def test_the_shipped_playbooks_have_no_fault() -> None:
    assert check_library(load_library(), TODAY, known_names()).problems == ()


def test_a_playbook_without_a_fault_gives_nothing(good: Playbook) -> None:
    report = checked(good)
    assert (report.problems, report.notes, report.overlaps) == ((), (), ())


def test_each_fault_of_a_file_that_was_left_out_stands_at_its_place(tmp_path: Path) -> None:
    text = (data_folder("playbooks") / "not-null.yaml").read_text("utf-8")
    text = text.replace("\nseverity: critical", "\nseverty: critical").replace(
        "level: specific", "level: top"
    )
    folder = write_files(tmp_path, {"not-null.yaml": text, "twice.yaml": "id: twice\nid: twice\n"})
    report = checked(errors=load_library([folder]).errors)
    own = {(one.kind, one.where.rpartition("/")[2]): one.message for one in report.problems}
    assert own["unknown-key", "not-null.yaml:6:1"] == "unknown key 'severty'; did you mean 'severity'?"
    assert own["file", "not-null.yaml:2:1"] == "missing: severity"
    assert "allowed: specific, general, fallback" in own["file", "not-null.yaml:7:1"]
    assert "a second time" in own["duplicate", "twice.yaml:2:1"]


def test_an_id_a_second_time_in_a_folder(tmp_path: Path) -> None:
    text = (data_folder("playbooks") / "not-null.yaml").read_text("utf-8")
    folder = write_files(tmp_path, {"not-null.yaml": text, "not-null2.yaml": text})
    found = checked(errors=load_library([folder]).errors).problems
    assert ("not-null2", "duplicate", "the id 'not-null' a second time") in [
        (one.playbook, one.kind, one.message) for one in found
    ]


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("(?=no)", "look-ahead"),
        (r"(a)\1", "a back-reference"),
        ("([", "not valid"),
        ("(a+)+$", "exponential for engines that backtrack: (a+)+ "),
        (r"\pL{1000}", "too large"),
    ],
)
def test_an_expression_that_cannot_be_taken(good: Playbook, expression: str, said: str) -> None:
    problem = only(changed(good, unless=expression))
    assert (problem.kind, problem.playbook) == ("expression", "known")
    assert said in problem.message
    assert problem.allowed


def test_a_playbook_that_does_not_compile_does_not_hide_faults_of_others(good: Playbook) -> None:
    broken = replace(changed(good, message="(["), id="broken")
    late = replace(good, review_by="2020-01-01")
    assert [one.kind for one in problems(broken, late)] == ["expression", "review"]


@pytest.mark.parametrize(
    ("expression", "dead"),
    [
        ("no stock^", ["no stock^"]),
        ("left$ again", ["left$ again"]),
        (r"(?:no \w+|of stock^) left", ["of stock^"]),
        (r"\s+(?:^a|b)", ["^a"]),
        ("a|b^|c", ["b^"]),
        ("(?m)no$\n^left", []),
        (r"\s*^no|left$", []),
        (r"a(?:^b)?", []),
        (r"[$^]no\$ \^left", []),
        (r"\Qa^b\E", []),
    ],
)
def test_an_expression_that_wants_text_outside_of_the_text(expression: str, dead: list[str]) -> None:
    assert dead_parts(expression) == dead


def test_an_expression_that_can_never_match(good: Playbook) -> None:
    (problem,) = problems(changed(good, message="no stock^"), kind="never")
    assert problem.message == "symptom 1: the expression can never match: no stock^"
    assert "`^`" in problem.hint


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("sqlalchemy.exc.*", "names"),
        (".*Error", "names"),
        ("Valueerror", "ValueError"),
        ("keyError", "KeyError"),
        ("builtins.KeyEror", "KeyError"),
        ("KeyEror", "KeyError"),
        ("AttributeErorr", "AttributeError"),
    ],
)
def test_an_exception_that_there_cannot_be(good: Playbook, name: str, allowed: str) -> None:
    (problem,) = problems(changed(good, exception=(name,)), kind="never")
    assert name in problem.message
    assert allowed in problem.allowed + problem.hint
    if name == "KeyEror":
        assert "did you mean KeyError?" in problem.hint


def test_a_name_like_a_builtin_may_be_another_class(good: Playbook) -> None:
    for name in ("ConnectError", "PytestDeprecationWarning", "shop.KeyEror"):
        assert problems(changed(good, exception=(name,)), kind="never") == []
    report = checked(replace(changed(good, exception=("KeyEror",)), status="experimental"))
    assert [one.kind for one in report.notes if "did you mean" in one.hint] == ["never"]
    assert good.path is not None
    write_files(good.path.parent, {"known.xml": REPORT.format("shop.KeyEror: no stock left")})
    assert problems(changed(good, exception=("KeyEror",))) == []


@pytest.mark.parametrize(
    "expression", [".*", "no stock left|", "(?:no)?", r"\w+", "passed", "[a-z]+/[a-z_]+", "(?i)error", "a?b*"]
)
def test_an_expression_that_is_found_in_anything(good: Playbook, expression: str) -> None:
    (problem,) = problems(changed(good, message=expression), kind="broad")
    assert problem.message.endswith(f": {expression}")


def test_a_symptom_that_names_nothing_of_the_failure(good: Playbook) -> None:
    for symptom in (
        Symptom(),
        Symptom(exception=("Exception",)),
        Symptom(exception=("builtins.Exception",)),
        Symptom(fact={"sessions": 2}),
        Symptom(exception=("KeyError",), raised_in=("*",)),
        Symptom(exception=("KeyError",), frames=("**/*",)),
    ):
        assert problems(replace(good, symptoms=(*good.symptoms, symptom)), kind="broad"), symptom


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"beats": ("nobody",)}, "beats: no playbook 'nobody'"),
        ({"applies_to": {"pytest": ">>1"}}, "applies_to: '>>1' is no range of versions"),
        ({"beats": ("known",)}, "beats: it cannot beat itself"),
        ({"cascade": Cascade(of=("nobody",), scope="session")}, "cascade: no playbook 'nobody'"),
        ({"diagnose": Diagnose(rules=("no-rule",))}, "no rule 'no-rule'"),
    ],
)
def test_an_id_that_nothing_has(good: Playbook, changes: dict[str, object], said: str) -> None:
    problem = only(replace(good, **changes))  # type: ignore[arg-type] # each case names real fields
    assert (problem.kind, problem.message) == ("reference", said)


def test_a_finding_of_no_rule(good: Playbook) -> None:
    (problem,) = problems(changed(good, finding="no-rule"), kind="reference")
    assert "evaluated-default" in problem.allowed


def test_a_playbook_that_was_left_out_may_still_be_named(good: Playbook) -> None:
    broken = replace(changed(good, message="(["), id="broken")
    named = replace(good, beats=("broken", "gone"))
    error = ConfigurationError("missing: why", where="/own/gone.yaml:3:1")
    assert [one.kind for one in checked(broken, named, errors=(error,)).problems] == ["file", "expression"]


@pytest.mark.parametrize(
    ("review_by", "faults"), [("2026-11-21", 0), ("2026-11-20", 1), ("2026-02-31", 1), ("", 0)]
)
def test_a_date_of_review_that_has_passed(good: Playbook, review_by: str, faults: int) -> None:
    assert [one.kind for one in problems(replace(good, review_by=review_by))] == ["review"] * faults


def test_a_name_that_is_nearly_right_gets_the_right_one(good: Playbook) -> None:
    problem = only(replace(good, beats=("knwon",)))
    assert problem.hint == "did you mean known?"
    assert only(replace(good, beats=("quite-another",))).hint == "triage playbooks list"


def test_a_playbook_that_only_reruns_know_needs_no_example() -> None:
    assert checked(playbook("chance")).problems == ()


def test_every_kind_of_fault_is_in_the_reference() -> None:
    text = (data_folder("docs") / "reference" / "playbook-check.md").read_text("utf-8")
    assert [kind for kind in KINDS if f"| `{kind}` |" not in text] == []
