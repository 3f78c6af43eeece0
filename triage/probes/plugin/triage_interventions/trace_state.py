"""Finds the own line that changes one name for longer than the test: nothing is changed but `sys.settrace`.

Orders name it: {"name": "shop.cache.STORE", "kind": "module"} as `process-state` tells them; the kind may be missing.
After each own line the name's value is looked at; the first line whose change is still there when the test ends goes into a
record `left` like that of `process-state`, with its place and, as `by`, the innermost line of a test that led there.
"""

from __future__ import annotations

import sys

import triage_observe

_OWN = ("project", "test")
_NAMES = 20  # watched at once
_LOOKS = 500_000  # of one test: what bounds a test that runs for long
_CHANGES = 1000  # remembered of one name


def start(tools, orders):
    return Change(tools, orders)


class Change(object):
    def __init__(self, tools, orders):
        self._tools, self._orders = tools, orders
        module = triage_observe._load("triage_observers", "_state")
        self._state, self._text = module.State(tools), module.tokens.text
        self._watched, self._own, self._line, self._former = [], {}, None, None
        self._by = None
        self._active, self._looks = (), 0

    def test_started(self, item):
        self._active = self._tools.active(self._orders)[:_NAMES]
        if not self._active:
            return
        self._watched = [one for order in self._active for one in self._watch(order.names)]
        self._line, self._by, self._former, self._looks = None, None, sys.gettrace(), 0
        sys.settrace(self._called)

    def _watch(self, names):
        name, kind = names.get("name", ""), names.get("kind")
        kinds = [kind] if kind else self._state.kinds_of(name)
        return [Watched(kind, name, self._state.reader(kind, name)) for kind in kinds]

    def fixture_value(self, item, definition, value):
        """What a wider fixture makes is for many tests, and no test has left it."""
        if str(definition.scope) not in ("function", "Scope.Function"):
            self._state.watch(definition)
            for one in self._watched:
                one.begin()

    def test_ended(self, item):
        if not self._active:
            return
        sys.settrace(self._former)
        self._look()
        changes = [self._change(one) for one in self._watched if one.differs()]
        self._watched, active, self._active = [], self._active, ()
        if changes:
            self._tools.record({"t": "left", "id": item.nodeid, "changes": changes})
            for order in active:
                self._tools.applied(order, "watched %s" % order.names.get("name"))

    def _change(self, one):
        file, line = self._place(one.line)
        by_file, by_line = self._place(one.by)
        before, after = self._text(one.first), self._text(one.now)
        return {
            "kind": one.kind,
            "name": one.name,
            "before": before,
            "after": after,
            "file": file,
            "line": line,
            "by": {"file": by_file, "line": by_line},
        }

    def _place(self, line):
        if line is None:
            return None, None
        return self._tools.describe(line[0])[0], line[1]

    # the tracer

    def _is_own(self, code):
        return self._kind(code) in _OWN

    def _kind(self, code):
        if code not in self._own:
            self._own[code] = self._tools.describe(code.co_filename)[1]
        return self._own[code]

    def _test(self, frame):
        """The line of the innermost frame of a test, fixture or helper of tests."""
        while frame is not None and self._kind(frame.f_code) != "test":
            frame = frame.f_back
        return None if frame is None else (frame.f_code.co_filename, frame.f_lineno)

    def _called(self, frame, event, argument):
        if self._looks > _LOOKS or not self._is_own(frame.f_code):
            return None
        self._look()
        self._line = self._by = None  # a decorator's or a default's line is not known before it runs
        return self._traced

    def _traced(self, frame, event, argument):
        if self._looks > _LOOKS:
            self._line = self._by = None
            return None
        self._look()
        if event == "return":
            outer = frame.f_back
            while outer is not None and not self._is_own(outer.f_code):
                outer = outer.f_back
            self._line = None if outer is None else (outer.f_code.co_filename, outer.f_lineno)
        else:
            self._line = (frame.f_code.co_filename, frame.f_lineno)
        self._by = self._test(outer if event == "return" else frame)
        return self._traced

    def _look(self):
        self._looks += 1
        for one in self._watched:
            self._tools.guarded(one.look, (self._line, self._by))


class Watched(object):
    """One name, and its changes since it last was as at the start: (before, after, (line, line of a test))."""

    def __init__(self, kind, name, read):
        self.kind, self.name, self._read = kind, name, read
        self.begin()

    def begin(self):
        self.first = self.now = self._read()
        self._changes = []

    def look(self, lines):
        before, self.now = self.now, self._read()
        if self.now == self.first:
            self._changes = []
        elif self.now != before and len(self._changes) < _CHANGES:
            self._changes.append((before, self.now, lines))

    def differs(self):
        return self.now != self.first

    @property
    def line(self):
        return self._lines()[0]

    @property
    def by(self):
        return self._lines()[1]

    def _lines(self):
        """The first change by an own line, of a dict or a set the first to an entry that differs at the end."""
        first, now = _entries(self.first), _entries(self.now)
        for before, after, lines in self._changes if first is not None and now is not None else ():
            before, after = _entries(before), _entries(after)
            if lines[0] is not None and before is not None and after is not None:
                if (after - before) & (now - first) or (before - after) & (first - now):
                    return lines
        return next((lines for _, _, lines in self._changes if lines[0] is not None), (None, None))


def _entries(one):
    """What a token of a dict or a set holds; None for everything else."""
    if one is None or one[0] not in ("dict", "set") or one[3] is None:
        return None
    return frozenset(one[3])
