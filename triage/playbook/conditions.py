"""The conditions of a symptom, each on one fact: True, False, or None where the report cannot tell."""

import builtins
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import NamedTuple

from triage.model.case import ExceptionInfo, Frame, Problem
from triage.model.playbook import Playbook, Symptom
from triage.playbook.expressions import ExpressionSet, captures
from triage.playbook.words import words_of

# Whether a static rule points at something near a problem; the mapping holds the expression's groups.
HasFinding = Callable[[str, Problem, Mapping[str, str]], bool]

_PACKAGES = "site-packages/"
# What stands before the module in the path of an installed package or of the standard library.
_LIBRARY = re.compile(
    r"^(?:.*/)?(?:(?:site|dist)-packages/|lib(?:64)?/python\d[\d.]*/(?!(?:site|dist)-packages/))"
)


@dataclass(frozen=True, slots=True)
class Clause:
    """One symptom, ready to test; the numbers are those of its expressions in the set."""

    playbook: Playbook
    symptom: Symptom
    index: int
    message: int | None
    unless: int | None
    source: int | None


class Scene(NamedTuple):
    """One exception of a problem's chain; `found` are the numbers of expressions in its message."""

    problem: Problem
    exception: ExceptionInfo
    position: int
    found: frozenset[int]
    expressions: ExpressionSet
    has_finding: HasFinding | None


def deciding(problem: Problem) -> tuple[ExceptionInfo, ...]:
    """The exception that was raised and its direct cause; handled ones never decide."""
    return tuple([one for one in problem.chain[:2] if one.via in ("raised", "cause")])


def suits_kind(clause: Clause, scene: Scene) -> bool:
    """Whether every condition holds that asks only for class, phase and words."""
    return all(condition(clause, scene) for condition in BY_KIND)


def holds(clause: Clause, scene: Scene) -> int | None:
    """How many of the other conditions could not be decided; None where one does not hold."""
    undecided = 0
    for condition in BY_PROBLEM:
        verdict = condition(clause, scene)
        if verdict is False or (verdict is None and clause.symptom.certain):
            return None
        undecided += verdict is None
    return undecided


def bases_of(exception: ExceptionInfo) -> tuple[str, ...]:
    """The exception's bases: as recorded, or Python's own for a builtin known by name only."""
    return exception.bases or _builtin_bases(exception.type)


def sessions_in_use(problem: Problem) -> int:
    """How many SQLAlchemy sessions held objects or failed when the problem was seen."""
    sessions = problem.facts.get("sessions")
    if not isinstance(sessions, (list, tuple)):
        return 0
    return sum(1 for one in sessions if isinstance(one, Mapping) and (one.get("holds") or one.get("failing")))


def module_of(exception: ExceptionInfo) -> str | None:
    """Where it was raised, as `package/module`, whether a module name or a path is known."""
    place = exception.raised_in
    if not place:
        return None
    place = _LIBRARY.sub("", place.replace("\\", "/"))
    if place.endswith(".py"):
        return place[:-3]
    return place if "/" in place else place.replace(".", "/")


def files_asked(symptom: Symptom, exception: ExceptionInfo) -> tuple[str, ...]:
    """The files of the frames that `frames` speaks of: own ones, and packages' where a glob names them."""
    packages = any(one.lstrip("!").startswith(_PACKAGES) for one in symptom.frames)
    return tuple(_file_of(frame) for frame in exception.frames if frame.is_own or packages)


def own_line(exception: ExceptionInfo) -> str | None:
    """The deepest source line of the project's own code, where one is known."""
    for frame in reversed(exception.frames):
        if frame.is_own and frame.source:
            return frame.source
    return None


def raised_by_project(exception: ExceptionInfo) -> bool:
    """Whether its deepest frame is seen to be a `raise` statement of the project's own."""
    last = exception.frames[-1] if exception.frames else None
    return last is not None and last.is_own and (last.source or "").lstrip().startswith("raise ")


def own_folders(exception: ExceptionInfo) -> frozenset[str]:
    """The names of all folders on the way to the project's own frames."""
    paths = (frame.file.replace("\\", "/") for frame in exception.frames if frame.is_own)
    return frozenset(part for path in paths for part in path.split("/")[:-1] if part)


def named(symptom: Symptom, exception: ExceptionInfo) -> dict[str, str]:
    """What the groups of a symptom's expressions took, of the message before the source line."""
    line = own_line(exception)
    groups = dict(captures(symptom.source, line)) if symptom.source and line is not None else {}
    return groups | (
        dict(captures(symptom.message, words_of(exception.message, exception.type)))
        if symptom.message
        else {}
    )


def _where(clause: Clause, scene: Scene) -> bool:
    wanted = clause.symptom.where
    return wanted == "any" or (wanted == "head") == (scene.position == 0)


def _message(clause: Clause, scene: Scene) -> bool:
    return clause.message is None or clause.message in scene.found


def _unless(clause: Clause, scene: Scene) -> bool:
    return clause.unless is None or clause.unless not in scene.found


def _phase(clause: Clause, scene: Scene) -> bool:
    return not clause.symptom.phase or scene.problem.phase in clause.symptom.phase


