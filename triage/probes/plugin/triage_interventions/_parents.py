"""Gives a row the key of a parent row: one at hand, one that is there, or a new one. PYTEST_DONT_REWRITE"""

from __future__ import annotations

_DEPTH = 4


class Parents(object):
    """Rows are made by Core: inside a flush no second flush may run, and no constructor of the project is called."""

    def __init__(self, tools, sqlalchemy, values, checks):
        self._tools, self._sql = tools, sqlalchemy
        self._values, self._checks = values, checks

    def key(self, one, constraint, near, known, fresh=False):
        """{column: value} for the columns of a foreign key of a row, or None.

        `known` are the columns that keep what they have, `near` the objects that the author may have meant.
        """
        pairs = [(each.parent, each.column) for each in constraint.elements]
        connection = one.connection()
        wanted = {referred: known[local] for local, referred in pairs if local in known}
        row = None
        if not fresh:
            row = self._of_objects(one, near, pairs, wanted) or self.existing(connection, pairs, wanted)
        if (
            row is None and not fresh
        ):  # what this flush is about to insert may be the parent that a new row would collide with
            row = self._of_objects(one, list(one.session.new), pairs, wanted)
        if row is None:
            row = self.new(connection, pairs[0][1].table, one.state.mapper, wanted, _DEPTH)
        return None if row is None else {local: row[referred] for local, referred in pairs}

    def _of_objects(self, one, objects, pairs, wanted):
        for obj in objects:
            if obj is not one.state.obj():
                found = self._tools.guarded(self._of_object, one, obj, pairs, wanted)
                if found:
                    return found
        return None

    def existing(self, connection, pairs, wanted):
        """{referred column: value} of any row that agrees with `wanted`."""
        referred = [each for _, each in pairs]
        query = self._sql.select(*referred).limit(1)
        for column, value in wanted.items():
            query = query.where(column == value)
        for column in referred:
            query = query.where(column.isnot(None))
        row = connection.execute(query).first()
        return None if row is None else dict(zip(referred, row))

    def new(self, connection, table, mapper, wanted, depth):
        """{column: value} of a row that was inserted with all that the table requires."""
        if depth == 0:
            return None
        values = dict(wanted)
        for constraint in sorted(table.foreign_key_constraints, key=lambda one: str(one.name or "")):
            self._follow(connection, table, mapper, constraint, values, depth)
        for column in table.columns:
            if column not in values and required(column):
                values[column] = self._discriminator(mapper, column) or self._values.usual(
                    column, connection.dialect
                )
        values.update(self._checks.solve(table, values, connection.dialect))
        statement = table.insert().values({column.key: value for column, value in values.items()})
        key = connection.execute(statement).inserted_primary_key
        values.update(zip(table.primary_key.columns, key))
        return self._complete(connection, table, values)

    def _follow(self, connection, table, mapper, constraint, values, depth):
        pairs = [(each.parent, each.column) for each in constraint.elements]
        missing = [local for local, _ in pairs if local not in values]
        if not any(required(local) for local in missing):
            return
        wanted = {referred: values[local] for local, referred in pairs if local in values}
        row = None
        if not any(local.unique or local.primary_key for local in missing):
            row = self.existing(connection, pairs, wanted)
        if row is None:
            row = self.new(connection, pairs[0][1].table, mapper, wanted, depth - 1)
        if row is not None:
            values.update({local: row[referred] for local, referred in pairs})

    def _complete(self, connection, table, values):
        """Columns that the database filled, too: a foreign key need not refer to the primary key."""
        where = [column == values[column] for column in table.primary_key.columns]
        row = connection.execute(self._sql.select(*table.columns).where(*where)).first()
        return values if row is None else dict(zip(table.columns, row))

    def _discriminator(self, mapper, column):
        for each in mapper.registry.mappers:
            if each.local_table is column.table and each.polymorphic_on is column:
                return each.polymorphic_identity
        return None

    # objects at hand

    def _of_object(self, one, obj, pairs, wanted):
        """{referred column: value} of an object, once its row can be seen by the session that needs it."""
        state, connection = self._sql.inspect(obj), one.connection()
        if pairs[0][1].table not in state.mapper.tables:
            return None
        if state.session is None and state.identity is None:
            one.session.add(obj)
        if state.session is one.session and state.identity is None:
            return self._given_early(one, state, pairs)
        if state.identity is None:
            state.session.flush()
        found = {referred: _value(state, referred) for _, referred in pairs}
        if any(value is None for value in found.values()) or any(
            found[each] != wanted[each] for each in wanted
        ):
            return None
        if self.existing(connection, pairs, found) is None and state.session not in (None, one.session):
            state.session.commit()
        return found if self.existing(connection, pairs, found) is not None else None

    def _given_early(self, one, state, pairs):
        """A key for an object that this very flush inserts: it is needed before the database could give one."""
        found = {}
        for _, referred in pairs:
            key = state.mapper.get_property_by_column(referred).key
            if state.dict.get(key) is None:
                setattr(state.obj(), key, self._values.fresh(referred, one.dialect))
            found[referred] = state.dict[key]
        one.comes_after(state)
        return found


def required(column):
    """Whether an INSERT must name a column; primary keys that the database counts need not be."""
    if column.nullable or column.default is not None or column.server_default is not None:
        return False
    if getattr(column, "computed", None) is not None or getattr(column, "identity", None) is not None:
        return False
    table = column.table
    counted = (
        table.autoincrement_column if hasattr(table, "autoincrement_column") else table._autoincrement_column
    )
    return counted is not column


def _value(state, column):
    """Out of the identity where it can be: reading an attribute may load, and a detached object cannot."""
    for known, value in zip(state.mapper.primary_key, state.identity or ()):
        if known is column or known.shares_lineage(column):
            return value
    key = state.mapper.get_property_by_column(column).key
    return getattr(state.obj(), key)
