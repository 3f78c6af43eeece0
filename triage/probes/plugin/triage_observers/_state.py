"""What a test may leave behind in its process, read for `process-state` and `trace-state`."""

from __future__ import annotations

import functools
import os
import sys
import types
import weakref

import triage_observe

tokens = triage_observe._load("triage_observers", "_tokens")
around = triage_observe._load("triage_observers", "_surroundings")
token = tokens.token

_OWN = ("project", "test")
_MODULES = 600
_NAMES = 3000  # of one module, class or object
_HELD = 100  # classes and objects of one module
_NOISE = (
    "__",
    "@",
    "_sa_",
    "_abc_",
    "_pytest",
    "_xunit_",
    "_hypothesis",
    "_class_cleanups",
    "tearDown_exceptions",
)
_VARIABLES = ("PYTEST_CURRENT_TEST",)
_SETTINGS = ("sys.path", "locale", "timezone", "warnings.filters")
_PYTEST = (("environment", "warnings.filters"), ("logging", "root.handlers"), ("logging", "root.level"))
_class_names, _class_order = type.__dict__["__dict__"].__get__, type.__dict__["__mro__"].__get__


class Space(object):
    """Names and what they stand for: of a module, a class, an object, a configuration.

    Where the identities of all values are as they were, only containers are looked at.
    """

    def __init__(self, kind, prefix, holds=None):
        self._kind, self._prefix, self._holds = kind, prefix, holds
        self._identities, self._tokens, self._held = None, {}, {}
        self._sketches = {}

    def changes(self, names):
        """(kind, name, token before, token after) since the last call; nothing at the first."""
        if len(names) > _NAMES:
            return []
        identities = tuple(map(id, names.values()))
        if identities != self._identities:
            found = self._learn(names, identities)
        else:
            found = self._in_containers(names)
        for name, (_, space) in self._held.items():
            found += space.changes(names_of(names[name]))
        return found

    def _learn(self, names, identities):
        is_first, before, held = self._identities is None, self._tokens, self._held
        listed = [(name, value) for name, value in list(names.items()) if not _is_noise(name)]
        self._identities, self._tokens = identities, {name: token(value) for name, value in listed}
        containers = [(name, value) for name, value in listed if self._tokens[name][0] in tokens.MUTABLE]
        self._sketches = {name: _sketch(value, self._tokens[name]) for name, value in containers}
        self._held = {}
        for name, value in listed if self._holds is not None else ():
            if len(self._held) < _HELD and self._holds(value):
                identity, space = held.get(name, (None, None))
                if identity != id(value):
                    kind = "class" if issubclass(type(value), type) else self._kind
                    within = _is_function if kind == "class" else None
                    space = Space(kind, self._prefix + name + ".", within)
                self._held[name] = (id(value), space)
        return [] if is_first else self._differences(before)

    def _differences(self, before):
        after, found = self._tokens, []
        for name in list(after) + [name for name in before if name not in after]:
            old, new = before.get(name), after.get(name)
            if old != new:
                found.append((self._kind, self._prefix + name, old, new))
        return found

    def _in_containers(self, names):
        found = []
        for name, known in self._sketches.items():
            old, value = self._tokens[name], names[name]
            if known is not None and tokens.sketch(value, old) == known:
                continue
            new = token(value)
            if old != new:
                self._tokens[name], self._sketches[name] = new, _sketch(value, new)
                found.append((self._kind, self._prefix + name, old, new))
        return found


def _sketch(value, one):
    return tokens.sketch(value, one) if tokens.has_sketch(one) else None


def names_of(value):
    """The own names of a class or an object, without asking it."""
    if issubclass(type(value), type):
        return _class_names(value)
    if type(value) is types.FunctionType:
        return _kept_by(value)
    for cls in _class_order(type(value)):
        found = _class_names(cls).get("__dict__")
        if isinstance(found, (types.GetSetDescriptorType, types.MemberDescriptorType)):
            return found.__get__(value)
    return {}


def _kept_by(function):
    """Its attributes, and those of its parameters' defaults that can be changed."""
    code, defaults, found = function.__code__, function.__defaults__ or (), dict(function.__dict__)
    names = code.co_varnames[code.co_argcount - len(defaults) : code.co_argcount]
    for name, value in list(zip(names, defaults)) + list((function.__kwdefaults__ or {}).items()):
        if token(value, 1)[0] in tokens.MUTABLE:
            found[name] = value
    return found


def _is_function(value):
    return type(value) is types.FunctionType and bool(_kept_by(value))


def _is_noise(name):
    """What interpreter, pytest and SQLAlchemy write for themselves."""
    return not isinstance(name, str) or name.startswith(_NOISE)


def environment():
    return {name: value for name, value in os.environ.items() if name not in _VARIABLES}


