"""Which finding belongs to a failure: joined by function, fixture and names, never by file alone."""

from collections.abc import Iterable, Mapping, Sequence

from triage.model.case import Problem
from triage.model.finding import Finding
from triage.rules.involved import Involved, touched_name

_PLACES = ("fixture", "function")
_NAMES = ("model", "table", "column", "attribute", "target", "relationship")
_INSIDE = 4
_CALLED = 2
_SAME_NAME = 2
_TOUCHED = 3


def nearest(
    findings: Iterable[Finding], problem: Problem, names: Mapping[str, str], functions: Sequence[Involved]
) -> Finding | None:
    """The finding that fits best, or None; `names` are the captures of the playbook's expression."""
    best: tuple[tuple[int, int, int], Finding] | None = None
    touched = touched_name(problem)
    for finding in findings:
        score = _score(finding, names, functions, touched)
        if score is None:
            continue
        key = (score, -_depth(finding, functions), -finding.line)
        if best is None or key > best[0]:
            best = (key, finding)
    return best[1] if best else None


def _score(
    finding: Finding, names: Mapping[str, str], functions: Sequence[Involved], touched: str | None
) -> int | None:
    place = _place_score(finding, functions)
    name = _name_score(finding, names)
    if place is None or name is None or place + name == 0:
        return None
    is_touched = touched is not None and touched in (
        finding.subject.get("fixture"),
        finding.subject.get("variable"),
    )
    return place + name + (_TOUCHED if is_touched else 0)


def _place_score(finding: Finding, functions: Sequence[Involved]) -> int | None:
    """None where the finding speaks of a function or fixture that took no part."""
    wanted = [finding.subject[kind] for kind in _PLACES if kind in finding.subject]
    if any(one.holds(finding.file, finding.line) for one in functions):
        return _INSIDE
    if not wanted:
        return 0
    return _CALLED if any(name in one.called_names() for one in functions for name in wanted) else None


def _name_score(finding: Finding, names: Mapping[str, str]) -> int | None:
    """None where both name the same kind of thing and the names differ."""
    score = 0
    for kind in _NAMES:
        mine, theirs = finding.subject.get(kind), names.get(kind)
        if not mine or not theirs:
            continue
        if mine.lower() != theirs.lower():
            return None
        score += _SAME_NAME
    return score


def _depth(finding: Finding, functions: Sequence[Involved]) -> int:
    depths = [one.depth for one in functions if one.holds(finding.file, finding.line)]
    return min(depths, default=len(functions))
