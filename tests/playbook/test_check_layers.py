"""`playbooks check`: what a playbook does to those of the layers below it, told once for each pair."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.builders import write_files
from tests.playbook.checking import REPORT, TODAY, changed, good_playbook
from triage.model.playbook import Example, Playbook, Symptom
from triage.model.terms import Level
from triage.playbook.check import check_library
from triage.playbook.checks.fault import CheckProblem
from triage.playbook.load import Library

KINDS = ("red", "blue", "green")


@pytest.fixture
def lower(tmp_path: Path) -> Playbook:
    """It shows itself by three examples."""
    folder = tmp_path / "lower"
    good = good_playbook(folder)
    write_files(folder, {f"{one}.xml": REPORT.format(f"ValueError: no {one} left") for one in KINDS})
    return replace(good, match_examples=tuple(Example(f"{one}.xml") for one in KINDS))


@pytest.fixture
def upper(tmp_path: Path) -> Playbook:
    """A wide one, with nothing of its own."""
    own = good_playbook(tmp_path / "upper")
    wide = replace(own, id="a-wide", symptoms=(Symptom(exception=("ValueError",)),), status="experimental")
    return replace(wide, path=tmp_path / "upper" / "a-wide.yaml", match_examples=(), no_match_examples=())


def _of_upper(lower: Playbook, upper: Playbook) -> list[CheckProblem]:
    folders = tuple(one.path.parent for one in (lower, upper) if one.path)
    library = Library({one.id: one for one in (lower, upper)}, (), (), "f", folders)
    return list(check_library(library, TODAY).problems)


def test_a_tie_over_layers_is_one_line_in_the_upper_file(lower: Playbook, upper: Playbook) -> None:
    for one in (upper, replace(upper, id="z-wide")):  # the alphabet decides which of the two has the examples
        (problem,) = _of_upper(lower, one)
        assert (problem.kind, problem.where, problem.others) == ("tie", str(upper.path), ("known",))
        assert (
            "a tie with known: both hold for the same failures (3 of the examples, such as "
            in problem.message
        )
        assert "`level: general` where known knows more" in problem.hint


@pytest.mark.parametrize("by_level", [True, False])
def test_what_it_takes_from_a_lower_one_is_one_line(lower: Playbook, upper: Playbook, by_level: bool) -> None:
    below = replace(lower, level=Level.GENERAL) if by_level else lower
    above = upper if by_level else replace(upper, beats=("known",))
    (problem,) = _of_upper(below, above)
    assert (problem.kind, problem.where) == ("example", str(upper.path))
    assert problem.message.startswith("it takes what known is about (3 of the examples, such as ")
    assert ("specific comes before general" if by_level else "because of its `beats`") in problem.message
    assert problem.message.endswith("; known is left with nothing to win")


def test_within_one_folder_each_example_stays_where_it_is_cited(lower: Playbook, upper: Playbook) -> None:
    near = replace(upper, path=lower.path, beats=("known",))
    found = _of_upper(lower, near)
    assert [one.kind for one in found if one.playbook == "known"].count("example") == len(KINDS)


def test_what_the_upper_one_loses_stays_in_its_own_file(lower: Playbook, upper: Playbook) -> None:
    mine = replace(upper, match_examples=(Example("known.xml"),), level=Level.GENERAL)
    kinds = [(one.kind, one.playbook) for one in _of_upper(lower, mine)]
    assert ("example", "a-wide") in kinds
    assert not [playbook for _, playbook in kinds if playbook != "a-wide"]


def test_another_fault_of_the_lower_one_is_its_own(lower: Playbook, upper: Playbook) -> None:
    broken = replace(changed(lower, message="no lemon"), status="stable")
    found = _of_upper(broken, upper)
    assert {one.kind for one in found if one.playbook == "known"} >= {"unproven"}
