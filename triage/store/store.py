"""The history of all projects, in one database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from triage.store import clusters, comparing, queries, recording, rows
from triage.store.engine import Database
from triage.store.spool import ReportReader, ReportSpool, ReportsTogether, stored_reports

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from pathlib import Path
    from types import TracebackType

    from triage.clustering.covering import Cluster
    from triage.model.history import Changes, StoredReport, StoredRun, TestHistory, TrendPoint
    from triage.model.report import ProjectReport
    from triage.model.run import TestRun

_RUNS = 30
_REPORTS = 20


class Store:
    """Every method is one transaction and raises StoreError; threads may share one store."""

    def __init__(self, url_or_path: str | Path) -> None:
        self._database = Database(url_or_path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._database.close()

    @property
    def place(self) -> str:
        """Its path, or its URL without the password."""
        return self._database.place

    def begin_run(self, project: str, run_id: str, started_at: datetime) -> None:
        """Makes a run visible before it is recorded, so that a killed one leaves a trace."""
        with self._database.writing() as connection:
            recording.begin_run(connection, project, run_id, started_at)

    def record(self, report: ProjectReport, run: TestRun, summary: str, *, source: str | None = None) -> None:
        """Stores a run whole or not at all; does nothing where its id is recorded already.

        `source` names the state of the source beyond the commit (a hash of it); flaky tests are told
        from runs of one state only.
        """
        with self._database.writing() as connection:
            recording.record(connection, report, run, summary, source)

    def projects(self) -> tuple[str, ...]:
        with self._database.reading() as connection:
            return queries.projects(connection)

    def runs(self, project: str, limit: int = _RUNS) -> tuple[StoredRun, ...]:
        """Newest first; those that began and were never recorded have no status."""
        with self._database.reading() as connection:
            return queries.runs(connection, project, limit)

    def latest(self, project: str) -> StoredRun | None:
        """The newest recorded run."""
        with self._database.reading() as connection:
            return queries.latest(connection, project)

    def run(self, project: str, run_id: str) -> StoredRun | None:
        with self._database.reading() as connection:
            return queries.run(connection, project, run_id)

    def before(self, project: str, run_id: str) -> StoredRun | None:
        """The run that `changes` compares a run with."""
        with self._database.reading() as connection:
            found = comparing.find(connection, project, run_id)
            against = None if found is None else comparing.before(connection, project, found)
            return None if against is None else rows.run_of(against, project)

    def summary(self, project: str, run_id: str) -> str | None:
        """The JSON text that was recorded with a run."""
        with self._database.reading() as connection:
            return queries.summary(connection, project, run_id)

    def changes(self, project: str, run_id: str | None = None) -> Changes:
        """What is different in a run (the newest where none is named) from the one before it."""
        with self._database.reading() as connection:
            return comparing.changes(connection, project, run_id)

    def known_clusters(self, buckets: Iterable[bytes]) -> dict[bytes, list[Cluster]]:
        """Clusters of unknown failures of earlier runs and reports, by bucket, oldest first."""
        with self._database.reading() as connection:
            return clusters.known(connection, buckets)

    def is_other_algorithm(self) -> bool:
        """Whether all clusters of the history were made by another version of the algorithm."""
        with self._database.reading() as connection:
            return clusters.is_other_algorithm(connection)

    def test_history(self, project: str, nodeid: str, limit: int = _RUNS) -> TestHistory:
        with self._database.reading() as connection:
            return queries.test_history(connection, project, nodeid, limit)

    def trend(self, project: str, limit: int = _RUNS) -> tuple[TrendPoint, ...]:
        """The newest recorded runs, oldest first, with the failing tests of each playbook."""
        with self._database.reading() as connection:
            return queries.trend(connection, project, limit)

    def spool(self, file: str, *, keep: int = _REPORTS) -> ReportSpool:
        """Takes the failures of one report as they are read; of all reports the newest `keep` stay."""
        return ReportSpool(self._database, file, keep)

    def reports(self, limit: int = _REPORTS) -> tuple[StoredReport, ...]:
        """Classified reports, newest first."""
        with self._database.reading() as connection:
            return stored_reports(connection, limit)

    def report(self, report_id: int) -> ReportReader:
        return ReportReader(self._database, report_id)

    def reports_together(self, report_ids: Sequence[int]) -> ReportsTogether:
        """What several classified reports have in common."""
        return ReportsTogether(self._database, report_ids)
