"""Rows that a test inserted and committed and nobody removed, told once a later test reads or writes their table."""

from __future__ import annotations

import re
import weakref

_TOLD = 60
_STATEMENTS = 2000  # remembered of one transaction, and of one test
_INSERT = re.compile(r"\s*INSERT\s+(?:OR\s+\w+\s+)?INTO\s+([\w.\"`\[\]]+)", re.I)
_REMOVE = re.compile(
    r"\s*(DELETE\s+FROM|DROP\s+TABLE(?:\s+IF\s+EXISTS)?|TRUNCATE(?:\s+TABLE)?)\s+([\w.\"`\[\]]+)(.*)",
    re.I | re.S,
)
_USE = re.compile(r"\s*(?:SELECT|INSERT|UPDATE|REPLACE|WITH)\b", re.I)
_MEMORY = (None, "", ":memory:")
_SAVEPOINT = object()


class Rows(object):
    """Watches every engine of the process."""

    def __init__(self, tools):
        self._tools, self._open, self._left = tools, {}, {}
        tools.when_imported("sqlalchemy.engine", self._listen)

    def _listen(self, module):
        import sqlalchemy.event

        listeners = {
            "after_cursor_execute": self._executed,
            "commit": self._committed,
            "rollback": lambda connection: self._open.pop(_key(connection), None),
            "savepoint": lambda connection, name: self._transaction(connection).append(_SAVEPOINT),
            "rollback_savepoint": lambda connection, name, context: self._end(connection, True),
            "release_savepoint": lambda connection, name, context: self._end(connection, False),
        }
        for name, function in listeners.items():
            sqlalchemy.event.listen(module.Engine, name, _quiet(self._tools, function))

    def _executed(self, connection, cursor, statement, parameters, context, executemany):
        if self._left and _USE.match(statement):
            self._tell(self._database(connection.engine), statement)
        if statement.startswith("RELEASE ") and _is_over(connection):
            self._committed(connection)
            return
        found = _INSERT.match(statement)
        if found:
            count = _inserted(cursor, statement, parameters, executemany)
            self._note(connection, ("insert", _table(found.group(1)), count))
            return
        found = _REMOVE.match(statement)
        if found:
            is_all = not found.group(1).upper().startswith("DELETE") or "WHERE" not in found.group(3).upper()
            count = None if is_all else max(getattr(cursor, "rowcount", 0), 0)
            self._note(connection, ("remove", _table(found.group(2)), count))

    def _note(self, connection, what):
        transaction = self._transaction(connection)
        if len(transaction) < _STATEMENTS:
            places = self._tools.own_stack(20) if what[0] == "insert" else []
            tests = [place for place in places if place["kind"] == "test"]
            transaction.append(what + (_site(places) + _site(tests), self._culprit()))

    def _culprit(self):
        """The running test; nobody where a wider fixture inserts what is for many tests."""
        scopes = [str(definition.scope) for definition, _ in self._tools._fixtures]
        is_shared = any(scope not in ("function", "Scope.Function") for scope in scopes)
        return None if is_shared else self._tools.now()["test"]

    def _transaction(self, connection):
        return self._open.setdefault(_key(connection), [])

    def _end(self, connection, is_undone):
        """The innermost savepoint is over; it has no name yet when SQLAlchemy tells that it begins."""
        transaction = self._transaction(connection)
        for number in range(len(transaction) - 1, -1, -1):
            if transaction[number] is _SAVEPOINT:
                del transaction[number : None if is_undone else number + 1]
                return

    def _committed(self, connection):
        tables = self._database(connection.engine)[1]
        for entry in self._open.pop(_key(connection), ()):
            if entry is _SAVEPOINT:
                continue
            rows = tables.setdefault(entry[1], [])
            if entry[0] == "insert" and entry[4] is not None and len(rows) < _STATEMENTS:
                rows.append(list(entry[2:]))
            elif entry[0] == "remove":
                _remove(rows, entry[2])

    def _database(self, engine):
        """[engine, rows of each table as [count, place, test]]; a database in memory ends with its engine."""
        url = engine.url
        is_memory = url.database in _MEMORY or "mode=memory" in str(url)
        key = id(engine) if is_memory else str(url)
        known = self._left.get(key)
        if known is None or (is_memory and known[0]() is not engine):
            known = self._left[key] = (weakref.ref(engine), {})
        return known

    def _tell(self, database, statement):
        """Of rows that earlier tests inserted into tables that this one uses, each told once."""
        test = self._tools.now()["test"]
        for table, rows in database[1].items():
            if rows and rows[0][2] != test and table in statement:
                told = {}
                for count, place, nodeid in rows:
                    if nodeid != test:
                        told.setdefault((nodeid,) + place, []).append(count)
                rows[:] = [row for row in rows if row[2] == test]
                for (nodeid, file, line, *by), counts in list(told.items())[:_TOLD]:
                    self._record(nodeid, table, sum(counts), file, line, by)

    def _record(self, nodeid, table, count, file, line, by):
        after = "%d row%s" % (count, "" if count == 1 else "s")
        change = {"kind": "database", "name": table, "before": "", "after": after, "file": file, "line": line}
        change["by"] = dict(zip(("file", "line"), by))
        self._tools.record({"t": "left", "id": nodeid, "changes": [change]})


def _site(places):
    return (places[0]["file"], places[0]["line"]) if places else (None, None)


def _quiet(tools, function):
    def listener(*arguments):
        tools.guarded(function, *arguments)

    return listener


def _key(connection):
    """The transaction is the database connection's, whichever object stands for it (1.4 makes branches).

    The public attribute would connect again where the connection was lost.
    """
    return id(_driver(connection) or connection)


def _driver(connection):
    pooled = getattr(connection, "_dbapi_connection", None)
    return getattr(pooled, "dbapi_connection", None) or getattr(pooled, "connection", None) or pooled


def _is_over(connection):
    """sqlite3 begins no transaction before a savepoint, so that releasing the outermost one commits for good."""
    return getattr(_driver(connection), "in_transaction", None) is False


def _table(name):
    return name.split(".")[-1].strip('"`[]')


def _inserted(cursor, statement, parameters, executemany):
    if executemany:
        return len(parameters)
    batch = statement.count("), (") + 1 if "RETURNING" in statement.upper() else 1
    return max(getattr(cursor, "rowcount", 1) or 1, batch, 1)


def _remove(rows, count):
    """A row that was removed is taken from those inserted last; `count` None takes them all."""
    for row in reversed(rows):
        taken = row[0] if count is None else min(row[0], count)
        row[0] -= taken
        count = None if count is None else count - taken
    rows[:] = [row for row in rows if row[0]]
