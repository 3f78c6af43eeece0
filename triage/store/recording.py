"""Stores one run: its row first where asked for, then all of it in one transaction."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select, update

from triage import __version__
from triage.clustering.covering import Cluster
from triage.model.run import Counts
from triage.store import clusters, rows, tables

if TYPE_CHECKING:
    from datetime import datetime

    from triage.model.case import TestCase
    from triage.model.failure import Failure
    from triage.model.report import ProjectReport
    from triage.model.run import TestRun


@dataclass(frozen=True, slots=True)
class _Why:
    playbook: str | None
    fingerprint: str | None
    signature: str

    @property
    def digest(self) -> bytes:
        return rows.digest(self.playbook, self.fingerprint, self.signature)


def begin_run(connection: Connection, project: str, run_id: str, started_at: datetime) -> None:
    """A row that shows a run which is killed before it is recorded; does nothing where one exists."""
    project_id = _project_id(connection, project)
    if _find(connection, project_id, run_id) is None:
        values = {
            "started_us": rows.to_instant(started_at),
            "duration_us": 0,
            "playbooks_fingerprint": "",
            "tool_version": __version__,
            "notes": "[]",
            **rows.counts_row(Counts()),
        }
        _insert_run(connection, project_id, run_id, values)


def record(
    connection: Connection, report: ProjectReport, run: TestRun, summary: str, source: str | None
) -> None:
    """All of a run; does nothing where it is recorded already."""
    project_id = _project_id(connection, report.name)
    found = _find(connection, project_id, report.run.id)
    if found is not None and found[1] is not None:
        return
    values = _run_values(report, source)
    if found is None:
        key = _insert_run(connection, project_id, report.run.id, values)
    else:
        key = found[0]
        connection.execute(update(tables.run).where(tables.run.c.id == key).values(values))
    rows.insert_rows(connection, tables.run_summary, [(key, rows.storable(summary))])
    _record_results(connection, project_id, key, _one_each(run.cases), report.failures)
    unknown = (one for one in report.failures if one.match is None)
    clusters.remember(connection, (Cluster(one.fingerprint, one.signature) for one in unknown))


def _project_id(connection: Connection, name: str) -> int:
    """Locks the project's row: who records runs of one project waits for one another (PostgreSQL)."""
    stored = rows.storable(name)
    query = select(tables.project.c.id).where(tables.project.c.name == stored).with_for_update()
    found: int | None = connection.scalar(query)
    if found is None:
        rows.insert_rows(connection, tables.project, [(stored,)], skip=["id"])
        found = connection.scalars(query).one()
    return found


def _find(connection: Connection, project_id: int, run_id: str) -> tuple[int, str | None] | None:
    query = select(tables.run.c.id, tables.run.c.status).where(
        tables.run.c.project_id == project_id, tables.run.c.public_id == rows.storable(run_id)
    )
    found = connection.execute(query).one_or_none()
    return None if found is None else (found.id, found.status)


def _insert_run(connection: Connection, project_id: int, run_id: str, values: dict[str, object]) -> int:
    named = {"project_id": project_id, "public_id": rows.storable(run_id), **values}
    insert = tables.run.insert().values(named).returning(tables.run.c.id)
    return int(connection.execute(insert).scalar_one())


def _run_values(report: ProjectReport, source: str | None) -> dict[str, object]:
    return {
        "started_us": rows.to_instant(report.run.started_at),
        "duration_us": rows.to_microseconds(report.run.duration_s),
        "status": report.run.status.value,
        "exit_status": report.run.pytest_exit_status,
        "commit_id": rows.storable_or_none(report.commit),
        "source": rows.storable_or_none(source),
        "playbooks_fingerprint": rows.storable(report.playbooks_fingerprint),
        "tool_version": __version__,
        "notes": json.dumps(report.run.notes),
        **rows.counts_row(report.counts),
    }


def _one_each(cases: tuple[TestCase, ...]) -> dict[str, TestCase]:
    """By node id; of two cases with one id the failing one counts, else the first."""
    chosen: dict[str, TestCase] = {}
    for case in cases:
        nodeid = rows.storable(case.id)
        known = chosen.get(nodeid)
        if known is None or (case.outcome.is_failing and not known.outcome.is_failing):
            chosen[nodeid] = case
    return chosen


def _record_results(
    connection: Connection,
    project_id: int,
    run_key: int,
    cases: dict[str, TestCase],
    failures: tuple[Failure, ...],
) -> None:
    test_ids = _test_ids(connection, project_id, cases)
    whys = {rows.storable(failure.case.id): _why(failure) for failure in failures}
    cause_ids = _cause_ids(connection, {why.digest: why for why in whys.values()})
    results: list[tuple[object, ...]] = []
    failing: list[tuple[object, ...]] = []
    for nodeid, case in cases.items():
        test_id = test_ids[nodeid]
        duration_us = rows.to_microseconds(case.duration_s)
        results.append((run_key, test_id, rows.OUTCOME_CODES[case.outcome], duration_us))
        if case.outcome.is_failing:
            why = whys.get(nodeid)
            failing.append((run_key, test_id, cause_ids[why.digest] if why else None))
    rows.insert_rows(connection, tables.result, results)
    rows.insert_rows(connection, tables.failure, failing)


def _why(failure: Failure) -> _Why:
    return _Why(
        rows.storable_or_none(failure.playbook),
        rows.storable(failure.fingerprint) or None,
        rows.storable(failure.signature),
    )


def _test_ids(connection: Connection, project_id: int, nodeids: dict[str, TestCase]) -> dict[str, int]:
    known = _known_tests(connection, project_id)
    missing = [(project_id, rows.digest(nodeid), nodeid) for nodeid in nodeids if nodeid not in known]
    if not missing:
        return known
    rows.insert_rows(connection, tables.test, missing, skip=["id"])
    return _known_tests(connection, project_id)


def _known_tests(connection: Connection, project_id: int) -> dict[str, int]:
    query = select(tables.test.c.nodeid, tables.test.c.id).where(tables.test.c.project_id == project_id)
    return dict(connection.execute(query).all())


def _cause_ids(connection: Connection, causes: dict[bytes, _Why]) -> dict[bytes, int]:
    # In one order everywhere: two writers that insert the same causes cannot wait for each other.
    wanted = [
        (key, causes[key].playbook, causes[key].fingerprint, causes[key].signature) for key in sorted(causes)
    ]
    rows.insert_rows(connection, tables.cause, wanted, skip=["id"])
    return rows.ids_by_digest(connection, tables.cause, list(causes))
