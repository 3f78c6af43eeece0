"""What identical reruns of one test allow to say: flaky or not, and up to which rate."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from triage.model.terms import Outcome

_REFUTED = 0.05  # the chance that is too small to believe in: 95 % confidence


@dataclass(frozen=True, slots=True)
class Repeat:
    """What is known after `runs` identical runs.

    `rate` bounds how often the test fails, at 95 %: at least so often where it failed in every run, at
    most so often where it failed in none, None where the outcomes differ or there are none.
    `chance_if_even` is how likely a test that fails half of the time looks as alike as this.
    """

    runs: int
    failures: int
    is_flaky: bool
    rate: float | None
    chance_if_even: float | None
    sentence: str
    counts: Mapping[Outcome, int] = field(default_factory=dict)


def verdict(outcomes: Sequence[Outcome], alike_in: str = "identical ") -> Repeat:
    """Of identical runs: the same tests in the same order in the same environment.

    `alike_in` is the word for them; empty where other tests ran beside in some of them.
    """
    counts = Counter(outcomes)
    runs, failures = len(outcomes), sum(outcome.is_failing for outcome in outcomes)
    alike = len(counts) == 1
    rate = _bound(runs, failures) if alike else None
    return Repeat(
        runs=runs,
        failures=failures,
        is_flaky=len(counts) > 1,
        rate=rate,
        chance_if_even=0.5**runs if alike else None,
        sentence=_sentence(counts, runs, rate, alike_in),
        counts=dict(counts),
    )


def least_rate(runs: int) -> float:
    """The least failure rate that `runs` failures in `runs` runs do not refute at 95 %.

    One-sided Clopper-Pearson, which for all of all has this closed form.
    """
    return math.pow(_REFUTED, 1 / runs)


def _bound(runs: int, failures: int) -> float:
    return least_rate(runs) if failures else 1 - least_rate(runs)


def _sentence(counts: Mapping[Outcome, int], runs: int, rate: float | None, alike_in: str) -> str:
    if not runs:
        return "not run again"
    if rate is None:
        each = ", ".join(f"{_word(outcome)} in {count}" for outcome, count in _ordered(counts))
        return f"{each} of {runs} {alike_in}runs: flaky"
    (outcome,) = counts
    told = f"{_word(outcome)} in {runs} of {runs} {alike_in}{'run' if runs == 1 else 'runs'}"
    if outcome.is_failing:
        return (
            f"{told}; a test that fails less often than {math.floor(rate * 100)} % of the time would have "
            "passed at least once (95 %)"
        )
    return (
        f"{told}; a test that fails more often than {math.ceil(rate * 100)} % of the time would have "
        "failed at least once (95 %)"
    )


def _ordered(counts: Mapping[Outcome, int]) -> list[tuple[Outcome, int]]:
    """Failures first, then in the order of the enum."""
    order = list(Outcome)
    return sorted(counts.items(), key=lambda item: (not item[0].is_failing, order.index(item[0])))


def _word(outcome: Outcome) -> str:
    words = {Outcome.ERROR: "broke in set-up or teardown", Outcome.SKIPPED: "was skipped"}
    return words.get(outcome, outcome.value)
