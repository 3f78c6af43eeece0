"""Writes what pytest sees of every test as JSON lines; the records are in docs/reference/events.md.

It runs inside a project's own Python (3.8 to 3.14) and pytest (7 to 9) by PYTHONPATH and `-p triage_probe`: one file,
standard library and pytest only, every private name guarded, nothing raised into the project. PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import faulthandler
import inspect
import itertools
import json
import linecache
import os
import re
import sys
import weakref

import pytest

_FOLDER = os.path.realpath(os.path.dirname(os.path.abspath(__file__)))
_OUT = os.environ.get("TRIAGE_PROBE_OUT")
_SELECT = os.environ.get("TRIAGE_PROBE_SELECT")
_SIGNAL = os.environ.get("TRIAGE_PROBE_STACK_SIGNAL")
_TESTS_FOLDER = re.compile(r"(?:^|[_-])tests?(?:$|[_-])|^testing$")
_RUNNERS = ("_pytest", "pluggy", "unittest.case", "importlib", "pytest")
_CALLERS = ("pytest_pyfunc_call", "call_fixture_func", "_teardown_yield_fixture")
_PACKAGES = tuple(
    "pytest pluggy flask werkzeug jinja2 click sqlalchemy alembic factory-boy faker hypothesis freezegun mock django "
    "fastapi starlette pydantic marshmallow celery redis psycopg asyncpg pymysql mysqlclient aiosqlite greenlet anyio "
    "httpx requests responses execnet coverage pyjwt".split()
)


class _File(object):
    """An appended file whose functions are bound early: tests replace those of `os` (pyfakefs, monkeypatch)."""

    def __init__(self, path):
        self._open, self._fstat, self._path = os.open, os.fstat, path
        self._flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self._reopen()

    def _reopen(self):
        self._number = self._open(self._path, self._flags, 0o644)
        status = self._fstat(self._number)
        self._inode, self._device = status.st_ino, status.st_dev

    def number(self):
        """The descriptor: a new one where a test closed ours, and perhaps opened its own file under that number."""
        try:
            status = self._fstat(self._number)
            if status.st_ino == self._inode and status.st_dev == self._device:
                return self._number
        except OSError:
            pass
        self._reopen()
        return self._number


class _Lines(object):
    """One write per record, at once: it survives SIGKILL, `os._exit` and a segmentation fault."""

    def __init__(self, path, stacks):
        self._file, self._stacks = _File(path), stacks
        self._write, self._getpid, self._pid = os.write, os.getpid, os.getpid()
        self._encode = json.JSONEncoder(default=repr, check_circular=False, separators=(",", ":")).encode
        self._told, self._held = set(), ""

    def hold(self, text):
        """Keeps a line for the next write."""
        self._held += text

    def line(self, text):
        if (
            self._getpid() != self._pid
        ):  # a test forked and did not exit: the child runs the rest a second time
            return
        if self._held:
            text, self._held = self._held + text, ""
        known = self._file._number
        try:
            number = self._file.number()
            self._write(number, text.encode("ascii"))
        except OSError:
            return
        if number != known and self._stacks is not None:
            self._stacks.register()

    def record(self, record):
        self.line(self._encode(record) + "\n")

    def guarded(self, function, *arguments):
        """What `function` gives, or None and (once for each function) a `probe_error`."""
        try:
            return function(*arguments)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            where = getattr(function, "__name__", "?")
            if where not in self._told:
                self._told.add(where)
                self.record(
                    {
                        "t": "probe_error",
                        "where": where,
                        "text": "%s: %s" % (_name(type(error)), _message(error)),
                    }
                )
            return None


class _Stacks(object):
    """Where every thread is, written when the runner sends its signal to a run that hangs."""

    def __init__(self, path, signal):
        self._file, self._signal, self._register = _File(path), signal, faulthandler.register
        self.register()

    def register(self):
        self._register(self._signal, file=self._file.number(), all_threads=True, chain=False)


def _name(cls):
    module, name = str(cls.__module__), str(cls.__qualname__)
    return name if module == "builtins" else module + "." + name


def _cut(text, limit):
    return text if len(text) <= limit else "%s[... %d more characters]" % (text[:limit], len(text) - limit)


def _message(exc):
    try:
        if type(exc).__name__ == "FixtureLookupError":  # says its sentence nowhere else
            return _cut(str(exc.formatrepr().errorstring), 16000)
        return _cut(str.__str__(str(exc)), 16000)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        return "<%s whose __str__ raised %s>" % (type(exc).__name__, type(error).__name__)


def _columns(code, lasti, lineno, raw):
    """Start and end of the expression in its line, in characters where CPython counts bytes of UTF-8."""
    if lasti < 0 or not hasattr(code, "co_positions"):
        return None
    found = next(itertools.islice(code.co_positions(), lasti // 2, None), None)
    if found is None or None in found or found[0] != lineno or found[1] != lineno:
        return None
    data = raw.encode("utf-8", "surrogatepass")
    return [len(data[:offset].decode("utf-8", "replace")) for offset in found[2:]]


def _sub_exceptions(exc):
    inner = getattr(exc, "exceptions", None)
    is_group = any(cls.__name__ == "BaseExceptionGroup" for cls in type(exc).__mro__)
    return list(inner[:5]) if is_group and isinstance(inner, (list, tuple)) else []


def _unwrapped(exc):
    """The exception that a test module or conftest raised, out of the wrapper that pytest puts around it."""
    if type(exc).__name__ == "ConftestImportFailure":
        info = getattr(exc, "excinfo", None)  # pytest 7
        return getattr(exc, "cause", None) or (info[1] if info else exc)
    if type(exc).__name__ == "CollectError" and exc.__cause__ is not None:
        return exc.__cause__
    return exc


class _Places(object):
    """Files as the records show them: relative to the root directory, with their kind."""

    def __init__(self, root, cwd):
        self._os_path, self._root, self._cwd, self._known, self._items = os.path, root, cwd, {}, None
        outer = cwd if root.startswith(cwd + os.sep) else root  # tests/pytest.ini makes tests/ the root
        self._top = outer.rstrip(os.sep) + os.sep
        self._standard = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
        self._files, self._folders = set(), set()

    def collected(self, items, testpaths):
        self._items, self._testpaths, self._known = items, testpaths, {}

    def holds(self, filename):
        return isinstance(filename, str) and filename.startswith(self._top)

    def describe(self, filename):
        found = self._known.get(filename)
        if found is None:
            found = self._known[filename] = self._describe(filename)
        return found

    def _describe(self, filename):
        if filename.startswith("<"):
            return filename, "library" if filename.startswith("<frozen ") else "generated"
        full = self._os_path.normpath(self._os_path.join(self._cwd, filename))
        if not self.holds(full) and self.holds(self._os_path.realpath(full)):
            full = self._os_path.realpath(full)
        if not self.holds(full):
            return full, "library"
        shown = self._os_path.relpath(full, self._root).replace(os.sep, "/")
        parts = full[len(self._top) :].split(os.sep)
        if full.startswith(self._standard) or "site-packages" in parts or "dist-packages" in parts:
            return shown, "library"
        return shown, "test" if self._is_test(full, parts) else "project"

    def _is_test(self, full, parts):
        if self._items is not None:
            self._learn(self._items, self._testpaths)
            self._items = None
        name = parts[-1]
        if (
            name == "conftest.py"
            or name.startswith("test_")
            or name.endswith("_test.py")
            or full in self._files
        ):
            return True
        return any(full.startswith(folder) for folder in self._folders)

    def _learn(self, items, testpaths):
        """A folder of tests is one that has the name of one, or is in `testpaths`, and that tests came from."""
        join = self._os_path.join
        for file in {item.nodeid.partition("::")[0] for item in items if hasattr(item, "function")}:
            full = self._os_path.normpath(join(self._root, *file.split("/")))
            self._files.add(full)
            for path in (self._os_path.normpath(join(self._root, given)) + os.sep for given in testpaths):
                if full.startswith(path) and len(path) > len(self._top):
                    self._folders.add(path)
            parts = full[len(self._top) :].split(os.sep)[:-1]
            depth = next((n for n, part in enumerate(parts, 1) if _TESTS_FOLDER.search(part)), None)
            if depth:
                self._folders.add(self._top + os.sep.join(parts[:depth]) + os.sep)


class _Evidence(object):
    """Exceptions, frames, fixtures and sessions as plain values."""

    def __init__(self, places, lines):
        self._places, self._lines = places, lines
        self._line_of, self._identities, self._fresh = linecache.getline, {}, itertools.count(1)

    def linked(self, exc, via="raised", seen=None):
        """(exception, how it hangs on the one before) pairs: head, members of a group, cause or context."""
        seen = [] if seen is None else seen
        if exc is None or len(seen) >= 10 or any(exc is known for known, _ in seen):
            return seen
        seen.append((exc, via))
        for member in _sub_exceptions(exc):
            self.linked(member, "group", seen)
        if exc.__cause__ is not None:
            return self.linked(exc.__cause__, "cause", seen)
        return self.linked(None if exc.__suppress_context__ else exc.__context__, "context", seen)

    def told(self, exc):
        """The whole chain of `exc`, or as much of it as can be had."""
        linked = self._lines.guarded(self.linked, exc) or []
        return self._lines.guarded(self.chain, linked) or []

    def chain(self, linked):
        return [self._exception(exc, via) for exc, via in linked]

    def _exception(self, exc, via):
        cls = type(exc)
        mro = [_name(base) for base in cls.__mro__[1:] if base is not object]
        found = {"type": _name(cls), "mro": mro, "msg": _message(exc), "via": via, "oid": self._identity(exc)}
        steps = self._lines.guarded(_steps, exc.__traceback__) or []
        follows = self._lines.guarded(_poison, steps, exc)
        if follows is not None:
            found["follows"] = self._identity(follows)
        steps = self._lines.guarded(self._trimmed, steps) or steps
        if len(steps) > 60:
            found["elided"], steps = len(steps) - 60, steps[:20] + steps[-40:]
        frames = [self._lines.guarded(self._frame, *step) for step in steps]
        found["frames"] = [frame for frame in frames if frame]
        return found

    def _identity(self, exc):
        """`id(exc)`, or another number where an exception that is gone had the same."""
        try:
            reference = weakref.ref(exc)
        except TypeError:
            return id(exc)
        known = self._identities.get(id(exc))
        if known is None or known[0]() is not exc:
            known = self._identities[id(exc)] = (reference, id(exc) if known is None else next(self._fresh))
        return known[1]

    def _trimmed(self, steps):
        """Without what runs the tests: all above the body of the test, the fixture or the module."""
        modules = [str(frame.f_globals.get("__name__")) for frame, _, _ in steps]
        runs = [module.startswith(_RUNNERS) for module in modules]
        names = [frame.f_code.co_name for frame, _, _ in steps]
        start = next((n + 1 for n, name in enumerate(names) if runs[n] and name in _CALLERS), None)
        if start is None:  # a conftest's wrapper of a hook may stand above pytest's own frames
            start = max([n + 1 for n, module in enumerate(modules) if module == "_pytest.runner"] or [0])
            kinds = [self._places.describe(frame.f_code.co_filename)[1] for frame, _, _ in steps]
            own = next((n for n in range(start, len(steps)) if kinds[n] in ("project", "test")), start)
            start = max([n + 1 for n in range(start, own) if runs[n]] or [start])
        start = next((n for n in range(start, len(steps)) if not runs[n]), len(steps))
        return steps[start:] or steps[-1:]

    def _frame(self, frame, lineno, lasti):
        code = frame.f_code
        file, kind = self._places.describe(code.co_filename)
        found = {"file": file, "line": lineno, "func": code.co_name, "kind": kind}
        found["mod"] = str(frame.f_globals.get("__name__"))
        if kind in ("project", "test"):
            raw = self._line_of(code.co_filename, lineno, frame.f_globals).rstrip("\n")
            columns = _columns(code, lasti, lineno, raw) if raw else None
            found["src"] = raw.strip()[:300]
            if columns:
                found["col"], found["indent"] = columns, len(raw) - len(raw.lstrip())
        return found

    def place(self, function):
        function = inspect.unwrap(function)
        function = getattr(function, "func", function)  # functools.partial
        code = getattr(getattr(function, "__func__", function), "__code__", None)
        if code is None:
            return None
        file, kind = self._places.describe(code.co_filename)
        return {"file": file, "line": code.co_firstlineno, "func": code.co_name, "kind": kind}

    def test(self, item):
        function = getattr(item, "function", None)
        found = self.place(function) if function is not None else None
        if found is None:
            file, line, _ = item.location
            found = {"file": str(file).replace(os.sep, "/"), "line": (line or 0) + 1, "func": item.name}
        return found

    def fixtures(self, item):
        """The closure in the order of set-up, an overridden fixture before the one that overrides it."""
        info = getattr(item, "_fixtureinfo", None)
        if info is None:
            return []
        order, seen = [], set()

        def visit(name, level):
            known = info.name2fixturedefs.get(name) or ()
            if (name, level) in seen or len(known) < level:
                return
            seen.add((name, level))
            for argument in known[-level].argnames:
                visit(argument, level + 1 if argument == name else 1)
            order.append(known[-level])

        for name in info.names_closure:
            visit(name, 1)
        request = getattr(item, "_request", None)
        asked = getattr(request, "_fixture_defs", {}).values()  # by getfixturevalue
        order.extend(definition for definition in asked if definition not in order)
        return [found for found in map(self._fixture, order) if found]

    def _fixture(self, definition):
        function = definition.func
        if getattr(function, "__name__", "") == "get_direct_param_fixture_func":  # a parameter, not a fixture
            return None
        generates = inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)
        found = {
            "name": definition.argname,
            "scope": str(definition.scope),
            "args": list(definition.argnames),
        }
        found["gen"], found["def"] = generates, self._lines.guarded(self.place, function)
        return found

    def facts(self, linked, item):
        orm = sys.modules.get("sqlalchemy.orm.session")
        if orm is None or not any(type(exc).__module__.startswith("sqlalchemy") for exc, _ in linked):
            return {}
        failing = next(
            filter(None, (_failing_session(orm, _steps(exc.__traceback__)) for exc, _ in linked)), None
        )
        registries = self._lines.guarded(self._registries, item) or {}
        sessions = sorted(list(orm._sessions.values()), key=lambda session: session.hash_key)[-20:]
        described = [
            _session(session, session is failing, registries.get(id(session), False)) for session in sessions
        ]
        found = {"sessions": described}
        poison = self._lines.guarded(self._poisoned_by, linked, item)
        if poison:
            found["poison"] = poison
        return found

    def _poisoned_by(self, linked, item):
        """Where the exception that broke the session came from; its test may well have passed."""
        for exc, _ in linked:
            follows = _poison(_steps(exc.__traceback__), exc)
            steps = _steps(follows.__traceback__) if follows is not None else []
            frames = [self._frame(*step) for step in self._trimmed(steps)] if steps else []
            own = [frame for frame in frames if frame["kind"] in ("project", "test")]
            if own:
                codes = [frame.f_code for frame, _, _ in steps]
                return {"test": _owner(codes, item), "frames": own[-10:]}
        return None

    def _registries(self, item):
        """Which live session belongs to which scoped_session of the project's modules or the test's fixtures."""
        scoped = sys.modules["sqlalchemy.orm.scoping"].scoped_session
        found = {}
        for name, value in list(getattr(item, "funcargs", {}).items()):
            found.update(_scoped_sessions(value, scoped, True))
        own = []
        for name, module in list(sys.modules.items()):
            namespace = getattr(module, "__dict__", {})
            if self._places.holds(namespace.get("__file__")):
                own.append(
                    (
                        self._places.describe(namespace["__file__"])[1] == "project",
                        -len(name),
                        name,
                        namespace,
                    )
                )
        for _, _, name, namespace in sorted(
            own, key=lambda one: one[:3]
        ):  # where it is defined, not where imported
            for attribute, value in list(namespace.items()):
                found.update(_scoped_sessions(value, scoped, name + "." + attribute))
        return found


def _lines_of(items):
    """From 1; 0 where a plugin's item has none."""
    return [line + 1 if type(line) is int else 0 for line in (item.location[1] for item in items)]


