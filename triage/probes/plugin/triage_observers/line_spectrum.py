"""Which own lines each test executes, its fixtures included; only where a localisation was asked for.

Python 3.12 and later: events of `sys.monitoring` under a tool number of our own, beside any coverage. Before that
`sys.settrace`, which has room for one: where the project's own coverage or a debugger sits there, one record says so.
Lines of a fixture with a wider scope count for every test that uses it; those of its teardown for the last one.
"""

from __future__ import annotations

import itertools
import sys
import threading

import pytest

_OWN = ("project", "test")
_SHIFT = 24  # bits of a line number
_MOST = 1 << 18  # code objects: what bounds a project that makes code in a loop


class _Taken(Exception):
    """Somebody else watches the lines already."""


class _Monitor(object):
    """Events of own code only; a line that was seen costs nothing until the next `begin`."""

    def __init__(self, own, seen):
        self._own, self._seen, self._api = own, seen, sys.monitoring
        self._codes, self._slots, self._tool = {}, {}, None
        self._next = itertools.count().__next__
        self._add, self._disable = seen.add, sys.monitoring.DISABLE

    def start(self):
        if self._tool is not None:
            return
        api = self._api
        free = [number for number in (4, 3) if api.get_tool(number) is None]
        if not free:
            raise _Taken("sys.monitoring has no tool number left: its numbers 3 and 4 are in use")
        self._tool = free[0]
        api.use_tool_id(self._tool, "triage")
        api.register_callback(self._tool, api.events.PY_START, self._entered)
        api.register_callback(self._tool, api.events.LINE, self._line)
        api.set_events(self._tool, api.events.PY_START)

    def begin(self):
        """Sees every line anew: `restart_events` would do so for all code of the process, and of all tools."""
        for slot in {number >> _SHIFT for number in self._seen}:
            self._arm(self._codes[slot])
        self._seen.clear()

    def stop(self):
        """The events stay on between tests: nothing is own there, and what is disabled stays so."""

    def filename(self, slot):
        return self._codes[slot].co_filename

    def _arm(self, code):
        self._api.set_local_events(self._tool, code, 0)
        self._api.set_local_events(self._tool, code, self._api.events.LINE)

    def _entered(self, code, offset):
        if self._own(code.co_filename) and len(self._codes) < _MOST and id(code) not in self._slots:
            slot = self._next()
            self._codes[slot] = code  # kept, so that its number stays its own: hashing code takes long
            self._slots[id(code)] = slot << _SHIFT
            self._arm(code)
        return self._disable

    def _line(self, code, line):
        self._add(self._slots[id(code)] + line)
        return self._disable


class _Tracer(object):
    """The same by trace functions, which every line of own code calls, seen or not."""

    def __init__(self, own, seen):
        self._own, self._seen = own, seen
        self._names, self._local = {}, {}
        self._next = itertools.count().__next__
        self._function = self._called  # one object: `is` tells it from somebody else's

    def start(self):
        other = sys.gettrace()
        if other is not None and other is not self._function:
            named = other if hasattr(other, "__qualname__") else type(other)
            raise _Taken("sys.settrace is in use by %s.%s" % (named.__module__, named.__qualname__))
        threading.settrace(self._function)
        sys.settrace(self._function)

    def begin(self):
        self._seen.clear()

    def stop(self):
        if sys.gettrace() is self._function:
            sys.settrace(None)
        if getattr(threading, "_trace_hook", None) is self._function:
            threading.settrace(None)

    def filename(self, slot):
        return self._names[slot]

    def _called(self, frame, event, argument):
        filename = frame.f_code.co_filename
        try:
            return self._local[filename]
        except KeyError:
            local = self._made(filename) if self._own(filename) and len(self._names) < _MOST else None
            self._local[filename] = local
            return local

    def _made(self, filename):
        slot, add = self._next(), self._seen.add
        self._names[slot], base = filename, slot << _SHIFT

        def local(frame, event, argument):
            if event == "line":
                add(base + frame.f_lineno)
            return local

        return local


class _Fixtures(object):
    """The lines that each fixture of a wider scope took to set up."""

    def __init__(self, probe):
        self._probe, self._lines, self._asked = probe, {}, []

    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_fixture_setup(self, fixturedef, request):
        if str(fixturedef.scope) in ("function", "Scope.Function") or not self._probe.running:
            yield
            return
        before = self._probe.fresh()
        yield
        self._lines[id(fixturedef)] = (fixturedef, frozenset(self._probe.seen))
        self._probe.seen.update(before)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self, item):
        """Now, as pytest forgets what a test asked for by name."""
        table = getattr(getattr(item, "_request", None), "_fixture_defs", None)
        self._asked = list(table.values()) if isinstance(table, dict) else []

    def of(self, item):
        """Lines of what this test asked for, set up by itself or long before it."""
        table = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", None) or {}
        asked = self._asked + [one for definitions in table.values() for one in definitions]
        self._asked = []
        return [self._lines[id(one)][1] for one in asked if id(one) in self._lines]


class Probe(object):
    def __init__(self, tools):
        self._tools, self.seen, self.running, self._silent = tools, set(), False, False
        watch = _Monitor if hasattr(sys, "monitoring") else _Tracer
        self._watch, self._fixtures = watch(self._is_own, self.seen), _Fixtures(self)
        tools.config.pluginmanager.register(self._fixtures, "triage_line_spectrum")

    def test_started(self, item):
        if self._silent:
            return
        try:
            self._watch.start()
        except _Taken as error:
            self._silent = True
            self._tools.record({"t": "spectrum_error", "text": "lines cannot be watched: %s" % error})
            return
        self._watch.begin()
        self.running = True

    def test_ended(self, item):
        if not self.running:
            return
        self.running = False
        self._watch.stop()
        numbers = self.seen.union(*self._fixtures.of(item))
        files, tests = self._files(numbers)
        self._tools.record({"t": "spectrum", "id": item.nodeid, "files": files, "tests": tests})

    def fresh(self):
        """What was seen so far; from now on every line is seen anew."""
        before = set(self.seen)
        self._watch.begin()
        return before

    def _is_own(self, filename):
        return self._tools.describe(filename)[1] in _OWN

    def _files(self, numbers):
        """Ranges of lines by file, and which of the files are code of tests."""
        lines, kinds, mask = {}, {}, (1 << _SHIFT) - 1
        places = {}
        for number in numbers:
            slot = number >> _SHIFT
            if slot not in places:
                shown, kinds[shown] = self._tools.describe(self._watch.filename(slot))
                places[slot] = lines.setdefault(shown, set())
            places[slot].add(number & mask)
        files = {shown: _ranges(sorted(lines[shown])) for shown in sorted(lines)}
        return files, [shown for shown in files if kinds[shown] == "test"]


def _ranges(lines):
    found = []
    for line in lines:
        if found and found[-1][1] == line - 1:
            found[-1][1] = line
        else:
            found.append([line, line])
    return found


def start(tools):
    return Probe(tools)
