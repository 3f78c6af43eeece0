"""What no change explains is run again as it is."""

from tests.proving.laboratory import Defect, World, examined, of
from triage.model.terms import Proof
from triage.rules.lookup import Lookup


def test_reruns_are_counted_together_with_the_two_runs_before(lookup: Lookup) -> None:
    one = of("a", examined(World({"a": [Defect(3, "plain")]}), lookup))
    assert one.repeats == (
        "failed in 4 of 4 runs; a test that fails less often than 47 % of the time would have "
        "passed at least once (95 %)"
    )


def test_more_reruns_allow_to_say_more(lookup: Lookup) -> None:
    world = World({"a": [Defect(3, "plain")]}, start_s=0.1)
    assert of("a", examined(world, lookup, reruns=3)).repeats.startswith("failed in 5 of 5")


def test_what_a_change_explains_is_not_run_again(lookup: Lookup) -> None:
    world = World({"a": [Defect(3)], "b": [Defect(4, "plain")]})
    found = examined(world, lookup)
    assert of("a", found).repeats == ""
    assert world.trial("again 1").tests == ("b",)


def test_a_test_that_passes_and_fails_when_run_again_is_flaky(lookup: Lookup) -> None:
    world = World({"a": [Defect(3, "plain", strikes=(True, True, True, False))]})
    one = of("a", examined(world, lookup))
    assert (one.playbook, one.proof) == ("flaky", Proof.NONE)
    assert one.repeats == "failed in 1, passed in 1 of 2 identical runs: flaky"


def test_a_flaky_test_loses_its_place_under_the_text_of_its_failure(lookup: Lookup) -> None:
    world = World({"a": [Defect(3, "plain", strikes=(True, True, True, False))]})
    (failure,) = examined(world, lookup).failures
    assert failure.playbook == "flaky"
    assert [one.playbook for one in failure.also] == ["plain"]
    assert "run again" in failure.also[0].reason
