"""What each test leaves behind in the process and in databases that live on: records `left`, never an observation.

    {"t":"left","id":nodeid,"changes":[{"kind","name","before","after","file","line"}]}

Of rows the place is the own line that inserted them; they are told once a later test uses their table, which shows that
the database lived on. Where else something was changed, `trace-state` finds out, one name at a time.
"""

from __future__ import annotations

import triage_observe

_CHANGES = 60  # told of one test
state = triage_observe._load("triage_observers", "_state")
rows = triage_observe._load("triage_observers", "_rows")


def start(tools):
    return Probe(tools)


class Probe(object):
    def __init__(self, tools):
        self._tools = tools
        self._state, self._rows = state.State(tools), rows.Rows(tools)
        self._is_known = False

    def test_started(self, item):
        if not self._is_known:
            self._state.changes()
            self._is_known = True

    def fixture_value(self, item, definition, value):
        """What a wider fixture makes is for many tests, and no test has left it."""
        if str(definition.scope) not in ("function", "Scope.Function"):
            self._state.changes(within=True)
            self._state.watch(definition)

    def test_ended(self, item):
        found = self._state.changes()
        changes = [
            {
                "kind": kind,
                "name": name,
                "before": state.tokens.text(old),
                "after": state.tokens.text(new),
                "file": None,
                "line": None,
            }
            for kind, name, old, new in found[:_CHANGES]
        ]
        if changes:
            self._tools.record({"t": "left", "id": item.nodeid, "changes": changes})
