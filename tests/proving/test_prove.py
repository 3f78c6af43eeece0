"""What is run again, in which company, and what is left alone."""

import pytest

from tests.proving.laboratory import Defect, World, examined, of, said
from triage.model.terms import Phase, Proof
from triage.rules.lookup import Lookup


def test_failures_that_are_known_are_watched_by_their_playbooks_observer(lookup: Lookup) -> None:
    world = World({"a": [Defect(3)], "b": [Defect(4, "plain")], "c": []})
    examined(world, lookup)
    assert (world.trials[0].tests, world.trials[0].observers) == (("a", "b"), ("watch",))


def test_observers_and_changes_that_are_not_there_are_not_asked_for(lookup: Lookup) -> None:
    world = World({"a": [Defect(3)]})
    one = of("a", examined(world, lookup, interventions=(), observers=()))
    assert one.proof is not Proof.FLIPPED
    assert not any(trial.observers or trial.interventions for trial in world.trials)


@pytest.mark.parametrize("phase", [Phase.COLLECT, Phase.SESSION])
def test_what_broke_outside_of_a_test_is_not_run_again(lookup: Lookup, phase: Phase) -> None:
    world = World({"a": [Defect(3, phase=phase)]})
    assert of("a", examined(world, lookup)).proof is Proof.NONE
    assert world.trials == []


def test_what_hangs_or_ends_the_process_is_not_run_again(lookup: Lookup) -> None:
    world = World({"a": [Defect(3, "hangs")], "b": [Defect(4)]})
    found = examined(world, lookup)
    assert (of("a", found).proof, of("b", found).proof) == (Proof.NONE, Proof.FLIPPED)
    assert not any("a" in trial.tests for trial in world.trials)


def test_nothing_is_run_where_nothing_can_be(lookup: Lookup) -> None:
    world = World({"a": [Defect(3, "hangs")]})
    found = examined(world, lookup, localise=True)
    assert (world.trials, found.notes) == ([], ())


def test_a_passing_test_that_poisons_another_is_run_along(lookup: Lookup) -> None:
    world = World({"p": [], "q": [], "b": [Defect(5, root="p")]})
    one = of("b", examined(world, lookup))
    assert (one.proof, one.cause.line) == (Proof.FLIPPED, 5)
    assert all(trial.tests == ("p", "b") for trial in world.trials)


def test_a_test_that_does_not_end_when_run_again_is_told_and_left_out(lookup: Lookup) -> None:
    world = World({"x": [Defect(2)], "a": [Defect(3)], "b": [Defect(4)]}, endless=("a",))
    found = examined(world, lookup)
    assert (of("a", found).playbook, of("a", found).proof, of("a", found).repeats) == (
        "known",
        Proof.NONE,
        "",
    )
    assert found.notes == ("a did not come to an end when it was run again",)
    assert (of("x", found).proof, of("b", found).proof) == (Proof.FLIPPED, Proof.FLIPPED)
    assert ["a" in trial.tests for trial in world.trials] == [True, False, False, False]


@pytest.mark.parametrize(("tests", "trials"), [("a", 1), ("abcdef", 3)])
def test_where_nothing_comes_to_an_end_again_nothing_is_proven(
    lookup: Lookup, tests: str, trials: int
) -> None:
    world = World({name: [Defect(3)] for name in tests}, endless=tuple(tests))
    found = examined(world, lookup)
    assert {one.proof for one in found.diagnoses} == {Proof.NONE}
    assert world.names == ["observe"] * trials


def test_a_failure_that_changes_when_watched_keeps_what_the_first_run_said(lookup: Lookup) -> None:
    shy = Defect(3, strikes=(True, False), message="at first", raised=100)
    world = World({"a": [shy, Defect(9, "other", raised=101, phase=Phase.SETUP)]})
    one = of("a", examined(world, lookup))
    assert (one.playbook, one.proof) == ("known", Proof.NONE)
    assert said(one, "raised") == ["sell()"]


def test_an_unknown_failure_is_watched_but_nothing_is_changed(lookup: Lookup) -> None:
    world = World({"a": [Defect(3, None)]})
    one = of("a", examined(world, lookup))
    assert (one.playbook, one.proof, one.cause.line) == (None, Proof.NONE, 100)
    assert world.names == ["observe", "again 1", "again 2"]
    assert not any(trial.interventions for trial in world.trials)


def test_a_failure_that_differs_when_run_again_is_not_changed(lookup: Lookup) -> None:
    """Else what was there without the change would look like its effect."""
    shy = Defect(3, strikes=(True, False))
    world = World({"a": [shy, Defect(9, "other", raised=101, phase=Phase.SETUP)]})
    examined(world, lookup)
    assert not any(trial.interventions for trial in world.trials)
