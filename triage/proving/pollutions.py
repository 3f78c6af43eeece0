"""Tests that failed in the suite and pass without it: spoilt by another test, by company, or by chance."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from triage.model.diagnosis import Cause, Evidence
from triage.model.failure import Failure
from triage.model.observation import Intervention, Place
from triage.model.terms import Outcome
from triage.probes.leftovers import Leftover, matters, which_mattered
from triage.proving.laboratory import Laboratory, Trial, TrialResult
from triage.proving.order import Finding, Pollution, find_polluter, most_runs
from triage.proving.repeats import verdict

STATE = "process-state"
TRACE = "trace-state"
_KINDS = {
    "environment": "the environment variable {name}",
    "database": "rows in the table {name}",
    "context": "a context of {name}",
    "config": "the setting {name}",
    "cwd": "another working directory",
    "threads": "the thread {name}",
    "logging": "the logging of {name}",
}
MAX_SEARCHED = 5  # victims whose polluter is bisected; the others are tried with what was found
MAX_SUITE_S = 600.0  # a longer suite is not run again to tell order from chance


@dataclass(frozen=True, slots=True)
class Spoilt:
    """What is known of one test that passes without the suite.

    `polluter` is the test that spoils it, `state` what that test leaves behind; `seen` is the run in
    which it failed again. `is_flaky`: it passed where it had failed before, nothing being changed.
    """

    test: str
    sentence: str
    polluter: str | None = None
    group: tuple[str, ...] = ()
    place: Place | None = None
    state: Leftover | None = None
    seen: TrialResult = field(default_factory=TrialResult)
    is_flaky: bool = False
    evidence: tuple[Evidence, ...] = ()

    @property
    def company(self) -> tuple[str, ...]:
        return (self.polluter,) if self.polluter else self.group

    @property
    def is_order(self) -> bool:
        return self.polluter is not None or bool(self.group)

    def names(self) -> Mapping[str, str]:
        """For the sentences of playbooks."""
        found = {"victim": self.test, "polluter": self.polluter or " and ".join(self.group[:3])}
        return found | ({"state": said(self.state)} if self.state else {})

    def cause(self, sentence: str) -> Cause | None:
        if self.place is None:
            return None
        return Cause(self.place.file, self.place.line, self.place.symbol, sentence)


class Pollutions:
    """Looks into every test that failed in the suite and did not fail again with the failing tests alone."""

    def __init__(self, laboratory: Laboratory, observers: Sequence[str]) -> None:
        self._laboratory = laboratory
        self._observers = tuple(dict.fromkeys((*observers, STATE)))
        self._known: dict[str, tuple[str, ...]] = {}
        self.notes: list[str] = []

    def find(self, victims: Sequence[Failure]) -> dict[str, Spoilt]:
        if not victims:
            return {}
        tests = [one.case.id for one in victims]
        before = {test: self._laboratory.before(test) for test in tests}
        suite = tuple(dict.fromkeys(one for test in tests for one in (*before[test], test)))
        if self._laboratory.estimate_s(suite) > MAX_SUITE_S:
            self.notes.append(f"{len(tests)} tests pass alone; the suite is too long to search for why")
            return {}
        whole = self._run(Trial("suite order", suite, self._observers))
        again = [one for one in victims if whole.fails(one.case.id)]
        found = {one.case.id: self._search(one, before[one.case.id], whole) for one in again}
        others = [test for test in tests if test not in found and test in whole.outcomes]
        return {test: one for test, one in found.items() if one is not None} | self._by_chance(others)

    def _search(self, victim: Failure, before: Sequence[str], whole: TrialResult) -> Spoilt | None:
        test = victim.case.id
        hints = self._hints(victim, before, whole)
        searched = len(self._known) < MAX_SEARCHED
        limit = most_runs(len(before)) - 1 if searched else 1
        if not searched and not hints:
            return None
        pollution = find_polluter(
            test, before, self._laboratory, self._observers, hints, max(1, limit), Outcome.PASSED
        )
        if pollution.finding in (Finding.ALONE, Finding.NOT_REPEATED) or not (
            pollution.polluter or pollution.group
        ):
            return None
        self._known[test] = (pollution.polluter,) if pollution.polluter else pollution.group
        return self._told(victim, pollution, whole)

    def _hints(self, victim: Failure, before: Sequence[str], whole: TrialResult) -> tuple[str, ...]:
        """One test that may be it: named by the failure, seen leaving what matters, or known of another."""
        poison = victim.problem.facts.get("poison")
        named = [poison.get("test")] if isinstance(poison, Mapping) else []
        seen = [one.facts for one in whole.observations.get(victim.case.id, ())]
        named = [*(facts.get(name) for name in ("holder", "poisoner") for facts in seen), *named]
        known = [one for found in self._known.values() for one in found if len(found) == 1]
        mattering = [one for one in reversed(before) if _matters(self._laboratory.left(one), victim)]
        leaving = [one for one in reversed(before) if self._laboratory.left(one)]
        only = leaving if len(leaving) == 1 else []
        for one in (victim.root, *named, *mattering, *only, *reversed(known)):
            if isinstance(one, str) and one in before:
                return (one,)
        return ()

    def _told(self, victim: Failure, pollution: Pollution, whole: TrialResult) -> Spoilt:
        test = victim.case.id
        seen = pollution.seen if test in pollution.seen.failures else whole
        if pollution.polluter is None:
            return Spoilt(test, pollution.sentence, group=pollution.group, seen=seen)
        state = _state(self._laboratory.left(pollution.polluter), victim)
        state = self._traced(pollution.polluter, test, state)
        place = self._laboratory.place(pollution.polluter)
        pieces = [Evidence("polluter", place.file, place.line, pollution.sentence)]
        if state is not None:
            at = Place(state.file, state.line, place.symbol) if state.file and state.line else place
            pieces.append(Evidence("state", at.file, at.line, f"leaves {said(state)} behind"))
            place = at
        return Spoilt(
            test, pollution.sentence, pollution.polluter, (), place, state, seen, evidence=tuple(pieces)
        )

    def _traced(self, polluter: str, victim: str, state: Leftover | None) -> Leftover | None:
        """The state with the line that changed it, where one more run can tell it."""
        if state is None or (state.file and state.line):
            return state
        place = self._laboratory.place(polluter)
        names = {"name": state.name, "kind": state.kind}
        order = Intervention(TRACE, place.file, place.line, (polluter,), names)
        self._run(Trial("trace state", (polluter, victim), (STATE,), (order,)))
        traced = (one for one in self._laboratory.left(polluter) if one.name == state.name and one.line)
        return next(traced, state)

    def _by_chance(self, tests: Sequence[str]) -> dict[str, Spoilt]:
        """They pass in the order of the suite, too: by chance, or only beside other processes they fail."""
        if not tests:
            return {}
        if not self._laboratory.ran_in_parallel:
            told = verdict([Outcome.FAILED, Outcome.PASSED]).sentence
            return {test: Spoilt(test, told, is_flaky=True) for test in tests}
        beside = self._run(Trial("in parallel", self._all(tests), parallel=True))
        found = {}
        for test in tests:
            if beside.fails(test):
                said = "fails only while other processes run tests; in one process it passes"
                place = self._laboratory.place(test)
                piece = Evidence("parallel", place.file, place.line, said)
                found[test] = Spoilt(test, said, evidence=(piece,), seen=beside)
            elif beside.passes(test):
                told = verdict([Outcome.FAILED, Outcome.PASSED]).sentence
                found[test] = Spoilt(test, told, is_flaky=True)
        return found

    def _all(self, tests: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys([*self._laboratory.all_tests(), *tests]))

    def _run(self, trial: Trial) -> TrialResult:
        result = self._laboratory.run(trial)
        self.notes += [note for note in result.notes if note not in self.notes]
        return result


def said(left: Leftover) -> str:
    """In words, for a sentence."""
    what = _KINDS.get(left.kind, "{name}").format(name=left.name)
    if left.before and left.after:
        return f"{what} ({left.before} -> {left.after})"
    return f"{what} ({left.before or left.after})" if left.before or left.after else what


def _matters(left: Sequence[Leftover], victim: Failure) -> bool:
    return bool(matters(left, _words(victim)))


def _state(left: Sequence[Leftover], victim: Failure) -> Leftover | None:
    """What matters most of what was left, else the first thing."""
    return next(iter(which_mattered(left, _words(victim))), None)


def _words(victim: Failure) -> list[str]:
    """Where a name may stand that tells which state mattered."""
    chain = victim.problem.chain
    sources = [frame.source or "" for one in chain for frame in one.frames if frame.is_own]
    files = [frame.file for one in chain for frame in one.frames if frame.is_own]
    return [*(one.message for one in chain), *sources, *files]
