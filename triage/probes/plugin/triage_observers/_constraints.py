"""What a database refused: its kind, table, columns and row, by the words and codes of each driver."""

from __future__ import annotations

import itertools
import re
import uuid

NOT_NULL, UNIQUE, CHECK, FOREIGN_KEY, ABORTED = "not-null", "unique", "check", "foreign-key", "aborted"

# https://www.postgresql.org/docs/current/errcodes-appendix.html
_STATES = {"23502": NOT_NULL, "23505": UNIQUE, "23514": CHECK, "23503": FOREIGN_KEY, "23001": FOREIGN_KEY}
_STATES["25P02"] = ABORTED
# https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html and, 4025, MariaDB's
_NUMBERS = {1048: NOT_NULL, 1364: NOT_NULL, 1062: UNIQUE, 1586: UNIQUE, 3819: CHECK, 4025: CHECK}
_NUMBERS.update({1451: FOREIGN_KEY, 1452: FOREIGN_KEY, 1216: FOREIGN_KEY, 1217: FOREIGN_KEY})
_NAMES = {"NotNullViolation": NOT_NULL, "UniqueViolation": UNIQUE, "CheckViolation": CHECK}
_NAMES.update({"ForeignKeyViolation": FOREIGN_KEY, "RestrictViolation": FOREIGN_KEY})
_NAMES["InFailedSqlTransaction"] = ABORTED
_TEXTS = tuple(
    (re.compile(pattern, re.IGNORECASE), kind)
    for pattern, kind in (
        (r"NOT NULL constraint failed: (?P<columns>\S+)", NOT_NULL),
        (r'null value in column "(?P<column>[^"]+)"(?: of relation "(?P<table>[^"]+)")?', NOT_NULL),
        (r"Column '(?P<column>[^']+)' cannot be null", NOT_NULL),
        (r"Field '(?P<column>[^']+)' doesn't have a default value", NOT_NULL),
        (r"UNIQUE constraint failed: index '(?P<constraint>[^']+)'", UNIQUE),
        (r"UNIQUE constraint failed: (?P<columns>[^\n]+)", UNIQUE),
        (r'violates unique constraint "(?P<constraint>[^"]+)"', UNIQUE),
        (r"Duplicate entry '(?P<value>.*)' for key '(?:\w+\.)?(?P<constraint>[^']+)'", UNIQUE),
        (r"CHECK constraint failed: (?P<constraint>[^\n]+)", CHECK),
        (r'relation "(?P<table>[^"]+)" violates check constraint "(?P<constraint>[^"]+)"', CHECK),
        (r"Check constraint '(?P<constraint>[^']+)' is violated", CHECK),
        (r"CONSTRAINT `(?P<constraint>[^`]+)` failed for `[^`]+`\.`(?P<table>[^`]+)`", CHECK),
        (r"FOREIGN KEY constraint failed", FOREIGN_KEY),
        (r"`(?P<table>[^`]+)`, CONSTRAINT `(?P<constraint>[^`]+)` FOREIGN KEY \(`(?P<column>[^)]+)`\) "
         r"REFERENCES `(?P<target>[^`]+)`", FOREIGN_KEY),
        (r'violates (?:RESTRICT setting of )?foreign key constraint "(?P<constraint>[^"]+)"', FOREIGN_KEY),
        (r"foreign key constraint fails", FOREIGN_KEY),
        (r"current transaction is aborted", ABORTED),
    )
)  # fmt: skip
_KEY = re.compile(r"Key \((?P<column>[^)]+)\)=\((?P<value>.*)\) (?:already exists|is not present|is still)")
_TARGET = re.compile(r'is not present in table "(?P<target>[^"]+)"')
_REFERRED = re.compile(
    r'on table "(?P<target>[^"]+)" violates (?:RESTRICT setting of )?foreign key constraint "[^"]+" '
    r'on table "(?P<referrer>[^"]+)"'
)
_UUID = re.compile(
    r"'(?:str|int|bytes)' object has no attribute 'hex'|badly formed hexadecimal UUID string|"
    r"type 'UUID' is not supported|can't adapt type 'UUID'|invalid input syntax for (?:type )?uuid|"
    r"operator does not exist: (?:uuid\b|[a-z ]+ [=<>!]+ uuid\b)|is of type uuid but expression|"
    r"but expression is of type uuid|probably unsupported type|invalid input for query argument .*UUID",
    re.IGNORECASE,
)


class Violation(object):
    """One refusal; what the driver did not say is None or empty. Columns are names in the database."""

    def __init__(self, kind, found):
        self.kind, self.table, self.columns = kind, found.get("table"), []
        for name in re.split(r"\s*,\s*", found.get("columns") or found.get("column") or ""):
            table, _, column = name.strip('`" ').rpartition(".")
            self.table = self.table or table.rpartition(".")[2] or None
            self.columns += [column] if column else []
        self.constraint, self.value, self.target, self.referrer = (
            found.get(key) for key in ("constraint", "value", "target", "referrer")
        )


