"""Which earlier insert holds a value that must be unique, by table, columns and value."""

from __future__ import annotations

import sys

_MOST = 50000  # values remembered, the newest


class Holders(object):
    """Told every row that the ORM inserts; a row that was rolled back stays known, its value may be free again."""

    def __init__(self, tools):
        self._tools, self._known, self._sets = tools, {}, {}

    def listen(self, orm):
        def inserted(mapper, connection, target):
            self._tools.guarded(self._inserted, mapper, target)

        sys.modules["sqlalchemy.event"].listen(orm.Mapper, "after_insert", inserted)

    def of(self, table, columns, row):
        """{"test", "place"} of the row with these values, or None."""
        values = _values(row.get(column.key) for column in columns)
        return self._known.get((table.name, tuple(column.name for column in columns), values))

    def _inserted(self, mapper, target):
        own = self._tools.own_stack(1)
        found = {"test": self._tools.now()["test"], "place": own[0] if own else None}
        for table in mapper.tables:
            for columns in self._unique(table):
                known = getattr(mapper, "_columntoproperty", {})
                # a sibling that shares the table has columns of its own
                if any(column not in known for column in columns):
                    continue
                values = _values(target.__dict__.get(known[column].key) for column in columns)
                if values is not None:
                    self._known[table.name, tuple(column.name for column in columns), values] = found
        while len(self._known) > _MOST:
            del self._known[next(iter(self._known))]

    def _unique(self, table):
        if table not in self._sets:
            found = [(column,) for column in table.columns if column.unique]
            found += [tuple(one.columns) for one in table.constraints if _is_unique(one)]
            found += [tuple(one.columns) for one in table.indexes if one.unique]
            known = {tuple(column.name for column in columns): columns for columns in found if columns}
            self._sets[table] = list(known.values())
        return self._sets[table]


def _is_unique(constraint):
    return type(constraint).__name__ in ("UniqueConstraint", "PrimaryKeyConstraint")


def _values(values):
    """As text; None where one is NULL, which never collides."""
    found = tuple(None if value is None else str(value) for value in values)
    return None if None in found else found
