"""What each test asserted while its own code ran, and which lines of the project it executed, phase by phase.

The lines of test code that ran tell it, as no report tells that an assertion held; of a test that passed, each did.
"""

from __future__ import annotations

import ast
import linecache
import sys
import threading

import triage_observe

_LINES = triage_observe._load("triage_observers", "line_spectrum")
_ASSERTIONS = triage_observe._load("triage_observers", "_assertions")
_MOST = 200  # pieces of one fact


def start(tools):
    return Probe(tools)


class _Held(_LINES._Tracer):
    """Holds `sys.settrace` while a test runs; a coverage or debugger that had it gets it back."""

    def start(self):
        if sys.gettrace() is not self._function:
            self._before = (sys.gettrace(), getattr(threading, "_trace_hook", None))
        threading.settrace(self._function)
        sys.settrace(self._function)

    def stop(self):
        threading.settrace(self._before[1])
        sys.settrace(self._before[0])


class Probe(object):
    def __init__(self, tools):
        self._tools, self._seen, self._files = tools, set(), {}
        watch = _LINES._Monitor if hasattr(sys, "monitoring") else _Held
        self._watch, self._running, self._silent = watch(self._is_own, self._seen), False, False
        self._setup = self._call = ()

    def test_started(self, item):
        if self._silent:
            return
        try:
            self._watch.start()
        except _LINES._Taken as error:
            self._silent = True
            self._tools.record({"t": "probe_error", "where": "assertions_made", "text": str(error)})
            return
        self._running, self._setup, self._call = True, (), ()
        self._watch.begin()

    def call_started(self, item):
        if self._running:
            self._setup = frozenset(self._seen)
            self._watch.begin()
            self._call = self._seen

    def teardown_started(self, item):
        if self._running:
            self._call = frozenset(self._call)

    def test_ended(self, item):
        if not self._running:
            return
        self._running = False
        self._watch.stop()
        self._tools.guarded(self._tell, item)

    def _tell(self, item):
        setup, (call, tests) = self._by_file(self._setup)[0], self._by_file(self._call)
        asserted = {
            shown: self._asserting(path).among(lines)
            for shown, (path, lines) in tests.items()
            if self._asserting(path)
        }
        count = sum(len(lines) for lines in asserted.values())
        facts = {
            "assertions": count,
            "lines": {shown: lines[:_MOST] for shown, lines in asserted.items() if lines},
            "call": call,
            "setup": setup,
        }
        self._tools.record(
            {"t": "observed", "id": item.nodeid, "when": "call", "probe": "assertions-made", "facts": facts}
        )

    def _by_file(self, numbers):
        """Ranges of lines by file of the project, and (path, lines) by file of its tests."""
        product, tests, mask = {}, {}, (1 << _LINES._SHIFT) - 1
        for number in numbers:
            path = self._watch.filename(number >> _LINES._SHIFT)
            shown, kind = self._tools.describe(path)
            if kind == "test":
                tests.setdefault(shown, (path, set()))[1].add(number & mask)
            else:
                product.setdefault(shown, set()).add(number & mask)
        names = sorted(product)[:_MOST]
        return {shown: _LINES._ranges(sorted(product[shown]))[:_MOST] for shown in names}, tests

    def _asserting(self, path):
        if path not in self._files:
            try:
                found = _ASSERTIONS.Assertions(ast.parse("".join(linecache.getlines(path))))
            except (SyntaxError, ValueError, RecursionError):
                found = None
            self._files[path] = found
        return self._files[path]

    def _is_own(self, filename):
        return self._tools.describe(filename)[1] in ("project", "test")
