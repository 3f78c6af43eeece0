"""The records of a second pass as values of the model, cleaned and masked; nothing in them is trusted."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from triage.model.diagnosis import Evidence
from triage.model.observation import Applied, Observation, Place
from triage.model.terms import Phase
from triage.probes.event_lines import EventLog, Record, count_of, records_of, text_of
from triage.probes.evidence import EvidenceReader
from triage.text import Masker, clean_text, shorten

_PHASES = {"setup": Phase.SETUP, "call": Phase.CALL, "teardown": Phase.TEARDOWN}
_CAUSES = 5
_PIECES = 30
_NAMES = 40
_NAME = 300
_TEXT = 400


@dataclass(slots=True)
class Watched:
    """By test, in the order in which it came; `notes` say what did not work inside the plugins."""

    observations: dict[str, list[Observation]] = field(default_factory=dict)
    applied: dict[str, list[Applied]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def watched(log: EventLog, masker: Masker) -> Watched:
    """Everything that observers and interventions wrote in one run."""
    found, facts = Watched(), EvidenceReader(masker)
    for record in log.of("observed"):
        one = _observation(record, masker, facts)
        found.observations.setdefault(one.test, []).append(one)
    for record in log.of("intervened"):
        change = _applied(record, masker)
        found.applied.setdefault(change.test, []).append(change)
    for record in log.of("probe_error"):
        said = f"{text_of(record, 'where')}: {text_of(record, 'text')}"
        found.notes.append(f"a probe failed and the run went on: {shorten(masker.clean(said), _TEXT)}")
    return found


def _observation(record: Record, masker: Masker, facts: EvidenceReader) -> Observation:
    cause = record.get("cause")
    places: list[Record] = [cause] if isinstance(cause, dict) else []
    places += records_of(record, "others", _CAUSES)
    return Observation(
        test=masker.clean_id(text_of(record, "id")),
        phase=_PHASES.get(text_of(record, "when"), Phase.CALL),
        observer=clean_text(text_of(record, "probe"))[:_NAME],
        causes=tuple(place for one in places if (place := _place(one)) is not None)[:_CAUSES],
        evidence=tuple(
            piece for one in records_of(record, "evidence", _PIECES) if (piece := _piece(one, masker))
        ),
        names=_names(record.get("names"), masker),
        facts=facts.facts(record),
        impossible=shorten(masker.clean(text_of(record, "impossible")), _TEXT),
    )


def _applied(record: Record, masker: Masker) -> Applied:
    return Applied(
        test=masker.clean_id(text_of(record, "id")),
        kind=clean_text(text_of(record, "kind"))[:_NAME],
        file=clean_text(text_of(record, "file"))[:_NAME],
        line=count_of(record, "line"),
        text=shorten(masker.clean(text_of(record, "text")), _TEXT),
    )


def _place(record: Record) -> Place | None:
    file, line = clean_text(text_of(record, "file")), count_of(record, "line")
    return Place(file, line, clean_text(text_of(record, "symbol"))[:_NAME]) if file and line else None


def _piece(record: Record, masker: Masker) -> Evidence | None:
    place = _place(record)
    if place is None:
        return None
    kind = clean_text(text_of(record, "kind"))[:40] or "seen"
    return Evidence(kind, place.file, place.line, shorten(masker.clean(text_of(record, "text")), _TEXT))


def _names(value: object, masker: Masker) -> Mapping[str, str]:
    if not isinstance(value, dict):
        return {}
    pairs = [(key, text) for key, text in value.items() if isinstance(key, str) and isinstance(text, str)]
    return {clean_text(key)[:40]: masker.clean(text)[:_NAME] for key, text in pairs[:_NAMES]}
