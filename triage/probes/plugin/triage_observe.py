"""Second pass: runs observers, and interventions at the sites they are ordered for, while the project's tests run.

One JSON file names them (TRIAGE_PROBE_ORDERS): {"observers": [name], "orders": [{"kind", "tests", "file", "line", "names"}]}.
Runs inside the project's own Python (3.8 to 3.14) beside `triage_probe`, by the same rules. PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import ast
import importlib.abc
import importlib.util
import json
import linecache
import os
import sys
import threading

import pytest
import triage_around
import triage_exits as exits
import triage_probe as first

_HERE = os.path.dirname(os.path.abspath(__file__))
_OUT = os.environ.get("TRIAGE_PROBE_OUT")
_ORDERS = os.environ.get("TRIAGE_PROBE_ORDERS")
_OWN = ("project", "test")
_TEXT = 300


class Order(object):
    """One intervention: `kind` at `file`:`line` for these tests (none: the whole process), told by `names`."""

    def __init__(self, number, record):
        self.number = number
        self.kind, self.file, self.line = record["kind"], record["file"], int(record["line"])
        self.tests = frozenset(record.get("tests") or ())
        self.names = dict(record.get("names") or {})


class Failure(object):
    """One phase of one test that failed."""

    def __init__(self, item, when, exc, evidence):
        self.item, self.when, self.exc = item, when, exc
        self.chain = evidence.linked(exc)

    def steps(self, exc=None):
        """(frame, line, last instruction) of the traceback, outermost first; of the head where none is named."""
        return first._steps((exc or self.exc).__traceback__)


class _Finder(importlib.abc.MetaPathFinder):
    """Calls back once a module has been imported, whoever imports it."""

    def __init__(self, guarded):
        self._guarded, self._waiting, self._busy = guarded, {}, threading.local()

    def wait(self, name, callback):
        self._waiting.setdefault(name, []).append(callback)

    def find_spec(self, name, path=None, target=None):
        if name not in self._waiting or getattr(self._busy, "name", None) == name:
            return None
        self._busy.name = name
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, ValueError, AttributeError):
            return None
        finally:
            self._busy.name = None
        if spec is None or spec.loader is None or not hasattr(spec.loader, "exec_module"):
            return None
        self._wrap(name, spec.loader)
        return spec

    def _wrap(self, name, loader):
        execute = loader.exec_module

        def exec_module(module):
            execute(module)
            for callback in self._waiting.pop(name, ()):
                self._guarded(callback, module)

        loader.exec_module = exec_module


class Tools(object):
    """What observers and interventions may use; see docs/reference/second-pass.md."""

    def __init__(self, out, root, cwd):
        self._lines = first._Lines(out, None)
        self._places = first._Places(root, cwd)
        self._evidence = first._Evidence(self._places, self._lines)
        self._finder, self._tracer = _Finder(self.guarded), triage_around.Tracer(self)
        sys.meta_path.insert(0, self._finder)
        self.config = self.item = self.phase = None
        self.fixture_values, self._fixtures, self._told = {}, [], set()
        self._used, self._trees = {}, {}

    # errors and records

    def guarded(self, function, *arguments):
        return self._lines.guarded(function, *arguments)

    def record(self, record):
        self._lines.record(record)

    def applied(self, order, text):
        """Told once for each test and order."""
        test = self.item.nodeid if self.item is not None else None
        if (order.number, test) not in self._told:
            self._told.add((order.number, test))
            self.record(
                {
                    "t": "intervened",
                    "id": test,
                    "kind": order.kind,
                    "file": order.file,
                    "line": order.line,
                    "text": text[:_TEXT],
                }
            )

    # what is going on

    def now(self):
        fixture = self._fixtures[-1][0].argname if self._fixtures else None
        return {
            "test": self.item.nodeid if self.item is not None else None,
            "phase": self.phase,
            "fixture": fixture,
        }

    def active(self, orders):
        return [order for order in orders if self._is_active(order)]

    def _is_active(self, order):
        if not order.tests:
            return True
        if self.item is not None and self.item.nodeid in order.tests:
            return True
        for definition, base in self._fixtures:
            if str(definition.scope) not in ("function", "Scope.Function") and any(
                test.startswith(base) for test in order.tests
            ):
                return True
        return False

    def order_here(self, orders):
        chosen = self.active(orders)
        if not chosen:
            return None
        stack = self.own_stack(1)
        if not stack:
            return None
        for order in chosen:
            if self.stands_at(stack[0], order):
                return order
        return None

    def stands_at(self, place, order):
        """Whether a place is in the statement that an order names; a compound statement counts by its head."""
        if place["file"] != order.file:
            return False
        if place["line"] == order.line:
            return True
        begin, end = self.statement(place["path"], order.line)
        return begin <= place["line"] <= end

    # places

    def describe(self, filename):
        return self._places.describe(filename)

    def place(self, frame, lineno=None):
        file, kind = self._places.describe(frame.f_code.co_filename)
        if kind not in _OWN:
            return None
        line = lineno or frame.f_lineno or frame.f_code.co_firstlineno
        source = linecache.getline(frame.f_code.co_filename, line, frame.f_globals).strip()[:_TEXT]
        found = {"file": file, "line": line, "func": frame.f_code.co_name, "kind": kind}
        found.update(src=source, path=frame.f_code.co_filename)
        return found

    def own_stack(self, limit=20):
        """Places of the calling stack in own code, innermost first."""
        found, frame, below, called = [], sys._getframe(1), self._outer(), None
        while len(found) < limit and (frame is not None or below is not None):
            if frame is None:
                frame, below = below, None
            if not frame.f_code.co_filename.startswith(_HERE):
                place = self.place(frame, exits.line_of(self, frame, called))
                if place:
                    found.append(place)
            frame, called = frame.f_back, frame
        return found

    @staticmethod
    def _outer():
        """The frame below a greenlet, once: SQLAlchemy's asyncio layer runs the session inside one."""
        module = sys.modules.get("greenlet")
        parent = getattr(module.getcurrent(), "parent", None) if module is not None else None
        return getattr(parent, "gr_frame", None) if parent is not None and not parent.dead else None

    def steps_own(self, steps):
        """Places of a traceback in own code, outermost first."""
        return [found for found in (self.place(frame, line) for frame, line, _ in steps) if found]

    def statement(self, filename, line):
        """First and last line of the innermost statement that holds a line; of a compound one its head."""
        if filename not in self._trees:
            try:
                self._trees[filename] = ast.parse("".join(linecache.getlines(filename)))
            except (SyntaxError, ValueError, RecursionError):
                self._trees[filename] = ast.Module(body=[], type_ignores=[])
        best = (line, line)
        for node in ast.walk(self._trees[filename]):
            if isinstance(node, ast.stmt) and node.lineno <= line:
                body = getattr(node, "body", None)
                end = body[0].lineno - 1 if body else node.end_lineno
                end = max(end, node.lineno)
                if line <= end and node.lineno >= best[0] - (best[1] - best[0]) - 10000:
                    if best == (line, line) or node.lineno > best[0]:
                        best = (node.lineno, end)
        return best

    def attribute_place(self, cls, name):
        """Where a class, or one that it derives from, assigns an attribute in its source."""
        for base in cls.__mro__:
            node, filename = self._class_node(base)
            for each in node.body if node is not None else ():
                targets = each.targets if isinstance(each, ast.Assign) else [getattr(each, "target", None)]
                names = [getattr(target, "id", None) for target in targets]
                if name in names or getattr(each, "name", None) == name:
                    shown, kind = self._places.describe(filename)
                    if kind in _OWN:
                        return {"file": shown, "line": each.lineno, "symbol": base.__name__ + "." + name}
        return None

    def class_place(self, cls):
        node, filename = self._class_node(cls)
        if node is None:
            return None
        shown, kind = self._places.describe(filename)
        return {"file": shown, "line": node.lineno, "symbol": cls.__name__} if kind in _OWN else None

    def source(self, file_place):
        """The source line of a place made here, without indentation."""
        path = os.path.join(self._places._root, *file_place["file"].split("/"))
        return linecache.getline(path, file_place["line"]).strip()[:_TEXT]

    def _class_node(self, cls):
        module = sys.modules.get(cls.__module__)
        filename = getattr(module, "__file__", None)
        if not filename or self._places.describe(filename)[1] not in _OWN:
            return None, None
        self.statement(filename, 1)
        found = [
            node
            for node in ast.walk(self._trees[filename])
            if isinstance(node, ast.ClassDef) and node.name == cls.__name__
        ]
        return (found[-1], filename) if found else (None, None)

    # hooks

    def when_imported(self, name, callback):
        module = sys.modules.get(name)
        spec = getattr(module, "__spec__", None)
        if module is not None and not getattr(spec, "_initializing", False):
            self.guarded(callback, module)
        else:
            self._finder.wait(name, callback)

    def around(self, file, line, enter, leave):
        self._tracer.add(file, line, enter, leave)

    def use(self, name):
        """The observer of this name, started once; None where it does not start."""
        if name not in self._used:
            self._used[name] = None
            self._used[name] = self.guarded(_load("triage_observers", name).start, self)
        return self._used[name]


