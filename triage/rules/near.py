"""Which finding belongs to a failure: joined by function, fixture and names, never by file alone.

A finding whose subject names a function or fixture speaks of code that must have run: equal names of
tables or columns do not join it with a failure in which that code took no part.
"""

from collections.abc import Iterable, Mapping, Sequence

from triage.model.case import Problem
from triage.model.finding import Finding
from triage.rules.involved import Involved, touched_name

_PLACES = ("fixture", "function")
_NAMES = ("model", "table", "column", "attribute", "target", "relationship")
_INSIDE = 4
_CALLED = 2
_BEYOND = 1  # called by a function that a function on the stack calls; only together with a name
_SAME_NAME = 2
_TOUCHED = 3
_Named = frozenset[tuple[str, str]]


class FindingIndex:
    """Findings by what can join them with a failure: thousands of each would else meet one another."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self._findings = findings
        self._by_file: dict[str, list[int]] = {}
        self._by_place: dict[str, list[int]] = {}
        self._by_kinds: dict[frozenset[str], dict[frozenset[str], dict[_Named, list[int]]]] = {}
        for number, finding in enumerate(findings):
            self._by_file.setdefault(finding.file, []).append(number)
            for kind in _PLACES:
                if kind in finding.subject:
                    self._by_place.setdefault(finding.subject[kind], []).append(number)

    @property
    def is_empty(self) -> bool:
        return not self._findings

    def candidates(self, names: Mapping[str, str], functions: Sequence[Involved]) -> Iterable[Finding]:
        """In their order; no other finding has a score."""
        numbers: set[int] = set()
        for one in functions:
            numbers.update(self._by_file.get(one.module.path, ()))
            reached = one.called_names() | one.names_beyond() if self._by_place else frozenset()
            for name in reached & self._by_place.keys():
                numbers.update(self._by_place[name])
        given = _named(names)
        for kinds, by_value in self._sharing(frozenset(kind for kind, _ in given)).items():
            wanted = frozenset(pair for pair in given if pair[0] in kinds)
            numbers.update(by_value.get(wanted, ()))
        return [self._findings[number] for number in sorted(numbers)]

    def _sharing(self, asked: frozenset[str]) -> dict[frozenset[str], dict[_Named, list[int]]]:
        """By the kinds of name that a finding shares with those asked for, then by the names."""
        if asked not in self._by_kinds:
            table: dict[frozenset[str], dict[_Named, list[int]]] = {}
            for number, finding in enumerate(self._findings):
                shared = frozenset(pair for pair in _named(finding.subject) if pair[0] in asked)
                if shared:
                    kinds = frozenset(kind for kind, _ in shared)
                    table.setdefault(kinds, {}).setdefault(shared, []).append(number)
            self._by_kinds[asked] = table
        return self._by_kinds[asked]


def _named(subject: Mapping[str, str]) -> _Named:
    return frozenset((kind, subject[kind].lower()) for kind in _NAMES if subject.get(kind))


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
    if place is None or name is None or (place <= _BEYOND and name == 0):
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
    if any(name in one.called_names() for one in functions for name in wanted):
        return _CALLED
    return _BEYOND if any(name in one.names_beyond() for one in functions for name in wanted) else None


def _name_score(finding: Finding, names: Mapping[str, str]) -> int | None:
    """None where both name the same kind of thing and the names differ.

    A constraint without its column is known by its name, which holds the column's by every convention.
    """
    column, constraint = finding.subject.get("column"), names.get("constraint")
    if column and constraint and not names.get("column") and column.lower() not in constraint.lower():
        return None
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
