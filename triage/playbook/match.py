"""Which playbooks recognise a problem, which one wins, and why the others lost."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import NamedTuple, Self

from triage.model.case import ExceptionInfo, Problem
from triage.model.failure import Loser, Match
from triage.model.playbook import Playbook, Symptom, places_in_words
from triage.model.terms import Level, Phase
from triage.playbook.conditions import (
    BY_PROBLEM,
    KEYS,
    Clause,
    HasFinding,
    Scene,
    deciding,
    holds,
    suits_kind,
)
from triage.playbook.expressions import ExpressionSet, captures, has_groups
from triage.playbook.index import ClauseIndex
from triage.playbook.words import words_of

# Prior trust in a match by what it rests on: a judgement, no measured rates.
_BY_EXCEPTION_AND_MESSAGE = 0.95
_BY_EXCEPTION = 0.85
_BY_MESSAGE = 0.7
_BY_FALLBACK = 0.5
TIE = "a tie with"  # how the reason of a loser begins that nothing but the alphabet decided
_KINDS = 5_000  # kinds of failure remembered
_UNDECIDED = 0.1  # taken off for each condition that the report cannot decide
_OF_A_KIND = ("raised_in", "fact", "finding")  # conditions that a kind decides where no facts are known
_ANYTHING = Symptom()


class _Kind(NamedTuple):
    """What most conditions ask of an exception; `found` are the expressions that its message holds."""

    type: str
    bases: tuple[str, ...]
    raised_in: str | None
    phase: Phase
    found: frozenset[int]


class _Judgement(NamedTuple):
    """`expression` has groups that `captures` asks for; it held for the exception at `position`."""

    match: Match | None = None
    losers: tuple[Loser, ...] = ()
    expression: str | None = None
    position: int = 0


class _Hit(NamedTuple):
    clause: Clause
    position: int
    undecided: int

    @property
    def order(self) -> tuple[int, int, int]:
        """Lowest is best among the symptoms of one playbook; their order in the file decides last."""
        return self.undecided, self.position, self.clause.index


class _Known(NamedTuple):
    """Of failures of some kinds: what holds for all of them, what must be asked of each, what was decided."""

    hits: tuple[_Hit, ...]
    open: tuple[tuple[int, Clause], ...]
    judged: dict[tuple[int | None, ...], _Judgement]


class _Scenes(NamedTuple):
    """The exceptions of a problem that decide."""

    problem: Problem
    exceptions: Sequence[ExceptionInfo]
    kinds: tuple[_Kind, ...]
    sources: ExpressionSet
    has_finding: HasFinding | None

    def at(self, position: int) -> Scene:
        found = self.kinds[position].found
        exception = self.exceptions[position]
        return Scene(self.problem, exception, position, found, self.sources, self.has_finding)


class Matcher:
    """All playbooks of a library, indexed so that a problem meets only those that could match."""

    def __init__(self, playbooks: Iterable[Playbook]) -> None:
        self._playbooks = {playbook.id: playbook for playbook in playbooks}
        self._index = ClauseIndex(self._playbooks.values())
        self._known: dict[tuple[_Kind, ...], _Known] = {}
        self._captures = True

    @property
    def playbooks(self) -> Mapping[str, Playbook]:
        return self._playbooks

    def without_captures(self) -> Self:
        """The same matcher for those who read no `captures`: they cost as much as all the rest."""
        other = copy(self)
        other._captures = False  # noqa: SLF001 - of this class
        return other

    def match(
        self, problem: Problem, has_finding: HasFinding | None = None
    ) -> tuple[Match | None, tuple[Loser, ...]]:
        """The winner (None: no playbook knows it) and the others that held, with why they lost."""
        exceptions = deciding(problem)
        kinds = tuple([self._kind(problem, exception) for exception in exceptions])
        scenes = _Scenes(problem, exceptions, kinds, self._index.sources, has_finding)
        if problem.facts or has_finding is not None:
            judged = self._decide(_hits(self._candidates(scenes), scenes))
        else:
            judged = self._recall(kinds, scenes)
        if judged.match is None or judged.expression is None or not self._captures:
            return judged.match, judged.losers
        groups = captures(
            judged.expression, words_of(exceptions[judged.position].message, exceptions[judged.position].type)
        )
        return replace(judged.match, captures=groups), judged.losers

    def _kind(self, problem: Problem, exception: ExceptionInfo) -> _Kind:
        found = self._index.found(exception)
        return _Kind(exception.type, exception.bases, exception.raised_in, problem.phase, found)

    def _recall(self, kinds: tuple[_Kind, ...], scenes: _Scenes) -> _Judgement:
        """Kinds repeat: of all but the first of one only what its kind leaves open is looked at."""
        known = self._known.get(kinds)
        if known is None:
            known = self._learn(kinds, scenes)
        verdicts = tuple([holds(clause, scenes.at(position)) for position, clause in known.open])
        judged = known.judged.get(verdicts)
        if judged is None:
            asked = zip(known.open, verdicts, strict=True)
            opened = [
                _Hit(clause, at, undecided) for (at, clause), undecided in asked if undecided is not None
            ]
            judged = known.judged[verdicts] = self._decide([*known.hits, *opened])
        return judged

    def _learn(self, kinds: tuple[_Kind, ...], scenes: _Scenes) -> _Known:
        if len(self._known) >= _KINDS:
            self._known.clear()
        candidates = list(self._candidates(scenes))
        settled = [one for one in candidates if _is_of_a_kind(one[1])]
        left = tuple(one for one in candidates if not _is_of_a_kind(one[1]))
        self._known[kinds] = known = _Known(tuple(_hits(settled, scenes)), left, {})
        return known

    def _candidates(self, scenes: _Scenes) -> Iterator[tuple[int, Clause]]:
        """The clauses that suit the kinds of the exceptions, each with its exception's position."""
        for position, kind in enumerate(scenes.kinds):
            for clause in self._index.clauses(scenes.exceptions[position], kind.found):
                if suits_kind(clause, scenes.at(position)):
                    yield position, clause

    def _decide(self, found: Iterable[_Hit]) -> _Judgement:
        hits = _best(found)
        if not hits:
            return _Judgement()
        if len(hits) == 1:
            return _judgement(next(iter(hits.values())), ())
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
        return _judgement(winner, tuple(Loser(name, reason) for name, reason in sorted(reasons.items())))

    def _beaten_by(self, name: str) -> set[str]:
        return set(self._playbooks[name].beats) - {name}


