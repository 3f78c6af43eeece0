"""Where SQLAlchemy stood when a statement was refused: session, states of the flush, the row and its object."""

from __future__ import annotations

import itertools
import sys

import triage_observe

rules = triage_observe._load("triage_observers", "_constraints")
_DEPTH = 400
_SHOWN = 80
_SYNC = ("sqlalchemy.orm.sync", "sqlalchemy.orm.dependency")
_PERSISTENCE = ("sqlalchemy.orm.persistence", "sqlalchemy.orm.bulk_persistence")


class Spot(object):
    """What the calling stack holds, read inside the engine's event; it must not outlive the event."""

    def __init__(self, tools):
        orm = sys.modules.get("sqlalchemy.orm")
        uow = getattr(sys.modules.get("sqlalchemy.orm.unitofwork"), "UOWTransaction", ())
        self.session = self.uow = self.emits = None
        self.own = []
        for frame in itertools.islice(_frames(tools), _DEPTH):
            module = str(frame.f_globals.get("__name__"))
            if module.startswith("sqlalchemy.orm"):
                self._library(frame, module, orm.Session if orm else (), uow)
            elif tools.place(frame) is not None:
                self.own.append(frame)

    def _library(self, frame, module, session, uow):
        values = frame.f_locals
        for value in (values.get("self"), values.get("uowtransaction")):
            if self.session is None and isinstance(value, session):
                self.session = value
            if self.uow is None and isinstance(value, uow):
                self.uow = value
        if self.emits is None and module in _PERSISTENCE and frame.f_code.co_name.startswith("_emit"):
            names = ("records", "params", "table")
            self.emits = dict({name: values.get(name) for name in names}, name=frame.f_code.co_name)

    def entries(self):
        """(state, parameters) of each row of the flush's statement; the state of a bulk insert's mapping is None."""
        if self.emits is None or not isinstance(self.emits["records"], list):
            return []
        at = 4 if self.emits["name"] == "_emit_post_update_statements" else 2
        return [(_state(record), record[at]) for record in self.emits["records"] if len(record) > at]

    def deleted(self, table=None):
        """States that the flush deletes, of one table or of any."""
        states = [] if self.uow is None else list(self.uow.states.items())
        gone = [state for state, (is_delete, _) in states if is_delete]
        return [
            state for state in gone if table is None or any(each is table for each in state.mapper.tables)
        ]


def _state(record):
    """The object's state; `bulk_save_objects` hands on the dictionary of the object alone."""
    known = record[1] if isinstance(record[1], dict) else {}
    return record[0] if record[0] is not None else known.get("_sa_instance_state")


def is_flushed(tools):
    """Whether a flush, and not own code that it calls, sets an attribute now."""
    for frame in _frames(tools):
        if str(frame.f_globals.get("__name__")) in _SYNC:
            return True
        if tools.place(frame) is not None:
            return False
    return False


def _frames(tools):
    frame, below = sys._getframe(2), tools._outer()
    while frame is not None or below is not None:
        if frame is None:
            frame, below = below, None
        yield frame
        frame = frame.f_back


