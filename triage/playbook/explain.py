"""Why a playbook recognises a problem or does not: every condition with what it wanted and what it saw."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from triage.model.case import Problem
from triage.model.playbook import Playbook, Symptom, pairs_in_words, places_in_words
from triage.model.terms import Phase
from triage.playbook.conditions import (
    BY_KIND,
    BY_PROBLEM,
    KEYS,
    Clause,
    HasFinding,
    Scene,
    bases_of,
    deciding,
    files_asked,
    module_of,
    named,
    own_folders,
    own_line,
    raised_by_project,
    sessions_in_use,
)
from triage.playbook.expressions import ExpressionSet
from triage.playbook.words import words_of
from triage.text import shorten

Condition = Callable[[Clause, Scene], bool | None]
_SEEN = 200  # characters of a message shown
_BASES = 8
_FILES = 5


@dataclass(frozen=True, slots=True)
class Checked:
    """One condition, by its key in the playbook; `held` is None where the report cannot tell."""

    condition: str
    wanted: str
    seen: str
    held: bool | None


@dataclass(frozen=True, slots=True)
class Tried:
    """One symptom, counted from 1, on one exception of a problem; `role` says which one of the chain."""

    symptom: int
    phase: Phase
    role: str
    exception: str
    conditions: tuple[Checked, ...]

    @property
    def held(self) -> bool:
        """What cannot be told does not speak against it; it takes from the confidence."""
        return not self.missed

    @property
    def missed(self) -> int:
        return sum(1 for one in self.conditions if one.held is False)


def explain(playbook: Playbook, problem: Problem, has_finding: HasFinding | None = None) -> tuple[Tried, ...]:
    """Every symptom on every exception that decides, the nearest first; nothing without an exception.

    The conditions are those that `Matcher` asks, all of them: it stops at the first that misses.
    """
    expressions = ExpressionSet(_expressions(playbook))
    found = [
        _tried(clause, scene)
        for scene in _scenes(problem, expressions, has_finding)
        for clause in _clauses(playbook, expressions)
    ]
    return tuple(sorted(found, key=lambda one: (one.missed, one.symptom, one.role != _ROLES[0])))


_ROLES = ("the exception raised", "its direct cause")


def _expressions(playbook: Playbook) -> Iterator[str]:
    for symptom in playbook.symptoms:
        yield from (one for one in (symptom.message, symptom.unless, symptom.source) if one is not None)


def _scenes(problem: Problem, expressions: ExpressionSet, has_finding: HasFinding | None) -> Iterator[Scene]:
    for position, exception in enumerate(deciding(problem)):
        found = expressions.search(words_of(exception.message, exception.type))
        yield Scene(problem, exception, position, found, expressions, has_finding)


def _clauses(playbook: Playbook, expressions: ExpressionSet) -> Iterator[Clause]:
    for index, symptom in enumerate(playbook.symptoms):
        texts = (symptom.message, symptom.unless, symptom.source)
        numbers = [None if text is None else expressions.number(text) for text in texts]
        yield Clause(playbook, symptom, index, *numbers)


def _tried(clause: Clause, scene: Scene) -> Tried:
    checked = [
        Checked(key, _wanted(clause.symptom, key), _LOOK[key](clause, scene), _held(condition, clause, scene))
        for condition in (*BY_KIND, *BY_PROBLEM)
        if _asks(clause.symptom, key := KEYS[condition])
    ]
    order = list(KEYS.values())
    checked.sort(key=lambda one: order.index(one.condition))
    return Tried(
        symptom=clause.index + 1,
        phase=scene.problem.phase,
        role=_ROLES[min(scene.position, 1)],
        exception=scene.exception.type,
        conditions=tuple(checked),
    )


def _held(condition: Condition, clause: Clause, scene: Scene) -> bool | None:
    verdict = condition(clause, scene)
    return False if verdict is None and clause.symptom.certain else verdict


def _asks(symptom: Symptom, key: str) -> bool:
    value = getattr(symptom, key)
    if key in ("where", "own_raise"):
        return value not in ("any", None)
    return bool(value) or isinstance(value, str)


def _wanted(symptom: Symptom, key: str) -> str:
    value = getattr(symptom, key)
    if key == "own_raise":
        return "a `raise` of the project's own" if value else "no `raise` of the project's own"
    if key == "same":
        return pairs_in_words(value)
    if isinstance(value, Mapping):
        return ", ".join(
            f"{name} >= {one}" if name == "sessions" else f"{name} = {one}" for name, one in value.items()
        )
    if key in ("raised_in", "frames"):
        return places_in_words(value)
    words = value if isinstance(value, str) else " or ".join(map(str, value))
    if key == "exception":
        return f"{words}, itself" if symptom.exact else words
    return f"not {words}" if key == "unless" else words


def _exception(_: Clause, scene: Scene) -> str:
    bases = [one for one in bases_of(scene.exception) if one not in ("BaseException", "object")]
    name = scene.exception.type or "no class is known"
    return f"{name} (bases: {', '.join(bases[:_BASES])})" if bases else name


def _message(_: Clause, scene: Scene) -> str:
    return shorten(" ".join(scene.exception.message.split()), _SEEN) or "no message"


def _module(_: Clause, scene: Scene) -> str:
    return module_of(scene.exception) or "where it was raised is not known"


def _frames(clause: Clause, scene: Scene) -> str:
    files = dict.fromkeys(reversed(files_asked(clause.symptom, scene.exception)))
    return ", ".join(list(files)[:_FILES]) or "no frame of own code is known"


def _source(_: Clause, scene: Scene) -> str:
    return own_line(scene.exception) or "no source line is known"


def _own_raise(_: Clause, scene: Scene) -> str:
    return "such a statement" if raised_by_project(scene.exception) else "none"


def _own(_: Clause, scene: Scene) -> str:
    return ", ".join(sorted(own_folders(scene.exception))) or "no folder of own code is known"


def _same(clause: Clause, scene: Scene) -> str:
    groups = named(clause.symptom, scene.exception)
    asked = (name for pair in clause.symptom.same.items() for name in pair)
    return shorten(", ".join(f"{name} = {groups.get(name, 'not found')}" for name in asked), _SEEN)


def _fact(clause: Clause, scene: Scene) -> str:
    facts = {**scene.problem.facts, "sessions": sessions_in_use(scene.problem)}
    shown = (f"{name} = {facts.get(name, 'not seen')}" for name in clause.symptom.fact)
    return shorten(", ".join(shown), _SEEN)


def _finding(_: Clause, scene: Scene) -> str:
    return "no rule was asked" if scene.has_finding is None else "what the rule says of the source now"


_LOOK: Mapping[str, Callable[[Clause, Scene], str]] = {
    "exception": _exception,
    "message": _message,
    "unless": _message,
    "where": lambda _, scene: "cause" if scene.position else "head",
    "phase": lambda _, scene: str(scene.problem.phase),
    "raised_in": _module,
    "frames": _frames,
    "source": _source,
    "own_raise": _own_raise,
    "own": _own,
    "same": _same,
    "fact": _fact,
    "finding": _finding,
}
