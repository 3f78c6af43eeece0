"""What is different from the night before."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from triage.model.history import Changes
from triage.model.terms import RunStatus

Summary = Mapping[str, Any]


def since(before: Summary | None, now: Summary, stored: Changes) -> Changes:
    """The changes of a run against an earlier one that need not be the one just before it.

    `stored` are its changes against the run just before; what only the history knows (flaky, gone)
    is taken from there. Tests that a broken run did not reach are not called fixed.
    """
    failing, failed = _failing(now), _failing(before)
    known = set(stored.regressed)
    appeared = failing - failed
    completed = now["run"]["status"] == RunStatus.COMPLETED
    fixed = failed - failing - set(stored.gone) - set(stored.silenced) if completed else set[str]()
    return replace(
        stored,
        against=before["run"]["id"] if before else None,
        new=tuple(sorted(appeared - known)),
        regressed=tuple(sorted(appeared & known)),
        still_failing=tuple(sorted(failing & failed)),
        fixed=tuple(sorted(fixed)),
    )


def _failing(summary: Summary | None) -> set[str]:
    if summary is None:
        return set()
    return {one["nodeid"] for one in summary["failures"] if one["nodeid"] is not None}
