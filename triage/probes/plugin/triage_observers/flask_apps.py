"""Helper: which Flask applications live, which fixtures give one, and which of them a test should have used."""

from __future__ import annotations

import ast
import functools
import inspect
import re
import sys
import textwrap
import weakref

_MAKERS = re.compile(r"(?:create|make|build|get|new|init|setup)_(?:\w+_)?app(?:lication)?$")
_NAMES = ("app", "application", "flask_app")
_SETUPS = (
    "setUp",
    "setUpClass",
    "asyncSetUp",
    "setup_method",
    "setup_class",
    "setup_module",
    "setup_function",
)
_SUSPENDABLE = 0x2A0  # generator, coroutine, asynchronous generator


def start(tools):
    return Probe(tools)


class _Made(object):
    """One application: where it was made, and below which node of the collection it may be used."""

    def __init__(self, app, place, owner):
        self.app, self.place, self.owner = weakref.ref(app), place, owner
        self.name = str(getattr(app, "import_name", "?"))


class _Giver(object):
    """A fixture that gives an application, or a client or runner of one; `rank` 0: seen to give it, 1: by its source, 2: inside."""

    def __init__(self, definition, place, asked, rank):
        self.definition, self.place, self.asked = definition, place, asked
        self.name, self.rank = definition.argname, rank


class Probe(object):
    def __init__(self, tools):
        self._tools, self._flask, self._made = tools, None, []
        self._given, self._by_source = {}, {}
        tools.when_imported("flask.app", self._watch)

    def _watch(self, module):
        self._flask = module.Flask
        original, probe = module.Flask.__init__, self

        @functools.wraps(original)
        def __init__(self, *arguments, **keywords):
            original(self, *arguments, **keywords)
            probe._tools.guarded(probe._born, self)

        module.Flask.__init__ = __init__

    def _born(self, app):
        stack = self._tools.own_stack(1)
        self._made = [made for made in self._made if made.app() is not None]
        self._made.append(_Made(app, stack[0] if stack else None, self._owner()))

    def _owner(self):
        """The test that an application is made for; of a fixture of wider scope the node that it is set up for."""
        fixtures = self._tools._fixtures
        if fixtures and not str(fixtures[-1][0].scope).lower().endswith("function"):
            return re.sub(r"/?__init__\.py$", "", fixtures[-1][1])
        return self._tools.item.nodeid if self._tools.item is not None else ""

    def fixture_value(self, item, definition, value):
        app, direct = self._app_of(value)
        if app is not None:
            self._given[definition] = (weakref.ref(app), direct)

    def _app_of(self, value):
        """Looks into the instance's own names only: attributes of proxies and mocks do things."""
        if self._is_app(value):
            return value, True
        inside = getattr(value, "__dict__", None) if not isinstance(value, type) else None
        for name in ("application", "app"):
            if isinstance(inside, dict) and self._is_app(inside.get(name)):
                return inside[name], False
        return None, False

    def _is_app(self, value):
        return self._flask is not None and issubclass(type(value), self._flask)

    # applications

    def alive(self, item):
        """Those that the test could use, in the order of their making; not what an earlier test left behind."""
        test = item.nodeid if item is not None else ""
        return [made for made in self._made if made.app() is not None and test.startswith(made.owner)]

    def _in_modules(self):
        for name, module in sorted(list(sys.modules.items()), key=lambda one: str(one[0])):
            inside = getattr(module, "__dict__", {})
            filename = inside.get("__file__")
            if isinstance(filename, str) and self._tools.describe(filename)[1] in ("project", "test"):
                for value in list(inside.values()):
                    if self._is_app(value):
                        return value
        return None

    def choose(self, item, may_ask):
        """The application for a context; `may_ask`: a fixture may be set up for it."""
        givers = self.givers(item) if item is not None else []
        for giver in givers:
            found = self._value(item, giver, may_ask) if giver.asked else None
            if found is not None:
                return found
        alive = self.alive(item)
        found = alive[-1].app() if alive else self._in_modules()
        if found is not None:
            return found
        for giver in givers:
            found = self._value(item, giver, may_ask) if not giver.asked else None
            if found is not None:
                return found
        return None

    def _value(self, item, giver, may_ask):
        if getattr(giver.definition, "cached_result", None) is None:
            busy = [definition for definition, _ in self._tools._fixtures]
            if not may_ask or giver.definition in busy:
                return None
            try:
                return self._app_of(item._request.getfixturevalue(giver.name))[0]
            except KeyboardInterrupt:
                raise
            except BaseException:  # the project's fixture failed or skips: there is no application, then
                return None
        return self._given[giver.definition][0]() if giver.definition in self._given else None

    # fixtures

    def givers(self, item):
        """Own fixtures that give an application, the best first: asked for, application itself, seen to do so."""
        closure = list(getattr(item, "fixturenames", ()))
        asked = getattr(getattr(item, "_request", None), "_fixture_defs", {})
        known, found = self._known(item.session._fixturemanager), []
        for name in closure + sorted(each for each in known if each not in closure):
            definition = asked.get(name) or self._definition(item, name)
            place = self._place(definition) if definition is not None else None
            rank = self._rank(definition) if place is not None else None
            if rank is not None:
                found.append(_Giver(definition, place, name in closure or name in asked, rank))
        return sorted(found, key=lambda giver: (not giver.asked, giver.rank))

    def _rank(self, definition):
        if definition in self._given:
            return 0 if self._given[definition][1] else 2
        if definition not in self._by_source:
            self._by_source[definition] = bool(self._tools.guarded(self._makes_one, definition))
        return 1 if self._by_source[definition] else None

    @staticmethod
    def _known(manager):
        """Names of all fixtures; the tables have another name in each major version of pytest."""
        tables = ("_arg2fixturedefs", "_arg2node2fixturedefs", "_arg2nodeid2fixturedefs")
        return {name for table in tables for name in getattr(manager, table, ())}

    @staticmethod
    def _definition(item, name):
        manager = item.session._fixturemanager
        try:
            found = manager.getfixturedefs(name, item)  # pytest 8
        except (TypeError, AttributeError):
            found = manager.getfixturedefs(name, item.nodeid)
        return found[-1] if found else None

    def _place(self, definition):
        code = _code(definition.func)
        file, kind = self._tools.describe(code.co_filename) if code is not None else ("", "")
        if kind not in ("project", "test"):
            return None
        return {"file": file, "line": code.co_firstlineno, "func": code.co_name}

    def _makes_one(self, definition):
        """By its source: it calls the class or a function that is named like a factory, or hands on a global."""
        function = inspect.unwrap(definition.func)
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
        if definition.argname in _NAMES:
            return True
        inside = getattr(function, "__globals__", {})
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                if name == "Flask" or _MAKERS.match(name):
                    return True
            if isinstance(node, (ast.Return, ast.Yield)) and isinstance(node.value, ast.Name):
                if self._is_app(inside.get(node.value.id)):
                    return True
        return False

    def pusher(self, orders, word):
        return Pusher(self._tools, self, orders, word)