def _exception(clause: Clause, scene: Scene) -> bool:
    symptom = clause.symptom
    return not symptom.exception or _is_one_of(scene.exception, symptom)


def _finding(clause: Clause, scene: Scene) -> bool:
    rule = clause.symptom.finding
    if not rule:
        return True
    if scene.has_finding is None:
        return False
    message = clause.symptom.message
    names = (
        dict(captures(message, words_of(scene.exception.message, scene.exception.type))) if message else {}
    )
    return scene.has_finding(rule, scene.problem, names)


def _facts(clause: Clause, scene: Scene) -> bool:
    """A report without the plugin's facts never meets a condition on them."""
    return all(
        sessions_in_use(scene.problem) >= wanted
        if name == "sessions" and isinstance(wanted, int)
        else scene.problem.facts.get(name) == wanted
        for name, wanted in clause.symptom.fact.items()
    )


def _raised_in(clause: Clause, scene: Scene) -> bool | None:
    globs = clause.symptom.raised_in
    if not globs:
        return True
    module = module_of(scene.exception)
    if module is None:
        return None
    is_path = (scene.exception.raised_in or "").endswith(".py")
    names = (module,) if is_path else (module, f"{module}/__init__")  # a package's own frames tell its name
    return _fits(names, globs)


def _fits(names: tuple[str, ...], globs: tuple[str, ...]) -> bool:
    """Whether a name fits one of the globs and none of those that begin with `!`."""
    wanted = [one for one in globs if not one.startswith("!")]
    others = [one[1:] for one in globs if one.startswith("!")]
    fits = not wanted or any(fnmatchcase(name, one) for name in names for one in wanted)
    return fits and not any(fnmatchcase(name, one) for name in names for one in others)


def _frames(clause: Clause, scene: Scene) -> bool | None:
    globs = clause.symptom.frames
    if not globs:
        return True
    files = files_asked(clause.symptom, scene.exception)
    return _fits(files, globs) if files else None


def _file_of(frame: Frame) -> str:
    """The path that globs are held against: of an installed package `site-packages/...`, wherever it is."""
    _, sign, rest = frame.file.replace("\\", "/").rpartition("-packages/")
    return f"{_PACKAGES}{rest}" if sign and not frame.is_own else frame.file


def _source(clause: Clause, scene: Scene) -> bool | None:
    if clause.source is None:
        return True
    line = own_line(scene.exception)
    return clause.source in scene.expressions.search(line) if line is not None else None


def _own_raise(clause: Clause, scene: Scene) -> bool:
    wanted = clause.symptom.own_raise
    return wanted is None or wanted is raised_by_project(scene.exception)


def _own(clause: Clause, scene: Scene) -> bool | None:
    group = clause.symptom.own
    if group is None:
        return True
    folders = own_folders(scene.exception)
    return (
        named(clause.symptom, scene.exception).get(group, "").partition(".")[0] in folders
        if folders
        else None
    )


def _same(clause: Clause, scene: Scene) -> bool | None:
    pairs = clause.symptom.same
    if not pairs:
        return True
    if clause.source is not None and own_line(scene.exception) is None:
        return None
    groups = named(clause.symptom, scene.exception)
    return all(one in groups and groups[one] == groups.get(other) for one, other in pairs.items())


# All conditions of both lists hold for a symptom to hold; those of the first need nothing but the
# exception's class, its place in the chain, the phase, and which expressions its message holds.
BY_KIND: tuple[Callable[[Clause, Scene], bool], ...] = (_message, _where, _unless, _phase, _exception)
BY_PROBLEM: tuple[Callable[[Clause, Scene], bool | None], ...] = (
    _facts,
    _finding,
    _raised_in,
    _frames,
    _source,
    _own_raise,
    _own,
    _same,
)

# The key of a symptom that asks for each condition.
KEYS: Mapping[Callable[[Clause, Scene], bool | None], str] = {
    _exception: "exception",
    _message: "message",
    _unless: "unless",
    _where: "where",
    _phase: "phase",
    _raised_in: "raised_in",
    _frames: "frames",
    _source: "source",
    _own_raise: "own_raise",
    _own: "own",
    _same: "same",
    _facts: "fact",
    _finding: "finding",
}


@lru_cache(maxsize=256)
def _builtin_bases(name: str) -> tuple[str, ...]:
    cls = getattr(builtins, name, None)
    if not (isinstance(cls, type) and issubclass(cls, BaseException)):
        return ()
    return tuple(base.__name__ for base in cls.__mro__[1:-1])


def _is_one_of(exception: ExceptionInfo, symptom: Symptom) -> bool:
    classes = (exception.type,) if symptom.exact else (exception.type, *bases_of(exception))
    return any(_same_class(one, wanted) for one in classes for wanted in symptom.exception)


def _same_class(given: str, wanted: str) -> bool:
    """Equal; or one of the two has no module and is no builtin: then its name alone counts."""
    if given == wanted:
        return True
    if "." in given:
        return "." not in wanted and given.endswith(f".{wanted}") and not hasattr(builtins, wanted)
    return wanted.endswith(f".{given}") and not hasattr(builtins, given)