def _steps(traceback):
    steps = []
    while traceback is not None:
        steps.append((traceback.tb_frame, traceback.tb_lineno, traceback.tb_lasti))
        traceback = traceback.tb_next
    return steps


def _poison(steps, exc):
    """The exception that broke the SQLAlchemy transaction which a frame refused to go on with."""
    for frame, _, _ in reversed(steps):
        if str(frame.f_globals.get("__name__")).startswith("sqlalchemy."):
            found = getattr(frame.f_locals.get("self"), "_rollback_exception", None)
            if isinstance(found, BaseException) and found is not exc:
                return found
    return None


def _owner(codes, item):
    """The node id of the last test up to `item` whose function is among these code objects."""
    found = None
    for other in item.session.items:
        function = getattr(other, "function", None)
        if getattr(getattr(function, "__func__", function), "__code__", None) in codes:
            found = other.nodeid
        if other is item:
            break
    return found


def _failing_session(orm, steps):
    for frame, _, _ in reversed(steps):
        if str(frame.f_globals.get("__name__")).startswith("sqlalchemy."):
            for name in ("self", "session"):
                value = frame.f_locals.get(name)
                for candidate in (value, getattr(value, "session", None)):
                    if issubclass(type(candidate), orm.Session):
                        return candidate
    return None


