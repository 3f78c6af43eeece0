"""`playbooks check`, what the examples of a playbook show of it: each kind of fault, planted."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.builders import write_files
from tests.playbook.checking import REPORT, changed, checked, good_playbook, only, problems
from triage.model.playbook import Example, Playbook, Symptom


@pytest.fixture
def good(tmp_path: Path) -> Playbook:
    return good_playbook(tmp_path)


def test_an_expression_that_no_match_example_holds(good: Playbook) -> None:
    problem = only(
        replace(good, symptoms=(*good.symptoms, Symptom(exception=("KeyError",), message="Gone$")))
    )
    assert problem.kind == "unproven"
    assert problem.message == "symptom 2: no match example holds its message: Gone$"


@pytest.mark.parametrize(
    ("expression", "shown", "advice"),
    [
        ("No Stock", "no stock left", "capital letters differ"),
        ("stock [blue]", "stock [blue] left", "special characters are not escaped"),
        ("stock(s) left", "no stock(s) left", "special characters are not escaped"),
        ("no * left", "no blue stock left", "reads like a glob"),
        (r"no \\w+ left", "no stock left", "backslashes are doubled"),
        ("no stock left\n", "no stock left", "line breaks"),
    ],
)
def test_the_usual_slips_are_named(good: Playbook, expression: str, shown: str, advice: str) -> None:
    assert good.path is not None
    write_files(good.path.parent, {"known.xml": REPORT.format(f"ValueError: {shown}")})
    (problem,) = problems(changed(good, message=expression), kind="unproven")
    assert advice in problem.hint
    assert shown in problem.hint


def test_an_expression_for_a_handled_exception(good: Playbook) -> None:
    text = (
        "test_a.py:3: in test_a\n    sell(5)\nE   KeyError: blue stock\n\n"
        "During handling of the above exception, another exception occurred:\n"
        "test_a.py:5: in test_a\n    report()\nE   ValueError: no stock left"
    )
    report = REPORT.replace("test_a.py:3: in test_a\n    sell(5)\nE   {0}", text)
    assert good.path is not None
    write_files(good.path.parent, {"known.xml": report.format("ValueError: no stock left")})
    (problem,) = problems(changed(good, message="blue stock"), kind="unproven")
    assert "handled" in problem.hint


def test_a_source_expression_that_no_match_example_holds(good: Playbook) -> None:
    assert checked(changed(good, source=r"sell\(")).problems == ()
    (problem,) = problems(changed(good, source=r"buy\("), kind="unproven")
    assert problem.message == r"symptom 1: no match example holds its source: buy\("


def test_an_unless_that_no_neighbour_holds(good: Playbook) -> None:
    assert checked(changed(good, unless="customer")).problems == ()
    problem = only(changed(good, unless="supplier"))
    assert problem.message == "symptom 1: no no_match example holds its unless: supplier"


def test_a_symptom_that_no_example_meets(good: Playbook) -> None:
    for dead in (
        Symptom(exception=("KeyError",)),
        Symptom(exception=("ValueError",), message="no stock", frames=("other/*.py",)),
        Symptom(exception=("ValueError",), finding="mixed-construction"),
    ):
        problem = only(replace(good, symptoms=(*good.symptoms, dead)))
        assert (problem.kind, problem.message[:9]) == ("dead", "symptom 2"), dead
    of_a_run = Symptom(exception=("ValueError",), fact={"mixed": True})
    assert problems(replace(good, symptoms=(*good.symptoms, of_a_run))) == []


def test_what_an_experimental_playbook_lacks_is_a_note(good: Playbook) -> None:
    more = (*good.symptoms, Symptom(exception=("KeyError",)), Symptom(exception=("KeyError",), message="x y"))
    draft = replace(good, status="experimental", symptoms=more, no_match_examples=())
    report = checked(draft)
    assert report.problems == ()
    assert [one.kind for one in report.notes] == ["unproven", "dead"]
    assert next(one.kind for one in checked(replace(draft, match_examples=())).notes) == "example"


def test_a_stable_playbook_without_a_match_example(good: Playbook) -> None:
    (problem,) = problems(replace(good, match_examples=()), kind="example")
    assert problem.message == "no match example: nothing shows that it ever matches"


def test_a_match_example_that_does_not_match_says_what_was_wanted(good: Playbook) -> None:
    (problem,) = problems(changed(good, exception=("KeyError",)), kind="example")
    assert problem.message == "known.xml does not match: no playbook has it"
    assert problem.hint.startswith("symptom 1 wanted exception KeyError; seen: ValueError")


def test_a_match_example_that_another_playbook_takes(good: Playbook) -> None:
    taker = replace(good, id="taker", beats=("known",))
    (problem,) = problems(good, taker, kind="example")
    assert problem.message == "known.xml does not match: taker has it (taker beats it)"
    assert (problem.where, problem.others) == (str(good.path), ("taker",))


def test_a_neighbour_that_matches(good: Playbook) -> None:
    problem = only(replace(good, no_match_examples=(Example("known.xml", "it is another"),)))
    assert (problem.kind, problem.message) == ("example", "known.xml matches, although it must not")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("gone/*.xml", "no such example"),
        ("bad.xml", "not well-formed XML"),
        ("quiet.xml", "the example shows no failure"),
        ("linked.xml", "it leads out of the playbook's folder"),
        ("a**b", "not a usable path or pattern"),
        ("/etc/*.xml", "not a usable path or pattern"),
    ],
)
def test_an_example_that_cannot_be_used(good: Playbook, source: str, said: str) -> None:
    assert good.path is not None
    folder = good.path.parent / "own"
    write_files(folder, {"quiet.xml": "<testsuites/>", "bad.xml": "<testsuites>"})
    write_files(folder, {"known.xml": REPORT.format("ValueError: no stock left")})
    (folder / "linked.xml").symlink_to(good.path.parent / "other.xml")
    own = replace(good, path=folder / "known.yaml", no_match_examples=(Example(source, "another"),))
    (problem,) = problems(own, kind="example")
    assert said in problem.message
    assert ("paths start at the playbook's folder" in problem.hint) == (said == "no such example")


def test_an_alternative_that_no_example_shows_is_a_note(good: Playbook) -> None:
    report = checked(changed(good, message="(?i)NO stock|gone for good|(?:p|q)zz"))
    assert report.problems == ()
    assert [one.message for one in report.notes] == [
        "symptom 1: no example holds this alternative of its message: gone for good",
        "symptom 1: no example holds this alternative of its message: (?:p|q)zz",
    ]
    (slip,) = checked(changed(good, message="no stock|Stock left")).notes
    assert "capital letters differ" in slip.hint
