"""Failures of one classified report: written in batches, read back as streams."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Self

from sqlalchemy import delete, func, select

from triage.clustering.clusters import bucket_of
from triage.clustering.signature import VERSION, parts_of
from triage.errors import StoreError
from triage.model.history import SpooledFailure, SpooledGroup, StoredReport
from triage.model.run import Counts
from triage.model.terms import Phase
from triage.store import clusters, grouped, rows, tables
from triage.store.trouble import trouble

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    from sqlalchemy import Connection

    from triage.store.engine import Database
    from triage.store.rows import AnyRow, AnySelect

_failure = tables.report_failure
_group = tables.report_group
_report = tables.report
_LONGEST_MESSAGE = 16_000
_ROWS_AT_ONCE = 200
_KNOWN_GROUPS = 10_000
_ORDINAL_BITS = 32
_ORDINAL = (1 << _ORDINAL_BITS) - 1
_PHASES: dict[str | None, Phase | None] = {None: None, **{phase.value: phase for phase in Phase}}
_READ = (  # in the order of SpooledFailure
    _failure.c.id,
    _failure.c.outcome,
    _failure.c.phase,
    _failure.c.classname,
    _failure.c.name,
    _failure.c.nodeid,
    _failure.c.exception,
    _failure.c.message,
    _group.c.playbook,
    _failure.c.confidence,
    _group.c.fingerprint,
    _group.c.signature,
    _failure.c.also,
    _failure.c.key,
    _failure.c.repeats,
    _failure.c.root,
)
_REPEATED = (
    " ON CONFLICT (report_id, digest) DO UPDATE SET repeats = report_failure.repeats + excluded.repeats + 1"
)


class ReportReader:
    """The failures of a stored report; every iterator reads as it goes and holds a few rows."""

    def __init__(self, database: Database, report_id: int) -> None:
        self._database = database
        self.id = report_id

    def failures(self) -> Iterator[SpooledFailure]:
        """In the order of the file."""
        query = (
            select(*_READ)
            .join(_group, _group.c.id == _failure.c.group_id)
            .where(_failure.c.id >= _first_id(self.id), _failure.c.id < _first_id(self.id + 1))
            .order_by(_failure.c.id)
        )
        for row in self._stream(query):
            yield _failure_of(row)

    def patterns(self) -> Iterator[SpooledGroup]:
        """One for each playbook, most frequent first; their fingerprint and signature are empty."""
        for playbook, failures in self._stream(grouped.patterns([self.id])):
            yield SpooledGroup(playbook, None, "", failures)

    def clusters(self) -> Iterator[SpooledGroup]:
        """One for each fingerprint of failures that no playbook knows, most frequent first."""
        for fingerprint, signature, failures, _ in self._stream(grouped.clusters([self.id])):
            yield SpooledGroup(None, fingerprint, signature, failures)

    def tests_of_patterns(self) -> Iterator[tuple[SpooledGroup, Iterator[str]]]:
        """`patterns`, each with its tests in the order of the file; take them before the next one."""
        query = grouped.tests(self.id, _group.c.playbook.is_not(None), _group.c.playbook)
        return zip(self.patterns(), self._tests(query), strict=False)

    def tests_of_clusters(self) -> Iterator[tuple[SpooledGroup, Iterator[str]]]:
        """`clusters`, likewise."""
        query = grouped.tests(self.id, _group.c.playbook.is_(None), _group.c.fingerprint)
        return zip(self.clusters(), self._tests(query), strict=False)

    def _tests(self, query: AnySelect) -> Iterator[Iterator[str]]:
        for _, members in groupby(self._stream(query), key=itemgetter(0)):
            yield (
                nodeid if nodeid is not None else _substitute(classname, name)
                for _, nodeid, classname, name in members
            )

    def _stream(self, query: AnySelect) -> Iterator[AnyRow]:
        return _stream(self._database, query)


class ReportsTogether:
    """The groups of several stored reports."""

    def __init__(self, database: Database, report_ids: Sequence[int]) -> None:
        self._database = database
        self._ids = report_ids

    def patterns(self) -> Iterator[SpooledGroup]:
        """As of one report."""
        for playbook, failures in _stream(self._database, grouped.patterns(self._ids)):
            yield SpooledGroup(playbook, None, "", failures)

    def clusters(self) -> Iterator[tuple[SpooledGroup, int]]:
        """As of one report, each with the number of reports that have it."""
        for fingerprint, signature, failures, files in _stream(self._database, grouped.clusters(self._ids)):
            yield SpooledGroup(None, fingerprint, signature, failures), files


class ReportSpool(ReportReader):
    """Takes the failures of one report; nothing of it is stored unless it is committed.

    From the first failure on it holds SQLite's write lock. What raises inside its `with` block, or
    the end of the block without a `commit`, leaves the history as it was. Read it after `commit`.
    """

    def __init__(self, database: Database, file: str, keep: int) -> None:
        super().__init__(database, 0)
        self._file = file
        self._keep = keep
        self._connection: Connection | None = None
        self._groups: dict[tuple[str | None, str | None], int] = {}
        self._has_unknown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def add(self, failures: Sequence[SpooledFailure]) -> None:
        """Writes a batch; one or two thousand at once are fast and take little memory."""
        if not failures:
            return
        with trouble(self._database.place):
            connection = self._begun()
            self._learn(connection, failures)
            text = rows.insert_text(_failure, connection.dialect.name, ()) + _REPEATED
            groups = self._groups
            values = [_row(self.id, groups[item.playbook, item.fingerprint], item) for item in failures]
            connection.exec_driver_sql(text, values)

    def commit(self, counts: Counts, *, error: str | None = None) -> StoredReport:
        """Stores the report whole and forgets the oldest ones; `error` says why its file ended early."""
        with trouble(self._database.place):
            connection = self._begun()
            totals = select(func.count(), func.coalesce(func.sum(_failure.c.repeats), 0))
            failures, merged = connection.execute(totals.where(_failure.c.report_id == self.id)).one()
            values = {"failures": failures, "merged": merged, "error": rows.storable_or_none(error)}
            connection.execute(
                _report.update().where(_report.c.id == self.id).values(**values, **rows.counts_row(counts))
            )
            stored = stored_reports(connection, 1, self.id)[0]
            if self._has_unknown:
                clusters.settle(connection, self.id)
            _prune(connection, self._keep)
            connection.commit()
        self._end()
        return stored

    def _begun(self) -> Connection:
        if self._connection is None:
            if self.id:
                raise StoreError("a report takes no more failures once it is stored", where=self._file)
            self._connection = self._database.begin_writing()
            values = {"file": rows.storable(self._file), "classified_us": rows.to_instant(datetime.now(UTC))}
            insert = _report.insert().values(**values, **rows.counts_row(Counts()), failures=0, merged=0)
            self.id = self._connection.execute(insert.returning(_report.c.id)).scalar_one()
        return self._connection

    def _end(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(StoreError), trouble(self._database.place):
                connection.close()

    def _learn(self, connection: Connection, failures: Sequence[SpooledFailure]) -> None:
        """Makes a row for each group that this batch is the first to have."""
        if len(self._groups) > _KNOWN_GROUPS:  # as many as its failures where every one is different
            self._groups.clear()
        unknown = {
            (item.playbook, item.fingerprint): item.signature
            for item in reversed(failures)
            if (item.playbook, item.fingerprint) not in self._groups
        }
        if not unknown:
            return
        self._has_unknown |= any(playbook is None for playbook, _ in unknown)
        digests = {group: rows.digest(*group) for group in reversed(unknown)}
        values = [_group_row(self.id, digests[group], group, unknown[group]) for group in digests]
        rows.insert_rows(connection, _group, values, skip=["id"])
        belongs = _group.c.report_id == self.id
        ids = rows.ids_by_digest(connection, _group, list(digests.values()), belongs)
        self._groups.update({group: ids[key] for group, key in digests.items()})


def _stream(database: Database, query: AnySelect) -> Iterator[AnyRow]:
    with database.reading() as connection:
        connection.execution_options(yield_per=_ROWS_AT_ONCE)
        with connection.execute(query) as result:
            yield from result


def stored_reports(
    connection: Connection, limit: int, report_id: int | None = None
) -> tuple[StoredReport, ...]:
    """Newest first, or the one with this id."""
    query = select(_report).order_by(_report.c.id.desc()).limit(limit)
    if report_id is not None:
        query = query.where(_report.c.id == report_id)
    return tuple(
        StoredReport(
            id=row.id,
            file=row.file,
            classified_at=rows.from_instant(row.classified_us),
            counts=rows.counts_of(row),
            failures=row.failures,
            merged=row.merged,
            error=row.error,
        )
        for row in connection.execute(query)
    )


def _prune(connection: Connection, keep: int) -> None:
    query = select(_report.c.id).order_by(_report.c.id.desc()).offset(keep)
    for old in sorted(connection.scalars(query)):
        connection.execute(delete(_failure).where(_failure.c.report_id == old))
        connection.execute(delete(_group).where(_group.c.report_id == old))
        connection.execute(delete(_report).where(_report.c.id == old))


def _first_id(report_id: int) -> int:
    """Ids of failures hold the report's and their place in it: they need no further index."""
    return report_id << _ORDINAL_BITS