def _session(session, failing, registry):
    holds = {}
    for state in list(session._new) + list(session.identity_map.all_states()):
        name = _name(state.class_)
        holds[name] = holds.get(name, 0) + 1
    active = bool(session.is_active)
    return {"n": session.hash_key, "failing": failing, "active": active, "registry": registry, "holds": holds}


def _scoped_sessions(value, scoped, label):
    """{id of a session: label} of a scoped_session, or of an object that has one as `session` (Flask-SQLAlchemy)."""
    if not issubclass(type(value), scoped):
        try:
            value = object.__getattribute__(value, "__dict__").get("session")
        except Exception:
            return {}
        if not issubclass(type(value), scoped):
            return {}
        label = label if label is True else label + ".session"
    inner = value.registry.registry
    sessions = inner.values() if isinstance(inner, dict) else [getattr(inner, "value", None)]
    return {id(session): label for session in sessions}


def _bodies(linked):
    """Names of the fixtures whose bodies were running, outermost first."""
    names, finished = [], []
    for exc, via in linked:
        if via not in ("raised", "group"):
            continue
        for frame, _, _ in _steps(exc.__traceback__):
            if str(frame.f_globals.get("__name__")) == "_pytest.fixtures":
                if frame.f_code.co_name == "call_fixture_func":
                    names.append(frame.f_locals["request"].fixturename)
                elif frame.f_code.co_name == "finish":
                    finished = [frame.f_locals["self"].argname]
        names, finished = names + finished, []
    return list(dict.fromkeys(names))