def violation(error):
    """The Violation that a driver's exception tells, or None; an aborted transaction is one, too."""
    text = str(error)
    kind = _STATES.get(str(getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)))
    kind = kind or next(
        (_NAMES[base.__name__] for base in type(error).__mro__ if base.__name__ in _NAMES), None
    )
    arguments = getattr(error, "args", ())
    if kind is None and arguments and isinstance(arguments[0], int):
        kind = _NUMBERS.get(arguments[0])
    found = {}
    for pattern, told in _TEXTS:
        match = pattern.search(text)
        if match and kind in (None, told):
            kind = told
            found = {key: value for key, value in match.groupdict().items() if value}
            if "parent row" in text:  # MySQL tells a refused deletion and a refused insert alike
                found["referrer"] = found.get("table")
            break
    for pattern in (_KEY, _TARGET, _REFERRED):
        match = pattern.search(text)
        found.update(match.groupdict() if match else {})
    said = getattr(error, "diag", None)
    for key, name in (("table", "table_name"), ("column", "column_name"), ("constraint", "constraint_name")):
        if getattr(said, name, None) and key not in found:
            found[key] = getattr(said, name)
    return Violation(kind, found) if kind else None


def is_about_uuid(text):
    return _UUID.search(text) is not None


def is_uuid_type(kind):
    names = [base.__name__.lower() for base in type(kind).__mro__] + [
        type(getattr(kind, "impl", None)).__name__.lower()
    ]
    return any("uuid" in name or "guid" in name for name in names)


def may_hold_uuid(kind):
    """Whether a UUID or its text may be given to a column of this type by mistake."""
    return is_uuid_type(kind) or any(base.__name__ == "String" for base in type(kind).__mro__)


def is_other_uuid(kind, value):
    """Whether a value is text where the type takes a UUID, or the other way round."""
    is_uuid = isinstance(value, uuid.UUID)
    return value is not None and is_uuid != (is_uuid_type(kind) and getattr(kind, "as_uuid", True))


def required(table):
    """Columns that an INSERT must give a value."""
    automatic = getattr(table, "_autoincrement_column", None)
    return [
        column
        for column in table.columns
        if not column.nullable
        and column is not automatic
        and all(
            getattr(column, given, None) is None
            for given in ("default", "server_default", "identity", "computed")
        )
    ]


def _checks(table):
    """Check constraints of a table, those written within a column, too."""
    found = itertools.chain(table.constraints, *(column.constraints for column in table.columns))
    return [one for one in found if type(one).__name__ == "CheckConstraint"]


def constrained(table):
    """Columns whose value a constraint other than NOT NULL may refuse."""
    unique = [
        one for one in table.constraints if type(one).__name__ in ("UniqueConstraint", "PrimaryKeyConstraint")
    ]
    unique += [one for one in table.indexes if one.unique]
    named = {column.name for one in unique for column in one.columns}
    for check in _checks(table):
        named.update(column.name for column in in_text(table, str(check.sqltext)))
    return [column for column in table.columns if column.name in named or column.foreign_keys]


def in_text(table, text):
    """Columns of a table that an SQL text names."""
    words = set(re.findall(r"\w+", text))
    return [column for column in table.columns if column.name in words]


def columns(table, found):
    """Columns of a table that a violation is of, as far as its message and the table tell."""
    named = [column for column in table.columns if column.name in found.columns]
    if named or not found.constraint:
        return named
    for one in _checks(table) + list(table.constraints) + list(table.indexes):
        if one.name and str(one.name) == found.constraint:
            if type(one).__name__ == "CheckConstraint":
                return in_text(table, str(one.sqltext))
            return [column for column in table.columns if column.name in [each.name for each in one.columns]]
    if found.kind == UNIQUE:
        if found.constraint == "PRIMARY":
            return list(table.primary_key.columns)
        return [column for column in table.columns if column.name == found.constraint]
    if found.kind == CHECK:
        checks = _checks(table)
        text = (
            str(checks[0].sqltext)
            if len(checks) == 1 and found.constraint == table.name
            else found.constraint
        )
        return in_text(table, text)
    return []


def check_text(table, found):
    checks = _checks(table)
    named = [one for one in checks if one.name and str(one.name) == found.constraint]
    if named or len(checks) == 1:
        return str((named or checks)[0].sqltext)
    return found.constraint


