"""`playbooks check`: names of what stands elsewhere, sentences, ranges of versions, words to be written."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.playbook.checking import TODAY, changed, checked, good_playbook, only, problems
from triage.model.playbook import Diagnose, Playbook, Remedy
from triage.model.terms import Applicability
from triage.playbook.check import check_library
from triage.playbook.checks.names import Known, is_range
from triage.playbook.load import Library

KNOWN = Known(frozenset({"flask-context"}), frozenset({"supply-value"}), frozenset({"add-value"}))


@pytest.fixture
def good(tmp_path: Path) -> Playbook:
    return good_playbook(tmp_path)


def _messages(playbook: Playbook) -> list[tuple[str, str]]:
    report = check_library(Library({playbook.id: playbook}, (), (), "f"), TODAY, KNOWN)
    assert {one.kind for one in report.problems} <= {"reference"}
    return [(one.message, one.hint) for one in report.problems]


@pytest.mark.parametrize(
    ("diagnose", "found"),
    [
        (Diagnose(probe="flask-context", interventions=("supply-value",)), []),
        (Diagnose(probe="flask-contxt"), [("no probe 'flask-contxt'", "did you mean flask-context?")]),
        (Diagnose(interventions=("supply-value", "zzz")), [("no intervention 'zzz'", "")]),
    ],
)
def test_probes_and_interventions(good: Playbook, diagnose: Diagnose, found: list[tuple[str, str]]) -> None:
    assert _messages(replace(good, diagnose=diagnose)) == found


@pytest.mark.parametrize(
    ("name", "applicability", "hint"),
    [
        ("add-value", "safe", None),
        ("add-value", "unsafe", None),
        ("ask-somebody", "safe", "`applicability: display-only`"),
        ("ask-somebody", "unsafe", "`applicability: display-only`"),
        ("add-valeu", "unsafe", "did you mean add-value?"),
        ("anything", "display-only", None),
    ],
)
def test_remedies(good: Playbook, name: str, applicability: str, hint: str | None) -> None:
    found = _messages(replace(good, remedies=(Remedy(name, Applicability(applicability)),)))
    assert [said for said, _ in found] == ([f"no remedy {name!r} that can be applied"] if hint else [])
    assert all(told.startswith(hint or "") for _, told in found)


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("`{value}` is gone from {table}.", ""),
        ("the {oven is hot", "a brace that encloses no name"),
        ("the {} is hot", "a brace that encloses no name"),
        ("the oven} is hot", "a brace that encloses no name"),
        ("the {vlaue} is hot", "nothing gives the name 'vlaue'"),
    ],
)
def test_explanations(good: Playbook, template: str, said: str) -> None:
    found = problems(replace(good, diagnose=Diagnose(explanation=(template,))))
    assert [one.kind for one in found] == ["reference"] * bool(said)
    assert all(said in one.message for one in found)


def test_a_rule_may_give_other_names(good: Playbook) -> None:
    diagnose = Diagnose(rules=("evaluated-default",), explanation=("{whatever} is wrong",))
    assert problems(replace(good, diagnose=diagnose)) == []


def test_groups_that_no_expression_has(good: Playbook) -> None:
    assert problems(changed(good, own="value", same={"value": "value"}), kind="reference") == []
    found = problems(changed(good, own="valeu", same={"value": "left"}), kind="reference")
    assert [(one.message, one.allowed) for one in found] == [
        ("symptom 1: own: no group 'valeu'", "value"),
        ("symptom 1: same: no group 'left'", "value"),
    ]


def test_ranges_of_versions() -> None:
    for text in (">=6", ">=1.4,<2", " ~= 3.1 , != 3.1.4", "==2.*", ">=2.0rc1", "===1.0", ">=1.0.dev3"):
        assert is_range(text), text
    for text in (">>1", "6", ">=", ">=6,", "*", "^2.0", ">=2.*", "newest", ">=1 <2", ""):
        assert not is_range(text), text


def test_words_that_somebody_still_has_to_write(good: Playbook) -> None:
    plan = replace(good.plan, title="To be named: the cure", steps=("look", "to be written: what to change"))
    draft = replace(good, title="To be named: X", why="TODO", plan=plan)
    assert [one.message for one in problems(draft, kind="placeholder")] == [
        "title is not written yet: To be named: X",
        "why is not written yet: TODO",
        "plan.title is not written yet: To be named: the cure",
        "plan.steps.2 is not written yet: to be written: what to change",
    ]
    report = checked(replace(draft, status="experimental"))
    assert (report.problems, len(report.notes)) == ((), 4)
    assert only(replace(good, why="It has to be written down. TBD")).kind == "placeholder"
    assert problems(replace(good, why="A todo item has to be written first.")) == []