def _substitute(classname: str, name: str) -> str:
    return f"{classname}::{name}" if classname else name


def _group_row(
    report_id: int, digest: bytes, group: tuple[str | None, str | None], signature: str
) -> tuple[object, ...]:
    playbook, fingerprint = map(rows.storable_or_none, group)
    ours = playbook is None and fingerprint is not None and fingerprint.startswith(f"{VERSION}:")
    bucket = bucket_of(parts_of(signature)) if ours else None
    return (report_id, digest, playbook, fingerprint, rows.storable(signature), bucket)


def _identity(failure: SpooledFailure) -> bytes:
    if failure.key:
        return rows.digest(failure.key)
    if failure.nodeid is not None:
        return rows.digest(failure.nodeid)
    return rows.digest(failure.classname, failure.name)


def _row(report_id: int, group_id: int, failure: SpooledFailure) -> tuple[object, ...]:
    return (
        _first_id(report_id) + failure.ordinal,
        report_id,
        group_id,
        _identity(failure),
        failure.repeats,
        rows.OUTCOME_CODES[failure.outcome],
        None if failure.phase is None else failure.phase.value,
        failure.confidence,
        rows.storable(failure.key),
        rows.storable_or_none(failure.nodeid),
        rows.storable(failure.classname),
        rows.storable(failure.name),
        rows.storable(failure.exception),
        rows.storable(failure.also),
        rows.storable_or_none(failure.root),
        rows.storable(failure.message[:_LONGEST_MESSAGE]),
    )


def _failure_of(row: AnyRow) -> SpooledFailure:
    number, outcome, phase, *texts = row
    return SpooledFailure._make((number & _ORDINAL, rows.OUTCOMES[outcome], _PHASES[phase], *texts))
