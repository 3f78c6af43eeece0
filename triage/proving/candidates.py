"""Where a failure may come from: what was observed, what rules point at, what the traceback shows."""

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from triage.model.case import Frame, Problem
from triage.model.diagnosis import Cause, Evidence
from triage.model.failure import Failure
from triage.model.finding import Finding
from triage.model.observation import Observation, Place
from triage.model.playbook import Playbook
from triage.model.terms import Proof
from triage.rules.involved import own_frames, poisoner
from triage.rules.lookup import Lookup
from triage.rules.production_path import production_path
from triage.text import shorten

MAX_NAME = 200  # characters of what an expression captured, in a sentence
_WRITES = re.compile(r"\[SQL: (?:INSERT INTO|UPDATE|DELETE FROM) (?:[\"`\[]?\w+[\"`\]]?\.)?[\"`\[]?(\w+)")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place that may be the cause; `names` fill sentences and tell an intervention its target."""

    cause: Cause
    proof: Proof
    evidence: tuple[Evidence, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    impossible: str = ""

    @property
    def place(self) -> tuple[str, int]:
        return self.cause.file, self.cause.line


def candidates(
    failure: Failure,
    playbooks: Mapping[str, Playbook],
    lookup: Lookup,
    observations: Sequence[Observation] = (),
) -> tuple[Candidate, ...]:
    """The likeliest first, at least one; each place once, with all that speaks for it."""
    playbook = playbooks.get(failure.playbook or "")
    seen = _raised(failure.problem)
    names = {**_statement(failure.problem), **dict(failure.match.captures if failure.match else ())}
    mine = [one for one in observations if playbook and one.observer == playbook.diagnose.probe]
    mine = [one for one in mine if one.phase == failure.problem.phase] or mine
    found = [
        *_observed(mine, playbook, lookup, names),
        *_static(failure.problem, playbook, playbooks, lookup, names),
    ]
    if not any(one.proof is Proof.OBSERVED for one in found) or playbook is None:
        file, line, symbol = _site(failure, playbook, names, lookup)
        sentence = explain(playbook, names, "") if playbook else _unknown(failure)
        found.append(Candidate(Cause(file, line, symbol, sentence), Proof.NONE, (), names))
    impossible = next((one.impossible for one in mine if one.impossible), "")
    merged = _merged(found)
    return tuple(
        replace(one, evidence=_distinct((*one.evidence, *seen)), impossible=impossible) for one in merged
    )


def _observed(
    observations: Iterable[Observation],
    playbook: Playbook | None,
    lookup: Lookup,
    names: Mapping[str, str],
) -> Iterable[Candidate]:
    for one in observations if playbook else ():
        known = {**names, **one.names}
        evidence = (*one.evidence, *_in_production(one, lookup))
        for place in one.causes:
            sentence = explain(playbook, known, "") if playbook else ""
            yield Candidate(_cause(place, sentence), Proof.OBSERVED, evidence, known)


def _in_production(one: Observation, lookup: Lookup) -> tuple[Evidence, ...]:
    """Whether the product has, in production, what the test lacked; from the source, where it was asked."""
    product = one.facts.get("product")
    if not isinstance(product, Mapping):
        return ()
    file, symbol, line = (product.get(key) for key in ("file", "symbol", "line"))
    if not (isinstance(file, str) and isinstance(symbol, str) and isinstance(line, int)):
        return ()
    path = production_path(lookup.tree, file, symbol)
    return (Evidence("production", path.file or file, path.line or line, path.text),)


def _static(
    problem: Problem,
    playbook: Playbook | None,
    others: Container[str],
    lookup: Lookup,
    names: Mapping[str, str],
) -> Iterable[Candidate]:
    finding = lookup.near(playbook.diagnose.rules, problem, names) if playbook else None
    if playbook is None or finding is None:
        return
    known = {**names, **finding.subject}
    sentence = explain(playbook, known, finding.message)
    if finding.rule != playbook.id and finding.rule in others:  # another kind of defect shows here
        sentence = f"{finding.message}."
    cause = Cause(finding.file, finding.line, finding.symbol, sentence)
    yield Candidate(cause, Proof.STATIC, _related(finding, lookup), known)


def _merged(found: Sequence[Candidate]) -> list[Candidate]:
    by_place: dict[tuple[str, int], Candidate] = {}
    for one in found:
        known = by_place.get(one.place)
        if known is None:
            by_place[one.place] = one
            continue
        sentence = known.cause.explanation or one.cause.explanation
        by_place[one.place] = replace(
            known,
            cause=replace(known.cause, explanation=sentence),
            evidence=_distinct((*known.evidence, *one.evidence)),
            names={**one.names, **known.names},
        )
    return list(by_place.values())


def _cause(place: Place, sentence: str) -> Cause:
    return Cause(place.file, place.line, place.symbol, sentence)


def _site(
    failure: Failure, playbook: Playbook | None, names: Mapping[str, str], lookup: Lookup
) -> tuple[str, int, str]:
    """Where the cause most likely stands when nothing else points anywhere."""
    kind = playbook.diagnose.site if playbook else "own-frame"
    problem = failure.problem
    if kind == "constructor":
        place = lookup.constructor(problem, names)
        if place is not None:
            return place
    if kind == "root":
        origin = poisoner(problem)
        place = lookup.constructor(origin, names) if origin else None
        if place is not None:
            return place
        problem = origin or problem
    frames = own_frames(problem)
    if kind in ("test-frame", "constructor"):
        frames = tuple(frame for frame in frames if frame.kind == "test") or frames
    if frames:
        return frames[-1].file, frames[-1].line, frames[-1].function
    return test_place(failure)


def test_place(failure: Failure) -> tuple[str, int, str]:
    """Where the test itself stands."""
    case = failure.case
    if case.file:
        return case.file, case.line or 1, case.function or case.name
    return (case.nodeid or case.classname or case.name).partition("::")[0] or "(unknown)", 1, case.name


test_place.__test__ = False  # type: ignore[attr-defined] # pytest would collect a function of this name


def _statement(problem: Problem) -> dict[str, str]:
    """The table that the failed statement writes, as SQLAlchemy shows it; empty where it shows none."""
    for exception in problem.chain:
        match = _WRITES.search(exception.message)
        if match:
            return {"table": match[1]}
    return {}


def explain(playbook: Playbook | None, names: Mapping[str, str], default: str) -> str:
    """The first of the playbook's sentences of which every name is known; else the rule's, or the title."""
    if playbook is None:
        return default
    for template in playbook.diagnose.explanation:
        if all(names.get(name) for name in _PLACEHOLDER.findall(template)):
            return _PLACEHOLDER.sub(lambda place: _on_one_line(names[place[1]]), template)
    return default or f"{playbook.title}."


def _on_one_line(text: str) -> str:
    return shorten(" ".join(text.split()), MAX_NAME)


def _unknown(failure: Failure) -> str:
    head = failure.problem.head
    what = head.name if head and head.type else "a failure"
    return f"No playbook knows this: {what} came through here."


def _raised(problem: Problem) -> tuple[Evidence, ...]:
    frames = own_frames(problem)
    return tuple(_seen("raised" if frame is frames[-1] else "called", frame) for frame in frames[-2:])


def _seen(kind: str, frame: Frame) -> Evidence:
    return Evidence(kind, frame.file, frame.line, frame.source or f"in {frame.function}")


def _related(finding: Finding, lookup: Lookup) -> tuple[Evidence, ...]:
    places = (("cause", finding.file, finding.line), *finding.related)
    return tuple(Evidence(role, file, line, lookup.line(file, line)) for role, file, line in places)


def _distinct(pieces: Iterable[Evidence]) -> tuple[Evidence, ...]:
    return tuple(dict.fromkeys(pieces))
