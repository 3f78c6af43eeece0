"""Values that a column takes, by its type; what `supply_value` puts where one is missing. PYTEST_DONT_REWRITE"""

from __future__ import annotations

import datetime
import decimal
import itertools
import time
import uuid

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_DAY = datetime.date(2031, 1, 1)


class Values(object):
    """`usual` is a value like those of other rows, `fresh` one that no other row has."""

    def __init__(self, types):
        self._types = types
        self._count = itertools.count(int(time.time() * 1000) % 900000000 + 1000000)
        self._makers = self._table()

    def usual(self, column, dialect):
        return self._make(column, column.type, dialect, column.primary_key or bool(column.unique))

    def fresh(self, column, dialect):
        return self._make(column, column.type, dialect, True)

    def _table(self):
        """(type, maker) pairs, the narrower type first."""
        found = []
        for name, maker in (
            ("Enum", self._enum),
            ("Boolean", lambda column, kind, fresh: False),
            ("Uuid", self._uuid),
            ("UUID", self._uuid),
            ("Interval", lambda column, kind, fresh: datetime.timedelta(seconds=self._number(fresh))),
            ("JSON", lambda column, kind, fresh: {"value": self._number(True)} if fresh else {}),
            ("ARRAY", lambda column, kind, fresh: []),
            ("PickleType", lambda column, kind, fresh: self._text(column, None)),
            ("LargeBinary", lambda column, kind, fresh: self._text(column, kind.length).encode("ascii")),
            ("DateTime", self._moment),
            ("Date", lambda column, kind, fresh: _DAY + datetime.timedelta(days=self._number(fresh) % 20000)),
            ("Time", lambda column, kind, fresh: self._moment(column, kind, fresh).timetz()),
            ("SmallInteger", lambda column, kind, fresh: self._number(fresh) % 32000),
            ("Integer", lambda column, kind, fresh: self._number(fresh)),
            ("Numeric", self._numeric),
            ("String", lambda column, kind, fresh: self._text(column, kind.length)),
        ):
            if hasattr(self._types, name):
                found.append((getattr(self._types, name), maker))
        return found

    def _make(self, column, kind, dialect, fresh):
        if isinstance(kind, self._types.TypeDecorator) and not isinstance(
            kind, (self._types.Interval, self._types.PickleType)
        ):
            return self._decorated(column, kind, dialect, fresh)
        for known, maker in self._makers:
            if isinstance(kind, known):
                return maker(column, kind, fresh)
        if "UUID" in type(kind).__name__.upper() or "GUID" in type(kind).__name__.upper():
            return self._uuid(column, kind, fresh)
        return self._by_python_type(column, kind, fresh)

    def _decorated(self, column, kind, dialect, fresh):
        """What the project's own type takes is seen by trying: a value must come back from what it was stored as."""
        inner = kind.impl if not isinstance(kind.impl, type) else kind.impl()
        plain = self._make(column, inner, dialect, fresh)
        one = uuid.uuid4()
        tries = [plain, one, str(one), one.hex, {}, [], _utc(), _utc().replace(tzinfo=None), _DAY, 1, "1"]
        if "UID" in type(kind).__name__.upper():
            tries = tries[1:4] + tries[:1]
        by_type = self._by_python_type(column, kind, fresh)
        if by_type is not None:
            tries.insert(0, by_type)
        for value in tries:
            if _comes_back(kind, dialect, value):
                return value
        return plain

    def _by_python_type(self, column, kind, fresh):
        try:
            wanted = kind.python_type
        except (NotImplementedError, AttributeError):
            return None
        for python, value in (
            (bool, False),
            (int, self._number(fresh)),
            (float, float(self._number(fresh))),
            (decimal.Decimal, decimal.Decimal(self._number(fresh))),
            (str, self._text(column, getattr(kind, "length", None))),
            (bytes, b"value"),
            (uuid.UUID, uuid.uuid4()),
            (datetime.datetime, self._moment(column, kind, fresh)),
            (datetime.date, _DAY),
            (datetime.time, datetime.time(12)),
            (datetime.timedelta, datetime.timedelta(seconds=1)),
            (dict, {}),
            (list, []),
        ):
            if wanted is python:
                return value
        members = list(getattr(wanted, "__members__", {}).values())
        return members[0] if members else None

    def _number(self, fresh):
        return next(self._count) if fresh else 1

    def _text(self, column, length):
        number, text = next(self._count), ""
        while number:
            number, digit = divmod(number, 36)
            text = _DIGITS[digit] + text
        name = str(column.name).lower()
        if "mail" in name and (length is None or length >= len(text) + 12):
            return text + "@example.org"
        if "mail" in name and length >= 7:
            return text[-(length - 5) :] + "@x.io"
        if ("url" in name or "uri" in name or "link" in name) and (
            length is None or length >= len(text) + 20
        ):
            return "https://example.org/" + text
        return text if length is None or length >= len(text) else text[-length:]

    def _enum(self, column, kind, fresh):
        members = list(kind.enum_class) if getattr(kind, "enum_class", None) is not None else list(kind.enums)
        if not members:
            return None
        return members[next(self._count) % len(members)] if fresh else members[0]

    def _uuid(self, column, kind, fresh):
        # before 2.0 the types of UUIDs took text unless told otherwise
        return uuid.uuid4() if getattr(kind, "as_uuid", False) else str(uuid.uuid4())

    def _moment(self, column, kind, fresh):
        moment = datetime.datetime(2031, 1, 1, 12, tzinfo=datetime.timezone.utc)
        moment += datetime.timedelta(seconds=self._number(fresh) % 80000)
        return moment if getattr(kind, "timezone", False) else moment.replace(tzinfo=None)

    def _numeric(self, column, kind, fresh):
        scale = getattr(kind, "scale", None) or 0
        whole = kind.precision - scale if getattr(kind, "precision", None) and scale else 9
        number = decimal.Decimal(self._number(fresh) % 10 ** max(whole, 0) or 1)
        if whole <= 0:
            number = decimal.Decimal(1).scaleb(-scale)
        return number if getattr(kind, "asdecimal", True) else float(number)


def _utc():
    return datetime.datetime(2031, 1, 1, 12, tzinfo=datetime.timezone.utc)


def _comes_back(kind, dialect, value):
    """Whether a type stores a value as something plain and reads it back."""
    try:
        here = kind.dialect_impl(dialect)
        store, read = here.bind_processor(dialect), here.result_processor(dialect, None)
        stored = store(value) if store is not None else value
        if stored is None:
            return False
        back = read(stored) if read is not None else stored
    except Exception:
        return False
    plain = (str, bytes, bytearray, memoryview, int, float, decimal.Decimal, datetime.date, datetime.time)
    if dialect.name != "sqlite":
        plain += (uuid.UUID, dict, list)
    return isinstance(stored, plain) and back == value