class Pusher(object):
    """Pushes a context when a frame begins the ordered statement, pops it when the frame ends.

    What a plain fixture or a `setUp` makes is for its test, so theirs stays until the test ends.
    """

    def __init__(self, tools, apps, orders, word):
        self._tools, self._apps, self._orders, self._word = tools, apps, orders, word
        self._open = []
        for order in orders:
            tools.around(order.file, order.line, functools.partial(self._enter, order), self._leave)

    def call_started(self, item):
        """A fixture that the test does not ask for is set up before its body starts, unless it has an application."""
        if any("app" not in order.names for order in self._tools.active(self._orders)):
            self._apps.choose(item, True)

    def _enter(self, order, frame):
        flask = sys.modules.get("flask")
        if flask is None or not self._tools.active([order]):
            return
        has_app = flask.has_app_context()
        if flask.has_request_context() if self._word == "request" else has_app:
            return
        may_ask = self._tools.phase == "setup"
        app = flask.current_app._get_current_object() if has_app else self._chosen(may_ask)
        if app is not None:
            context = app.test_request_context() if self._word == "request" else app.app_context()
            context.push()
            self._open.append((None if self._is_setup(frame) else frame, context))
            self._tools.applied(order, "%s context of `%s` pushed" % (self._word, app.import_name))

    def _chosen(self, may_ask):
        return self._apps.choose(self._tools.item, may_ask)

    def _is_setup(self, frame):
        code = frame.f_code
        if code.co_flags & _SUSPENDABLE:
            return False  # such a fixture ends with its test by itself
        running = [_code(definition.func) for definition, _ in self._tools._fixtures]
        return code in running or code.co_name in _SETUPS

    def _leave(self, frame):
        self._pop([one for one in self._open if one[0] is frame])

    def test_ended(self, item):
        self._pop(list(self._open))

    def _pop(self, chosen):
        """One that the project has covered with its own stays; at the end of a test it is tried again."""
        for one in reversed(chosen):
            if _is_on_top(one[1]):
                self._open.remove(one)
                try:
                    one[1].pop(None)
                except KeyboardInterrupt:
                    raise
                except BaseException:  # a function of the project that runs at the end of a context
                    pass


def _is_on_top(context):
    """Flask up to 2.1 keeps stacks, 2.2 and later context variables; one of them after the contexts were merged."""
    inside = vars(sys.modules["flask.globals"])
    for name in ("_cv_app", "_cv_request"):
        if name in inside and inside[name].get(None) is context:
            return True
    if "_cv_app" in inside:
        return False
    return any(
        inside[name].top is context for name in ("_app_ctx_stack", "_request_ctx_stack") if name in inside
    )


def _code(function):
    function = inspect.unwrap(function)
    function = getattr(function, "func", function)  # functools.partial
    return getattr(getattr(function, "__func__", function), "__code__", None)
