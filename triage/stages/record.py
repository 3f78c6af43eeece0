"""Keeps a run in the history and says what it changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from triage.model.history import Changes
    from triage.model.report import ProjectReport
    from triage.model.run import TestRun
    from triage.store.store import Store


def record(
    report: ProjectReport, run: TestRun, summary: str, store: Store, *, source: str | None = None
) -> Changes:
    """Stores a run with its summary (JSON text) and compares it with the run before.

    Recording the same run again changes nothing. `source` names the state of the source that the
    run saw, where the commit alone does not.

    Raises:
        StoreError: nothing of the run was stored.
    """
    store.record(report, run, summary, source=source)
    return store.changes(report.name, report.run.id)
