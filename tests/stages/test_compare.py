"""What is different from the night before."""

from collections.abc import Mapping
from typing import Any

from triage.model.history import Changes
from triage.model.terms import Outcome
from triage.stages.compare import since

STORED = Changes("shop", "r2", "r1", regressed=("back",), flaky=("shaky",), gone=("not-mine",))


def summary(*failing: str | None, status: str = "completed", name: str = "r") -> dict[str, Any]:
    return {"run": {"id": name, "status": status}, "failures": [{"nodeid": one} for one in failing]}


def changes(before: Mapping[str, Any] | None, now: Mapping[str, Any], **outcomes: Outcome) -> Changes:
    return since(before, now, STORED, outcomes.get)


def test_on_the_first_night_everything_is_new() -> None:
    found = changes(None, summary("a", "b"))
    assert (found.new, found.against, found.fixed) == (("a", "b"), None, ())


def test_a_second_equal_night_says_nothing_new() -> None:
    found = changes(summary("a", name="last"), summary("a"))
    assert (found.new, found.still_failing, found.against) == ((), ("a",), "last")


def test_what_failed_long_ago_is_regressed_and_not_new() -> None:
    found = changes(summary(), summary("a", "back"))
    assert (found.new, found.regressed) == (("a",), ("back",))


def test_what_failed_in_the_night_and_the_day_is_still_failing_not_regressed() -> None:
    found = changes(summary("back"), summary("back"))
    assert (found.regressed, found.still_failing) == ((), ("back",))


def test_a_test_is_fixed_only_where_it_ran_and_passed() -> None:
    before = summary("passes", "skipped", "expected", "removed")
    outcomes = {"passes": Outcome.PASSED, "skipped": Outcome.SKIPPED, "expected": Outcome.XFAILED}
    found = changes(before, summary(), **outcomes)
    assert found.fixed == ("passes",)
    assert found.silenced == ("expected", "skipped")
    assert found.gone == ("removed",)


def test_a_run_that_broke_says_nothing_of_what_it_did_not_reach() -> None:
    found = changes(summary("a", "b"), summary(status="crashed"), a=Outcome.PASSED)
    assert (found.fixed, found.gone) == (("a",), ())


def test_what_only_the_history_knows_is_kept() -> None:
    assert changes(None, summary()).flaky == ("shaky",)


def test_failures_without_a_node_id_are_not_compared() -> None:
    assert changes(summary(None), summary(None, "a")).new == ("a",)
