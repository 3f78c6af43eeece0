"""Tells when a frame begins a statement and when that frame ends; used by `triage_observe`. PYTEST_DONT_REWRITE

Python 3.12 and newer tell it through `sys.monitoring`, which every tracer leaves alone; older ones through
`sys.settrace`, which one owner holds at a time: ours holds it while a test runs, the one before gets it back.
"""

from __future__ import annotations

import dis
import sys
import threading

_SUSPENDABLE = 0x2A0  # generator, coroutine, asynchronous generator
_COMPREHENSIONS = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")


class Tracer(object):
    """`begin` and `finish` enclose each test; what is still open at `finish` is left then."""

    def __init__(self, tools):
        self._frames, self._way = _Frames(tools), None

    def add(self, file, line, enter, leave):
        self._frames.add(file, line, enter, leave)
        if self._way is None:
            self._way = _monitored(self._frames) or _Traced(self._frames)
        self._way.begin()

    def begin(self):
        if self._way is not None:
            self._way.begin()

    def finish(self):
        if self._way is not None:
            self._frames.leave_all()
            self._way.finish()


class _Frames(object):
    """Which sites a code object holds, and which are open in which frame."""

    def __init__(self, tools):
        self._tools, self._sites, self._known, self._open = tools, [], {}, {}

    def add(self, file, line, enter, leave):
        self._sites.append((file, line, enter, leave))
        self._known.clear()

    def sites(self, code):
        """(first line, last line, number, enter, leave); equal code of two files is two codes, hence the identity."""
        known = self._known.get(id(code))
        if known is None:
            known = self._known[id(code)] = (code, self._tools.guarded(self._sites_in, code) or ())
        return known[1]

    def _sites_in(self, code):
        shown, kind = self._tools.describe(code.co_filename)
        if kind not in ("project", "test") or code.co_name in _COMPREHENSIONS:
            return ()  # the frame around a comprehension has begun the statement before
        lines = {line for _, line in dis.findlinestarts(code) if line is not None}
        found = []
        for number, (file, line, enter, leave) in enumerate(self._sites):
            if file == shown:
                begin, end = self._tools.statement(code.co_filename, line)
                if any(begin <= each <= end for each in lines):
                    found.append((begin, end, number, enter, leave))
        return tuple(found)

    def at(self, frame, line):
        for begin, end, number, enter, leave in self.sites(frame.f_code):
            if begin <= line <= end:
                opened = self._open.setdefault(frame, {})
                if number not in opened:
                    opened[number] = leave
                    self._tools.guarded(enter, frame)

    def is_open(self, frame):
        return frame in self._open

    def ended(self, frame):
        opened = self._open.pop(frame, None)
        while opened:
            self._tools.guarded(opened.popitem()[1], frame)

    def leave_all(self):
        """A generator that nobody ended, a thread that goes on."""
        for frame in list(self._open)[::-1]:
            self.ended(frame)


class _Monitored(object):
    """`sys.monitoring` under a free tool number."""

    def __init__(self, frames, number):
        self._frames, self._number, self._holding = frames, number, set()
        self._monitoring = sys.monitoring
        self._events = sys.monitoring.events
        self._disable = sys.monitoring.DISABLE
        for event, function in (
            (self._events.PY_START, self._started),
            (self._events.LINE, self._line),
            (self._events.PY_RETURN, self._returned),
            (self._events.PY_UNWIND, self._returned),
        ):
            sys.monitoring.register_callback(number, event, function)
        sys.monitoring.set_events(number, self._events.PY_START | self._events.PY_UNWIND)
        self._sites = None

    def begin(self):
        """Codes that were seen before the newest site was added are asked again."""
        if self._sites != len(self._frames._sites):
            self._sites = len(self._frames._sites)
            self._monitoring.restart_events()

    def finish(self):
        pass

    def _started(self, code, offset):
        if self._frames.sites(code):
            self._holding.add(id(code))
            self._monitoring.set_local_events(self._number, code, self._events.LINE | self._events.PY_RETURN)
            return None
        return self._disable

    def _line(self, code, line):
        self._frames.at(sys._getframe(1), line)

    def _returned(self, code, offset, value):
        if id(code) in self._holding:
            self._frames.ended(sys._getframe(1))


def _monitored(frames):
    monitoring = getattr(sys, "monitoring", None)
    for number in (4, 3) if monitoring is not None else ():
        try:
            monitoring.use_tool_id(number, "triage")
        except ValueError:
            continue
        return _Monitored(frames, number)
    return None


class _Traced(object):
    """`sys.settrace`."""

    def __init__(self, frames):
        self._frames, self._raised = frames, set()
        self._function = self._called  # one object, to be known again
        self._before = None

    def begin(self):
        if sys.gettrace() is not self._function:
            self._before = (sys.gettrace(), getattr(threading, "_trace_hook", None))
            threading.settrace(self._function)
            sys.settrace(self._function)

    def finish(self):
        if self._before is not None and self._before[0] is not None:
            threading.settrace(self._before[1])
            sys.settrace(self._before[0])

    def _called(self, frame, event, argument):
        return self._trace if self._frames.sites(frame.f_code) else None

    def _trace(self, frame, event, argument):
        if event == "line":
            self._raised.discard(frame)
            self._frames.at(frame, frame.f_lineno)
        elif event == "exception":
            if not issubclass(argument[0], (StopIteration, StopAsyncIteration)):
                self._raised.add(frame)  # the end of what is awaited or iterated over ends nothing here
        elif event == "return" and (frame in self._raised or not _suspends(frame)):
            self._raised.discard(frame)
            self._frames.ended(frame)
        return self._trace


def _suspends(frame):
    """Whether the frame only yields or awaits; CPython tells a yield from a return by the instruction alone."""
    if not frame.f_code.co_flags & _SUSPENDABLE:
        return False
    code, here = frame.f_code.co_code, frame.f_lasti
    if 0 <= here < len(code) and dis.opname[code[here]] == "YIELD_VALUE":
        return True
    # up to 3.10 a frame that awaits stands before the instruction, to run it again
    following = here + 2
    return 0 <= following < len(code) and dis.opname[code[following]] == "YIELD_FROM"
