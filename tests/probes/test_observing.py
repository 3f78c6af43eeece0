"""What observers wrote, as values; a project's own code may have written it, so nothing in it is trusted."""

import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as some

from triage.model.diagnosis import Evidence
from triage.model.observation import Place
from triage.model.terms import Phase
from triage.probes.event_lines import EventLog, read_events
from triage.probes.observing import Watched, watched
from triage.text import Masker

JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=8),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
KEYS = ("id", "when", "probe", "cause", "others", "evidence", "names", "facts", "impossible", "kind", "text")


def seen(*records: dict[str, Any], masker: Masker | None = None) -> Watched:
    log = EventLog()
    for record in records:
        log.others.setdefault(record["t"], []).append(record)
    return watched(log, masker or Masker())


def test_an_observation_keeps_its_places_in_order_and_its_names() -> None:
    place, other = {"file": "a.py", "line": 3, "symbol": "make"}, {"file": "b.py", "line": 4}
    record = {
        "t": "observed",
        "id": "t.py::test_a",
        "when": "setup",
        "probe": "some-observer",
        "cause": place,
        "others": [other],
        "names": {"model": "User"},
        "facts": {"mixed": True},
        "evidence": [{"kind": "born", "file": "a.py", "line": 3, "text": "User()"}],
    }
    (one,) = seen(record).observations["t.py::test_a"]
    assert one.causes == (Place("a.py", 3, "make"), Place("b.py", 4))
    assert (one.phase, one.observer, one.names) == (Phase.SETUP, "some-observer", {"model": "User"})
    assert one.evidence == (Evidence("born", "a.py", 3, "User()"),)
    assert one.facts == {"mixed": True}


def test_a_piece_without_a_place_is_none() -> None:
    record = {
        "t": "observed",
        "id": "a",
        "cause": {"file": "a.py"},
        "evidence": [{"kind": "born", "text": "x"}],
    }
    (one,) = seen(record).observations["a"]
    assert (one.causes, one.evidence) == ((), ())


def test_secrets_are_masked_in_every_text() -> None:
    masker = Masker(["hunter2secret"])
    record = {
        "t": "observed",
        "id": "a",
        "impossible": "with hunter2secret",
        "names": {"value": "hunter2secret"},
        "evidence": [{"kind": "flush", "file": "a.py", "line": 1, "text": "INSERT 'hunter2secret'"}],
    }
    change = {"t": "intervened", "id": "a", "kind": "k", "file": "a.py", "line": 1, "text": "hunter2secret"}
    found = seen(record, change, masker=masker)
    assert "hunter2secret" not in repr(found)


def test_an_error_inside_a_probe_becomes_a_note() -> None:
    (note,) = seen({"t": "probe_error", "where": "_refused", "text": "KeyError: 'x'"}).notes
    assert note == "a probe failed and the run went on: _refused: KeyError: 'x'"


@given(some.lists(some.fixed_dictionaries({}, optional=dict.fromkeys(KEYS, JSON)), max_size=4))
def test_records_of_any_shape_never_raise(records: list[dict[str, Any]]) -> None:
    told = [{**record, "t": kind} for record in records for kind in ("observed", "intervened", "probe_error")]
    found = seen(*told)
    for one in (each for several in found.observations.values() for each in several):
        assert all(place.file and place.line > 0 for place in one.causes)


def test_lines_of_a_file_are_read_with_the_rest(tmp_path: Path) -> None:
    lines = [{"t": "start", "id": "a"}, {"t": "intervened", "id": "a", "kind": "k", "file": "f", "line": 2}]
    path = tmp_path / "events.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    (one,) = watched(read_events([path]), Masker()).applied["a"]
    assert (one.kind, one.file, one.line) == ("k", "f", 2)