class _Second(object):
    """pytest's hooks, handed to every observer and intervention that has a method for them."""

    def __init__(self, tools, observers, changes):
        self._tools, self._observers = tools, observers
        used = [one for name, one in tools._used.items() if one is not None and name not in observers]
        self._all = used + [one for one in observers.values() if one is not None] + changes

    def _tell(self, method, *arguments):
        for one in self._all:
            function = getattr(one, method, None)
            if function is not None:
                self._tools.guarded(function, *arguments)

    def pytest_collection_finish(self, session):
        self._tools._places.collected(list(session.items), session.config.getini("testpaths"))

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item):
        self._tools.item, self._tools.phase = item, "setup"
        self._tools.fixture_values.clear()
        self._tools._tracer.begin()
        self._tell("test_started", item)
        yield
        self._tools._tracer.finish()
        self._tell("test_ended", item)
        self._tools.item = self._tools.phase = None

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_fixture_setup(self, fixturedef, request):
        base = getattr(getattr(request, "node", None), "nodeid", "")
        self._tools._fixtures.append((fixturedef, base))
        outcome = yield
        self._tools._fixtures.pop()
        if outcome.excinfo is None:
            self._tools.fixture_values[fixturedef.argname] = (fixturedef, outcome.get_result())
            self._tell("fixture_value", self._tools.item, fixturedef, outcome.get_result())

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item):
        self._tell("call_started", item)
        self._tools.phase = "call"

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self, item):
        self._tools.phase = "teardown"
        self._tell("teardown_started", item)

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, item, call):
        outcome = yield
        report = outcome.get_result() if outcome.excinfo is None else None
        if report is not None and report.outcome == "failed" and call.excinfo is not None:
            self._tools.guarded(self._observe, item, call.when, call.excinfo.value)

    def _observe(self, item, when, exc):
        failure = Failure(item, when, exc, self._tools._evidence)
        for name, one in self._observers.items():
            function = getattr(one, "failed", None)
            found = self._tools.guarded(function, failure) if function is not None else None
            if found:
                record = {"t": "observed", "id": item.nodeid, "when": when, "probe": name}
                record.update(found)
                self._tools.record(record)


