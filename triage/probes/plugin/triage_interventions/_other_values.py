"""Another value of the same kind, so that a test fails for what it expects and not for a type."""

from __future__ import annotations

import datetime
import decimal
import enum
import functools
import inspect
import json
import types
import uuid

_DAY = datetime.timedelta(days=1)
_DEEP = 4


def other(value, deep=_DEEP):
    """Never raises; None for what no other value is known of."""
    try:
        return _other(value, deep)
    except Exception:  # a class of the project may refuse what its base takes
        return None


def _other(value, deep):
    if value is None:
        return "broken"
    if isinstance(value, bool):
        return not value
    if isinstance(value, enum.Enum):
        members = list(type(value))
        return members[(members.index(value) + 1) % len(members)] if len(members) > 1 else None
    for kinds, change in _PLAIN:
        if isinstance(value, kinds):
            return change(value)
    if isinstance(value, (list, tuple, set, frozenset, dict)):
        return _container(value, deep)
    return _object(value)


def _moment(value):
    try:
        return value + _DAY
    except OverflowError:
        return value - _DAY


_PLAIN = (
    ((int, float, complex, decimal.Decimal), lambda value: value + 1),
    (str, lambda value: value + "x"),
    ((bytes, bytearray), lambda value: value + b"x"),
    ((datetime.date, datetime.timedelta), _moment),
    (datetime.time, lambda value: value.replace(hour=(value.hour + 1) % 24)),
    (uuid.UUID, lambda value: uuid.UUID(int=value.int ^ 1)),
)


def _container(value, deep):
    if isinstance(value, dict):
        if not value or not deep:
            return {"broken": "broken"}
        return {key: other(one, deep - 1) for key, one in value.items()}
    if isinstance(value, tuple):
        return _tuple(value, deep)
    return [] if value and isinstance(value, list) else type(value)(() if value else ("broken",))


def _tuple(value, deep):
    """With its last plain element changed: a view gives a response and a status."""
    if not value or not deep:
        return ("broken",)
    places = [place for place, one in enumerate(value) if _is_plain(one)] or [len(value) - 1]
    changed = list(value)
    changed[places[-1]] = other(value[places[-1]], deep - 1)
    return type(value)(*changed) if hasattr(value, "_fields") else tuple(changed)


def _is_plain(value):
    kinds = [each for one, _ in _PLAIN for each in (one if isinstance(one, tuple) else (one,))]
    return value is None or isinstance(value, tuple(kinds) + (enum.Enum,))


def _object(value):
    if isinstance(getattr(value, "status_code", None), int):
        _other_body(value)
        value.status_code += 1
        return value
    if inspect.isawaitable(value):
        return _awaited(value)
    if isinstance(value, types.GeneratorType):
        value.close()
        return iter(())
    if isinstance(value, (types.FunctionType, types.MethodType)):
        return _called(value)
    return None


def _other_body(response):
    """A test may look at the body alone."""
    try:
        if response.is_json:
            response.set_data(json.dumps(other(json.loads(response.get_data(as_text=True)))))
        elif response.mimetype.startswith("text/"):
            response.set_data(b"broken")
    except Exception:  # a response of another framework, or one that is streamed
        return


async def _awaited(value):
    return other(await value)


def _called(function):
    @functools.wraps(function)
    def changed(*arguments, **named):
        return other(function(*arguments, **named))

    return changed
