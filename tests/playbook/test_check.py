"""`playbooks check`: each kind of fault, planted."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from tests.builders import playbook, write_files
from triage.errors import ConfigurationError
from triage.model.playbook import Cascade, Diagnose, Example, Playbook, Symptom
from triage.playbook.check import CheckProblem, check_library
from triage.playbook.load import Library, load_library

TODAY = date(2026, 11, 21)
REPORT = (
    '<testsuites><testsuite><testcase classname="test_a" name="test_a" file="test_a.py" line="0">'
    '<failure message="{0}">test_a.py:3: in test_a\n    sell(5)\nE   {0}</failure>'
    "</testcase></testsuite></testsuites>"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    known, other = REPORT.format("ValueError: no stock left"), REPORT.format("ValueError: no customer")
    return write_files(tmp_path, {"known.xml": known, "other.xml": other, "bad.xml": "<testsuites>"})


@pytest.fixture
def good(folder: Path) -> Playbook:
    """A playbook without a fault."""
    symptom = Symptom(exception=("ValueError",), message=r"no (?P<value>\w+) left")
    return replace(
        playbook("known", symptom),
        match_examples=(Example("known.xml"),),
        no_match_examples=(Example("other.xml", "nothing is sold"),),
        review_by="2027-06-01",
        path=folder / "known.yaml",
    )


def _check(*playbooks: Playbook, errors: tuple[ConfigurationError, ...] = ()) -> tuple[CheckProblem, ...]:
    return check_library(Library({one.id: one for one in playbooks}, errors, (), "f"), TODAY)


def _only(*playbooks: Playbook) -> CheckProblem:
    (problem,) = _check(*playbooks)
    return problem


def _with(good: Playbook, **changes: object) -> Playbook:
    """The same with its one symptom changed."""
    symptom = replace(good.symptoms[0], **changes)  # type: ignore[arg-type] # each test names real fields
    return replace(good, symptoms=(symptom,))


def test_the_shipped_playbooks_have_no_fault() -> None:
    assert check_library(load_library(), TODAY) == ()


def test_a_playbook_without_a_fault_gives_nothing(good: Playbook) -> None:
    assert _check(good) == ()


def test_a_file_that_was_left_out_is_a_fault_with_its_place(good: Playbook) -> None:
    error = ConfigurationError("missing: why", where="/own/broken.yaml:3:1")
    assert _check(good, errors=(error,)) == (
        CheckProblem("broken", "file", "missing: why", "/own/broken.yaml:3:1"),
    )


def test_an_expression_that_does_not_compile(good: Playbook) -> None:
    problem = _only(_with(good, unless="(?=no)"))
    assert (problem.kind, problem.playbook) == ("expression", "known")
    assert "look-ahead" in problem.message


def test_a_playbook_that_does_not_compile_does_not_hide_faults_of_others(good: Playbook) -> None:
    broken = replace(_with(good, message="(["), id="broken")
    late = replace(good, review_by="2020-01-01")
    assert [one.kind for one in _check(broken, late)] == ["expression", "review"]


def test_an_expression_that_no_match_example_holds(good: Playbook) -> None:
    second = replace(good, symptoms=(*good.symptoms, Symptom(exception=("KeyError",), message="Gone$")))
    problem = _only(second)
    assert problem.kind == "unproven"
    assert problem.message == "symptom 2: no match example holds its message: Gone$"


def test_a_source_expression_that_no_match_example_holds(good: Playbook) -> None:
    assert _check(_with(good, source=r"sell\(")) == ()
    kinds = {one.kind: one.message for one in _check(_with(good, source=r"buy\("))}
    assert kinds["unproven"] == r"symptom 1: no match example holds its source: buy\("


def test_an_unless_that_no_neighbour_holds(good: Playbook) -> None:
    assert _check(_with(good, unless="customer")) == ()
    problem = _only(_with(good, unless="supplier"))
    assert problem.message == "symptom 1: no no_match example holds its unless: supplier"


def test_a_match_example_that_does_not_match(good: Playbook) -> None:
    problems = _check(_with(good, exception=("KeyError",)))
    assert ("example", "known.xml does not match: no playbook has it") in [
        (one.kind, one.message) for one in problems
    ]


def test_a_match_example_that_another_playbook_takes(good: Playbook) -> None:
    taker = replace(good, id="taker", beats=("known",))
    problem = _only(good, taker)
    assert problem.message == "known.xml does not match: taker has it (taker beats it)"
    assert problem.where == str(good.path)


def test_a_neighbour_that_matches(good: Playbook) -> None:
    problem = _only(replace(good, no_match_examples=(Example("known.xml", "it is another"),)))
    assert (problem.kind, problem.message) == ("example", "known.xml matches, although it must not")


def test_an_example_that_is_not_there_or_broken(good: Playbook, folder: Path) -> None:
    missing = _only(replace(good, no_match_examples=(Example("gone/*.xml", "it is another"),)))
    assert (missing.kind, missing.message) == ("example", f"{folder}/gone/*.xml: no such example")
    broken = _only(replace(good, no_match_examples=(Example("bad.xml", "it is another"),)))
    assert "not well-formed XML" in broken.message


def test_a_tie_that_nothing_decides(good: Playbook) -> None:
    twin = replace(good, id="twin", no_match_examples=good.match_examples, match_examples=())
    assert ("known", "tie", "twin: a tie with known that nothing decides: add a `beats` (known.xml)") in [
        (one.playbook, one.kind, one.message) for one in _check(good, twin)
    ]


@pytest.mark.parametrize(
    "expression", [".*", "no stock left|", "(?:no)?", r"\w+", "passed", "[a-z]+/[a-z_]+"]
)
def test_an_expression_that_is_found_in_anything(good: Playbook, expression: str) -> None:
    problem = next(one for one in _check(_with(good, message=expression)) if one.kind == "broad")
    assert problem.message.endswith(f": {expression}")


def test_a_symptom_that_names_nothing_of_the_failure(good: Playbook) -> None:
    for symptom in (Symptom(), Symptom(exception=("Exception",)), Symptom(fact={"sessions": 2})):
        problems = _check(replace(good, symptoms=(*good.symptoms, symptom)))
        assert "broad" in [one.kind for one in problems]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"beats": ("nobody",)}, "beats: no playbook 'nobody'"),
        ({"beats": ("known",)}, "beats: it cannot beat itself"),
        ({"cascade": Cascade(of=("nobody",), scope="session")}, "cascade: no playbook 'nobody'"),
        ({"diagnose": Diagnose(rules=("no-rule",))}, "no rule 'no-rule'; allowed: evaluated-default"),
    ],
)
def test_an_id_that_nothing_has(good: Playbook, changes: dict[str, object], said: str) -> None:
    problem = _only(replace(good, **changes))  # type: ignore[arg-type] # each case names real fields
    assert problem.kind == "reference"
    assert problem.message.startswith(said)


def test_a_finding_of_no_rule(good: Playbook) -> None:
    assert "reference" in [one.kind for one in _check(_with(good, finding="no-rule"))]


def test_a_playbook_that_was_left_out_may_still_be_named(good: Playbook) -> None:
    broken = replace(_with(good, message="(["), id="broken")
    assert [one.kind for one in _check(broken, replace(good, beats=("broken",)))] == ["expression"]


@pytest.mark.parametrize(
    ("review_by", "faults"), [("2026-11-21", 0), ("2026-11-20", 1), ("2026-02-31", 1), ("", 0)]
)
def test_a_date_of_review_that_has_passed(good: Playbook, review_by: str, faults: int) -> None:
    problems = _check(replace(good, review_by=review_by))
    assert [one.kind for one in problems] == ["review"] * faults
