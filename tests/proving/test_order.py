"""The polluter is found within the promised number of runs, and only where there is one."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.model.case import ExceptionInfo, Problem, TestCase
from triage.model.diagnosis import Evidence
from triage.model.failure import Failure
from triage.model.observation import Observation
from triage.model.terms import Outcome, Phase
from triage.proving.laboratory import Trial, TrialResult
from triage.proving.order import Finding, Pollution, find_polluter, most_runs

VICTIM = "tests/test_b.py::TestShop::test_victim"
SIZES = st.integers(1, 3000)
quick = settings(deadline=None, max_examples=40)  # a busy machine is no failure


@dataclass
class Suite:
    """A laboratory whose victim fails where `fails` says so of the tests before it."""

    fails: Callable[[Sequence[str]], bool]
    trials: list[Trial] = field(default_factory=list)

    def run(self, trial: Trial) -> TrialResult:
        self.trials.append(trial)
        *before, victim = trial.tests
        assert victim == VICTIM
        outcomes = dict.fromkeys(before, Outcome.PASSED)
        outcomes[victim] = Outcome.FAILED if self.fails(before) else Outcome.PASSED
        return TrialResult(outcomes)


def some(count: int) -> list[str]:
    """Tests before the victim, of other files, then of its file, then of its class."""
    homes = ("tests/test_a.py", "tests/test_b.py", "tests/test_b.py::TestShop")
    return [f"{homes[3 * number // count]}::test_{number}" for number in range(count)]


def bound(count: int) -> int:
    return math.ceil(math.log2(count)) + 2


def polluted_by(polluter: str) -> Suite:
    return Suite(lambda before: polluter in before)


def needing(*polluters: str) -> Suite:
    return Suite(lambda before: set(polluters) <= set(before))


@quick
@given(st.data(), SIZES, st.sampled_from([None, Outcome.PASSED]))
def test_one_polluter_is_found_within_the_bound(
    data: st.DataObject, count: int, alone: Outcome | None
) -> None:
    before = some(count)
    polluter = data.draw(st.sampled_from(before))
    suite = polluted_by(polluter)
    found = find_polluter(VICTIM, before, suite, alone=alone)
    assert (found.finding, found.polluter) == (Finding.POLLUTED, polluter)
    assert found.runs == len(suite.trials) <= bound(count)
    assert polluter in found.sentence


@quick
@given(st.data(), SIZES)
def test_a_named_polluter_was_seen_alone_and_the_victim_was_seen_passing(
    data: st.DataObject, count: int
) -> None:
    suite = polluted_by(data.draw(st.sampled_from(before := some(count))))
    found = find_polluter(VICTIM, before, suite)
    assert (found.polluter, VICTIM) in [trial.tests for trial in suite.trials]
    assert any(not suite.fails(trial.tests[:-1]) for trial in suite.trials)


@quick
@given(st.data(), SIZES)
def test_a_right_hint_needs_one_run_where_the_victim_is_known_to_pass_alone(
    data: st.DataObject, count: int
) -> None:
    before = some(count)
    polluter = data.draw(st.sampled_from(before))
    found = find_polluter(VICTIM, before, polluted_by(polluter), hint=(polluter,), alone=Outcome.PASSED)
    assert (found.polluter, found.runs) == (polluter, 1)
    found = find_polluter(VICTIM, before, polluted_by(polluter), hint=(polluter,))
    assert (found.polluter, found.runs, found.alone) == (polluter, 2, Outcome.PASSED)


@quick
@given(st.data(), SIZES)
def test_wrong_hints_cost_neither_the_bound_nor_the_polluter(data: st.DataObject, count: int) -> None:
    before = some(count)
    polluter = data.draw(st.sampled_from(before))
    hint = data.draw(st.lists(st.sampled_from(before), max_size=5))
    found = find_polluter(VICTIM, before, polluted_by(polluter), hint=hint)
    assert found.polluter == polluter
    assert found.runs <= bound(count)


@quick
@given(st.data(), st.integers(2, 3000), st.booleans(), st.sampled_from([None, Outcome.PASSED]))
def test_two_that_are_needed_together_are_never_told_as_one(
    data: st.DataObject, count: int, hinted: bool, alone: Outcome | None
) -> None:
    before = some(count)
    pair = data.draw(st.lists(st.sampled_from(before), min_size=2, max_size=2, unique=True))
    found = find_polluter(VICTIM, before, needing(*pair), hint=pair[:1] if hinted else None, alone=alone)
    assert (found.finding, found.polluter) == (Finding.GROUP, None)
    assert set(pair) <= set(found.group) <= set(before)
    assert found.runs <= bound(count)
    assert f"{len(found.group):,} tests together" in found.sentence


@quick
@given(st.data(), st.integers(2, 64))
def test_of_a_small_suite_the_group_ends_with_a_test_that_is_needed(data: st.DataObject, count: int) -> None:
    before = some(count)
    pair = data.draw(st.lists(st.sampled_from(before), min_size=2, max_size=2, unique=True))
    found = find_polluter(VICTIM, before, needing(*pair))
    assert any(f"passes without {test}" in found.sentence for test in pair)


@quick
@given(st.data(), SIZES)
def test_where_either_of_two_is_enough_one_of_them_is_found(data: st.DataObject, count: int) -> None:
    before = some(count)
    either = data.draw(st.sets(st.sampled_from(before), min_size=1, max_size=4))
    found = find_polluter(VICTIM, before, Suite(lambda ran: bool(either & set(ran))))
    assert found.polluter in either
    assert found.runs <= bound(count)


@quick
@given(SIZES, st.booleans())
def test_what_passes_after_all_of_them_is_flaky_or_ran_beside_something(count: int, hinted: bool) -> None:
    before = some(count)
    found = find_polluter(VICTIM, before, Suite(lambda ran: False), hint=before[:1] if hinted else None)
    assert (found.finding, found.polluter, found.group) == (Finding.NOT_REPEATED, None, ())
    assert "flaky" in found.sentence
    assert found.runs <= bound(count)
    assert hinted or found.runs == 1


@quick
@given(SIZES)
def test_what_fails_alone_has_no_polluter(count: int) -> None:
    found = find_polluter(VICTIM, some(count), Suite(lambda ran: True))
    assert (found.finding, found.polluter, found.alone) == (Finding.ALONE, None, Outcome.FAILED)
    assert found.runs <= bound(count)


def test_what_is_known_to_fail_alone_costs_no_run() -> None:
    suite = Suite(lambda ran: True)
    found = find_polluter(VICTIM, some(9), suite, alone=Outcome.ERROR)
    assert (found.finding, found.runs, suite.trials) == (Finding.ALONE, 0, [])


@quick
@given(st.data(), SIZES)
def test_every_run_keeps_the_order_of_the_suite_and_the_observers(data: st.DataObject, count: int) -> None:
    before = some(count)
    place = {test: number for number, test in enumerate(before)}
    suite = polluted_by(data.draw(st.sampled_from(before)))
    find_polluter(VICTIM, before, suite, observers=("process-state",))
    for trial in suite.trials:
        places = [place[test] for test in trial.tests[:-1]]
        assert places == sorted(places)
        assert trial.observers == ("process-state",)
    assert len({trial.name for trial in suite.trials}) == len(suite.trials)


@quick
@given(st.data(), st.integers(2, 3000), st.integers(0, 20))
def test_a_budget_ends_the_search_with_what_was_seen(data: st.DataObject, count: int, budget: int) -> None:
    before = some(count)
    polluter = data.draw(st.sampled_from(before))
    suite = polluted_by(polluter)
    found = find_polluter(VICTIM, before, suite, budget=budget)
    assert found.runs == len(suite.trials) <= budget
    if found.finding is Finding.UNKNOWN:
        assert found.polluter is None
        assert polluter in found.group or budget == 0
        assert "as many as were allowed" in found.sentence
    else:
        assert found.polluter == polluter


def test_tests_of_the_own_class_are_tried_first() -> None:
    before = [f"tests/test_a.py::test_{number}" for number in range(5)]
    mine = [f"tests/test_b.py::TestShop::test_{number}" for number in range(4)]
    suite = polluted_by(mine[0])
    find_polluter(VICTIM, [*before, *mine], suite)
    assert suite.trials[1].tests == (*mine, VICTIM)


def test_a_parameter_that_looks_like_a_class_is_none() -> None:
    others = [f"tests/test_a.py::test_{number}[x::y]" for number in range(8)]
    found = find_polluter(VICTIM, others, polluted_by(others[3]))
    assert found.polluter == others[3]


def test_a_hint_that_did_not_run_before_and_the_victim_itself_are_left_out() -> None:
    before = [*some(5), VICTIM, *some(5)]
    suite = polluted_by(before[2])
    found = find_polluter(VICTIM, before, suite, hint=("tests/test_z.py::test_later",))
    assert found.polluter == before[2]
    assert all(len(trial.tests) == len(set(trial.tests)) for trial in suite.trials)


def test_without_tests_before_it_nothing_runs() -> None:
    found = find_polluter(VICTIM, [VICTIM], suite := Suite(lambda ran: True))
    assert (found.finding, found.runs, suite.trials) == (Finding.UNKNOWN, 0, [])
    assert "no test ran before it" in found.sentence


class Silent:
    """The victim never comes to an end."""

    def run(self, trial: Trial) -> TrialResult:
        return TrialResult(dict.fromkeys(trial.tests[:-1], Outcome.PASSED))


def test_a_victim_that_does_not_end_stops_the_search() -> None:
    found = find_polluter(VICTIM, some(8), Silent())
    assert (found.finding, found.runs) == (Finding.UNKNOWN, 1)
    assert "did not come to an end after 8 tests" in found.sentence


def failing_with(name: str) -> Failure:
    problem = Problem(Phase.CALL, Outcome.FAILED, (ExceptionInfo(name, "text"),))
    return Failure(TestCase(VICTIM, outcome=Outcome.FAILED), problem)


class Moody(Suite):
    """Fails with KeyError after its polluter, with OSError after `other` alone."""

    def run(self, trial: Trial) -> TrialResult:
        result = super().run(trial)
        kind = "KeyError" if before_polluter in trial.tests else "OSError"
        failures = {VICTIM: failing_with(kind)} if result.fails(VICTIM) else {}
        seen = Observation(VICTIM, Phase.CALL, "x", evidence=(Evidence("state", "a.py", 3, kind),))
        return TrialResult(result.outcomes, failures, {VICTIM: (seen, seen)})


before_polluter, before_other = some(8)[1], some(8)[7]


def moody() -> Pollution:
    either = {before_polluter, before_other}
    return find_polluter(VICTIM, some(8), Moody(lambda ran: bool(either & set(ran))))


def test_another_failure_earns_no_credit() -> None:
    assert moody().polluter == before_polluter


def test_evidence_is_of_the_smallest_failing_run() -> None:
    assert moody().evidence == (Evidence("state", "a.py", 3, "KeyError"),)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8, 9, 1024, 1025, 3000])
def test_the_bound_is_the_one_promised(count: int) -> None:
    assert most_runs(count) == bound(count)


def test_every_place_of_every_small_suite_is_found() -> None:
    for count in range(1, 40):
        before = some(count)
        for polluter in before:
            found = find_polluter(VICTIM, before, polluted_by(polluter))
            assert (found.polluter, found.runs <= bound(count)) == (polluter, True)


def test_every_pair_of_small_suites_is_a_group() -> None:
    for count in range(2, 14):
        before = some(count)
        for one, other in [*pairwise(before), (before[0], before[-1])]:
            if one != other:
                found = find_polluter(VICTIM, before, needing(one, other))
                assert {one, other} <= set(found.group)
                assert found.runs <= bound(count)