def _load(folder, name):
    path = os.path.join(_HERE, folder, name.replace("-", "_") + ".py")
    spec = importlib.util.spec_from_file_location("_triage_%s" % name.replace("-", "_"), path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _changes(tools, orders):
    found = []
    for kind in sorted({order.kind for order in orders}):
        of_kind = [order for order in orders if order.kind == kind]
        module = tools.guarded(_load, "triage_interventions", kind)
        change = tools.guarded(module.start, tools, of_kind) if module is not None else None
        if change is not None:
            found.append(change)
    return found


class _State(object):
    plugin = None


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config):
    """Before any conftest, so that what conftests import and make is seen, too."""
    if not (_OUT and _ORDERS) or _State.plugin is not None:
        return
    try:
        with open(_ORDERS, encoding="utf-8") as file:
            asked = json.load(file)
        tools = Tools(_OUT, str(early_config.rootpath), str(early_config.invocation_params.dir))
        orders = [Order(number, record) for number, record in enumerate(asked.get("orders", ()))]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise pytest.UsageError("triage_observe: %s: %s" % (_ORDERS, error))
    tools.config = early_config
    observers = {name: tools.use(name) for name in asked.get("observers", ())}
    _State.plugin = _Second(tools, observers, _changes(tools, orders))


def pytest_configure(config):
    if _State.plugin is not None and not config.pluginmanager.has_plugin("triage_observe_hooks"):
        _State.plugin._tools.config = config
        config.pluginmanager.register(_State.plugin, "triage_observe_hooks")
