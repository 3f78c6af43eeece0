"""How long proofs may take."""

import pytest

from tests.proving.laboratory import Defect, World, examined, of
from triage.model.terms import Proof
from triage.proving.budget import Budget
from triage.rules.lookup import Lookup


@pytest.mark.parametrize(("spent_s", "allowed"), [(0.0, True), (14.0, True), (15.0, False)])
def test_three_times_one_run_and_two_seconds_for_each_playbook(spent_s: float, allowed: bool) -> None:
    budget = Budget(World({"a": []}, spent_s=spent_s), once_s=4.0, playbooks=2, start_s=1.0)
    assert budget.limit_s == 16.0
    assert budget.allows(["a"]) is allowed


def test_two_rounds_are_made_whatever_they_cost_and_no_third(lookup: Lookup) -> None:
    world = World({"a": [Defect(3, seen=(7, 8, 3))]}, start_s=100.0)
    found = examined(world, lookup)
    assert of("a", found).proof is Proof.OBSERVED
    assert world.names[:3] == ["observe", "change 1", "change 2"]
    assert found.notes == ("no further changes were tried: the time for proofs was used up",)


def test_with_time_left_the_third_is_tried(lookup: Lookup) -> None:
    world = World({"a": [Defect(3, seen=(7, 8, 3))]}, start_s=0.0)
    assert of("a", examined(world, lookup)).proof is Proof.FLIPPED


def test_one_rerun_is_made_whatever_it_costs_and_says_less(lookup: Lookup) -> None:
    world = World({"a": [Defect(3, "tried", seen=(7,))]}, start_s=100.0)
    one = of("a", examined(world, lookup, reruns=5))
    assert [name for name in world.names if name.startswith("again")] == ["again 1"]
    assert one.repeats.startswith("failed in 3 of 3")
