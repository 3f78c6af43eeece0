"""Which finding belongs to a failure: joined by fixture, function and names, never by file alone."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from triage.model.case import Frame, Problem
from triage.model.finding import Finding

_NAME = re.compile(r"[A-Za-z_]\w*")
_PLACES = ("fixture", "function")
_NAMES = ("model", "table", "column", "attribute", "target")


@dataclass(frozen=True, slots=True)
class Near:
    """A finding with how well it fits; the higher `score`, the better."""

    finding: Finding
    score: int


def nearest(findings: Iterable[Finding], problem: Problem, names: Mapping[str, str]) -> Finding | None:
    """The finding that fits best, or None; `names` are the captures of the playbook's expression."""
    fits = [near for one in findings if (near := _fit(one, problem, names)) is not None]
    if not fits:
        return None
    lines = {(frame.file, frame.line) for frame in own_frames(problem)}
    return max(
        fits,
        key=lambda near: (
            near.score,
            any(near.finding.file == file and near.finding.line <= line for file, line in lines),
            -_distance(near.finding, lines),
        ),
    ).finding


def own_frames(problem: Problem) -> tuple[Frame, ...]:
    """The project's own frames of the exception that decided, outermost first."""
    for exception in problem.chain:
        frames = tuple(frame for frame in exception.frames if frame.is_own)
        if frames:
            return frames
    return ()


def touched_name(problem: Problem) -> str | None:
    """The first name of the expression that raised (`tenant` of `tenant.id`), from its columns."""
    frames = own_frames(problem)
    if not frames or frames[-1].source is None or frames[-1].columns is None:
        return None
    start, end = frames[-1].columns
    name = _NAME.match(frames[-1].source[start:end])
    return name.group() if name else None


def _fit(finding: Finding, problem: Problem, names: Mapping[str, str]) -> Near | None:
    place = _place_score(finding, problem)
    name = _name_score(finding, names)
    if place is None or name is None or place + name == 0:
        return None
    touched = touched_name(problem)
    bonus = (
        3 if touched and touched in (finding.subject.get("fixture"), finding.subject.get("variable")) else 0
    )
    return Near(finding, place + name + bonus)


def _place_score(finding: Finding, problem: Problem) -> int | None:
    """None where the finding speaks of a function or fixture that took no part."""
    wanted = [finding.subject[kind] for kind in _PLACES if kind in finding.subject]
    if not wanted:
        return 0
    here = set(_functions(problem))
    return 4 if any((finding.file, name) in here for name in wanted) else None


def _functions(problem: Problem) -> Iterator[tuple[str, str]]:
    """(file, name) of every own function and fixture that took part."""
    for exception in problem.chain:
        for frame in exception.frames:
            if frame.is_own:
                yield frame.file, frame.function.rpartition(".")[2]
    for fixture in problem.fixtures:
        yield fixture.file, fixture.name
        yield fixture.file, fixture.function.rpartition(".")[2]


def _name_score(finding: Finding, names: Mapping[str, str]) -> int | None:
    """None where both name the same kind of thing and the names differ."""
    score = 0
    for kind in _NAMES:
        mine, theirs = finding.subject.get(kind), names.get(kind)
        if mine is None or theirs is None:
            continue
        if mine.lower() != theirs.lower():
            return None
        score += 2
    return score


def _distance(finding: Finding, lines: Iterable[tuple[str, int]]) -> int:
    return min((abs(finding.line - line) for file, line in lines if file == finding.file), default=1_000_000)