class _Session(object):
    """What every process of a run reports: the controller of xdist, a worker, or the only one."""

    running = None

    def __init__(self, lines, places, evidence):
        self.lines, self.places, self.evidence = lines, places, evidence

    def pytest_internalerror(self, excrepr, excinfo):
        chain = self.evidence.told(excinfo.value)
        text = self.lines.guarded(str, excrepr) or ""
        self.lines.record({"t": "internal", "text": _cut(text, 20000), "chain": chain})

    def pytest_keyboard_interrupt(self, excinfo):
        text = "%s: %s" % (type(excinfo.value).__name__, _message(excinfo.value))
        self.lines.record({"t": "interrupt", "id": self.running, "text": text})

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session):
        self.lines.line("")
        yield
        self.lines.record({"t": "end", "exit": int(session.exitstatus)})


class _Controller(_Session):
    """What only the process that pytest reports from sees."""

    def pytest_warning_recorded(self, warning_message, when, nodeid):
        self.lines.guarded(self._warn, warning_message, when, nodeid)

    def _warn(self, warning_message, when, nodeid):
        file, _ = self.places.describe(warning_message.filename)
        record = {
            "t": "warn",
            "category": _name(warning_message.category),
            "msg": _message(warning_message.message),
        }
        record.update(file=file, line=warning_message.lineno, id=nodeid, when=when)
        self.lines.record(record)

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, crashitem, report):
        worker = getattr(getattr(getattr(report, "node", None), "gateway", None), "id", None)
        self.lines.record({"t": "crash", "id": crashitem, "w": worker, "text": str(report.longrepr)})


