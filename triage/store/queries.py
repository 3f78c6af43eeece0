"""What the history answers about runs and tests."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, select

from triage.model.history import StoredRun, TestHistory, TestPoint, TrendPoint
from triage.store import rows, tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from triage.store.rows import AnyRow, AnySelect

_run = tables.run
_test = tables.test
_result = tables.result
_failure = tables.failure
_cause = tables.cause


def projects(connection: Connection) -> tuple[str, ...]:
    """Every project that ever began a run, by name."""
    return tuple(sorted(connection.scalars(select(tables.project.c.name))))


def runs(connection: Connection, project: str, limit: int) -> tuple[StoredRun, ...]:
    """Newest first, those that were never recorded among them."""
    found = connection.execute(runs_query(project).limit(limit))
    return tuple(rows.run_of(row, project) for row in found)


def latest(connection: Connection, project: str) -> StoredRun | None:
    """The newest recorded run."""
    query = runs_query(project).where(_run.c.status.is_not(None)).limit(1)
    return _one_run(connection, query, project)


def run(connection: Connection, project: str, run_id: str) -> StoredRun | None:
    query = runs_query(project).where(_run.c.public_id == rows.storable(run_id))
    return _one_run(connection, query, project)


def summary(connection: Connection, project: str, run_id: str) -> str | None:
    """The summary's text as it was recorded."""
    query = (
        select(tables.run_summary.c.body)
        .join(_run, _run.c.id == tables.run_summary.c.run_id)
        .join(tables.project, tables.project.c.id == _run.c.project_id)
        .where(tables.project.c.name == rows.storable(project), _run.c.public_id == rows.storable(run_id))
    )
    return connection.scalar(query)


def test_history(connection: Connection, project: str, nodeid: str, limit: int) -> TestHistory:
    """The newest runs that the test was in."""
    query = (
        select(
            _run.c.public_id,
            _run.c.started_us,
            _run.c.commit_id,
            _result.c.outcome,
            _result.c.duration_us,
            _cause.c.playbook,
            _cause.c.fingerprint,
            _cause.c.signature,
        )
        .select_from(_test)
        .join(tables.project, tables.project.c.id == _test.c.project_id)
        .join(_run, _run.c.project_id == _test.c.project_id)
        .join(_result, (_result.c.run_id == _run.c.id) & (_result.c.test_id == _test.c.id))
        .outerjoin(_failure, (_failure.c.run_id == _run.c.id) & (_failure.c.test_id == _test.c.id))
        .outerjoin(_cause, _cause.c.id == _failure.c.cause_id)
        .where(tables.project.c.name == rows.storable(project), _test.c.digest == rows.digest(nodeid))
        .order_by(_run.c.id.desc())
        .limit(limit)
    )
    return TestHistory(project, nodeid, tuple(_point(row) for row in connection.execute(query)))


def trend(connection: Connection, project: str, limit: int) -> tuple[TrendPoint, ...]:
    """The newest recorded runs, oldest first."""
    query = runs_query(project).where(_run.c.status.is_not(None)).limit(limit)
    found = connection.execute(query).all()
    patterns = _patterns(connection, [row.id for row in found])
    return tuple(
        TrendPoint(rows.run_of(row, project), tuple(patterns.get(row.id, ()))) for row in reversed(found)
    )


def runs_query(project: str) -> AnySelect:
    """The runs of a project, newest first: by their numbers, since clocks jump."""
    return (
        select(_run)
        .join(tables.project, tables.project.c.id == _run.c.project_id)
        .where(tables.project.c.name == rows.storable(project))
        .order_by(_run.c.id.desc())
    )


def _one_run(connection: Connection, query: AnySelect, project: str) -> StoredRun | None:
    row = connection.execute(query).one_or_none()
    return None if row is None else rows.run_of(row, project)


def _point(row: AnyRow) -> TestPoint:
    return TestPoint(
        run=row.public_id,
        started_at=rows.from_instant(row.started_us),
        commit=row.commit_id,
        outcome=rows.OUTCOMES[row.outcome],
        duration_s=rows.to_seconds(row.duration_us),
        playbook=row.playbook,
        fingerprint=row.fingerprint,
        signature=row.signature or "",
    )


def _patterns(connection: Connection, run_keys: Sequence[int]) -> dict[int, list[tuple[str | None, int]]]:
    """Failing tests by playbook, most frequent first, of each of these rows of `run`."""
    count = func.count().label("failing")
    query = (
        select(_failure.c.run_id, _cause.c.playbook, count)
        .outerjoin(_cause, _cause.c.id == _failure.c.cause_id)
        .where(_failure.c.run_id.in_(run_keys))
        .group_by(_failure.c.run_id, _cause.c.playbook)
        .order_by(count.desc(), _cause.c.playbook)
    )
    grouped: dict[int, list[tuple[str | None, int]]] = defaultdict(list)
    for run_key, playbook, failing in connection.execute(query):
        grouped[run_key].append((playbook, failing))
    return grouped
