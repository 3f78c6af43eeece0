"""Which tests count as catching a defect, and what that costs."""

from pathlib import Path

import pytest

from tests.sabotage.laboratory import (
    FACTS,
    SHOP,
    SOURCES,
    TESTS,
    Notices,
    World,
    asserted,
    crashed,
    in_setup,
    source_tree,
)
from triage.model.failure import Failure
from triage.model.fix import Sabotage
from triage.model.observation import Intervention
from triage.rules.source import SourceTree
from triage.sabotage.check import sabotage

NOTHING: dict[str, frozenset[int]] = {}
Orders = tuple[Intervention, ...]


@pytest.fixture
def tree(tmp_path: Path) -> SourceTree:
    return source_tree(tmp_path)


def world(notices: Notices, *names: str, **more: object) -> World:
    facts = {name: FACTS[name] for name in names or ("test_price",)}
    return World(notices, **({"facts": facts} | more))  # type: ignore[arg-type] # of each test's own


def checked(of: World, tree: SourceTree, fixed: dict[str, frozenset[int]] = NOTHING) -> dict[str, Sabotage]:
    found, _ = sabotage(of, of.tests, tree, fixed)
    return {test.rpartition("::")[2]: one for test, one in found.items()}


def always(test: str, _orders: Orders) -> Failure | None:
    return asserted(test)


def never(_test: str, _orders: Orders) -> Failure | None:
    return None


def test_a_test_whose_assertion_fails_under_its_breakage_catches_it(tree: SourceTree) -> None:
    one = checked(world(always), tree)["test_price"]
    assert (one.caught, one.asserted, one.tried) == (True, 1, 1)
    assert (one.file, one.line, one.text) == (SHOP, 4, "another value returned in price")


def test_a_test_that_passes_whatever_is_broken_does_not(tree: SourceTree) -> None:
    of = world(never)
    one = checked(of, tree)["test_price"]
    assert (one.caught, one.file, one.line) == (False, SHOP, 4)
    assert one.text == "it passes with another value returned in price"
    assert one.tried == sum(len(each.interventions) for each in of.trials)


def test_a_breakage_that_did_not_take_effect_proves_nothing(tree: SourceTree) -> None:
    one = checked(world(always, without_effect=True), tree)["test_price"]
    assert (one.caught, one.text) == (False, "no breakage took effect while it ran")


@pytest.mark.parametrize(
    "fails",
    [
        crashed,
        in_setup,
        lambda test: asserted(test, "app.errors.NameError"),
        lambda test: asserted(test, "ModuleNotFoundError"),
    ],
)
def test_a_failure_that_no_assertion_made_is_none(tree: SourceTree, fails: Notices) -> None:
    one = checked(world(lambda test, _orders: fails(test)), tree)["test_price"]  # type: ignore[call-arg] # one argument
    assert not one.caught


def test_what_was_raised_instead_is_told(tree: SourceTree) -> None:
    one = checked(world(lambda test, _orders: crashed(test)), tree)["test_price"]
    assert one.text == "no assertion noticed another value returned in price; only TypeError was raised"


def test_a_failure_that_follows_from_another_test_is_none(tree: SourceTree) -> None:
    def follows(test: str, _orders: Orders) -> Failure:
        found = asserted(test)
        return Failure(found.case, found.problem, root=f"{TESTS}::test_other")

    assert not checked(world(follows), tree)["test_price"].caught


def test_the_next_breakage_is_of_another_line(tree: SourceTree) -> None:
    lines: list[int] = []

    def third(test: str, orders: Orders) -> Failure | None:
        lines.extend(one.line for one in orders)
        return asserted(test) if len(lines) > 1 else None

    one = checked(world(third), tree)["test_price"]
    assert (one.caught, one.tried) == (True, 2)
    assert len(set(lines[:2])) == 2


@pytest.mark.parametrize("facts", [{}, {"assertions": 0, "call": {SHOP: [[4, 4]]}}, {"assertions": "3"}])
def test_a_test_without_an_assertion_is_not_even_tried(tree: SourceTree, facts: dict[str, object]) -> None:
    of = world(always, facts={"test_price": facts})
    one = checked(of, tree)["test_price"]
    assert (one.caught, one.asserted, one.tried) == (False, 0, 0)
    assert one.text == "it executed no assertion that could fail"
    assert len(of.trials) == 1


def test_a_test_that_touches_nothing_of_the_product_is_not_tried_either(tree: SourceTree) -> None:
    one = checked(world(always, facts={"test_nothing": {"assertions": 1}}), tree)["test_nothing"]
    assert (one.caught, one.tried) == (False, 0)
    assert one.text.startswith("it executes no line of the product")


def test_a_test_that_no_longer_passes_is_not_caught(tree: SourceTree) -> None:
    one = checked(world(always, broken=("test_price",)), tree)["test_price"]
    assert (one.caught, one.text) == (False, "it did not pass when it ran again")


def test_lines_of_the_fix_are_broken_first(tree: SourceTree) -> None:
    of = world(always)
    checked(of, tree, {SHOP: frozenset({2})})
    assert [one.line for one in of.trials[1].interventions] == [2]


