# ruff: noqa: E501, S608 -- statements for a person to read, never run
"""The steps that a table needs before its column can become a foreign key, and the way back."""

from collections.abc import Iterator
from dataclasses import dataclass

_RESERVED = frozenset(
    {"user", "order", "group", "table", "check", "references", "select", "where", "default", "to"}
)


@dataclass(frozen=True, slots=True)
class Key:
    """`column` of `table` should point at `target` (`users.id`, with its schema)."""

    file: str
    line: int
    model: str
    table: str
    column: str
    attribute: str
    target: str
    relationship: str
    mandatory: bool


def quoted_name(name: str) -> str:
    """As SQL takes it: words of the language itself stand in quotes."""
    parts = name.split(".")
    return ".".join(f'"{one}"' if one.lower() in _RESERVED else one for one in parts)


def _constraint(key: Key) -> str:
    return f"fk_{key.table}_{key.column}_{key.target.split('.')[-2]}"


def migration(key: Key, *, nullable: bool, key_too: bool) -> Iterator[str]:
    table, column = quoted_name(key.table), quoted_name(key.column)
    other, _, there = key.target.rpartition(".")
    other = quoted_name(other)
    if nullable:
        yield (
            f"count the rows without a key: `SELECT count(*) FROM {table} WHERE {column} IS NULL`; "
            "fill them, or delete them after a backup"
        )
    if key_too:
        yield (
            f"count the rows whose key leads nowhere: `SELECT count(*) FROM {table} WHERE {column} IS NOT NULL "
            f"AND {column} NOT IN (SELECT {there} FROM {other})`; correct them, or delete them after a backup"
        )
        yield (
            f"add the constraint: `ALTER TABLE {table} ADD CONSTRAINT {_constraint(key)} FOREIGN KEY ({column}) "
            f"REFERENCES {other} ({there})`; on SQLite rebuild the table (Alembic: batch_alter_table)"
        )
    if nullable:
        yield f"`ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL`"
    yield "try it on a copy of the data: upgrade, downgrade, upgrade again, with the tests after each"


def way_back(key: Key, *, nullable: bool, key_too: bool) -> str:
    steps = (
        [f"ALTER TABLE {quoted_name(key.table)} ALTER COLUMN {key.column} DROP NOT NULL"] if nullable else []
    )
    steps += [f"ALTER TABLE {quoted_name(key.table)} DROP CONSTRAINT {_constraint(key)}"] if key_too else []
    return "; ".join([*steps, "revert the commit; rows that were deleted come back from the backup only"])
