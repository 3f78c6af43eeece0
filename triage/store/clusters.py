"""Clusters of unknown failures that the history remembers, so that they keep their identity."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import chain, groupby, islice
from operator import itemgetter
from typing import TYPE_CHECKING

from sqlalchemy import Connection, bindparam, delete, select, update

from triage.clustering.clusters import SAMPLE, Bucket, bucket_of, memorable
from triage.clustering.covering import Cluster
from triage.clustering.signature import VERSION, parts_of
from triage.store import rows, tables

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from sqlalchemy import ColumnElement

    from triage.store.rows import AnyRow, AnySelect

_known = tables.known_cluster
_group = tables.report_group
_cause = tables.cause
_FORGOTTEN = timedelta(days=400)  # after the last failure of its class at its places
_SEEN_AGAIN = timedelta(days=1)  # so often at most is it written that a cluster was seen
_BUCKETS_AT_ONCE = 500
_CHANGES_AT_ONCE = 1_000
_ROWS_AT_ONCE = 200
_LOCK = 7_471_105  # two writers that touch the same rows in another order would wait for each other


def known(connection: Connection, buckets: Iterable[bytes]) -> dict[bytes, list[Cluster]]:
    """Of these buckets, oldest first."""
    found: dict[bytes, list[Cluster]] = {}
    wanted = list(buckets)
    for start in range(0, len(wanted), _BUCKETS_AT_ONCE):
        query = _known_query().where(_known.c.bucket.in_(wanted[start : start + _BUCKETS_AT_ONCE]))
        for bucket, print_, signature in connection.execute(query):
            found.setdefault(bytes(bucket), []).append(Cluster(print_, signature))
    return found


def is_other_algorithm(connection: Connection) -> bool:
    """Whether all unknown failures of the history were clustered by another version."""
    ours = select(_known.c.id).where(_known.c.version == VERSION).limit(1)
    if connection.scalar(ours) is not None:
        return False
    mine = _cause.c.fingerprint.startswith(f"{VERSION}:")
    return connection.scalar(select(_cause.c.id).where(~mine).limit(1)) is not None


def remember(connection: Connection, found: Iterable[Cluster]) -> None:
    """Keeps the clusters of a run for later ones."""
    buckets: dict[bytes, set[Cluster]] = {}
    for one in found:
        if one.fingerprint.startswith(f"{VERSION}:"):
            buckets.setdefault(bucket_of(parts_of(one.signature)), set()).add(one)
    if not buckets:
        return
    _alone(connection)
    old = known(connection, buckets)
    for key, members in sorted(buckets.items()):
        _insert(connection, key, memorable(members, old.get(key, ())))
    _touch(connection, buckets)


def settle(connection: Connection, report_id: int) -> None:
    """Gives the groups of a report's unknown failures the identity of their clusters.

    Bucket by bucket, each in the order of its digests, whose first ones are a sample that depends
    on nothing but the set: so it needs no memory that grows with the report.
    """
    _alone(connection)
    changes: list[dict[str, object]] = []
    seen: list[bytes] = []
    olds = _KnownInOrder(connection, report_id)
    for key, members in groupby(_groups(connection, report_id), key=itemgetter(0)):
        old = olds.of(bytes(key))
        new: set[Cluster] = set()
        for number, before, cluster in _clustered(members, old):
            if len(new) < SAMPLE or cluster.is_template:
                new.add(cluster)
            if cluster != before:
                changes.append(
                    {"group": number, "print": cluster.fingerprint, "text": rows.storable(cluster.signature)}
                )
        _insert(connection, bytes(key), memorable(new, old))
        seen.append(bytes(key))
        if len(changes) >= _CHANGES_AT_ONCE:
            _change(connection, changes)
        if len(seen) >= _BUCKETS_AT_ONCE:
            _touch(connection, seen)
            seen.clear()
    _change(connection, changes)
    _touch(connection, seen)


class _KnownInOrder:
    """Remembered clusters of the buckets of a report, read along with its groups."""

    def __init__(self, connection: Connection, report_id: int) -> None:
        mine = select(_group.c.bucket).where(_group.c.report_id == report_id)
        query = _known_query(_known.c.bucket).where(_known.c.bucket.in_(mine))
        self._buckets = groupby(_stream(connection, query), key=itemgetter(0))
        self._next = next(self._buckets, None)

    def of(self, bucket: bytes) -> list[Cluster]:
        """Asked for in ascending order; oldest first."""
        while self._next is not None and bytes(self._next[0]) < bucket:
            self._next = next(self._buckets, None)
        if self._next is None or bytes(self._next[0]) != bucket:
            return []
        return [Cluster(print_, signature) for _, print_, signature in self._next[1]]


def _alone(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")


def _known_query(*order: ColumnElement[bytes]) -> AnySelect:
    query = select(_known.c.bucket, _known.c.fingerprint, _known.c.signature)
    return query.where(_known.c.version == VERSION).order_by(*order, _known.c.id)


def _groups(connection: Connection, report_id: int) -> Iterator[AnyRow]:
    query = (
        select(_group.c.bucket, _group.c.id, _group.c.fingerprint, _group.c.signature)
        .where(_group.c.report_id == report_id, _group.c.playbook.is_(None))
        .where(_group.c.bucket.is_not(None))
        .order_by(_group.c.bucket, _group.c.digest)
    )
    return _stream(connection, query)


def _clustered(members: Iterator[AnyRow], old: Sequence[Cluster]) -> Iterator[tuple[int, Cluster, Cluster]]:
    """Id, and the cluster before and now, of each group of a bucket."""
    sample = list(islice(members, SAMPLE))
    bucket = Bucket([parts_of(one.signature) for one in sample], old)
    for one in chain(sample, members):
        before = Cluster(one.fingerprint, one.signature)
        yield one.id, before, bucket.cluster(parts_of(one.signature))


def _change(connection: Connection, changes: list[dict[str, object]]) -> None:
    if changes:
        statement = update(_group).where(_group.c.id == bindparam("group"))
        statement = statement.values(fingerprint=bindparam("print"), signature=bindparam("text"))
        connection.execute(statement, changes)
        changes.clear()


def _insert(connection: Connection, bucket: bytes, new: Sequence[Cluster]) -> None:
    now = rows.to_instant(datetime.now(UTC))
    values = [
        (
            VERSION,
            bucket,
            rows.digest(VERSION, one.signature),
            one.fingerprint,
            rows.storable(one.signature),
            now,
        )
        for one in new
    ]
    rows.insert_rows(connection, _known, values, skip=["id"])


def _touch(connection: Connection, buckets: Collection[bytes]) -> None:
    """Notes that these were seen, and forgets what was not for long."""
    now, keys = datetime.now(UTC), list(buckets)
    for start in range(0, len(keys), _BUCKETS_AT_ONCE):
        mine = _known.c.bucket.in_(keys[start : start + _BUCKETS_AT_ONCE])
        old = _known.c.seen_us < rows.to_instant(now - _SEEN_AGAIN)
        connection.execute(update(_known).where(mine, old).values(seen_us=rows.to_instant(now)))
    connection.execute(delete(_known).where(_known.c.seen_us < rows.to_instant(now - _FORGOTTEN)))


def _stream(connection: Connection, query: AnySelect) -> Iterator[AnyRow]:
    with connection.execute(query, execution_options={"yield_per": _ROWS_AT_ONCE}) as result:
        yield from result