class State(object):
    """All that is watched, and its changes from one `changes` to the next."""

    def __init__(self, tools):
        self._tools, self._spaces, self._own = tools, {}, {}
        self._environment, self._around = Space("environment", ""), None
        self._fixtures = {}
        self.apps = {}
        tools.when_imported("flask.app", self._watch_apps)

    def _watch_apps(self, module):
        init, guarded = module.Flask.__init__, self._tools.guarded

        @functools.wraps(init)
        def made(app, *arguments, **named):
            init(app, *arguments, **named)
            guarded(self._remember, app)

        module.Flask.__init__ = made

    def _remember(self, app):
        number = id(app)
        reference = weakref.ref(app, lambda _: self.apps.pop(number, None))
        self.apps[number] = (reference, Space("config", ""))

    def watch(self, definition):
        """The value of a fixture for many tests, as long as pytest keeps it."""
        space = Space("fixture", "", self._holder(None))
        self._fixtures[definition.argname] = (definition, space)
        self._tools.guarded(space.changes, _value_of(definition))

    def _of_fixtures(self):
        found = []
        for name, (definition, space) in list(self._fixtures.items()):
            value = _value_of(definition)
            if value:
                found += self._tools.guarded(space.changes, value) or ()
            else:
                del self._fixtures[name]
        return found

    def changes(self, within=False):
        """With `within` a test is under way, and pytest has its own warning filters and log handlers in place."""
        found = self._environment.changes(environment()) + self._differences(within)
        for name, module in self._modules():
            space = self._spaces.get(name)
            if space is None:
                space = self._spaces[name] = Space("module", name + ".", self._holder(name))
            found += self._tools.guarded(space.changes, vars(module)) or ()
        for reference, space in list(self.apps.values()):
            app = reference()
            if app is not None:
                found += self._tools.guarded(space.changes, app.config) or ()
        return found + self._of_fixtures()

    def _differences(self, within):
        before, self._around = self._around, self._surroundings()
        if within and before is not None:
            self._around.update((key, before[key]) for key in _PYTEST)
        if before is None:
            return []
        keys = list(self._around) + [key for key in before if key not in self._around and key[0] != "threads"]
        both = [(key, before.get(key), self._around.get(key)) for key in keys]
        return [key + (old, new) for key, old, new in both if old != new]

    def _surroundings(self):
        self._modules()
        packages = {name.partition(".")[0] for name, is_own in self._own.items() if is_own}
        return {**around.surroundings(), **around.loggers(packages)}

    def _modules(self):
        """The project's own, tests included."""
        if len(sys.modules) != len(self._own):
            modules = list(sys.modules.items())
            self._own = {name: self._is_own(module) for name, module in modules}
        names = [name for name, is_own in self._own.items() if is_own][:_MODULES]
        found = [(name, sys.modules.get(name)) for name in names]
        return [(name, module) for name, module in found if type(module) is types.ModuleType]

    def _is_own(self, module):
        if type(module) is not types.ModuleType:
            return False
        file = vars(module).get("__file__")
        return isinstance(file, str) and self._tools.describe(file)[1] in _OWN

    def _holder(self, module):
        """Whether to look into a value: a class of this module, or an object of an own class."""

        def holds(value):
            kind = type(value)
            if issubclass(kind, type):
                return names_of(value).get("__module__") == module
            if kind is types.FunctionType:
                return value.__module__ == module and _is_function(value)
            if "_sa_instance_state" in names_of(value):
                return False  # what is loaded and what has expired is its session's matter
            is_own = self._own.get(names_of(kind).get("__module__"))
            return bool(is_own) and (module is None or bool(names_of(value)))

        return holds

    def reader(self, kind, name):
        """Reads one thing by the kind and the name that `changes` gave it."""
        if kind == "config":
            return lambda: self._configured(name)
        if kind == "environment" and name not in _SETTINGS:
            return lambda: token(os.environ[name]) if name in os.environ else None
        if kind in ("module", "class"):
            return functools.partial(_attribute, name.split("."))
        if kind == "context":
            return lambda: around.contexts().get(name)
        if kind == "cwd":
            return lambda: around.shown(around._cwd())
        if kind == "fixture":
            return lambda: _attribute(name.split("."), self._value_of(name.partition(".")[0]))
        return lambda: self._surroundings().get((kind, name))

    def _value_of(self, name):
        known = self._fixtures.get(name)
        return _value_of(known[0]) if known is not None else {}

    def _configured(self, name):
        apps = [reference() for reference, _ in list(self.apps.values())]
        found = [app.config[name] for app in apps if app is not None and name in app.config]
        return token(found[0] if len(found) == 1 else found)

    def kinds_of(self, name):
        """The kinds that a name which came without one may be of."""
        parts = name.split(".")
        known = [
            kind
            for kind, one in list(around.surroundings()) + [("context", one[0]) for one in around.CONTEXTS]
            if one == name
        ]
        if known:
            return known[:1]
        if any(".".join(parts[:count]) in sys.modules for count in range(1, len(parts))):
            return ["module"]
        return ["environment", "config", "threads"]


def _attribute(parts, known=None):
    for count in range(len(parts) - 1 if known is None else 1, 0, -1):
        value = (sys.modules if known is None else known).get(".".join(parts[:count]))
        if value is not None:
            return _found(value, parts[count:])
    return None


def _found(value, parts):
    for name in parts:
        names = names_of(value)
        if name not in names:
            return None
        value = names[name]
    return token(value)


def _value_of(definition):
    """{name: value} of a fixture that is set up."""
    cached = getattr(definition, "cached_result", None)
    return {definition.argname: cached[0]} if cached is not None and cached[2] is None else {}