class _Chosen(object):
    """Leaves test modules unread that hold none of the tests to run."""

    def __init__(self, root, keep):
        self._root = root
        self._files = {name.partition("::")[0] for name in keep}

    def pytest_ignore_collect(self, collection_path):
        path = str(collection_path)
        if not path.endswith(".py") or path.endswith(("__init__.py", "conftest.py")):
            return None
        shown = os.path.relpath(path, self._root).replace(os.sep, "/")
        return None if shown in self._files else True


class _Tests(_Session):
    """What the process that runs the tests sees; evidence never leaves an xdist worker any other way."""

    def __init__(self, lines, places, evidence, keep, worker):
        _Session.__init__(self, lines, places, evidence)
        self._keep, self._tells_collection = keep, worker in (None, "gw0")
        self._line, self._quote = lines.line, json.encoder.encode_basestring_ascii
        # With the start of the next test: nothing of the project's runs between the two, but a worker waits there.
        self._finish = lines.hold if worker is None else lines.line
        self._calls, self._item, self._outcome, self._failed = {}, None, "passed", set()
        self._name, self._around, self._body = "", 0.0, 0.0

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config, items):
        if self._keep is None:
            return
        left_out = [item for item in items if item.nodeid not in self._keep]
        kept = [item for item in items if item.nodeid in self._keep]
        items[:] = sorted(kept, key=lambda item: self._keep[item.nodeid])  # plugins may have shuffled them
        if left_out:
            config.hook.pytest_deselected(items=left_out)

    def pytest_collection_finish(self, session):
        self.places.collected(list(session.items), session.config.getini("testpaths"))
        record = {"t": "collected", "n": len(session.items)}
        if self._tells_collection:
            record["ids"] = [item.nodeid for item in session.items]
            record["lines"] = self.lines.guarded(_lines_of, session.items) or []
        self.lines.record(record)

    def pytest_exception_interact(self, node, call, report):
        if self._tells_collection and report.when == "collect":
            self.lines.guarded(self._collect_error, node, call.excinfo.value, report)

    def _collect_error(self, node, exc, report):
        chain = self.evidence.told(_unwrapped(exc))
        text = _cut(self.lines.guarded(str, report.longrepr) or "", 20000)
        self.lines.record({"t": "collect_error", "id": node.nodeid, "chain": chain, "text": text})

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid):
        self.running, self._outcome, self._around, self._body = nodeid, "passed", 0.0, 0.0
        self._name = name = self._quote(nodeid)
        self._line('{"t":"start","id":' + name + "}\n")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item, call):
        self._item = item
        self._calls[call.when] = call

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report):
        when = report.when
        call = self._calls.pop(when, None)
        if when == "call":
            self._body = (
                report.duration
            )  # a subtest's report comes before the whole test's, which contains it
        else:
            self._around += report.duration
        if report.outcome != "passed" or hasattr(report, "wasxfail"):
            self._not_passed(report, when, call)

    def _not_passed(self, report, when, call):
        if report.outcome == "failed":
            self._outcome = "failed" if when == "call" or self._outcome == "failed" else "error"
            exc = call.excinfo.value if call is not None and call.excinfo is not None else None
            if exc is not None or when not in self._failed:  # pytest 9 adds "contains 1 failed subtest"
                self._failed.add(when)
                self._fail(report, when, exc)
        elif report.outcome == "rerun":  # pytest-rerunfailures starts the test once more
            self._outcome = None
        elif self._outcome == "passed" and not hasattr(report, "context"):  # a subtest's skip skips no test
            if hasattr(report, "wasxfail"):
                self._outcome = "xpassed" if report.outcome == "passed" else "xfailed"
            elif report.outcome == "skipped":
                self._outcome = "skipped"

    def _fail(self, report, when, exc):
        guarded, evidence, item = self.lines.guarded, self.evidence, self._item
        linked = guarded(evidence.linked, exc) or []
        record = {
            "t": "fail",
            "id": report.nodeid,
            "when": when,
            "chain": guarded(evidence.chain, linked) or [],
        }
        if not record["chain"]:
            record["text"] = _cut(guarded(str, report.longrepr) or "", 20000)
        if item is not None:
            record["test"], record["fixtures"] = (
                guarded(evidence.test, item),
                guarded(evidence.fixtures, item) or [],
            )
            record["facts"] = guarded(evidence.facts, linked, item) or {}
            if hasattr(item, "callspec"):
                record["param"] = item.callspec.id
        record["in_fixture"] = guarded(_bodies, linked) or []
        self.lines.record(record)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logfinish(self):
        if self._outcome is not None:
            spent = "%.6f" % (self._around + self._body)
            self._finish(
                '{"t":"done","id":' + self._name + ',"o":"' + self._outcome + '","d":' + spent + "}\n"
            )
        self.running = self._item = None
        self._calls.clear()
        if self._failed:
            self._failed = set()


