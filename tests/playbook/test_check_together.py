"""`playbooks check`, what playbooks do to one another: each kind of fault, planted."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.builders import write_files
from tests.playbook.checking import REPORT, changed, checked, good_playbook, problems
from triage.model.playbook import Cascade, Example, Playbook, Symptom
from triage.model.terms import Level
from triage.playbook.checks.together import covers

NARROW = Symptom(exception=("ValueError",), message="no stock")


@pytest.fixture
def good(tmp_path: Path) -> Playbook:
    return good_playbook(tmp_path)


@pytest.fixture
def rival(good: Playbook) -> Playbook:
    """It holds for the same failure by other words, and cites it as its neighbour's."""
    other = changed(good, message="stock left")
    examples = (Example("known.xml", "the neighbour has it"),)
    return replace(other, id="rival", match_examples=(Example("more.xml"),), no_match_examples=examples)


@pytest.fixture(autouse=True)
def _more(tmp_path: Path) -> None:
    write_files(tmp_path, {"more.xml": REPORT.format("ValueError: much stock left")})


def test_a_tie_that_an_example_shows(good: Playbook, rival: Playbook) -> None:
    (problem,) = problems(good, rival, kind="tie")
    assert (problem.playbook, problem.others) == ("known", ("rival",))
    assert problem.message == "a tie with rival: both hold for 1 of the examples: known.xml; nothing decides"
    assert "beats: [rival]" in problem.hint


def test_a_tie_that_no_example_shows(good: Playbook) -> None:
    first = replace(good, symptoms=(*good.symptoms, Symptom(exception=("KeyError", "IndexError"))))
    second = replace(good, id="second", symptoms=(Symptom(exception=("IndexError",)),), match_examples=())
    (problem,) = problems(first, second, kind="tie")
    assert "whenever symptom 2 of it or 1 of the other does" in problem.message
    assert problems(first, replace(second, beats=("known",)), kind="tie") == []
    assert problems(first, replace(second, level=Level.GENERAL), kind="tie") == []


def test_beats_in_a_circle(good: Playbook) -> None:
    ring = [
        replace(good, id=one, beats=(other,))
        for one, other in (("a", "b"), ("b", "c"), ("c", "a"), ("d", "a"))
    ]
    circles = [one for one in problems(*ring, kind="tie") if "circle" in one.message]
    assert [one.message for one in circles] == ["`beats` goes round in a circle: a > b > c > a"]


@pytest.mark.parametrize("by_level", [True, False])
def test_a_playbook_that_another_always_beats(good: Playbook, by_level: bool) -> None:
    shadowed = replace(good, id="shadowed", level=Level.GENERAL if by_level else Level.SPECIFIC)
    wide = replace(good, beats=() if by_level else ("shadowed",))
    (problem,) = problems(wide, shadowed, kind="shadowed")
    assert (problem.playbook, problem.others) == ("shadowed", ("known",))


def test_a_playbook_that_wins_no_example(good: Playbook, rival: Playbook) -> None:
    loser = replace(
        rival, match_examples=(Example("known.xml"),), no_match_examples=(Example("other.xml", "x"),)
    )
    (problem,) = problems(replace(good, beats=("rival",)), loser, kind="shadowed")
    assert problem.message == "it holds for 1 of all examples and wins none: known"
    winning = replace(loser, match_examples=(Example("more.xml"),))
    assert problems(replace(good, beats=("rival",)), winning, kind="shadowed") == []


def test_a_specific_playbook_that_holds_for_many_others(good: Playbook) -> None:
    kinds = ("red", "blue", "green", "black", "white")
    assert good.path is not None
    write_files(
        good.path.parent, {f"{one}.xml": REPORT.format(f"ValueError: no {one} stock left") for one in kinds}
    )
    others = [
        replace(
            changed(good, message=f"no {one} stock"),
            id=one,
            beats=("wide",),
            match_examples=(Example(f"{one}.xml"),),
        )
        for one in kinds
    ]
    wide = replace(changed(good, message="stock left"), id="wide", match_examples=(Example("more.xml"),))
    (problem,) = problems(*others, wide, kind="broad")
    assert problem.message.startswith("it holds for match examples of 5 other playbooks: black, blue")
    assert problems(*others[1:], wide, kind="broad") == []
    assert problems(*others, replace(wide, level=Level.GENERAL), kind="broad") == []


