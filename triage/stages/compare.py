"""What is different from the night before."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from triage.model.history import Changes
from triage.model.terms import Outcome, RunStatus

Summary = Mapping[str, Any]
_PASSING = (Outcome.PASSED, Outcome.XPASSED)
_SILENT = (Outcome.SKIPPED, Outcome.XFAILED)


def since(
    before: Summary | None, now: Summary, stored: Changes, outcome: Callable[[str], Outcome | None]
) -> Changes:
    """The changes of a run against an earlier one that need not be the one just before it.

    `stored` are its changes against the run just before, for what only the history knows (flaky).
    `outcome` gives what a test did in this run; None: it was not in it, and only a run that completed
    says by that that the test is gone.
    """
    failing, failed = _failing(now), _failing(before)
    known = set(stored.regressed)
    appeared = failing - failed
    ended = {test: outcome(test) for test in failed - failing}
    completed = now["run"]["status"] == RunStatus.COMPLETED
    return replace(
        stored,
        against=before["run"]["id"] if before else None,
        new=tuple(sorted(appeared - known)),
        regressed=tuple(sorted(appeared & known)),
        still_failing=tuple(sorted(failing & failed)),
        fixed=_sorted(ended, _PASSING),
        silenced=_sorted(ended, _SILENT),
        gone=_sorted(ended, (None,)) if completed else (),
    )


def _sorted(ended: Mapping[str, Outcome | None], outcomes: tuple[Outcome | None, ...]) -> tuple[str, ...]:
    return tuple(sorted(test for test, outcome in ended.items() if outcome in outcomes))


def _failing(summary: Summary | None) -> set[str]:
    if summary is None:
        return set()
    return {one["nodeid"] for one in summary["failures"] if one["nodeid"] is not None}