def _is_of_a_kind(clause: Clause) -> bool:
    asked = (KEYS[condition] for condition in BY_PROBLEM)
    return all(key in _OF_A_KIND or getattr(clause.symptom, key) == getattr(_ANYTHING, key) for key in asked)


def _hits(candidates: Iterable[tuple[int, Clause]], scenes: _Scenes) -> Iterator[_Hit]:
    for position, clause in candidates:
        undecided = holds(clause, scenes.at(position))
        if undecided is not None:
            yield _Hit(clause, position, undecided)


def _best(hits: Iterable[_Hit]) -> dict[str, _Hit]:
    """The best symptom of each playbook."""
    best: dict[str, _Hit] = {}
    for hit in hits:
        name = hit.clause.playbook.id
        if name not in best or hit.order < best[name].order:
            best[name] = hit
    return best


def _judgement(hit: _Hit, losers: tuple[Loser, ...]) -> _Judgement:
    symptom = hit.clause.symptom
    if hit.clause.playbook.level is Level.FALLBACK:
        trust = _BY_FALLBACK
    elif symptom.exception and (symptom.message or symptom.raised_in or symptom.finding):
        trust = _BY_EXCEPTION_AND_MESSAGE
    else:
        trust = _BY_EXCEPTION if symptom.exception else _BY_MESSAGE
    confidence = round(max(0.1, trust - _UNDECIDED * hit.undecided), 2)
    match = Match(hit.clause.playbook.id, confidence, _in_words(hit))
    expression = symptom.message if symptom.message and has_groups(symptom.message) else None
    return _Judgement(match, losers, expression, hit.position)


def _in_words(hit: _Hit) -> str:
    who = "the exception raised" if hit.position == 0 else "its direct cause"
    symptom = hit.clause.symptom
    parts = [f"is {' or '.join(symptom.exception)}"] if symptom.exception else []
    if symptom.message:
        parts.append(f"says {symptom.message!r}")
    if symptom.raised_in:
        parts.append(f"was raised in {places_in_words(symptom.raised_in)}")
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
