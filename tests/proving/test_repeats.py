"""The figures behind "failed in 4 of 4 identical runs"."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.model.terms import Outcome
from triage.proving.repeats import least_rate, verdict

F, E, P = Outcome.FAILED, Outcome.ERROR, Outcome.PASSED


def clopper_pearson(failures: int, runs: int) -> float:
    """The one-sided lower bound at 95 % by bisecting the tail of the binomial distribution."""
    low, high = 0.0, 1.0
    for _ in range(200):
        rate = (low + high) / 2
        tail = sum(math.comb(runs, k) * rate**k * (1 - rate) ** (runs - k) for k in range(failures, runs + 1))
        low, high = (rate, high) if tail < 0.05 else (low, rate)
    return low


@given(st.integers(1, 200))
def test_the_rate_is_the_one_sided_clopper_pearson_bound(runs: int) -> None:
    assert least_rate(runs) == pytest.approx(clopper_pearson(runs, runs), abs=1e-9)
    assert least_rate(runs) ** runs == pytest.approx(0.05)


@given(st.integers(1, 200), st.sampled_from([F, E]))
def test_failing_in_every_run_bounds_the_rate_from_below(runs: int, outcome: Outcome) -> None:
    found = verdict([outcome] * runs)
    assert (found.is_flaky, found.runs, found.failures) == (False, runs, runs)
    assert found.rate == least_rate(runs)
    assert found.chance_if_even == 0.5**runs
    assert f"in {runs} of {runs} identical run" in found.sentence


@given(st.integers(1, 200))
def test_passing_in_every_run_bounds_the_rate_from_above(runs: int) -> None:
    found = verdict([P] * runs)
    assert (found.is_flaky, found.failures) == (False, 0)
    assert found.rate is not None
    assert (1 - found.rate) ** runs == pytest.approx(0.05)


@given(st.integers(1, 199))
def test_more_runs_say_more(runs: int) -> None:
    assert least_rate(runs + 1) > least_rate(runs)


@given(st.lists(st.sampled_from(Outcome), max_size=30))
def test_flaky_is_what_differs_and_nothing_else(outcomes: list[Outcome]) -> None:
    found = verdict(outcomes)
    assert found.is_flaky == (len(set(outcomes)) > 1)
    assert (found.rate is None) == (len(set(outcomes)) != 1)
    assert sum(found.counts.values()) == found.runs == len(outcomes)
    assert found.failures == sum(outcome in (F, E) for outcome in outcomes)


@pytest.mark.parametrize(
    ("outcomes", "sentence"),
    [
        (
            [F] * 4,
            (
                "failed in 4 of 4 identical runs; a test that fails less often than 47 % of the time would "
                "have passed at least once (95 %)"
            ),
        ),
        (
            [P] * 4,
            (
                "passed in 4 of 4 identical runs; a test that fails more often than 53 % of the time would "
                "have failed at least once (95 %)"
            ),
        ),
        (
            [F],
            (
                "failed in 1 of 1 identical run; a test that fails less often than 5 % of the time would "
                "have passed at least once (95 %)"
            ),
        ),
        (
            [P, F, P, E],
            "failed in 1, broke in set-up or teardown in 1, passed in 2 of 4 identical runs: flaky",
        ),
        ([], "not run again"),
    ],
)
def test_the_sentence_says_runs_and_bound(outcomes: list[Outcome], sentence: str) -> None:
    assert verdict(outcomes).sentence == sentence
