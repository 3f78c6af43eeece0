"""Values to rows and back: the one place where they cross."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Table, select

from triage.model.history import StoredRun
from triage.model.run import Counts
from triage.model.terms import Outcome, RunStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Row, Select

    AnyRow = Row[*tuple[Any, ...]]
    AnySelect = Select[*tuple[Any, ...]]

# Stored in every result: never give a number another meaning.
OUTCOME_CODES = {
    Outcome.PASSED: 0,
    Outcome.FAILED: 1,
    Outcome.ERROR: 2,
    Outcome.SKIPPED: 3,
    Outcome.XFAILED: 4,
    Outcome.XPASSED: 5,
}
OUTCOMES = {code: outcome for outcome, code in OUTCOME_CODES.items()}
FAILING_CODES = (1, 2)
PASSING_CODES = (0, 5)
COUNT_COLUMNS = ("total", "passed", "failed", "errors", "skipped", "xfailed", "xpassed", "warnings")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SECOND_US = 1_000_000
_LONGEST_S = 1e9
_DIGEST_BYTES = 16
_MOST_PARAMETERS = 10_000  # SQLite takes 32,766, PostgreSQL 65,535


def storable(text: str) -> str:
    """The text with what no database takes (NUL, lone surrogates) made visible."""
    if "\0" in text:
        text = text.replace("\0", "\\x00")
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def storable_or_none(text: str | None) -> str | None:
    return None if text is None else storable(text)


def digest(*parts: str | None) -> bytes:
    """A short stand-in for texts in a unique key; differs wherever one part does."""
    # No storable text holds a NUL, so nothing else reads as two parts, or as a part that is None.
    joined = "".join(["\0n" if part is None else "\0s" + storable(part) for part in parts])
    return blake2b(joined.encode(), digest_size=_DIGEST_BYTES).digest()


def to_microseconds(duration_s: float) -> int:
    """0 for what is not a duration (hostile reports say NaN, infinite or negative)."""
    if not math.isfinite(duration_s) or duration_s < 0:
        return 0
    return round(min(duration_s, _LONGEST_S) * _SECOND_US)


def to_seconds(microseconds: int) -> float:
    return microseconds / _SECOND_US


def to_instant(moment: datetime) -> int:
    """Microseconds since 1970; a moment without a zone is taken as UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH) // _MICROSECOND


def from_instant(microseconds: int) -> datetime:
    return _EPOCH + microseconds * _MICROSECOND


def counts_row(counts: Counts) -> dict[str, int]:
    return {name: getattr(counts, name) for name in COUNT_COLUMNS}


def counts_of(row: AnyRow) -> Counts:
    return Counts(**{name: getattr(row, name) for name in COUNT_COLUMNS})


def run_of(row: AnyRow, project: str) -> StoredRun:
    """The value of a row of `run`."""
    return StoredRun(
        project=project,
        id=row.public_id,
        started_at=from_instant(row.started_us),
        status=RunStatus(row.status) if row.status else None,
        duration_s=to_seconds(row.duration_us),
        counts=counts_of(row),
        exit_status=row.exit_status,
        commit=row.commit_id,
        source=row.source,
        playbooks_fingerprint=row.playbooks_fingerprint,
        tool_version=row.tool_version,
        notes=tuple(json.loads(row.notes)),
    )


def insert_rows(
    connection: Connection, table: Table, rows: Sequence[tuple[object, ...]], *, skip: Iterable[str] = ()
) -> None:
    """Inserts many rows by the driver alone, four times as fast as by statements of SQLAlchemy.

    Each row has the table's columns in their order, without those to `skip`. A row whose unique key
    is there already is left out.
    """
    if rows:
        text = insert_text(table, connection.dialect.name, tuple(skip))
        connection.exec_driver_sql(f"{text} ON CONFLICT DO NOTHING", list(rows))


@cache
def insert_text(table: Table, dialect: str, skip: tuple[str, ...]) -> str:
    """`INSERT INTO ... VALUES (...)` with the placeholders of the dialect's driver."""
    names = [column.name for column in table.columns if column.name not in skip]
    mark = "?" if dialect == "sqlite" else "%s"
    marks = ", ".join([mark] * len(names))
    return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608 - names are our own


def ids_by_digest(
    connection: Connection, table: Table, digests: Sequence[bytes], *conditions: ColumnElement[bool]
) -> dict[bytes, int]:
    """The ids of the rows that have these digests."""
    found: dict[bytes, int] = {}
    for start in range(0, len(digests), _MOST_PARAMETERS):
        wanted = digests[start : start + _MOST_PARAMETERS]
        query = select(table.c.digest, table.c.id).where(table.c.digest.in_(wanted), *conditions)
        found.update((bytes(key), number) for key, number in connection.execute(query))
    return found
