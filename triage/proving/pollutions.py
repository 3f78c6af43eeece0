"""Tests that failed in the suite and pass without it: spoilt by another test, by company, or by chance."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from triage.model.diagnosis import Cause, Evidence
from triage.model.failure import Failure
from triage.model.observation import Intervention, Place
from triage.model.terms import Outcome
from triage.probes.leftovers import Leftover, is_named, matters, which_mattered
from triage.proving.laboratory import Laboratory, Trial, TrialResult
from triage.proving.order import Finding, Pollution, find_polluter, most_runs
from triage.proving.repeats import verdict

STATE = "process-state"
TRACE = "trace-state"
RESTORE = "restore-state"
_NOT_RESTORED = ("database", "threads")
_TRACED = 20  # things whose line is looked for in one run
_TRIED = 3  # of them put back by themselves
_KINDS = {
    "environment": "the environment variable {name}",
    "database": "rows in the table {name}",
    "context": "a context of {name}",
    "config": "the setting {name}",
    "cwd": "another working directory",
    "threads": "the thread {name}",
    "logging": "the logging of {name}",
    "fixture": "the value of the fixture {name}",
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
    is_explained: bool = False  # the failure names the state that was left

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
            self.notes.append(f"tests that pass alone: {len(tests)}; the suite is too long to search for why")
            return {}
        whole = self._run(Trial("suite order", suite, self._observers))
        again = [one for one in victims if whole.fails(one.case.id)]
        found = {one.case.id: self._search(one, before[one.case.id], whole) for one in again}
        others = [test for test in tests if test not in found and test in whole.outcomes]
        return self._confirmed(found) | self._by_chance(others)

    def among(self, victims: Sequence[Failure], seen: TrialResult) -> dict[str, Spoilt]:
        """The same of tests that failed in the run `seen`, and passed among fewer of its tests."""
        found = {}
        for one in victims:
            before = [test for test in self._laboratory.before(one.case.id) if test in seen.outcomes]
            found[one.case.id] = self._search(one, before, seen)
        return self._confirmed(found)

    def _confirmed(self, found: Mapping[str, Spoilt | None]) -> dict[str, Spoilt]:
        """Three more runs where no state that the failure names explains it: chance may look like order.

        Two of them one after the other, for what changes from run to run, such as a file that is left.
        """
        known = {test: one for test, one in found.items() if one is not None}
        unsure = [one for one in known.values() if one.is_order and not one.is_explained]
        if not unsure:
            return known
        tests = [one.test for one in unsure]
        apart = [self._run(Trial("apart again", tuple(tests))) for _ in range(2)]
        both = dict.fromkeys(test for one in unsure for test in (*one.company, one.test))
        beside = self._run(Trial("after the polluter again", tuple(both)))
        for one in unsure:
            fails = any(each.fails(one.test) for each in apart)
            if fails or self._passes_beside(one, beside, alone=len(unsure) == 1):
                told = "fails and passes in like runs, whichever test ran before: flaky"
                known[one.test] = Spoilt(one.test, told, is_flaky=True)
        return known

    def _passes_beside(self, one: Spoilt, beside: TrialResult, *, alone: bool) -> bool:
        if alone or not beside.passes(one.test):
            return beside.passes(one.test)
        return self._run(Trial("after the polluter again", (*one.company, one.test))).passes(one.test)

    def _search(self, victim: Failure, before: Sequence[str], whole: TrialResult) -> Spoilt | None:
        test = victim.case.id
        hints = self._hints(victim, before, whole)
        searched = len(self._known) < MAX_SEARCHED
        limit = most_runs(len(before)) if searched else 1
        if not searched and not hints:
            return None
        pollution = find_polluter(
            test, before, self._laboratory, self._observers, hints, limit, Outcome.PASSED
        )
        if pollution.finding is Finding.NOT_REPEATED and not self._laboratory.ran_in_parallel:
            told = verdict([Outcome.FAILED, Outcome.FAILED, Outcome.PASSED]).sentence
            return Spoilt(test, told, is_flaky=True)
        if not (pollution.polluter or pollution.group):
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
        state = self._state(pollution.polluter, victim)
        place = self._laboratory.place(pollution.polluter)
        pieces = [Evidence("polluter", place.file, place.line, pollution.sentence)]
        if state is not None:
            at = Place(state.file, state.line, place.symbol) if state.file and state.line else place
            pieces.append(Evidence("state", at.file, at.line, f"leaves {said(state)} behind"))
            place = Place(state.by_file, state.by_line, place.symbol) if state.by_file else at
        return Spoilt(
            test,
            pollution.sentence,
            pollution.polluter,
            place=place,
            state=state,
            seen=seen,
            evidence=tuple(pieces),
            is_explained=state is not None and is_named(state, _words(victim)),
        )

    def _state(self, polluter: str, victim: Failure) -> Leftover | None:
        """What of all that was left makes the victim fail: with it put back, the victim passes."""
        by_name = {(one.kind, one.name): one for one in self._laboratory.left(polluter)}
        left = which_mattered(tuple(by_name.values()), _words(victim))
        if not left:
            return None
        chosen = [one for one in left if one.kind not in _NOT_RESTORED]
        traced = tuple(one for one in left if not (one.file and one.line))[:_TRACED]
        guilty = None
        if (chosen or traced) and self._helps("trace state", polluter, victim, chosen[:1], traced):
            guilty = chosen[0] if chosen else None
        elif len(chosen) > 1 and self._helps("put all back", polluter, victim, chosen):
            tried = chosen[1 : 1 + _TRIED]
            guilty = next((one for one in tried if self._helps("put back", polluter, victim, [one])), None)
        elif chosen[1:] == []:
            rest = [one for one in left if one.kind in _NOT_RESTORED]
            guilty = next((one for one in rest if len(rest) == 1 or _matters([one], victim)), None)
        return self._placed(polluter, guilty)

    def _helps(
        self,
        name: str,
        polluter: str,
        victim: Failure,
        put_back: Sequence[Leftover],
        traced: Sequence[Leftover] = (),
    ) -> bool:
        """Whether the victim passes after the polluter once these are put back; the run tells lines, too."""
        place, test = self._laboratory.place(polluter), victim.case.id
        orders = tuple(
            Intervention(kind, place.file, place.line, (polluter,), {"name": one.name, "kind": one.kind})
            for kind, chosen in ((TRACE, traced), (RESTORE, put_back))
            for one in chosen
        )
        return bool(put_back) & self._run(Trial(name, (polluter, test), (), orders)).passes(test)

    def _placed(self, polluter: str, state: Leftover | None) -> Leftover | None:
        """The same with the line that a run has told since."""
        if state is None or (state.file and state.line):
            return state
        known = (one for one in self._laboratory.left(polluter) if one.name == state.name and one.line)
        return next(known, state)

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


def _words(victim: Failure) -> list[str]:
    """Where a name may stand that tells which state mattered."""
    chain = victim.problem.chain
    sources = [frame.source or "" for one in chain for frame in one.frames if frame.is_own]
    files = [frame.file for one in chain for frame in one.frames if frame.is_own]
    return [*(one.message for one in chain), *sources, *files]
