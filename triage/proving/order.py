"""Which earlier test makes a later one fail: the polluter of a victim, found by bisecting."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol

from triage.model.diagnosis import Evidence
from triage.model.terms import Outcome
from triage.proving.laboratory import Trial, TrialResult

_KEPT = 64  # tests that a run may carry along only to tell a pair from one polluter
_EVIDENCE = 10


class Runner(Protocol):
    """What is needed of a laboratory."""

    def run(self, trial: Trial) -> TrialResult: ...


class Finding(StrEnum):
    POLLUTED = "polluted"  # one test before it is enough
    GROUP = "group"  # several tests before it are needed together
    ALONE = "fails alone"
    NOT_REPEATED = "not repeated"  # passes after all tests before it
    UNKNOWN = "unknown"  # the search could not go on


@dataclass(frozen=True, slots=True)
class Pollution:
    """`group` is the smallest set after which the victim was seen failing where no polluter is named.

    `alone` is None where a passing run after some of the tests made a run alone needless; `evidence` is
    what observers saw of the victim in the smallest failing run, which is `seen`; `sentence` is for people.
    """

    victim: str
    finding: Finding
    polluter: str | None
    runs: int
    group: tuple[str, ...] = ()
    alone: Outcome | None = None
    evidence: tuple[Evidence, ...] = ()
    sentence: str = ""
    seen: TrialResult = field(default_factory=TrialResult)


def most_runs(tests: int) -> int:
    """Trials that `find_polluter` needs at most for so many tests before the victim."""
    return (tests - 1).bit_length() + 2 if tests > 1 else 2


def find_polluter(
    victim: str,
    before: Sequence[str],
    laboratory: Runner,
    observers: Sequence[str] = (),
    hint: Sequence[str] | None = None,
    budget: int | None = None,
    alone: Outcome | None = None,
) -> Pollution:
    """The test of `before` (in run order) after which `victim` fails.

    `hint` are tests to try first; `alone` is what the victim does by itself, where that is known.
    A run that passes after some of the tests shows what a run alone would, and one that fails after a
    single test needs no confirmation: so only one of these two runs is ever made, and the whole stays
    within `most_runs(len(before))`, or `budget` where that is less.
    """
    tests = tuple(dict.fromkeys(test for test in before if test != victim))
    limit = most_runs(len(tests))
    asked = Trial("", (victim,), tuple(observers))
    search = _Search(asked, tests, laboratory, limit if budget is None else min(limit, budget), alone)
    try:
        finding, polluter = search.find(frozenset(hint or ()))
    except _Stopped as stopped:
        return search.told(Finding.UNKNOWN, None, str(stopped))
    return search.told(finding, polluter)


class _Stopped(Exception):  # noqa: N818 - the end of a search, not an error
    """Why the search cannot go on."""


class _Search:
    """The runs about one victim; `failing` is the smallest set after which it failed."""

    def __init__(
        self, asked: Trial, tests: tuple[str, ...], laboratory: Runner, limit: int, alone: Outcome | None
    ) -> None:
        (self._victim,) = asked.tests
        self._asked, self._tests, self._laboratory, self._limit = asked, tests, laboratory, limit
        self._place = {test: number for number, test in enumerate(tests)}
        self._alone = alone
        self._passed = alone is not None and not alone.is_failing
        self._runs = 0
        self._kind = ""
        self._failing: tuple[str, ...] | None = None
        self._needed: str | None = None
        self._seen = TrialResult()

    def find(self, hints: frozenset[str]) -> tuple[Finding, str | None]:
        if self._fails_alone:
            return Finding.ALONE, None
        if not self._tests:
            raise _Stopped("no test ran before it")
        hinted = [test for test in self._ranked() if test in hints]
        if hinted and self._fails(hinted):
            return self._narrow([*hinted])
        if len(hinted) == len(self._tests) or (not hinted and not self._fails(self._tests)):
            return Finding.NOT_REPEATED, None
        # After a wrong hint no run is left for all tests at once: None stands for that run, tried last.
        rest = [test for test in self._ranked() if test not in hints]
        return self._narrow([*rest, None] if hinted else rest)

    def _narrow(self, candidates: Sequence[str | None]) -> tuple[Finding, str | None]:
        kept: list[str] = []
        while len(candidates) > 1:
            size = self._split(candidates)
            half, rest = _tests(candidates[:size]), candidates[size:]
            if self._fails([*kept, *half]):
                candidates = half
                continue
            if self._failing is not None and len(self._failing) <= _KEPT:
                kept += half
            candidates = rest
        (last,) = candidates
        return self._settle(last, kept)

    def _settle(self, last: str | None, kept: list[str]) -> tuple[Finding, str | None]:
        if last is None:
            return (Finding.GROUP if self._fails(self._tests) else Finding.NOT_REPEATED), None
        if self._failing != (last,) and not self._fails([last]):
            self._needed = last if set(self._failing or ()) == {*kept, last} else None
            return Finding.GROUP, None
        if not self._passed and self._alone is None and self._runs < self._limit:
            self._fails([])
        return (Finding.ALONE, None) if self._fails_alone else (Finding.POLLUTED, last)

    @property
    def _fails_alone(self) -> bool:
        return self._alone is not None and self._alone.is_failing

    def _fails(self, tests: Sequence[str]) -> bool:
        """Whether the victim fails after these, in the same way as it did first."""
        if self._runs >= self._limit:
            raise _Stopped(f"the search ended after {_counted(self._runs, 'run')}, as many as were allowed")
        self._runs += 1
        ordered = tuple(sorted(tests, key=self._place.__getitem__))
        name = f"order-{zlib.crc32(self._victim.encode('utf-8', 'replace')):08x}-{self._runs}"
        result = self._laboratory.run(replace(self._asked, name=name, tests=(*ordered, self._victim)))
        outcome = result.outcomes.get(self._victim)
        if outcome is None:
            raise _Stopped(f"it did not come to an end after {_counted(len(ordered), 'test')} before it")
        if not ordered:
            self._alone = outcome
        return self._judge(ordered, outcome, result)

    def _judge(self, ordered: tuple[str, ...], outcome: Outcome, result: TrialResult) -> bool:
        if not outcome.is_failing:
            self._passed = True
            return False
        kind = _kind(result, self._victim)
        self._kind = self._kind or kind
        same = not kind or kind == self._kind
        if same and ordered and (self._failing is None or len(ordered) <= len(self._failing)):
            self._failing, self._seen = ordered, result
        return same

    def _ranked(self) -> list[str]:
        """Likeliest first: of the victim's class, of its module, then the nearest before it."""
        return sorted(self._tests, key=lambda test: (self._distance(test), -self._place[test]))

    def _distance(self, test: str | None) -> int:
        if test is None:
            return 3
        if _class(test) == _class(self._victim):
            return 0
        return 1 if _module(test) == _module(self._victim) else 2

    def _split(self, candidates: Sequence[str | None]) -> int:
        """How many to try first: the victim's class or module where neither side grows too large for that."""
        most = 1 << ((len(candidates) - 1).bit_length() - 1)
        least = len(candidates) - most
        distances = [self._distance(test) for test in candidates]
        sizes = (sum(one <= reach for one in distances) for reach in (0, 1))
        return next((size for size in sizes if least <= size <= most), len(candidates) // 2)

    def told(self, finding: Finding, polluter: str | None, why: str = "") -> Pollution:
        observations = self._seen.observations.get(self._victim, ())
        evidence = dict.fromkeys(one for seen in observations for one in seen.evidence)
        named = finding in (Finding.GROUP, Finding.UNKNOWN)
        return Pollution(
            victim=self._victim,
            finding=finding,
            polluter=polluter,
            runs=self._runs,
            group=(self._failing or ()) if named else (),
            alone=self._alone,
            evidence=tuple(evidence)[:_EVIDENCE] if named or polluter else (),
            sentence=self._sentence(finding, polluter, why),
            seen=self._seen,
        )

    def _sentence(self, finding: Finding, polluter: str | None, why: str) -> str:
        passes = "passes alone" if self._alone is not None else "passes after other tests"
        runs, failing = _counted(self._runs, "run"), self._failing or ()
        match finding:
            case Finding.POLLUTED:
                passes = passes if self._passed else "was not tried alone"
                return f"{passes} and fails after {polluter} ({runs})"
            case Finding.GROUP:
                without = f", and passes without {self._needed}" if self._needed else ""
                return (
                    f"fails after {_counted(len(failing), 'test')} together{without}, but after none that "
                    f"was tried by itself: at least two of them are needed, or it is flaky ({runs})"
                )
            case Finding.ALONE:
                return "fails alone, so no test before it is to blame"
            case Finding.NOT_REPEATED:
                number = _counted(len(self._tests), "test")
                return (
                    f"passes after all {number} before it ({runs}): it is flaky, or what ran at the same "
                    "time mattered"
                )
            case Finding.UNKNOWN:
                after = f"; it failed after {_counted(len(failing), 'test')} together" if failing else ""
                return why + after


def _tests(candidates: Sequence[str | None]) -> list[str]:
    return [test for test in candidates if test is not None]


def _module(test: str) -> str:
    return test.partition("::")[0]


def _class(test: str) -> str:
    """The node id without the function's name; a parameter may hold `::`."""
    return test.partition("[")[0].rpartition("::")[0]


def _kind(result: TrialResult, test: str) -> str:
    failure = result.failures.get(test)
    head = failure.problem.head if failure is not None else None
    return head.type if head is not None else ""


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number:,} {noun}s"
