"""Finds values that satisfy the CHECK constraints of a table, tried in a SQLite of our own. PYTEST_DONT_REWRITE"""

from __future__ import annotations

import datetime
import decimal
import enum
import itertools
import re
import sqlite3
import uuid

_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.])")
_TEXT = re.compile(r"'((?:[^']|'')*)'")
_CAST = re.compile(r"::\s*\w+(?:\s+(?:varying|precision|with(?:out)? time zone))?(?:\(\d+\))?(?:\[\])?")
_LONGEST, _TRIES = 4000, 20000


class Checks(object):
    """`values` maps a column to what is to be stored; columns without one count as NULL."""

    def __init__(self, schema, values):
        self._schema, self._values = schema, values

    def broken(self, table, values, dialect, named=None):
        """The constraints that these values violate, as SQL."""
        return [
            text for text in self._texts(table, dialect, named) if self._holds(text, table, values) is False
        ]

    def solve(self, table, values, dialect, columns=None, named=None):
        """{column: value} of the fewest columns that satisfy every constraint, or {} where nothing does or need be."""
        broken = self.broken(table, values, dialect, named)
        if not broken:
            return {}
        texts = [each for each in self._texts(table, dialect) if self._holds(each, table, values) is not None]
        mentioned = [column for column in table.columns if any(_mentions(text, column) for text in broken)]
        if columns:
            mentioned.sort(key=lambda column: column not in columns)
        tries = {column: self._candidates(column, broken, values, dialect) for column in mentioned}
        for size in (1, 2):
            for chosen in itertools.combinations(mentioned, size):
                found = self._search(chosen, tries, texts, table, values)
                if found:
                    return found
        return {}

    def _search(self, chosen, tries, texts, table, values):
        for combination in itertools.islice(itertools.product(*[tries[column] for column in chosen]), _TRIES):
            change = dict(zip(chosen, combination))
            tried = dict(values)
            tried.update(change)
            if all(self._holds(text, table, tried) is not False for text in texts):
                return change
        return None

    def _texts(self, table, dialect, named=None):
        every = set(table.constraints).union(*(column.constraints for column in table.columns))
        checks = sorted(
            (one for one in every if isinstance(one, self._schema.CheckConstraint)),
            key=lambda one: str(one.name or ""),
        )
        # a database calls one without a name by its text, or by a name of its own
        chosen = [one for one in checks if named and str(one.name) == named] or checks
        found = []
        for one in chosen:
            options = {"literal_binds": True, "include_table": False}
            text = str(one.sqltext.compile(dialect=dialect, compile_kwargs=options))
            found.append(_CAST.sub("", text.replace("%%", "%")))
        return found

    def _holds(self, text, table, values):
        """True or False as a database sees it (NULL is True), None where SQLite cannot tell."""
        connection = sqlite3.connect(":memory:")
        try:
            _teach(connection)
            shown = ", ".join('? AS "%s"' % column.name for column in table.columns)
            stored = [_stored(_given(column, values)) for column in table.columns]
            query = 'SELECT (%s) FROM (SELECT %s) AS "%s"' % (text, shown, table.name)
            result = connection.execute(query, stored).fetchone()[0]
        except (sqlite3.Error, ValueError, OverflowError):
            return None
        finally:
            connection.close()
        return True if result is None else bool(result)

    def _candidates(self, column, broken, values, dialect):
        usual = self._values.usual(column, dialect)
        given = _given(column, values)
        like = given if given is not None else usual
        found = [usual, self._values.fresh(column, dialect)]
        numbers = [
            decimal.Decimal(number) + step
            for text in broken
            for number in _NUMBER.findall(_TEXT.sub("", text))
            for step in (0, 1, -1)
        ]
        words = [word.replace("''", "'") for text in broken for word in _TEXT.findall(text)]
        others = [_given(other, values) for other in values if other is not column]
        if isinstance(like, bool):
            return [not like]
        if isinstance(like, enum.Enum):
            return list(type(like))
        if isinstance(like, (int, float, decimal.Decimal)):
            numbers += [
                decimal.Decimal(str(other)) + step
                for other in others
                if isinstance(other, (int, float, decimal.Decimal)) and not isinstance(other, bool)
                for step in (0, 1, -1)
            ]
            return _unique(
                [_like(type(like), number) for number in numbers + [decimal.Decimal(1), decimal.Decimal(0)]]
            )
        if isinstance(like, (datetime.datetime, datetime.date)):
            return found + _moments(like, others)
        if isinstance(like, str):
            return _unique(words + found + _shaped(words, numbers, column, given))
        return found


def _given(column, values):
    value = values.get(column)
    if value is None and getattr(column.default, "is_scalar", False):
        return column.default.arg
    return value


def _mentions(text, column):
    return re.search(r"(?<!\w)%s(?!\w)" % re.escape(str(column.name)), text) is not None


def _like(kind, number):
    return int(number) if kind is int else kind(number)


def _moments(like, others):
    near = [other for other in others + [like] if type(other) is type(like)]
    steps = [datetime.timedelta(days=days) for days in (1, -1, 30, -30)]
    return [moment + step for moment in near for step in steps]


def _shaped(words, numbers, column, given):
    """Texts of the lengths that a constraint names, the given one cut or filled, patterns of LIKE filled in."""
    longest = min(getattr(column.type, "length", None) or _LONGEST, _LONGEST)
    sizes = sorted({int(number) for number in numbers if 0 < number <= longest})
    found = [word.replace("%", "value").replace("_", "x").replace("*", "value") for word in words]
    for text in (given, "x"):
        if isinstance(text, str) and text:
            found += [(text + "x" * size)[:size] for size in sizes]
    if isinstance(given, str):
        found += [given.lower(), given.upper(), given.strip()]
    return [text for text in found if len(text) <= longest]


def _unique(values):
    return [value for number, value in enumerate(values) if value not in values[:number]]


def _stored(value):
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, datetime.datetime):
        return value.replace(tzinfo=None).strftime("%Y-%m-%d %H:%M:%S.%f")
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return value.hex
    return value if value is None or isinstance(value, (bool, int, float, str, bytes)) else str(value)


def _teach(connection):
    """What constraints of other databases call that SQLite does not know."""
    connection.create_function(
        "regexp", 2, lambda pattern, text: text is not None and bool(re.search(pattern, text))
    )
    for name in ("char_length", "character_length", "len"):
        connection.create_function(name, 1, lambda text: None if text is None else len(str(text)))
    connection.create_function("btrim", 1, lambda text: None if text is None else str(text).strip())
    connection.create_function("now", 0, lambda: _stored(datetime.datetime.now()))