class _Plain(_Tests, _Controller):
    """The only process of a run without xdist."""


def _is_ours(entry):
    return bool(entry) and os.path.realpath(str(entry)) == _FOLDER


def _hide():
    """Tests, and the processes that they start, see neither this file nor its variables."""
    sys.path[:] = [entry for entry in sys.path if not _is_ours(entry)]
    path = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if not _is_ours(entry)]
    options = os.environ.get("PYTEST_ADDOPTS", "").replace("-p triage_probe", "").strip()
    for name, value in (("PYTHONPATH", os.pathsep.join(path)), ("PYTEST_ADDOPTS", options)):
        if value:
            os.environ[name] = value
        else:
            os.environ.pop(name, None)
    for name in [name for name in os.environ if name.startswith("TRIAGE_PROBE_")]:
        del os.environ[name]


def _distribution(stem):
    """Name and version out of the name of a metadata folder, which costs a hundredth of reading what is in it."""
    name, _, version = stem.partition("-")
    return re.sub(r"[-_.]+", "-", name).lower(), version.partition("-")[0]


def _packages(manager):
    found = {}
    for folder in sys.path:
        if os.path.basename(folder) in ("site-packages", "dist-packages") and os.path.isdir(folder):
            for stem, suffix in map(os.path.splitext, os.listdir(folder)):
                if suffix in (".dist-info", ".egg-info"):
                    name, version = _distribution(stem)
                    found.setdefault(name, version)
    found = {name: version for name, version in found.items() if name.startswith(_PACKAGES)}
    for facade in {id(facade): facade for _, facade in manager.list_plugin_distinfo()}.values():
        path = getattr(getattr(facade, "_dist", None), "_path", None)
        if getattr(path, "suffix", None) == ".dist-info":
            name, version = _distribution(path.stem)
        else:
            name, version = re.sub(r"[-_.]+", "-", str(facade.project_name)).lower(), str(facade.version)
        found.setdefault(name, version)
    return found


