"""Ranks lines by how much their execution goes with failing.

For failures that no playbook knows: no proof, a place to look first.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import sqrt

from triage.model.observation import Place
from triage.probes.spectra import Lines, Spectra

LIMIT = 10


@dataclass(frozen=True, slots=True)
class Suspect:
    """`score` is in (0, 1]; `rank` counts from 1, each once."""

    file: str
    line: int
    score: float
    rank: int


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Lines of one file that the same tests execute, both ends included."""

    file: str
    begin: int
    end: int
    failed: int
    passed: int


def suspects(
    spectra: Spectra, failing: Iterable[str], passing: Iterable[str], frames: Sequence[Place] = ()
) -> tuple[Suspect, ...]:
    """`rank` over what was read."""
    return rank(spectra.lines, failing, passing, test_files=spectra.test_files, frames=frames)


def rank(
    spectra: Mapping[str, Lines],
    failing: Iterable[str],
    passing: Iterable[str],
    limit: int = LIMIT,
    *,
    test_files: Collection[str] = (),
    frames: Sequence[Place] = (),
) -> tuple[Suspect, ...]:
    """The `limit` most suspicious lines of one group of failing tests, by Ochiai's coefficient.

    failed(s) / sqrt(total failed * (failed(s) + passed(s))); Abreu, Zoeteweij, van Gemund, "An Evaluation
    of Similarity Coefficients for Software Fault Localization", https://doi.org/10.1109/PRDC.2006.18.
    Equal scores: fewer passing tests first, then product code before that of `test_files`, then the
    deepest in the traceback (`frames`, outermost first), then by file and line. A test without a
    spectrum does not count; one that failed and passed counts as failing.
    """
    fails = {test for test in failing if test in spectra}
    passes = {test for test in passing if test in spectra} - fails
    depths = {(frame.file, frame.line): depth for depth, frame in enumerate(frames, start=1)}
    reached = _reached(depths)
    keyed = [
        (_order(stretch, line, test_files, depths), stretch)
        for stretch in _stretches(spectra, fails, passes)
        for line in _first_lines(stretch, reached.get(stretch.file, ()), limit)
    ]
    keyed.sort(key=lambda item: item[0])
    return tuple(
        Suspect(stretch.file, order[-1], _ochiai(stretch, len(fails)), place)
        for place, (order, stretch) in enumerate(keyed[:limit], start=1)
    )


def _ochiai(stretch: _Stretch, total: int) -> float:
    return min(1.0, stretch.failed / sqrt(total * (stretch.failed + stretch.passed)))


def _order(
    stretch: _Stretch, line: int, test_files: Collection[str], depths: Mapping[tuple[str, int], int]
) -> tuple[Fraction, int, bool, int, str, int]:
    """Lowest is first; the square of the score as a fraction, since equal scores must be equal."""
    square = Fraction(stretch.failed**2, stretch.failed + stretch.passed)
    depth = depths.get((stretch.file, line), 0)
    return -square, stretch.passed, stretch.file in test_files, -depth, stretch.file, line


def _stretches(
    spectra: Mapping[str, Lines], failing: Collection[str], passing: Collection[str]
) -> Iterator[_Stretch]:
    """Every stretch that a failing test executes; its cost grows with ranges, not with lines."""
    changes: dict[str, dict[int, list[int]]] = {}
    for test in failing:
        for file, ranges in spectra[test].items():
            _count(changes.setdefault(file, {}), ranges, 0)
    for test in passing:
        for file, ranges in spectra[test].items():
            if file in changes:
                _count(changes[file], ranges, 1)
    for file, at in changes.items():
        failed = passed = 0
        for line, following in pairwise(sorted(at)):
            failed, passed = failed + at[line][0], passed + at[line][1]
            if failed:
                yield _Stretch(file, line, following - 1, failed, passed)


def _count(at: dict[int, list[int]], ranges: Iterable[tuple[int, int]], which: int) -> None:
    for begin, end in ranges:
        at.setdefault(begin, [0, 0])[which] += 1
        at.setdefault(end + 1, [0, 0])[which] -= 1


def _reached(depths: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for file, line in sorted(depths):
        found.setdefault(file, []).append(line)
    return found


def _first_lines(stretch: _Stretch, reached: Sequence[int], limit: int) -> Iterable[int]:
    """The lines of a stretch that can be among the first: those of the traceback, and its first ones."""
    part = reached[bisect_left(reached, stretch.begin) : bisect_right(reached, stretch.end)]
    return {*part, *range(stretch.begin, min(stretch.end, stretch.begin + limit - 1) + 1)}
