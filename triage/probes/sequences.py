"""Which tests ran in which order in which process of a run."""

from collections.abc import Sequence
from pathlib import Path

from triage.probes.event_lines import read_events


def sequences(events: Sequence[Path]) -> tuple[tuple[str, ...], ...]:
    """Node ids as pytest gives them, in the order of their starts, one sequence for each process."""
    found = []
    for path in events:
        log = read_events([path])
        started = tuple(nodeid for nodeid, test in log.tests.items() if test.started)
        if started:
            found.append(started)
    return tuple(found)
