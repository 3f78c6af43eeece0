"""Which playbooks recognise a problem, which one wins, and why the others lost."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from triage.model.case import ExceptionInfo, Problem
from triage.model.failure import Loser, Match
from triage.model.playbook import Playbook, Symptom
from triage.model.terms import Level, Phase
from triage.playbook.conditions import Clause, HasFinding, Scene, bases_of, deciding, holds, suits_kind
from triage.playbook.expressions import ExpressionSet, captures

# Prior trust in a match by what it rests on: a judgement, no measured rates.
_BY_EXCEPTION_AND_MESSAGE = 0.95
_BY_EXCEPTION = 0.85
_BY_MESSAGE = 0.7
_BY_FALLBACK = 0.5
TIE = "a tie with"  # how the reason of a loser begins that nothing but the alphabet decided
_KINDS = 5_000  # kinds of failure remembered
_Kind = tuple[str, tuple[str, ...], int, Phase, frozenset[int]]
_UNDECIDED = 0.1  # taken off for each condition that the report cannot decide


class _Hit(NamedTuple):
    clause: Clause
    exception: ExceptionInfo
    position: int
    undecided: int

    @property
    def order(self) -> tuple[int, int, int]:
        """Lowest is best among the symptoms of one playbook; their order in the file decides last."""
        return self.undecided, self.position, self.clause.index


class Matcher:
    """All playbooks of a library, indexed so that a problem meets only those that could match."""

    def __init__(self, playbooks: Iterable[Playbook]) -> None:
        self._playbooks = {playbook.id: playbook for playbook in playbooks}
        self._set = ExpressionSet(_expressions(self._playbooks.values()))
        self._by_name: dict[str, list[Clause]] = {}
        self._by_message: dict[int, list[Clause]] = {}
        self._others: list[Clause] = []
        self._by_kind: dict[_Kind, tuple[Clause, ...]] = {}
        for playbook in self._playbooks.values():
            for index, symptom in enumerate(playbook.symptoms):
                self._index(self._clause(playbook, symptom, index))

    @property
    def playbooks(self) -> Mapping[str, Playbook]:
        return self._playbooks

    def match(
        self, problem: Problem, has_finding: HasFinding | None = None
    ) -> tuple[Match | None, tuple[Loser, ...]]:
        """The winner (None: no playbook knows it) and the others that held, with why they lost."""
        hits: dict[str, _Hit] = {}
        for hit in self._hits(problem, has_finding):
            best = hits.get(hit.clause.playbook.id)
            if best is None or hit.order < best.order:
                hits[hit.clause.playbook.id] = hit
        if not hits:
            return None, ()
        winner, losers = self._decide(hits)
        return _match(winner), losers

    def _clause(self, playbook: Playbook, symptom: Symptom, index: int) -> Clause:
        def number(expression: str | None) -> int | None:
            return None if expression is None else self._set.number(expression)

        return Clause(
            playbook, symptom, index, number(symptom.message), number(symptom.unless), number(symptom.source)
        )

    def _index(self, clause: Clause) -> None:
        if clause.symptom.exception:
            for name in {one.rpartition(".")[2] for one in clause.symptom.exception}:
                self._by_name.setdefault(name, []).append(clause)
        elif clause.message is not None:
            self._by_message.setdefault(clause.message, []).append(clause)
        else:
            self._others.append(clause)

    def _hits(self, problem: Problem, has_finding: HasFinding | None) -> Iterator[_Hit]:
        for position, exception in enumerate(deciding(problem)):
            found = self._set.search(exception.message)
            scene = Scene(problem, exception, position, found, self._set, has_finding)
            for clause in self._candidates(scene):
                undecided = holds(clause, scene)
                if undecided is not None:
                    yield _Hit(clause, exception, position, undecided)

    def _candidates(self, scene: Scene) -> tuple[Clause, ...]:
        """The clauses that hold for every failure of this kind; kinds repeat, so they are remembered."""
        exception, problem = scene.exception, scene.problem
        kind = (exception.type, exception.bases, scene.position, problem.phase, scene.found)
        known = self._by_kind.get(kind)
        if known is None:
            known = tuple(
                clause for clause in self._indexed(exception, scene.found) if suits_kind(clause, scene)
            )
            if len(self._by_kind) < _KINDS:
                self._by_kind[kind] = known
        return known

    def _indexed(self, exception: ExceptionInfo, found: frozenset[int]) -> Iterator[Clause]:
        names = {exception.name, *(base.rpartition(".")[2] for base in bases_of(exception))}
        for name in names:
            yield from self._by_name.get(name, ())
        for number in found:
            yield from self._by_message.get(number, ())
        yield from self._others

    def _decide(self, hits: Mapping[str, _Hit]) -> tuple[_Hit, tuple[Loser, ...]]:
        if len(hits) == 1:
            return next(iter(hits.values())), ()
        best_level = min(hit.clause.playbook.level.rank for hit in hits.values())
        reasons = {
            name: f"its level is {hit.clause.playbook.level}"
            for name, hit in hits.items()
            if hit.clause.playbook.level.rank > best_level
        }
        rivals = sorted(hits.keys() - reasons.keys())
        beaten = {name: by for name in rivals for by in rivals if name in self._beaten_by(by)}
        if len(beaten) < len(rivals):  # else they beat one another in a circle: a tie
            reasons |= {name: f"{by} beats it" for name, by in beaten.items()}
        rest = sorted(
            (hit for name, hit in hits.items() if name not in reasons),
            key=lambda hit: (hit.position, hit.undecided, hit.clause.playbook.id),
        )
        winner = rest[0]
        for hit in rest[1:]:
            reasons[hit.clause.playbook.id] = _why_later(winner, hit)
        return winner, tuple(Loser(name, reason) for name, reason in sorted(reasons.items()))

    def _beaten_by(self, name: str) -> set[str]:
        return set(self._playbooks[name].beats) - {name}


def _expressions(playbooks: Iterable[Playbook]) -> Iterator[str]:
    for playbook in playbooks:
        for symptom in playbook.symptoms:
            yield from (one for one in (symptom.message, symptom.unless, symptom.source) if one is not None)


def _match(hit: _Hit) -> Match:
    symptom = hit.clause.symptom
    if hit.clause.playbook.level is Level.FALLBACK:
        trust = _BY_FALLBACK
    elif symptom.exception and (symptom.message or symptom.raised_in or symptom.finding):
        trust = _BY_EXCEPTION_AND_MESSAGE
    else:
        trust = _BY_EXCEPTION if symptom.exception else _BY_MESSAGE
    groups = captures(symptom.message, hit.exception.message) if symptom.message else ()
    confidence = round(max(0.1, trust - _UNDECIDED * hit.undecided), 2)
    return Match(hit.clause.playbook.id, confidence, _in_words(hit), groups)


def _in_words(hit: _Hit) -> str:
    who = "the exception raised" if hit.position == 0 else "its direct cause"
    symptom = hit.clause.symptom
    parts = [f"is {' or '.join(symptom.exception)}"] if symptom.exception else []
    if symptom.message:
        parts.append(f"says {symptom.message!r}")
    if symptom.raised_in:
        parts.append(f"was raised in {' or '.join(symptom.raised_in)}")
    if symptom.finding:
        parts.append(f"comes from code where the rule {symptom.finding} points")
    if symptom.fact:
        parts.append(f"was seen with {', '.join(map(_fact, symptom.fact.items()))}")
    return f"symptom {hit.clause.index + 1}: {who} {' and '.join(parts) or 'failed'}"


def _fact(item: tuple[str, object]) -> str:
    name, wanted = item
    return f"{name} >= {wanted}" if name == "sessions" else f"{name} = {wanted}"


def _why_later(winner: _Hit, hit: _Hit) -> str:
    if hit.position != winner.position:
        return f"it matches the cause; {winner.clause.playbook.id} matches the exception itself"
    if hit.undecided != winner.undecided:
        return "fewer of its conditions could be decided"
    return f"{TIE} {winner.clause.playbook.id} that nothing decides: add a `beats`"
