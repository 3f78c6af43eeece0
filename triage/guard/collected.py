"""Tests that no longer take part, by what the runs reported."""

from collections.abc import Iterator, Mapping

from triage.model.fix import Weakening
from triage.model.terms import Outcome

_EXCUSED = (Outcome.SKIPPED, Outcome.XFAILED)


def lost_tests(before: Mapping[str, Outcome], after: Mapping[str, Outcome]) -> tuple[Weakening, ...]:
    """Node ids that are gone, or skipped or expected to fail where they were not; and their number."""
    return tuple(_lost(before, after))


def _lost(before: Mapping[str, Outcome], after: Mapping[str, Outcome]) -> Iterator[Weakening]:
    for test, outcome in before.items():
        path = test.partition("::")[0]
        now = after.get(test)
        if now is None:
            yield Weakening("test-lost", path, 0, f"{test} is no longer collected")
        elif now in _EXCUSED and outcome is not now:
            yield Weakening("test-excused", path, 0, f"{test} was {outcome.value} and is {now.value} now")
    if len(after) < len(before):
        yield Weakening("fewer-tests", "", 0, f"{len(before)} tests were collected, {len(after)} are now")
