"""Lets factories store their objects in the session that the test itself uses. PYTEST_DONT_REWRITE

The order's line is where the test makes an object by hand; without such a call there nothing is changed.
"""

from __future__ import annotations

import ast
import functools
import linecache
import os
import sys
import threading
import weakref

_OPTIONS = ("sqlalchemy_session", "sqlalchemy_session_factory", "sqlalchemy_session_persistence")


def start(tools, orders):
    return ShareSession(tools, orders)


class ShareSession(object):
    def __init__(self, tools, orders):
        self._tools = tools
        self._orders = [one for one in orders if tools.guarded(self._makes_an_object, one)]
        self._fixtures, self._attached = {}, {}
        self._reached, self._redirected, self._making = set(), {}, threading.local()
        self._orm = None
        if self._orders:
            tools.when_imported("sqlalchemy.orm", self._hook_sessions)
            tools.when_imported("factory.alchemy", self._hook_factories)

    def _makes_an_object(self, order):
        """Whether the statement at the order's line calls the model, or something that may be it."""
        path = os.path.join(str(self._tools.config.rootpath), *order.file.split("/"))
        begin, end = self._tools.statement(path, order.line)
        tree = ast.parse("".join(linecache.getlines(path)))
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        called = [
            getattr(node.func, "attr", getattr(node.func, "id", ""))
            for node in calls
            if begin <= node.lineno <= end
        ]
        model = order.names.get("model", "").rpartition(".")[2]
        if not model or model in called:
            return bool(called)
        others = {
            each.asname for each in ast.walk(tree) if isinstance(each, ast.alias) and each.name == model
        }
        return any(name in others or name in _parameters(tree, order.line) for name in called)

    # which session

    def fixture_value(self, item, definition, value):
        self._fixtures.setdefault(definition.argname, weakref.WeakSet()).add(definition)

    def test_started(self, item):
        self._attached.clear()
        self._redirected.clear()

    def _hook_sessions(self, orm):
        from sqlalchemy import event

        self._orm = orm
        event.listen(orm.Mapper, "init", self._born, raw=True)
        event.listen(orm.Session, "after_attach", self._after_attach)

    def _born(self, state, args, kwargs):
        self._tools.guarded(self._reach, state.mapper.class_)

    def _reach(self, cls):
        """An order counts once its line has made the object by hand: before, the line proves nothing."""
        if getattr(self._making, "depth", 0):
            return
        model = {base.__name__ for base in cls.__mro__}
        order = self._tools.order_here(self._orders)
        if order is not None and order.names.get("model", cls.__name__).rpartition(".")[2] in model:
            self._reached.add(order.number)
            self._tell(order)

    def _tell(self, order):
        if order.number in self._reached and order.number in self._redirected:
            self._tools.applied(order, self._redirected[order.number])

    def _after_attach(self, session, instance):
        if not getattr(self._making, "depth", 0):
            self._attached[type(instance).__name__] = weakref.ref(session)

    def _target(self, order, own):
        """The session of the named fixture; else of any fixture, of the test's names, of the model's objects."""
        named = order.names.get("fixture")
        found = (
            self._of_fixture(named)
            if named
            else self._of_fixtures() + self._of_names() + self._of_model(order)
        )
        return next((one for one in found if one is not own), None)

    def _of_fixtures(self):
        """Those that the test asks for itself come first, sessions before objects that have one."""
        item = self._tools.item
        names = list(getattr(item, "fixturenames", ()))
        names.sort(key=lambda name: name not in getattr(item, "funcargs", ()))
        found = [pair for name in names for pair in self._of_fixture(name, True)]
        return [one for one, direct in found if direct] + [one for one, direct in found if not direct]

    def _of_fixture(self, name, told=False):
        """Out of what pytest keeps of a fixture while it is alive, whichever test set it up."""
        held = [self._tools.fixture_values[name][1]] if name in self._tools.fixture_values else []
        held += [
            each.cached_result[0] for each in self._fixtures.get(name, ()) if each.cached_result is not None
        ]
        found = []
        for value in held:
            one = _session(value, self._orm)
            other = _inner_session(value, self._orm) if one is None else one
            if other is not None:
                found.append((other, one is not None) if told else other)
        return found

    def _of_names(self):
        """Sessions in the locals of own functions, then in the globals of test modules."""
        found, outside, frame = [], [], sys._getframe(1)
        while frame is not None:
            place = self._tools.place(frame)
            if place is not None:
                found += list(frame.f_locals.values())
                outside += list(frame.f_globals.values()) if place["kind"] == "test" else []
            frame = frame.f_back
        found = [_session(value, self._orm) for value in found + outside]
        return [one for one in found if one is not None]

    def _of_model(self, order):
        reference = self._attached.get(order.names.get("model", "").rpartition(".")[2])
        return [reference()] if reference is not None and reference() is not None else []

    # factories

    def _hook_factories(self, alchemy):
        """All that a factory stores, nested or not, goes through `instantiate`; projects replace the rest."""
        original = alchemy.SQLAlchemyOptions.instantiate

        @functools.wraps(original)
        def instantiate(options, step, args, kwargs):
            before = self._tools.guarded(self._redirect, options, step)
            self._making.depth = getattr(self._making, "depth", 0) + 1
            try:
                return original(options, step, args, kwargs)
            finally:
                self._making.depth -= 1
                if before:
                    vars(options).update(before)

        alchemy.SQLAlchemyOptions.instantiate = instantiate

    def _redirect(self, options, step):
        """What to restore afterwards, or None where the factory uses the test's session anyway."""
        orders = self._tools.active(self._orders)
        if not orders or step.builder.strategy != "create" or self._orm is None:
            return None
        target = self._target(orders[0], self._own(options))
        if target is None:
            return None
        before = {name: vars(options)[name] for name in _OPTIONS if name in vars(options)}
        changed = {name: None for name in before}
        changed["sqlalchemy_session"] = target
        kept = before.get("sqlalchemy_session_persistence")
        changed["sqlalchemy_session_persistence"] = "flush" if kept == "commit" else kept
        vars(options).update({name: changed[name] for name in before})
        name = options.factory.__name__
        for order in orders:
            self._redirected.setdefault(order.number, "%s stores in the session of the test" % name)
            self._tell(order)
        return before

    def _own(self, options):
        """The factory's own session, where it can be told without making one."""
        given = getattr(options, "sqlalchemy_session_factory", None)
        if given is None:
            return _session(getattr(options, "sqlalchemy_session", None), self._orm)
        if isinstance(given, (type, self._orm.sessionmaker)):
            return None
        try:
            return _session(given if isinstance(given, self._orm.scoped_session) else given(), self._orm)
        except Exception:  # the project's: it would fail without us, too
            return None


