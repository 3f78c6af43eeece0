"""Tokens: what stands for a value between two looks at it, to be compared and shown.

Constants and small containers of constants stand for themselves, all else by identity, so that no object of the project is
kept alive. Only methods of built-in types are called.
"""

from __future__ import annotations

import collections
import datetime
import decimal
import functools
import types
import uuid

PLAIN = frozenset(
    (str, int, float, bool, bytes, complex, type(None), decimal.Decimal, uuid.UUID)
    + (datetime.date, datetime.datetime, datetime.time, datetime.timedelta)
)
_ITEMS = 50  # of one container; of a larger one only the length counts
_DEEP = 3
_TEXT = 80
_CACHED = type(functools.lru_cache(maxsize=None)(lambda: None))
_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, types.MethodType)
_CONTAINERS = (dict, list, tuple, set, frozenset, collections.deque)
_BASES = {base.__name__: base for base in _CONTAINERS}
MUTABLE = ("dict", "list", "tuple", "set", "frozenset", "deque", "cache")
_BRACKETS = {"list": "[]", "tuple": "()", "set": "{}", "frozenset": "{}", "deque": "[]"}


def token(value, depth=_DEEP):
    kind = type(value)
    if kind in PLAIN:
        return (kind, value)
    for base in _CONTAINERS if issubclass(kind, _CONTAINERS) else ():
        if issubclass(kind, base):
            return _of_items(base, value, depth)
    if kind is _CACHED:
        return ("cache", id(value), value.cache_info().currsize)
    return ("object", id(value), _called(value, kind))


def _of_items(base, value, depth):
    name, kind, length = base.__name__, type(value).__name__, base.__len__(value)
    if not depth or length > _ITEMS:
        return (name, kind, length, None)
    if base is dict:
        pairs = [(token(key, depth - 1), token(one, depth - 1)) for key, one in list(dict.items(value))]
        return (name, kind, length, tuple(pairs))
    each = [token(one, depth - 1) for one in list(base.__iter__(value))]
    return (name, kind, length, frozenset(each) if name.endswith("set") else tuple(each))


def sketch(value, one):
    """Equal as long as a container still is what token `one` says, and cheaper; see `has_sketch`.

    Identities are enough: the token keeps the constants alive, so that no other one can stand in their place in memory.
    """
    base = _BASES[one[0]]
    if not issubclass(type(value), base):
        return None
    if base is dict:
        return tuple(map(id, list(dict.keys(value)))) + tuple(map(id, list(dict.values(value))))
    return tuple(map(id, list(base.__iter__(value))))


def has_sketch(one):
    if one[0] == "cache" or one[3] is None:
        return False
    each = [two for pair in one[3] for two in pair] if one[0] == "dict" else one[3]
    return not any(inner[0] in MUTABLE for inner in each)


def _called(value, kind):
    if issubclass(kind, _FUNCTIONS):
        return "function %s" % getattr(value, "__qualname__", "?")
    return "class %s" % value.__name__ if issubclass(kind, type) else "%s object" % kind.__name__


def text(one):
    """A token for people, at most 80 characters; nothing for what is not there."""
    shown = "" if one is None else _text(one)
    return shown if len(shown) <= _TEXT else shown[: _TEXT - 3] + "..."


def _text(one):
    head = one[0]
    if head == "object":
        return "<%s>" % one[2]
    if head == "cache":
        return "%d cached" % one[2]
    if head == "shown":
        return one[1]
    if head in MUTABLE:
        return _container(*one)
    return repr(one[1][: 2 * _TEXT] if head in (str, bytes) else one[1])


def _container(base, kind, length, found):
    if found is None:
        return "%s of %d" % (kind, length)
    if base == "dict":
        return "{%s}" % ", ".join("%s: %s" % (_text(key), _text(value)) for key, value in found)
    texts = [_text(each) for each in found]
    left, right = _BRACKETS[base]
    return left + ", ".join(sorted(texts) if base.endswith("set") else texts) + right
