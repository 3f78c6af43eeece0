"""A test that passes without the suite was spoilt by another one, by other processes, or failed by chance."""

from dataclasses import replace

import pytest

from tests.proving.laboratory import FILE, TESTS, Defect, World, examined, of, orders_of, said
from triage.model.terms import Proof
from triage.probes.leftovers import Leftover
from triage.rules.lookup import Lookup

MODE = Leftover("module", "shop.mode", "'a'", "'b'", FILE, 30)


def spoilt(playbook: str = "plain", **more: object) -> World:
    """`v` fails after `p` only, with much between and before."""
    names = [*(f"x{n}" for n in range(5)), "p", *(f"y{n}" for n in range(4))]
    suite: dict[str, list[Defect]] = {name: [] for name in names}
    return World({**suite, "v": [Defect(3, playbook, after=("p",))]}, **more)  # type: ignore[arg-type] # a test's own


def test_a_polluted_test_is_order_dependent_and_the_polluter_is_its_cause(lookup: Lookup) -> None:
    one = of("v", examined(spoilt(), lookup))
    assert (one.playbook, one.proof) == ("order-dependent", Proof.FLIPPED)
    assert (one.cause.file, one.cause.line, one.cause.explanation) == (TESTS, 60, "v fails after p.")
    assert said(one, "polluter")[0].startswith("passes alone and fails after p (")


def test_the_line_that_changed_the_state_is_the_cause_where_it_is_known(lookup: Lookup) -> None:
    one = of("v", examined(spoilt(leaves={"p": (MODE,)}), lookup))
    assert (one.cause.file, one.cause.line) == (FILE, 30)
    assert one.cause.explanation == "v fails after p, which leaves shop.mode ('a' -> 'b') behind."
    assert said(one, "state") == ["leaves shop.mode ('a' -> 'b') behind"]


def test_what_only_one_test_leaves_behind_makes_the_search_short(lookup: Lookup) -> None:
    world = spoilt(leaves={"p": (MODE,)})
    examined(world, lookup)
    assert len([name for name in world.names if name.startswith("order-")]) == 1


def test_one_more_run_asks_for_the_line_of_a_state_that_has_none(lookup: Lookup) -> None:
    world = spoilt(leaves={"p": (Leftover("module", "shop.mode"),)})
    one = of("v", examined(world, lookup))
    (order,) = orders_of(world.trial("trace state"), "trace-state")
    assert (order.kind, order.tests, order.names["name"]) == ("trace-state", ("p",), "shop.mode")
    assert (one.cause.file, one.cause.line) == (TESTS, 60)


def test_a_specific_playbook_keeps_its_name_and_gets_the_polluter_as_evidence(lookup: Lookup) -> None:
    world = spoilt("known")
    one = of("v", examined(world, lookup))
    assert (one.playbook, one.proof, one.cause.line) == ("known", Proof.FLIPPED, 3)
    assert len(said(one, "polluter")) == 1
    assert world.trial("change 1").tests == ("p", "v")


def test_a_specific_playbook_without_a_flip_gives_way_to_the_order(lookup: Lookup) -> None:
    world = spoilt("known", unreached=(3,))
    one = of("v", examined(world, lookup))
    assert (one.playbook, one.cause.file, one.cause.line) == ("order-dependent", TESTS, 60)


def test_two_tests_that_spoil_together_are_both_named_and_no_line(lookup: Lookup) -> None:
    world = World({"p": [], "x": [], "q": [], "v": [Defect(3, "plain", after=("p", "q"))]})
    one = of("v", examined(world, lookup))
    assert (one.playbook, one.proof) == ("order-dependent", Proof.NONE)
    assert "together" in one.repeats


def test_two_victims_of_one_polluter_are_one_diagnosis(lookup: Lookup) -> None:
    world = World({"p": [], "v": [Defect(3, "plain", after=("p",))], "w": [Defect(3, "plain", after=("p",))]})
    one = of("v", examined(world, lookup))
    assert one.tests == ("v", "w")


def test_what_passes_in_the_order_of_the_suite_is_flaky(lookup: Lookup) -> None:
    world = World({"x": [], "a": [Defect(3, "plain", strikes=(True, False))]})
    one = of("a", examined(world, lookup))
    assert (one.playbook, one.proof) == ("flaky", Proof.NONE)
    assert one.repeats == "failed in 1, passed in 1 of 2 identical runs: flaky"
    assert world.names == ["observe", "suite order"]


def test_what_failed_once_more_and_then_passed_in_the_same_order_is_flaky(lookup: Lookup) -> None:
    world = World({"x": [], "y": [], "a": [Defect(3, strikes=(True, False, True, False))]})
    one = of("a", examined(world, lookup))
    assert (one.playbook, one.repeats) == ("flaky", "failed in 2, passed in 1 of 3 identical runs: flaky")


def test_a_pass_without_any_change_is_never_a_flip(lookup: Lookup) -> None:
    """Spread over processes it is not known what ran before."""
    world = World(
        {"x": [], "y": [], "a": [Defect(3, strikes=(True, False, True, False))]}, ran_in_parallel=True
    )
    assert of("a", examined(world, lookup)).proof is Proof.NONE
    assert not any(trial.interventions for trial in world.trials)


def test_what_fails_only_beside_other_processes_is_told_so_and_not_flaky(lookup: Lookup) -> None:
    world = World({"x": [], "a": [Defect(3, "known", beside=True)]}, ran_in_parallel=True)
    one = of("a", examined(world, lookup))
    assert (one.playbook, one.repeats) == (
        "known",
        "fails only while other processes run tests; in one process it passes",
    )
    assert one.proof is not Proof.FLIPPED
    assert world.trials[-1].parallel
    assert world.trials[-1].tests == ("x", "a")


