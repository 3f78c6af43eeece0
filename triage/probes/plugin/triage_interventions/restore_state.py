"""Puts one thing back, when the ordered tests have ended, that they leave changed: nothing else is changed.

Orders name it like those of `trace-state`. Rows and threads are left as they are.
"""

from __future__ import annotations

import collections
import functools
import logging
import os
import sys
import warnings

import triage_observe

_MISSING = object()
_DEEP = 4


def start(tools, orders):
    return Change(tools, orders)


class Change(object):
    def __init__(self, tools, orders):
        self._tools, self._orders, self._ways = tools, orders, []
        self._module = triage_observe._load("triage_observers", "_state")
        self._state = self._module.State(tools)

    def test_started(self, item):
        """The first test that is not ordered begins with the state as it was: teardowns of the others are over."""
        active = self._tools.active(self._orders)
        if not active:
            for order, put_back in self._ways:
                if self._tools.guarded(put_back):
                    self._tell(order)
        self._ways = [(order, self._way_of(order)) for order in active]

    def fixture_value(self, item, definition, value):
        """What a wider fixture makes is no change."""
        if str(definition.scope) not in ("function", "Scope.Function"):
            self._state.watch(definition)
            self._ways = [(order, self._way_of(order)) for order, _ in self._ways]

    def _way_of(self, order):
        way = self._tools.guarded(self._way, order.names.get("kind"), order.names.get("name", ""))
        return way or (lambda: False)

    def _tell(self, order):
        self._tools.record(
            {
                "t": "intervened",
                "id": min(order.tests, default=None),
                "kind": order.kind,
                "file": order.file,
                "line": order.line,
                "text": "%s was put back" % order.names.get("name"),
            }
        )

    def _way(self, kind, name):
        """A function that puts it back and tells whether it had to; None where there is no way."""
        if kind in ("module", "class", "fixture"):
            return self._attribute(kind, name.split("."))
        if kind == "config":
            apps = [reference() for reference, _ in list(self._state.apps.values())]
            ways = [_entry(app.config, name) for app in apps if app is not None]
            return lambda: any([way() for way in ways])
        if kind == "context":
            return functools.partial(self._pop, name, self._top(name))
        return _surrounding(kind, name)

    def _attribute(self, kind, parts):
        if kind == "fixture":
            found = self._state._value_of(parts[0])
            owner, rest = found.get(parts[0]), parts[1:]
            if not found or not rest:
                return _content(owner) if found else None
        else:
            count = next(c for c in range(len(parts) - 1, 0, -1) if ".".join(parts[:c]) in sys.modules)
            owner, rest = sys.modules[".".join(parts[:count])], parts[count:]
        for name in rest[:-1]:
            owner = self._module.names_of(owner)[name]
        return _Held(owner, rest[-1], self._module.names_of).put_back

    def _top(self, name):
        """The Flask context that is pushed last, if any."""
        for each, variable, stack in self._module.around.CONTEXTS:
            module = sys.modules.get("flask.globals")
            if each == name and module is not None:
                if hasattr(module, variable):
                    return getattr(module, variable).get(None)
                return getattr(getattr(module, stack, None), "top", None)
        return None

    def _pop(self, name, before):
        top = self._top(name)
        if top is None or top is before:
            return False
        while top is not None and top is not before:
            top.pop(None)
            left, top = top, self._top(name)
            if left is top:
                break
        return True


class _Held(object):
    """An attribute of a module, a class, an object or a function."""

    def __init__(self, owner, name, names_of):
        self._owner, self._name, self._names_of = owner, name, names_of
        self._value = names_of(owner).get(name, _MISSING)
        self._content = _content(self._value)

    def put_back(self):
        now = self._names_of(self._owner).get(self._name, _MISSING)
        is_changed = now is not self._value
        if is_changed and self._value is _MISSING:
            delattr(self._owner, self._name)
        elif is_changed:
            setattr(self._owner, self._name, self._value)
        return (self._content is not None and self._content()) or is_changed


def _content(value, deep=_DEEP):
    """Puts back what a container holds, in place; None where it holds nothing that can change."""
    if hasattr(type(value), "cache_clear"):
        return lambda: value.cache_clear() is None
    if not issubclass(type(value), (dict, list, set, collections.deque)) or not deep:
        return None
    is_dict = issubclass(type(value), dict)
    held = dict(dict.items(value)) if is_dict else list(value)
    inner = [_content(one, deep - 1) for one in (held.values() if is_dict else held)]

    def put_back():
        now = dict(dict.items(value)) if is_dict else list(value)
        found = [way() for way in inner if way is not None]
        is_changed = _identities(now) != _identities(held)
        if is_changed:
            value.clear()
            (value.update if is_dict or issubclass(type(value), set) else value.extend)(held)
        return is_changed or any(found)

    return put_back


def _identities(held):
    if isinstance(held, dict):
        return [(id(key), id(value)) for key, value in held.items()]
    return [id(one) for one in held]


def _entry(mapping, name):
    value = mapping.get(name, _MISSING)
    content = _content(value)

    def put_back():
        now = mapping.get(name, _MISSING)
        is_changed = now is not value and now != value
        if is_changed and value is _MISSING:
            del mapping[name]
        elif is_changed:
            mapping[name] = value
        return (content is not None and content()) or is_changed

    return put_back


def _surrounding(kind, name):
    if (kind, name) == ("environment", "sys.path"):
        return _content(sys.path)
    if (kind, name) == ("environment", "warnings.filters"):
        return _content(warnings.filters)
    if (kind, name) == ("cwd", "cwd"):
        before = os.getcwd()
        return lambda: os.getcwd() != before and os.chdir(before) is None
    if kind == "logging":
        return _logging(name)
    if kind == "environment" and name not in ("locale", "timezone"):
        return _entry(os.environ, name)
    return None


def _logging(name):
    if name == "disable":
        return _Held(logging.root.manager, "disable", vars).put_back
    logger, _, what = name.rpartition(".")
    owner = logging.root if logger == "root" else logging.getLogger(logger)
    if what == "level":
        before = owner.level
        return lambda: owner.level != before and owner.setLevel(before) is None
    return _Held(owner, what, vars).put_back
