"""Failures to causes: where each one comes from, what supports it, which tests it explains."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from triage.model.case import Frame, Problem
from triage.model.diagnosis import Cause, Diagnosis, Evidence
from triage.model.failure import Failure
from triage.model.finding import Finding
from triage.model.playbook import Playbook
from triage.model.terms import Proof, Severity
from triage.rules.involved import own_frames, poisoner
from triage.rules.lookup import Lookup
from triage.text import shorten

_UNPROVEN = 0.6  # a cause that only the traceback names: most often the place that noticed, not the cause
MAX_EVIDENCE = 8
MAX_NAME = 200  # characters of what an expression captured, in a sentence
_WRITES = re.compile(r"\[SQL: (?:INSERT INTO|UPDATE|DELETE FROM) (?:[\"`\[]?\w+[\"`\]]?\.)?[\"`\[]?(\w+)")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class _Located:
    failure: Failure
    cause: Cause
    proof: Proof
    evidence: tuple[Evidence, ...]


def diagnose(
    failures: Sequence[Failure], playbooks: Mapping[str, Playbook], lookup: Lookup
) -> tuple[Diagnosis, ...]:
    """One diagnosis for each cause site; failures that follow from others hang under their root."""
    tests = {failure.case.id for failure in failures}
    roots = [failure for failure in failures if failure.root is None or failure.root not in tests]
    groups: dict[tuple[str, str, int], list[_Located]] = {}
    for failure in roots:
        located = _locate(failure, playbooks, lookup)
        key = (failure.playbook or failure.fingerprint, located.cause.file, located.cause.line)
        groups.setdefault(key, []).append(located)
    followers = _followers(failures, tests)
    ordered = sorted(groups.values(), key=lambda group: _order(group, playbooks))
    return tuple(_diagnosis(f"D{place}", group, followers) for place, group in enumerate(ordered, start=1))


def _diagnosis(name: str, group: Sequence[_Located], followers: Mapping[str, Sequence[str]]) -> Diagnosis:
    first = min(group, key=lambda one: one.proof.rank)
    tests = tuple(one.failure.case.id for one in group)
    match = first.failure.match
    trust = min(one.failure.match.confidence if one.failure.match else 0.0 for one in group)
    return Diagnosis(
        id=name,
        playbook=match.playbook if match else None,
        confidence=round(trust if first.proof is Proof.STATIC else trust * _UNPROVEN, 2),
        proof=first.proof,
        cause=first.cause,
        evidence=_merged(one.evidence for one in group),
        tests=tests,
        dependents=tuple(one for test in tests for one in followers.get(test, ())),
        cluster=None if match else first.failure.fingerprint,
    )


def _locate(failure: Failure, playbooks: Mapping[str, Playbook], lookup: Lookup) -> _Located:
    playbook = playbooks.get(failure.playbook or "")
    problem = failure.problem
    names = {**_statement(problem), **dict(failure.match.captures if failure.match else ())}
    finding = lookup.near(playbook.diagnose.rules, problem, names) if playbook else None
    seen = _raised(problem)
    if playbook is not None and finding is not None:
        sentence = _explain(playbook, {**names, **finding.subject}, finding.message)
        if finding.rule != playbook.id and finding.rule in playbooks:  # another kind of defect shows here
            sentence = f"{finding.message}."
        cause = Cause(finding.file, finding.line, finding.symbol, sentence)
        return _Located(failure, cause, Proof.STATIC, (*_related(finding, lookup), *seen))
    file, line, symbol = _site(failure, playbook, names, lookup)
    sentence = _explain(playbook, names, "") if playbook else _unknown(failure)
    return _Located(failure, Cause(file, line, symbol, sentence), Proof.NONE, seen)


def _site(
    failure: Failure, playbook: Playbook | None, names: Mapping[str, str], lookup: Lookup
) -> tuple[str, int, str]:
    """Where the cause most likely stands when no rule points anywhere."""
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
    return _test_place(failure)


def _test_place(failure: Failure) -> tuple[str, int, str]:
    case = failure.case
    if case.file:
        return case.file, case.line or 1, case.function or case.name
    return (case.nodeid or case.classname or case.name).partition("::")[0] or "(unknown)", 1, case.name


def _statement(problem: Problem) -> dict[str, str]:
    """The table that the failed statement writes, as SQLAlchemy shows it; empty where it shows none."""
    for exception in problem.chain:
        match = _WRITES.search(exception.message)
        if match:
            return {"table": match[1]}
    return {}


def _explain(playbook: Playbook, names: Mapping[str, str], default: str) -> str:
    """The playbook's sentence; where a report lacks one of its names, the rule's, or the title."""
    template = playbook.diagnose.explanation
    if template and all(name in names for name in _PLACEHOLDER.findall(template)):
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


def _merged(parts: Iterable[tuple[Evidence, ...]]) -> tuple[Evidence, ...]:
    return tuple(dict.fromkeys(item for part in parts for item in part))[:MAX_EVIDENCE]


def _followers(failures: Iterable[Failure], tests: set[str]) -> dict[str, list[str]]:
    followers: dict[str, list[str]] = {}
    for failure in failures:
        if failure.root is not None and failure.root in tests:
            followers.setdefault(failure.root, []).append(failure.case.id)
    return followers


def _order(group: Sequence[_Located], playbooks: Mapping[str, Playbook]) -> tuple[int, int, str, int]:
    playbook = playbooks.get(group[0].failure.playbook or "")
    severity = playbook.severity if playbook else Severity.MEDIUM
    return severity.rank, -len(group), group[0].cause.file, group[0].cause.line
