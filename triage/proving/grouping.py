"""Proofs of single tests to diagnoses: one for each cause, what only follows under its root."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from triage.model.diagnosis import Cause, Defect, Diagnosis, Evidence
from triage.model.failure import Failure
from triage.model.playbook import Playbook
from triage.model.terms import Proof, Severity
from triage.proving.candidates import Candidate
from triage.proving.prove import Proofs, Proven
from triage.proving.subject import TARGET_NAMES, Effect, Step, Subject

MAX_EVIDENCE = 16
# What a proof does to the prior trust in a match: judgements, no measured rates.
_TRUST = {
    Proof.FLIPPED: 1.0,
    Proof.CHANGED: 0.9,
    Proof.OBSERVED: 0.9,
    Proof.STATIC: 1.0,
    Proof.NONE: 0.6,  # only the traceback names it: most often the place that noticed
}
_PROVEN = 0.98  # the least after a flip
_REFUTED = 0.3  # the change that should have helped did not
_CAUSE = "cause"  # a rule's own piece, which says no more than one that was observed there
_TOLD = {"behind", *(str(effect) for effect in Effect)}
_TOGETHER = " once what hid behind it is changed as well, and fails without this change"
_WORDS = {
    Effect.FLIPPED: "passes",
    Effect.CHANGED: "fails in another way",
    Effect.UNCHANGED: "fails as before",
}


@dataclass(frozen=True, slots=True)
class Located:
    """One failing test with its cause; `proven` is None where nothing was run again."""

    failure: Failure
    candidate: Candidate
    proof: Proof
    proven: Proven | None = None

    @property
    def key(self) -> tuple[str, str, int]:
        name = self.failure.playbook or self.failure.fingerprint
        return name, self.candidate.cause.file, self.candidate.cause.line


def grouped(
    located: Sequence[Located], failures: Sequence[Failure], playbooks: Mapping[str, Playbook], proofs: Proofs
) -> tuple[Diagnosis, ...]:
    """The most severe first, then those of most tests."""
    groups: dict[tuple[str, str, int], list[Located]] = {}
    for one in located:
        groups.setdefault(one.key, []).append(one)
    tests = {one.case.id for one in failures}
    followers: dict[str, list[str]] = {}
    for failure in failures:
        if failure.root is not None and failure.root in tests:
            followers.setdefault(failure.root, []).append(failure.case.id)
    split = [part for group in groups.values() for part in _split(group)]
    ordered = sorted(split, key=lambda group: _order(group, playbooks))
    return tuple(
        _diagnosis(f"D{place}", group, followers, proofs) for place, group in enumerate(ordered, start=1)
    )


def _split(group: Sequence[Located]) -> Iterable[Sequence[Located]]:
    """Tests that the change left as they were stand for themselves where it made others pass."""
    refuted = [one for one in group if one.proven and one.proven.subject.is_refuted]
    if not refuted or all(one.proof is not Proof.FLIPPED for one in group):
        return (group,)
    return [one for one in group if one not in refuted], refuted


def _diagnosis(
    name: str, group: Sequence[Located], followers: Mapping[str, Sequence[str]], proofs: Proofs
) -> Diagnosis:
    best = min(group, key=lambda one: one.proof.rank)
    proof = max((one.proof for one in group), key=lambda one: one.rank)
    tests = tuple(one.failure.case.id for one in group)
    dependents = tuple(one for test in tests for one in followers.get(test, ()))
    match = best.failure.match
    cause = best.candidate.cause
    return Diagnosis(
        id=name,
        playbook=match.playbook if match else None,
        confidence=_confidence(group, proof),
        proof=proof,
        cause=cause,
        evidence=_evidence(group, cause, dependents, proofs),
        tests=tests,
        dependents=dependents,
        cluster=None if match else best.failure.fingerprint,
        repeats=_repeats(group),
        behind=tuple(dict.fromkeys(step.candidate.place for step in _behind(group, dependents, proofs))),
        defects=tuple(_defects([best, *group], _behind(group, dependents, proofs))),
    )


def _defects(group: Iterable[Located], behind: Iterable[Step]) -> Iterable[Defect]:
    """The cause as each kind of target shows it, then what hid behind it; each place and target once."""
    known: dict[tuple[str, str, int, str], Defect] = {}
    for one in group:
        kept = one.proven.subject.kept if one.proven else ()
        head = one.failure.problem.head
        found = _defect(one.failure.playbook or "", one.candidate, kept[0].kind if kept else "")
        found = replace(found, message=head.message if head else "")
        known.setdefault(_kind_of(found), found)
    for step in behind:
        found = _defect(step.playbook, step.candidate, step.kind)
        known.setdefault(_kind_of(found), found)
    return known.values()


def _defect(playbook: str, found: Candidate, change: str) -> Defect:
    cause = found.cause
    return Defect(playbook, cause.file, cause.line, cause.symbol, dict(found.names), change)


def _kind_of(one: Defect) -> tuple[str, str, int, str]:
    return one.playbook, one.file, one.line, " ".join(one.names.get(name, "") for name in TARGET_NAMES)


def _confidence(group: Sequence[Located], proof: Proof) -> float:
    trust = min(one.failure.match.confidence if one.failure.match else 0.0 for one in group)
    if proof is Proof.FLIPPED:
        return round(max(trust, _PROVEN), 2)
    refuted = any(one.proven and one.proven.subject.is_refuted for one in group)
    return round(trust * (_REFUTED if refuted else _TRUST[proof]), 2)


def _evidence(
    group: Sequence[Located], cause: Cause, dependents: Sequence[str], proofs: Proofs
) -> tuple[Evidence, ...]:
    """What was changed and what came of it first, then what was seen."""
    found = [*_outcomes(group), *_cascade(cause, dependents, proofs)]
    found += [piece for one in group if one.proven for piece in one.proven.evidence]
    found += [
        Evidence("behind", step.candidate.cause.file, step.candidate.cause.line, _hidden(step))
        for step in _behind(group, dependents, proofs)
    ]
    impossible = dict.fromkeys(one.candidate.impossible for one in group if one.candidate.impossible)
    found += [Evidence("not seen", cause.file, cause.line, text) for text in impossible]
    seen = [piece for one in group for piece in one.candidate.evidence]
    places = {(one.file, one.line) for one in seen if one.kind != _CAUSE}
    found += [one for one in seen if one.kind != _CAUSE or (one.file, one.line) not in places]
    return _distinct(found)[:MAX_EVIDENCE]


def _distinct(pieces: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """One of a kind for each line; what was changed, and what showed then, stays whole."""
    known: dict[tuple[str, ...], Evidence] = {}
    for one in pieces:
        said = one.text if one.kind in _TOLD else ""
        known.setdefault((one.kind, one.file, str(one.line), said), one)
    return tuple(known.values())


def _outcomes(group: Sequence[Located]) -> Iterable[Evidence]:
    """One piece for each change and what came of it, with the number of tests that it holds for."""
    counts: dict[tuple[Effect, str, str, int, bool], int] = {}
    texts: dict[tuple[str, str, int], str] = {}
    for one in group:
        subject = one.proven.subject if one.proven else None
        for attempt in subject.attempts if subject else ():
            for step in attempt.steps:
                texts.setdefault(step.key, attempt.text)
        for effect, step, has_behind in _effects(subject) if subject else ():
            key = (effect, *step.key, has_behind)
            counts[key] = counts.get(key, 0) + 1
    for (effect, kind, file, line, has_behind), number in sorted(counts.items(), key=_first_flipped):
        plural = "test" if number == 1 else "tests"
        more = _TOGETHER if has_behind and effect is Effect.FLIPPED else ""
        text = f"{kind}: {texts.get((kind, file, line), '')}: {number} {plural}: {_WORDS[effect]}{more}"
        yield Evidence(str(effect), file, line, text)


def _effects(subject: Subject) -> Iterable[tuple[Effect, Step, bool]]:
    """What is to be told: of a cause only the end of its story, of other places that nothing came of them."""
    if subject.kept:
        effect = Effect.FLIPPED if subject.is_flipped else Effect.CHANGED
        yield effect, subject.kept[0], bool(subject.behind)
    kept = {step.key for step in subject.kept}
    for attempt in subject.attempts:
        if attempt.effect is Effect.UNCHANGED and attempt.steps[-1].key not in kept:
            yield Effect.UNCHANGED, attempt.steps[-1], False


def _first_flipped(item: tuple[tuple[Effect, str, str, int, bool], int]) -> tuple[bool, int]:
    return item[0][0] is not Effect.FLIPPED, -item[1]


def _cascade(cause: Cause, dependents: Sequence[str], proofs: Proofs) -> Iterable[Evidence]:
    known = [test for test in dependents if test in proofs.recovered]
    if not known:
        return
    passing = sum(proofs.recovered[test] for test in known)
    late = sum(test in proofs.late and proofs.recovered[test] for test in known)
    once = f", {late} of them once what hid behind it is changed as well" if late else ""
    text = f"with the cause taken away, {passing} of {len(known)} tests that only follow pass, too{once}"
    yield Evidence("cascade", cause.file, cause.line, text)


def _hidden(step: Step) -> str:
    return f"showed once the cause was taken away: {step.candidate.cause.explanation}"


def _repeats(group: Sequence[Located]) -> str:
    return next((one.proven.repeats for one in group if one.proven and one.proven.repeats), "")


def _behind(group: Sequence[Located], dependents: Sequence[str], proofs: Proofs) -> Iterable[Step]:
    """What showed once the cause was taken away, in its tests and in those that only follow."""
    subjects = [one.proven.subject for one in group if one.proven]
    subjects += [proofs.late[test] for test in dependents if test in proofs.late]
    known: dict[tuple[str, int], Step] = {}
    for one in subjects:
        for step in one.behind:
            known.setdefault(step.candidate.place, step)
    return known.values()


def _order(group: Sequence[Located], playbooks: Mapping[str, Playbook]) -> tuple[int, int, str, int]:
    playbook = playbooks.get(group[0].failure.playbook or "")
    severity = playbook.severity if playbook else Severity.MEDIUM
    cause = group[0].candidate.cause
    return severity.rank, -len(group), cause.file, cause.line