def test_a_default_that_a_test_asks_for_is_broken_by_its_attribute(tree: SourceTree) -> None:
    of = world(always, "test_tier")
    one = checked(of, tree)["test_tier"]
    assert (one.caught, one.line, one.text) == (True, 13, "Plan.tier gives another value")
    assert of.trials[1].interventions[0].names == {"owner": "Plan", "attribute": "tier"}


def test_a_refusal_is_dropped_for_the_test_that_expects_it(tree: SourceTree) -> None:
    def not_raised(test: str, orders: Orders) -> Failure | None:
        when = {one.names.get("when") for one in orders}
        return asserted(test, "_pytest.outcomes.Failed") if when == {"process"} else None

    one = checked(world(not_raised, "test_code"), tree)["test_code"]
    assert (one.caught, one.line) == (True, 14)
    assert one.text.startswith("Plan.code need not be unique")


def test_a_default_broken_for_everybody_counts_only_where_the_test_speaks_of_it(tree: SourceTree) -> None:
    def elsewhere(test: str, orders: Orders) -> Failure | None:
        when = {one.names.get("when") for one in orders}
        return asserted(test) if when == {"process"} else None

    found = checked(world(elsewhere, "test_price", "test_tier", "test_code"), tree)
    assert [name for name, one in found.items() if one.caught] == ["test_tier", "test_code"]


def test_tests_share_trials_and_each_has_its_own_breakage(tree: SourceTree) -> None:
    of = world(always, "test_price", "test_reduced")
    found = checked(of, tree)
    assert [one.caught for one in found.values()] == [True, True]
    assert [trial.name for trial in of.trials] == ["sabotage watch", "sabotage 1", "sabotage control"]
    assert [one.tests for one in of.trials[1].interventions] == [(test,) for test in of.tests]


def test_a_test_that_the_one_before_it_spoils_is_not_caught(tree: SourceTree) -> None:
    of = world(always, "test_price", "test_reduced", polluted={"test_reduced": "test_price"})
    found, notes = sabotage(of, of.tests, tree, {})
    assert [one.caught for one in found.values()] == [True, False]
    assert found[of.tests[1]].text == "it may fail for what broken tests before it leave behind"
    assert notes == ("sabotage: tests that broken ones before them spoil: 1",)


def test_where_tests_spoil_one_another_the_others_are_controlled_too(tree: SourceTree) -> None:
    names = ("test_price", "test_reduced", "test_tier")
    spoilt = {"test_reduced": "test_price", "test_tier": "test_reduced"}
    of = world(always, *names, polluted=spoilt)
    found = checked(of, tree)
    assert {name for name, one in found.items() if one.caught} == {"test_price"}
    assert [trial.name for trial in of.trials[2:]] == ["sabotage control", "sabotage control"]


def test_without_a_trial_left_the_others_of_the_file_count_as_spoilt(tree: SourceTree) -> None:
    """A test that nothing catches takes all rounds; it comes last and spoils nobody."""

    def but_code(test: str, _orders: Orders) -> Failure | None:
        return None if test.endswith("_code") else asserted(test)

    facts = {**FACTS, "test_code": {**FACTS["test_reduced"], "lines": {TESTS: [14]}}}
    of = world(but_code, facts=facts, polluted={"test_reduced": "test_price"})
    found = checked(of, tree)
    assert {name for name, one in found.items() if one.caught} == {"test_price"}
    assert len(of.trials) == 6


def test_a_test_that_lives_on_another_is_broken_in_its_company(tree: SourceTree) -> None:
    of = world(
        always, "test_price", "test_reduced", needs={"test_reduced": "test_price"}, silent=("test_price",)
    )
    found = checked(of, tree)
    assert list(found) == ["test_reduced"]
    assert found["test_reduced"].caught
    asked = [[test.rpartition("::")[2] for test in each.tests] for each in of.trials]
    assert asked[0] == ["test_reduced"]
    assert all(each == ["test_price", "test_reduced"] for each in asked[1:])
    assert all(one.tests == of.tests for each in of.trials for one in each.interventions)


def test_there_are_never_more_than_six_trials_and_only_of_what_is_open(tree: SourceTree) -> None:
    def some(test: str, _orders: Orders) -> Failure | None:
        return asserted(test) if test.endswith(("_price", "_tier")) else None

    of = world(some, *FACTS)
    checked(of, tree)
    assert len(of.trials) <= 6
    assert f"{TESTS}::test_price" in of.trials[1].tests
    assert f"{TESTS}::test_price" not in of.trials[2].tests


def test_without_tests_nothing_runs(tree: SourceTree) -> None:
    of = World(always)
    assert sabotage(of, (), tree, {}) == ({}, ())
    assert of.trials == []


def test_facts_of_the_wrong_kind_are_left_out(tree: SourceTree) -> None:
    facts = {"assertions": 1, "lines": {TESTS: "x"}, "call": {SHOP: [[1], "a", [3, 1], [1, 10**9]], "b": 3}}
    assert not checked(world(always, facts={"test_price": facts}), tree)["test_price"].caught


def test_a_file_that_cannot_be_parsed_is_left_alone(tmp_path: Path) -> None:
    tree = source_tree(tmp_path, {**SOURCES, SHOP: "def price(:\n"})
    assert not checked(world(always), tree)["test_price"].caught