class Statement(object):
    """The refused statement: its table, and the row and object that were refused as far as they can be told."""

    def __init__(self, event, found, spot):
        self.found, self.spot = found, spot
        self.context = event.execution_context or _context_of(event.original_exception)
        compiled = getattr(self.context, "compiled", None)
        told = getattr(compiled, "statement", None)
        self.table = _whole(getattr(told, "table", None))
        self.text = event.statement or ""
        self.verb = self.text.lstrip().partition(" ")[0].upper()
        self.rows = [dict(row or {}) for row in getattr(self.context, "compiled_parameters", None) or ()]
        given = event.parameters
        self.parameters = tuple(given.values() if isinstance(given, dict) else given or ())
        self.lookup = rules.Lookup(getattr(self.context, "cursor", None))
        self.many = bool(getattr(self.context, "executemany", False))
        self.state, self.row, self.columns, self.target, self.unsure, self.referrer = (
            None,
            {},
            [],
            None,
            "",
            "",
        )
        if self.table is not None and found is not None:
            self.columns = rules.columns(self.table, found)
            self._locate_deleted() if self.verb == "DELETE" else self._locate()
        elif found is not None and not self.text:
            self.unsure = "the constraint was checked at the end of the transaction, which names no row"

    def _locate_deleted(self):
        """SQLite tells neither which row is still referred to, nor by which table."""
        gone = self.spot.deleted(self.table)
        rows = [self._stored(_columns(state, self.table)) for state in gone]
        rows = rows or [self._stored(row) for row in self.rows]
        known = (rules.referrer(self.table, row, number, self.lookup) for number, row in enumerate(rows))
        number, self.referrer = next((one for one in known if one), (0, ""))
        self.state = gone[number] if gone else None
        if len(rows) > 1 and not self.referrer:
            self.unsure = "which of %d deleted rows was refused; the first is shown" % len(rows)

    def _locate(self):
        entries = self.spot.entries()
        number = self._number(entries)
        if number is None:
            rows = len(entries) or len(self.rows)
            self.unsure = "which of %d rows was refused; the first is shown" % rows if rows > 1 else ""
            number = 0
        if self.found.kind == rules.FOREIGN_KEY and not self.columns:
            self.unsure = (
                "which of the foreign keys dangles: the driver does not tell, and cannot be asked here"
            )
        if entries:
            self.state = entries[number][0]
            self.row = dict(entries[number][1])
        self.row.update(self.rows[number] if number < len(self.rows) and (self.many or not entries) else {})
        if len(self.rows) == 1:
            self.row.update(self.rows[0])
        self._refine()

    def _number(self, entries):
        if len(entries) > 1 and not self.many:
            if self.found.kind == rules.FOREIGN_KEY and not self.columns:
                self._dangling(0)
            return next((n for n, (_, row) in enumerate(entries) if row is self.spot.emits["params"]), None)
        rows = self.rows if len(self.rows) >= len(entries) else [row for _, row in entries]
        if len(entries) == 1 or len(rows) == 1:
            number = 0
        else:
            driver = rules.driver_rows(self.context)
            known = driver if len(driver) == len(rows) else [self._stored(row) for row in rows]
            same = [n for n, row in enumerate(driver) if tuple(row.values()) == self.parameters]
            if len(same) == 1:  # a driver without RETURNING of many rows gets them one by one
                return same[0] if self.found.kind != rules.FOREIGN_KEY else self._dangling(same[0])
            number = rules.offending_row(self.found, self.table, self.columns, known, self.lookup)
        if self.found.kind == rules.FOREIGN_KEY and not self.columns:
            return self._dangling(number)
        return number

    def _stored(self, row):
        return rules.stored(self.table, row, getattr(self.context, "dialect", None))

    def _dangling(self, number):
        """SQLite does not name the reference that it refused: looked up row by row."""
        if self.lookup.raw is None:
            row = self.rows[number or 0] if self.rows else {}
            used = [one for one in self.table.foreign_key_constraints if rules.is_given(one, row)]
            self.columns = [element.parent for element in used[0].elements] if len(used) == 1 else []
            return number
        for row, constraint in rules.dangling(self.table, rules.driver_rows(self.context), self.lookup):
            self.columns = [element.parent for element in constraint.elements]
            return row
        return number

    def _refine(self):
        if self.found.kind == rules.NOT_NULL:
            empty = [column for column in rules.required(self.table) if self._is_empty(column)]
            self.columns += [
                column for column in empty if column.key not in [one.key for one in self.columns]
            ]
        if self.found.kind in (rules.NOT_NULL, rules.FOREIGN_KEY):
            targets = [_target(key) for column in self.columns for key in column.foreign_keys]
            self.target = next((one for one in targets if one is not None), None)

    def _is_empty(self, column):
        if self.verb == "UPDATE" and column.key not in self.row:
            return False
        value = self.state.dict.get(attribute(self.state.mapper, column)) if self.state is not None else None
        return self.row.get(column.key) is None and value is None

    def uuids(self):
        """(column or None, value) of each parameter that is a UUID where text belongs, or the other way."""
        import uuid

        found = []
        for name, bind in (getattr(getattr(self.context, "compiled", None), "binds", None) or {}).items():
            wants = rules.is_uuid_type(bind.type)
            for row in self.rows:
                for value in row.get(name) if isinstance(row.get(name), (list, tuple)) else [row.get(name)]:
                    if value is not None and wants != isinstance(value, uuid.UUID):
                        if wants or isinstance(value, uuid.UUID):
                            found.append((self._column(bind, name), value))
        return found

    def _column(self, bind, name):
        if self.table is not None and name in self.table.columns:
            return self.table.columns[name]
        visitors = sys.modules["sqlalchemy.sql.visitors"]
        named = getattr(bind, "_orig_key", None)
        columns = [
            one for one in visitors.iterate(self.context.compiled.statement, {}) if hasattr(one, "table")
        ]
        typed = [one for one in columns if getattr(one, "type", None) is bind.type]
        same = [one for one in typed if getattr(one, "key", None) == named]
        return (same or typed or [None])[0]


def _columns(state, table):
    """What is loaded of an object's row, {column key: value}."""
    named = {column.key: attribute(state.mapper, column) for column in table.columns}
    return {key: state.dict[name] for key, name in named.items() if name in state.dict}


def may_lack_row(statement):
    """Whether a row that another session holds back could have led to the refusal: a key is missing, or taken."""
    if statement.found is not None and statement.found.kind in (rules.NOT_NULL, rules.CHECK):
        return not statement.columns or any(column.foreign_keys for column in statement.columns)
    return True


def constant(columns, row):
    """The one value of a row that its columns give every row by their default, as text; empty where there is none."""
    defaults = [getattr(column, "default", None) for column in columns]
    if not defaults or not all(getattr(one, "is_scalar", False) for one in defaults):
        return ""
    if any(row.get(column.key, one.arg) != one.arg for column, one in zip(columns, defaults)):
        return ""
    return ", ".join(repr(one.arg)[:_SHOWN] for one in defaults)


def _context_of(error):
    """The context that was being made when a parameter could not be converted."""
    for frame, _, _ in reversed(triage_observe.first._steps(error.__traceback__)):
        one = frame.f_locals.get("self")
        if frame.f_code.co_name == "_init_compiled" and hasattr(one, "compiled"):
            return one
    return None


def _whole(table):
    """The table itself where a statement holds an annotated copy."""
    tables = getattr(getattr(table, "metadata", None), "tables", None)
    return tables.get(table.key, table) if tables is not None else None


def _target(key):
    try:
        return key.column.table
    except Exception:  # the table that it names may be unknown to this metadata
        return None


def attribute(mapper, column):
    """The model's name of a column."""
    known = getattr(mapper, "_columntoproperty", None) or {}
    for one in known:
        if one is column:
            return known[one].key
    return column.key


def related(mapper, columns):
    """Names of the relationships that give these columns their values."""
    found = []
    for one in mapper.relationships if mapper is not None else ():
        if one.direction.name == "MANYTOONE" and any(
            local is column for local in one.local_columns for column in columns
        ):
            found.append(one.key)
    return found