def _parameters(tree, line):
    """Names of arguments of the functions that hold a line: a class may come in by one."""
    found = set()
    for node in ast.walk(tree):
        if (
            isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
            and node.lineno <= line <= node.end_lineno
        ):
            given = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
            found.update(each.arg for each in given)
    return found


def _session(value, orm):
    """A Session, the one that a registry holds now, or the one below an asynchronous one."""
    kind = type(value)  # a mock says of itself that it is a Session
    if orm is None:
        return None
    if issubclass(kind, orm.scoped_session):
        return _registered(value, False)
    if issubclass(kind, orm.Session):
        return value
    inner = value.sync_session if kind.__name__ == "AsyncSession" else None
    return inner if issubclass(type(inner), orm.Session) else None


def _inner_session(value, orm):
    """The session of an object that has one, such as Flask-SQLAlchemy's."""
    owners = [vars(base) for base in type(value).__mro__] + [getattr(value, "__dict__", {})]
    if orm is None or not any("session" in names for names in owners):
        return None
    try:
        inner = value.session
    except Exception:  # a property of the project's
        return None
    return _registered(inner, True) if issubclass(type(inner), orm.scoped_session) else _session(inner, orm)


def _registered(registry, make):
    """As the test would: a registry makes its session when it is asked, and may need a context to tell which."""
    try:
        return registry.registry() if make or registry.registry.has() else None
    except RuntimeError:
        return None
