"""Failures that no change explained, run again as they are: chance or not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from triage.model.terms import Outcome
from triage.proving.budget import Budget
from triage.proving.laboratory import Laboratory, Trial
from triage.proving.repeats import Repeat, verdict


@dataclass(frozen=True, slots=True)
class Stability:
    """What identical reruns showed, by test; `unlike` failed among more tests, and passed each time."""

    by_test: Mapping[str, Repeat] = field(default_factory=dict)
    unlike: tuple[str, ...] = ()

    @property
    def flaky(self) -> frozenset[str]:
        return frozenset(test for test, one in self.by_test.items() if one.is_flaky)

    def sentence(self, test: str) -> str:
        if test in self.unlike:
            return "failed together with other failing tests and passes without some of them"
        return self.by_test[test].sentence if test in self.by_test else ""


def reruns_of(
    tests: Mapping[str, Sequence[str]], laboratory: Laboratory, budget: Budget, times: int
) -> Stability:
    """Each of `tests` failed twice; they run together `times` more, the first of these whatever it costs.

    Each comes with the tests that must run before it.

    A test that fails in every one of them counts the two runs before, too. One that passes in every
    one failed only among the tests that ran with it then.
    """
    chosen = tuple(dict.fromkeys(one for test, before in tests.items() for one in (*before, test)))
    outcomes: dict[str, list[Outcome]] = {test: [] for test in tests}
    for number in range(1, times + 1 if tests else 1):
        if number > 1 and not budget.allows(tests):
            break
        result = laboratory.run(Trial(f"again {number}", chosen))
        for test in tests:
            if test in result.outcomes:
                outcomes[test].append(result.outcomes[test])
    told = {test: found for test, found in outcomes.items() if found}
    unlike = tuple(test for test, found in told.items() if not any(one.is_failing for one in found))
    failed = {
        test: verdict([*found[:1] * 2, *found], "") if _always(found) else verdict(found)
        for test, found in told.items()
    }
    return Stability(failed, unlike)


def passing_apart(
    tests: Mapping[str, Sequence[str]], laboratory: Laboratory, budget: Budget
) -> frozenset[str]:
    """Those of `tests`, which fail together, that pass with about half of the others.

    Neighbours are parted first, then pairs of them; as many runs as the budget allows.
    """
    passing: set[str] = set()
    for bit in (1, 2) if len(tests) > 1 else ():
        for half in (bit, 0):  # first without the test that failed first
            chosen = [test for number, test in enumerate(tests) if number & bit == half]
            if not chosen or not budget.allows(chosen):
                continue
            with_company = dict.fromkeys(one for test in chosen for one in (*tests[test], test))
            result = laboratory.run(Trial(f"apart {bit + half // bit}", tuple(with_company)))
            passing.update(test for test in chosen if result.passes(test))
    return frozenset(passing)


def _always(found: Sequence[Outcome]) -> bool:
    return all(one.is_failing for one in found) and len(set(found)) == 1