class Lookup(object):
    """Questions to the database of the failed statement, inside its transaction; SQLite's own driver alone.

    Other drivers refuse every statement until the rollback, or would have to be asked on another thread.
    """

    def __init__(self, cursor):
        raw = getattr(cursor, "connection", None)
        self.raw = raw if type(raw).__module__.startswith(("sqlite3", "_sqlite3")) else None

    def _first(self, statement, values):
        """The first row in a list, which is empty where there is none; None where the driver refuses the question."""
        cursor = self.raw.cursor()
        try:
            return cursor.execute(statement, values).fetchmany(1)
        except Exception:  # values that the driver does not take, a table that another connection holds
            return None
        finally:
            cursor.close()

    def has(self, table, names, values):
        """Whether a row with these values is stored; None where that cannot be asked."""
        if self.raw is None or any(value is None for value in values):
            return None
        where = " AND ".join("%s = ?" % _quoted(name) for name in names)
        source = (
            _quoted(table.name)
            if not table.schema
            else "%s.%s" % (_quoted(table.schema), _quoted(table.name))
        )
        found = self._first("SELECT 1 FROM %s WHERE %s LIMIT 1" % (source, where), tuple(values))
        return None if found is None else bool(found)

    def holds(self, text, row):
        """Whether a row, {name: value}, keeps the rule of a check constraint."""
        if self.raw is None or not row:
            return None
        given = ", ".join("? AS %s" % _quoted(name) for name in row)
        found = self._first("SELECT (%s) FROM (SELECT %s)" % (text, given), tuple(row.values()))
        return None if found is None else not found or found[0][0] is None or bool(found[0][0])


def _quoted(name):
    return '"%s"' % str(name).replace('"', '""')


def driver_rows(context):
    """Rows as the driver got them, {bind name: value}; empty where the dialect does not tell."""
    names = getattr(context.compiled, "positiontup", None)
    rows = getattr(context, "parameters", None) or ()
    if rows and isinstance(rows[0], dict):
        return [dict(row) for row in rows]
    if not names:
        return []
    return [dict(zip(names, row)) for row in rows if len(row) == len(names)]


def stored(table, row, dialect):
    """A row, {column key: value}, as the driver gets it; what a type refuses stays as it is."""
    found = {}
    for key, value in row.items():
        try:
            kind = table.columns[key].type.dialect_impl(dialect)
            process = kind.bind_processor(dialect)
            found[key] = value if process is None or value is None else process(value)
        except Exception:  # no column, or a value that belongs to another type
            found[key] = value
    return found


def dangling(table, rows, lookup):
    """(row number, constraint) of each reference to a row that is not stored."""
    found = []
    for number, row in enumerate(rows):
        for constraint in table.foreign_key_constraints:
            elements = list(constraint.elements)
            values = [row.get(element.parent.key) for element in elements]
            target = elements[0].column.table
            has = lookup.has(target, [element.column.name for element in elements], values)
            if has is False and not _among(rows, elements, values, target is table):
                found.append((number, constraint))
    return found


def is_given(constraint, row):
    return all(row.get(element.parent.key) is not None for element in constraint.elements)


def referrer(table, row, number, lookup):
    """(number, `table.column`) where a stored row still refers to this one; its values by attribute or column."""
    for other in table.metadata.tables.values():
        for constraint in other.foreign_key_constraints:
            elements = list(constraint.elements)
            if elements[0].column.table is table:
                values = [row.get(element.column.key) for element in elements]
                if lookup.has(other, [element.parent.name for element in elements], values):
                    return number, "%s.%s" % (other.name, elements[0].parent.name)
    return None


def _among(rows, elements, values, is_same_table):
    """Whether the statement itself stores the row that one of its rows refers to."""
    return is_same_table and any([row.get(one.column.key) for one in elements] == values for row in rows)


def offending_row(found, table, chosen, rows, lookup):
    """Number of the row that was refused; None where it could not be told among many."""
    if len(rows) < 2:
        return 0 if rows else None
    keys = [column.key for column in chosen]
    if found.kind == NOT_NULL:
        return next((n for n, row in enumerate(rows) if any(row.get(key) is None for key in keys)), None)
    if found.kind == UNIQUE and keys:
        return _repeated(table, chosen, rows, keys, lookup, found.value)
    if found.kind == CHECK:
        text = check_text(table, found) or ""
        names = {column.key: column.name for column in table.columns}
        for number, row in enumerate(rows):
            if lookup.holds(text, {names[key]: value for key, value in row.items() if key in names}) is False:
                return number
    if found.kind == FOREIGN_KEY and keys and found.value is not None:
        return next((n for n, row in enumerate(rows) if _shown(row, keys) == found.value), None)
    return None


def _repeated(table, chosen, rows, keys, lookup, value):
    seen, names = [], [column.name for column in chosen]
    stored = [lookup.has(table, names, [row.get(key) for key in keys]) for row in rows]
    for number, row in enumerate(rows):
        mine = [row.get(key) for key in keys]
        if mine in seen or (value is not None and _shown(row, keys) == value):
            return number
        seen.append(mine)
    if True not in stored:
        return None
    # a driver that runs the rows one by one has stored those before the refused one
    first, last = stored.index(True), len(stored) - 1 - stored[::-1].index(True)
    return last if first == 0 and all(stored[: last + 1]) else first


def _shown(row, keys):
    return ", ".join(str(row.get(key)) for key in keys)
