"""What an attribute of a class gives is another value wherever it is read while its tests run.

For columns, relationships and properties, that no line of a function stands for. `names`: `owner` (the class's
qualified name) and `attribute`; file and line are those of the attribute. What is stored and sent to the database stays.
"""

from __future__ import annotations

import os
import sys

import triage_observe

_VALUES = triage_observe._load("triage_interventions", "_other_values")


def start(tools, orders):
    return Change(tools, orders)


class Change(object):
    def __init__(self, tools, orders):
        self._tools, self._orders, self._undo = tools, orders, []

    def call_started(self, item):
        for order in self._tools.active(self._orders):
            self._tools.guarded(self._break, order)

    def teardown_started(self, item):
        self._restore()

    def test_ended(self, item):
        self._restore()

    def _break(self, order):
        owner = _owner(self._module(order.file), order.names["owner"])
        name = order.names["attribute"]
        for one in _with_derived(owner):
            kept = vars(one).get(name)
            if hasattr(type(kept), "__get__") and (hasattr(type(kept), "__set__") or not callable(kept)):
                made = _made(kept, lambda: self._tools.guarded(self._told, order))
                type.__setattr__(one, name, made)  # a declarative class would map what it is given
                self._undo.append((one, name, kept))

    def _told(self, order):
        self._tools.applied(order, "%(owner)s.%(attribute)s gives another value" % order.names)

    def _restore(self):
        while self._undo:
            owner, name, kept = self._undo.pop()
            type.__setattr__(owner, name, kept)

    def _module(self, file):
        wanted = os.path.realpath(os.path.join(self._tools._places._root, *file.split("/")))
        for module in list(sys.modules.values()):
            path = getattr(module, "__file__", None)
            if isinstance(path, str) and os.path.realpath(path) == wanted:
                return module
        return None


def _owner(module, name):
    found = module
    for part in name.split("."):
        found = vars(found).get(part) if found is not None else None
    return found if isinstance(found, type) else None


def _with_derived(owner):
    """Columns of a mixin are copied to each class that derives from it."""
    found = [owner] if owner is not None else []
    for one in found:
        found.extend(each for each in type.__subclasses__(one) if each not in found)
    return found


class _Read(object):
    """Stands before a descriptor; whatever else is asked of it, that answers."""

    def __init__(self, kept, tell):
        self._kept, self._tell = kept, tell

    def __getattr__(self, name):
        return getattr(self._kept, name)

    def __get__(self, instance, owner=None):
        value = self._kept.__get__(instance, owner)
        if instance is None:
            return value
        self._tell()
        return _VALUES.other(value)


class _Written(_Read):
    def __set__(self, instance, value):
        self._kept.__set__(instance, value)

    def __delete__(self, instance):
        self._kept.__delete__(instance)


def _made(kept, tell):
    return (_Written if hasattr(type(kept), "__set__") else _Read)(kept, tell)
