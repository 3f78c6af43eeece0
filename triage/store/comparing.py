"""What became of each test between a run and the one before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, case, func, select

from triage.model.history import Changes
from triage.model.terms import RunStatus
from triage.store import rows, tables
from triage.store.queries import runs_query

if TYPE_CHECKING:
    from triage.store.rows import AnyRow

_run = tables.run
_result = tables.result
_FAILING = frozenset(rows.FAILING_CODES)
_PASSING = frozenset(rows.PASSING_CODES)
_RUNS_OF_ONE_STATE = 20  # what a year of nights without a commit would cost is bounded so


def before(connection: Connection, project: str, run: AnyRow) -> AnyRow | None:
    """The row of the run to compare with.

    It is the newest earlier completed one. A run that did not complete is compared with the newest
    earlier one of any kind that has results, and so is the first completed one: a suite that crashes
    every night then says only once what is new.
    """
    earlier = runs_query(project).where(_run.c.id < run.id, _run.c.status.is_not(None))
    if run.status == RunStatus.COMPLETED:
        completed = earlier.where(_run.c.status == RunStatus.COMPLETED.value)
        found = connection.execute(completed.limit(1)).one_or_none()
        if found is not None:
            return found
    return connection.execute(earlier.where(_run.c.total > 0).limit(1)).one_or_none()


def changes(connection: Connection, project: str, run_id: str | None) -> Changes:
    """From the run before to this one, the newest where none is named."""
    run = find(connection, project, run_id)
    if run is None:
        return Changes(project)
    against = before(connection, project, run)
    now = _outcomes(connection, run.id)
    then = _outcomes(connection, against.id) if against is not None else {}
    became = _became(now, then, _failed_before(connection, run.id))
    became["flaky"] = _flaky(connection, run) & now.keys()
    if against is not None and run.status == against.status == RunStatus.COMPLETED:
        became["gone"] = then.keys() - now.keys()
    names = _names(connection, run, against)
    return Changes(
        project,
        run.public_id,
        against.public_id if against is not None else None,
        **{word: tuple(sorted(names[test] for test in tests)) for word, tests in became.items()},
    )


def _became(now: dict[int, int], then: dict[int, int], failed_before: set[int]) -> dict[str, set[int]]:
    """Tests by the field of `Changes` that they belong in."""
    failing = {test for test, outcome in now.items() if outcome in _FAILING}
    failed = {test for test, outcome in then.items() if outcome in _FAILING}
    ended = failed & now.keys() - failing
    fixed = {test for test in ended if now[test] in _PASSING}
    return {
        "new": failing - failed - failed_before,
        "regressed": failing - failed & failed_before,
        "still_failing": failing & failed,
        "fixed": fixed,
        "silenced": ended - fixed,
    }


def find(connection: Connection, project: str, run_id: str | None) -> AnyRow | None:
    """The row of a recorded run, the newest where none is named."""
    query = runs_query(project).where(_run.c.status.is_not(None))
    if run_id is not None:
        query = query.where(_run.c.public_id == rows.storable(run_id))
    return connection.execute(query.limit(1)).one_or_none()


def _outcomes(connection: Connection, run_key: int) -> dict[int, int]:
    query = select(_result.c.test_id, _result.c.outcome).where(_result.c.run_id == run_key)
    return dict(connection.execute(query).all())


def _failed_before(connection: Connection, run_key: int) -> set[int]:
    """Of the tests that fail in this run, those that failed in any earlier one."""
    now = tables.failure.alias("now")
    then = tables.failure.alias("then")
    query = (
        select(then.c.test_id)
        .join(now, now.c.test_id == then.c.test_id)
        .where(now.c.run_id == run_key, then.c.run_id < run_key)
        .distinct()
    )
    return set(connection.scalars(query))


def _flaky(connection: Connection, run: AnyRow) -> set[int]:
    """Tests that passed and failed in the newest runs, up to this one, of its source state."""
    if not _is_state(run):
        return set()
    same = (
        select(_run.c.id)
        .where(
            _run.c.project_id == run.project_id,
            _run.c.commit_id == run.commit_id,
            _run.c.source.is_not_distinct_from(run.source),
            _run.c.status.is_not(None),
            _run.c.id <= run.id,
        )
        .order_by(_run.c.id.desc())
        .limit(_RUNS_OF_ONE_STATE)
    )
    keys = connection.scalars(same).all()
    fails = _result.c.outcome.in_(rows.FAILING_CODES)
    decided = _result.c.outcome.in_(rows.FAILING_CODES + rows.PASSING_CODES)
    failing = func.sum(case((fails, 1), else_=0))
    query = (
        select(_result.c.test_id)
        .where(_result.c.run_id.in_(keys), decided)
        .group_by(_result.c.test_id)
        .having(failing > 0, failing < func.count())
    )
    return set(connection.scalars(query)) if len(keys) > 1 else set()


def _is_state(run: AnyRow) -> bool:
    """Whether the run tells what source it saw: a commit with changes on top is no one state."""
    return run.commit_id is not None and (run.source is not None or not _is_dirty(run.commit_id))


def _is_dirty(commit: str) -> bool:
    return commit.endswith("+") or "dirty" in commit


def _names(connection: Connection, *runs: AnyRow | None) -> dict[int, str]:
    keys = [run.id for run in runs if run is not None]
    query = (
        select(tables.test.c.id, tables.test.c.nodeid)
        .join(_result, _result.c.test_id == tables.test.c.id)
        .where(_result.c.run_id.in_(keys))
        .distinct()
    )
    return dict(connection.execute(query).all())
