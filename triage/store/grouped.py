"""What the failures of reports have in common: one query for all groups, however many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select

from triage.store import tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement

    from triage.store.rows import AnySelect

_failure = tables.report_failure
_group = tables.report_group


def tests(report_id: int, belongs: ColumnElement[bool], name: ColumnElement[Any]) -> AnySelect:
    """What its group and no other has, then the three names, of each test.

    Groups of one `name` count as one; most frequent first, then by `name` where it is a playbook's id,
    else as they came; the tests in the order of the file. A query for each group would cost the square
    of their number.
    """
    counted = (
        select(_failure.c.group_id, func.count().label("failures"))
        .where(_failure.c.report_id == report_id)
        .group_by(_failure.c.group_id)
        .subquery()
    )
    together: dict[str, Any] = {"partition_by": name}
    ranked = (
        select(
            _group.c.id,
            _group.c.playbook,
            func.min(_group.c.id).over(**together).label("first"),
            func.sum(counted.c.failures).over(**together).label("failures"),
        )
        .join(counted, counted.c.group_id == _group.c.id)
        .where(_group.c.report_id == report_id, belongs)
        .subquery()
    )
    return (
        select(ranked.c.first, _failure.c.nodeid, _failure.c.classname, _failure.c.name)
        .join(_failure, _failure.c.group_id == ranked.c.id)
        .order_by(ranked.c.failures.desc(), ranked.c.playbook, ranked.c.first, _failure.c.id)
    )


def patterns(report_ids: Sequence[int]) -> AnySelect:
    """Playbook and count over several reports, most frequent first."""
    count = func.count().label("failures")
    return (
        select(_group.c.playbook, count)
        .join(_failure, _failure.c.group_id == _group.c.id)
        .where(_among(report_ids), _group.c.playbook.is_not(None))
        .group_by(_group.c.playbook)
        .order_by(count.desc(), _group.c.playbook)
    )


def clusters(report_ids: Sequence[int]) -> AnySelect:
    """Fingerprint, signature, count and number of reports over several of them, most frequent first."""
    count, first = func.count().label("failures"), func.min(_group.c.id)
    return (
        select(
            _group.c.fingerprint,
            func.min(_group.c.signature),
            count,
            func.count(_group.c.report_id.distinct()),
        )
        .join(_failure, _failure.c.group_id == _group.c.id)
        .where(_among(report_ids), _group.c.playbook.is_(None))
        .group_by(_group.c.fingerprint)
        .order_by(count.desc(), first)
    )


def _among(report_ids: Sequence[int]) -> ColumnElement[bool]:
    """Written out, as databases limit the number of parameters."""
    return _group.c.report_id.in_(bindparam("reports", report_ids, expanding=True, literal_execute=True))