def _begin(config, out, worker, stacks):
    lines = _Lines(out, stacks)
    root, cwd = str(config.rootpath), str(config.invocation_params.dir)
    places = _Places(root, cwd)
    record = {
        "t": "session",
        "schema": 1,
        "python": "%d.%d.%d" % sys.version_info[:3],
        "pytest": pytest.__version__,
    }
    packages = lines.guarded(_packages, config.pluginmanager) if worker is None else None
    record.update(root=root, cwd=cwd, packages=packages or {}, w=worker)
    lines.record(record)
    return lines, places, _Evidence(places, lines)


def _may_distribute(options):
    """Whether xdist may start workers, which need PYTHONPATH, sys.path and the variables as they are."""
    return any(getattr(options, name, None) for name in ("numprocesses", "tx", "distload", "looponfail"))


def _distributes(option):
    tells_workers = getattr(option, "dist", "no") != "no" and bool(getattr(option, "tx", None))
    return (tells_workers and not option.collectonly) or bool(getattr(option, "looponfail", False))


class _State(object):
    stacks = None
    used = _OUT is None


def _start_stacks():
    if _SIGNAL and _State.stacks is None and not _State.used:
        _State.stacks = _Stacks(_OUT + ".stacks", int(_SIGNAL))


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config):
    if not _State.used:
        try:
            _start_stacks()
        except (OSError, ValueError, RuntimeError, AttributeError) as error:
            sys.stderr.write("triage_probe: no stacks: %s\n" % error)
        if not _may_distribute(early_config.known_args_namespace):
            _hide()
    outcome = yield
    if outcome.excinfo is not None and not _State.used:
        exc = outcome.excinfo[1]
        if not isinstance(exc, pytest.UsageError):
            try:
                lines, _, evidence = _begin(early_config, _OUT, None, _State.stacks)
            except OSError as error:
                sys.stderr.write("triage_probe: no records: %s\n" % error)
            else:
                lines.record({"t": "conftest_error", "chain": evidence.told(_unwrapped(exc))})


def _wanted():
    try:
        with open(_SELECT, encoding="utf-8") as file:
            return {name: place for place, name in enumerate(json.load(file))}
    except (OSError, ValueError, TypeError) as error:
        raise pytest.UsageError("triage_probe: TRIAGE_PROBE_SELECT: %s" % error)


def pytest_configure(config):
    if _State.used:
        return
    _State.used = True
    worker = getattr(config, "workerinput", {}).get("workerid")
    distributes = worker is None and _distributes(config.option)
    if not distributes:
        _hide()
    keep = _wanted() if _SELECT and not distributes else None
    try:
        begun = _begin(config, _OUT if worker is None else _OUT + "." + worker, worker, _State.stacks)
    except OSError as error:
        sys.stderr.write("triage_probe: no records: %s\n" % error)
        return
    if distributes:
        plugin = _Controller(*begun)
    else:
        plugin = (_Plain if worker is None else _Tests)(*begun, keep, worker)
    config.pluginmanager.register(plugin, "triage_probe_records")
    if keep is not None:
        config.pluginmanager.register(_Chosen(str(config.rootpath), keep), "triage_probe_chosen")