def test_what_passes_beside_other_processes_too_is_flaky(lookup: Lookup) -> None:
    world = World({"a": [Defect(3, strikes=(True, False))]}, ran_in_parallel=True)
    assert of("a", examined(world, lookup)).playbook == "flaky"
    assert world.names == ["observe", "suite order", "in parallel"]


def test_a_suite_that_is_too_long_is_not_run_again_and_that_is_told(
    lookup: Lookup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("triage.proving.pollutions.MAX_SUITE_S", 5.0)
    world = spoilt("known")
    found = examined(world, lookup)
    assert world.names == ["observe"]
    assert found.notes == ("tests that pass alone: 1; the suite is too long to search for why",)
    assert (of("v", found).playbook, of("v", found).proof) == ("known", Proof.NONE)


def test_more_victims_than_are_searched_are_tried_with_the_polluters_that_are_known(lookup: Lookup) -> None:
    victims = {f"v{n}": [Defect(3, "plain", after=("p",))] for n in range(8)}
    world = World({"p": [], "x": [], "y": [], **victims})
    (one,) = examined(world, lookup).diagnoses
    assert (one.playbook, len(one.tests)) == ("order-dependent", 8)


def test_what_a_failing_test_spoils_is_found_once_that_one_is_explained(lookup: Lookup) -> None:
    """Among the failing tests it failed again; only without the other it passes."""
    world = World({"p": [Defect(3)], "x": [], "v": [Defect(4, "plain", after=("p",), raised=101)]})
    found = examined(world, lookup)
    assert (of("p", found).playbook, of("p", found).proof) == ("known", Proof.FLIPPED)
    assert (of("v", found).playbook, of("v", found).cause.line) == ("order-dependent", 10)


def test_what_a_failing_test_without_explanation_spoils_is_found_by_parting_them(lookup: Lookup) -> None:
    world = World(
        {"p": [Defect(3, "plain")], "v": [Defect(4, "plain", after=("p",), raised=101)]}, start_s=0.1
    )
    found = examined(world, lookup, reruns=1)
    assert (of("p", found).playbook, of("v", found).playbook) == ("plain", "order-dependent")


def test_chance_that_looks_like_order_is_called_flaky(lookup: Lookup) -> None:
    """It fails in the suite and after the test before it, and then it does not any more."""
    world = World({"x": [], "a": [Defect(3, "plain", strikes=(True, False, True, True, False))]})
    one = of("a", examined(world, lookup))
    assert (one.playbook, one.proof) == ("flaky", Proof.NONE)


def test_a_polluter_that_explains_the_failure_is_not_confirmed_again(lookup: Lookup) -> None:
    state = Leftover("module", "shop.sell", "1", "2", FILE, 30)  # the failing line says `sell()`
    world = spoilt(leaves={"p": (state,)})
    examined(world, lookup)
    assert not any(name.endswith("again") for name in world.names)


def test_the_state_that_mattered_is_the_one_that_helps_when_it_is_put_back(lookup: Lookup) -> None:
    other = Leftover("module", "shop.other", "1", "2", FILE, 40)
    world = spoilt(leaves={"p": (other, MODE)}, harmless=("shop.other",))
    one = of("v", examined(world, lookup))
    assert (one.cause.file, one.cause.line) == (FILE, 30)
    assert [order.names["name"] for order in world.trial("put back").interventions] == ["shop.mode"]


def test_a_state_that_does_not_help_when_it_is_put_back_is_no_cause(lookup: Lookup) -> None:
    world = spoilt(leaves={"p": (MODE,)}, harmless=("shop.mode",))
    one = of("v", examined(world, lookup))
    assert (one.cause.file, one.cause.line) == (TESTS, 60)
    assert said(one, "state") == []


def test_the_line_of_the_polluting_test_counts_where_the_product_changed_the_state(lookup: Lookup) -> None:
    state = replace(MODE, by_file=TESTS, by_line=61)
    one = of("v", examined(spoilt(leaves={"p": (state,)}), lookup))
    assert (one.cause.file, one.cause.line) == (TESTS, 61)
    assert [(piece.file, piece.line) for piece in one.evidence if piece.kind == "state"] == [(FILE, 30)]


def test_what_a_failing_test_spoils_is_order_dependent_too(lookup: Lookup) -> None:
    world = World({"p": [Defect(2, "plain")], "x": [], "v": [Defect(3, "plain", after=("p",))]})
    one = of("v", examined(world, lookup))
    assert (one.playbook, one.proof) == ("order-dependent", Proof.FLIPPED)
    assert (one.cause.file, one.cause.line) == (TESTS, 10)
    assert of("p", examined(world, lookup)).playbook == "plain"


@pytest.mark.parametrize("turn", range(3))
def test_chance_that_looked_like_order_is_found_out(lookup: Lookup, turn: int) -> None:
    """It fails in the first run, with the suite and after one test, then not as order would have it."""
    later = ((True,), (False, True), (False, False, False))[turn]
    strikes = (True, False, True, True, *later)
    world = World({"x": [], "a": [Defect(3, "plain", strikes=strikes)]})
    one = of("a", examined(world, lookup))
    assert (one.playbook, one.proof) == ("flaky", Proof.NONE)
    assert one.cause.explanation == "It changes."