def test_a_stable_playbook_without_a_neighbour(good: Playbook) -> None:
    (problem,) = problems(replace(good, no_match_examples=()))
    assert (problem.kind, problem.message) == (
        "neighbour",
        "no `no_match` example: nothing shows where it ends",
    )


def test_the_neighbour_that_wins_over_it_must_be_among_its_examples(good: Playbook, rival: Playbook) -> None:
    lacking = replace(rival, no_match_examples=(Example("other.xml", "another"),))
    by_example = problems(replace(good, beats=("rival",)), lacking, kind="neighbour")
    assert [one.message for one in by_example if one.playbook == "rival"] == [
        "no `no_match` example that known wins, which wins over it elsewhere",
        "no `no_match` example of one that is like it: known",
    ]
    shown = problems(replace(good, beats=("rival",)), rival, kind="neighbour")
    assert [one for one in shown if one.playbook == "rival"] == []


def test_a_shipped_playbook_need_not_know_those_of_other_folders(
    good: Playbook, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("triage.playbook.checks.together.data_folder", lambda _: tmp_path)
    own = good_playbook(tmp_path / "team")
    lacking = replace(good, id="rival")
    found = problems(lacking, replace(own, beats=("rival",)), kind="neighbour")
    assert {one.playbook for one in found} == {"known"}


def test_what_it_follows_from_is_a_neighbour(good: Playbook) -> None:
    root = replace(changed(good, exception=("KeyError",), message="first"), id="root", match_examples=())
    follower = replace(good, cascade=Cascade(of=("root",), scope="session"))
    assert [one.others for one in problems(root, follower, kind="neighbour") if one.playbook == "known"] == [
        ("root",)
    ]


def test_beats_that_decide_nothing_are_notes(good: Playbook, rival: Playbook) -> None:
    far = replace(changed(good, exception=("OSError",), message="full disk"), id="far", match_examples=())
    low = replace(far, id="low", level=Level.GENERAL)
    report = checked(replace(good, beats=("rival", "far", "low")), rival, far, low)
    assert [one.message for one in report.notes] == [
        "beats far: no example shows both",
        "beats low: the levels decide before it (specific, general)",
    ]


def test_the_overlaps_say_who_wins_and_why(good: Playbook, rival: Playbook) -> None:
    (overlap,) = checked(replace(good, beats=("rival",)), rival).overlaps
    assert (overlap.winner, overlap.loser, overlap.reason) == ("known", "rival", "known beats it")
    assert (overlap.failures, [one.name for one in overlap.files]) == (1, ["known.xml"])


@pytest.mark.parametrize(
    ("wide", "narrow", "holds"),
    [
        (Symptom(exception=("ValueError",)), NARROW, True),
        (Symptom(message="no stock"), NARROW, True),
        (Symptom(exception=("Exception",)), NARROW, True),
        (Symptom(exception=("Exception",), exact=True), NARROW, False),
        (Symptom(exception=("shop.Refused",)), Symptom(exception=("Refused",)), False),
        (Symptom(exception=("Refused",)), Symptom(exception=("shop.Refused",)), True),
        (Symptom(exception=("ValueError",), message="no"), NARROW, False),
        (Symptom(exception=("ValueError",), unless="customer"), NARROW, False),
        (Symptom(exception=("ValueError",), where="cause"), NARROW, False),
        (Symptom(exception=("ValueError",), fact={"mixed": True}), NARROW, False),
        (Symptom(exception=("ValueError",)), replace(NARROW, fact={"mixed": True}), True),
        (Symptom(exception=("ValueError", "KeyError")), NARROW, True),
        (NARROW, Symptom(exception=("ValueError", "KeyError"), message="no stock"), False),
        (NARROW, Symptom(message="no stock"), False),
    ],
)
def test_one_symptom_covers_another(wide: Symptom, narrow: Symptom, holds: bool) -> None:
    assert covers(wide, narrow) is holds
