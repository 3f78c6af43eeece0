"""Breaks what fixed tests are about, while they run, and sees whether they still notice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from triage.model.fix import Sabotage
from triage.model.observation import Intervention
from triage.proving.laboratory import Laboratory, Trial, TrialResult
from triage.rules.source import SourceTree
from triage.sabotage.choose import Choice, merged
from triage.sabotage.judge import Caught, judged, kind_of, took_effect
from triage.sabotage.pieces import PROCESS, Mutant
from triage.sabotage.subjects import OBSERVER, Subject, subject_of

_ROUNDS = (1, 1, 10)  # breakages of one test at once
_DECLARED = 3
_CHILDREN = 6
_NOTHING = "it executes no line of the product and asks for no attribute of its classes"
_SPOILT = "it may fail for what broken tests before it leave behind"
_UNTOUCHED = "no breakage took effect while it ran"


def sabotage(
    laboratory: Laboratory, tests: Sequence[str], tree: SourceTree, fixed_lines: Mapping[str, frozenset[int]]
) -> tuple[Mapping[str, Sabotage], tuple[str, ...]]:
    """What became of each test, and notes; at most six trials, each of the tests that are still open.

    Tests that pass in company only run with the others of their files; all are taken as passing.
    `fixed_lines` are those of the fix, by file: in the product they are broken first.
    """
    if not tests:
        return {}, ()
    seen = laboratory.run(Trial("sabotage watch", tuple(tests), (OBSERVER,)))
    company = _company(laboratory, tests, seen)
    beside = laboratory.run(Trial("sabotage watch in company", company, (OBSERVER,))) if company else seen
    found: dict[str, Sabotage] = {}
    subjects = []
    for test in tests:
        best = seen if seen.passes(test) else beside
        one = subject_of(test, laboratory.place(test), best.observations.get(test, ()), tree)
        reason = _hopeless(one, best)
        if reason:
            found[test] = Sabotage(test, caught=False, asserted=one.asserted, text=reason)
        else:
            subjects.append(one)
    notes = [*seen.notes, *beside.notes]
    check = _Check(laboratory, tree, Choice(tree, subjects, fixed_lines), notes, company)
    found |= check.run(subjects)
    return {test: found[test] for test in tests}, tuple(dict.fromkeys(check.notes))


def _company(laboratory: Laboratory, tests: Sequence[str], seen: TrialResult) -> tuple[str, ...]:
    """All tests of the files of those that live on what others before them stored."""
    files = {_file(test) for test in tests if not seen.passes(test)}
    known = tuple(test for test in laboratory.all_tests() if _file(test) in files)
    return known if set(known) - set(tests) else ()


def _hopeless(subject: Subject, seen: TrialResult) -> str:
    if not seen.passes(subject.test):
        return "it did not pass when it ran again"
    if not subject.asserted:
        return "it executed no assertion that could fail"
    return ""


@dataclass(frozen=True, slots=True)
class _Kill:
    """What a test noticed, and among which breakages."""

    how: Caught
    mutants: tuple[Mutant, ...]
    error: str


@dataclass
class _Check:
    laboratory: Laboratory
    tree: SourceTree
    choice: Choice
    notes: list[str]
    company: tuple[str, ...] = ()
    trials: int = 1
    _kills: dict[str, _Kill] = field(default_factory=dict)
    _executed: dict[str, Mutant] = field(default_factory=dict)
    _spoilt: set[str] = field(default_factory=set)

    def run(self, subjects: Sequence[Subject]) -> Mapping[str, Sabotage]:
        by_test = {one.test: one for one in subjects}
        self.trials += bool(self.company)
        for most in _ROUNDS[bool(self.company) :]:
            still = [one for one in subjects if self._is_open(one)]
            self._round("sabotage", {one.test: self.choice.next(one, most) for one in still}, by_test)
        still = [one for one in subjects if self._is_open(one)]
        declared = {one.test: self.choice.next_declared(one, _DECLARED) for one in still}
        self._round("sabotage declared", declared, by_test)
        self._control(by_test)
        return {one.test: self._told(one) for one in subjects}

    def _is_open(self, subject: Subject) -> bool:
        kill = self._kills.get(subject.test)
        return kill is None or kill.how < Caught.ASSERTED

    def _round(
        self, name: str, chosen: Mapping[str, tuple[Mutant, ...]], subjects: Mapping[str, Subject]
    ) -> None:
        chosen = {test: mutants for test, mutants in chosen.items() if mutants}
        if not chosen:
            return
        result = self._trial(f"{name} {self.trials}", chosen, tuple(chosen), subjects)
        for test, mutants in chosen.items():
            own = took_effect(test, mutants, result)
            if own:
                self._executed.setdefault(test, own[0])
            others = [
                one for each in chosen.values() for one in each if one.kind in PROCESS and one not in own
            ]
            how = judged(subjects[test], own, result, self.tree, others)
            if how > (self._kills[test].how if test in self._kills else Caught.NO):
                head = result.failures[test].problem.head
                error = head.type.rpartition(".")[2] if head else ""
                self._kills[test] = _Kill(how, tuple(own), error)

    def _trial(
        self,
        name: str,
        chosen: Mapping[str, tuple[Mutant, ...]],
        tests: tuple[str, ...],
        subjects: Mapping[str, Subject],
    ) -> TrialResult:
        triples = [
            (test, one, self.choice.when(one, subjects[test]))
            for test, each in chosen.items()
            for one in each
        ]
        orders = tuple(_order(one, when, mine) for (one, when), mine in merged(triples).items())
        self.trials += 1
        result = self.laboratory.run(Trial(name, self._with_company(tests), interventions=orders))
        self.notes.extend(result.notes)
        return result

    def _with_company(self, tests: tuple[str, ...]) -> tuple[str, ...]:
        """In the order of the first run, with the others of their files where they live on those."""
        files = {_file(test) for test in tests}
        beside = [test for test in self.company if _file(test) in files and test not in tests]
        order = {test: place for place, test in enumerate(self.laboratory.all_tests())} if beside else {}
        return tuple(sorted((*tests, *beside), key=lambda test: order.get(test, len(order))))

    def _control(self, subjects: Mapping[str, Subject]) -> None:
        """Every second test again without its own breakage: what fails then was spoilt by the ones before."""
        mine = [
            test
            for test, kill in self._kills.items()
            if kill.how is Caught.ASSERTED and not any(one.kind in PROCESS for one in kill.mutants)
        ]
        order = {test: place for place, test in enumerate(self.laboratory.all_tests())}
        mine.sort(key=lambda test: order.get(test, len(order)))
        self._spoilt = self._spoilt_in(mine, 0, subjects)
        if self._spoilt and self.trials < _CHILDREN:
            self._spoilt |= self._spoilt_in(mine, 1, subjects)
        elif self._spoilt:
            files = {_file(test) for test in self._spoilt}
            self._spoilt |= {test for test in mine[2::2] if _file(test) in files}
        if self._spoilt:
            self.notes.append(f"sabotage: tests that broken ones before them spoil: {len(self._spoilt)}")

    def _spoilt_in(self, mine: Sequence[str], first: int, subjects: Mapping[str, Subject]) -> set[str]:
        """Those that fail while only the others, every second one from the `first`, are broken."""
        broken = {test: self._kills[test].mutants for test in mine[first::2]}
        whole = mine[1 - first :: 2]
        if not broken or not whole:
            return set()
        result = self._trial("sabotage control", broken, tuple(mine), subjects)
        return {test for test in whole if not result.passes(test)}

    def _told(self, subject: Subject) -> Sabotage:
        kill, executed = self._kills.get(subject.test), self._executed.get(subject.test)
        tried = self.choice.tried(subject.test)
        first = kill.mutants[0] if kill is not None else executed
        told = Sabotage(subject.test, caught=False, asserted=subject.asserted, tried=tried)
        if first is not None:
            told = replace(told, file=first.file, line=first.line)
        if subject.test in self._spoilt:
            return replace(told, text=_SPOILT)
        if kill is not None:
            noticed = kill.how is Caught.ASSERTED
            return replace(told, caught=noticed, raised=not noticed, text=_sentence(kill))
        if executed is not None:
            return replace(told, text=f"it passes with {executed.what}")
        return replace(told, text=_UNTOUCHED if tried else _NOTHING)


def _sentence(kill: _Kill) -> str:
    others = len(kill.mutants) - 1
    text = kill.mutants[0].what
    if others:
        text += f", with {others} other breakage{'s' if others > 1 else ''}"
    if kill.how is Caught.ASSERTED:
        return text
    return f"no assertion noticed {text}; only {kill.error} was raised"


def _file(test: str) -> str:
    return test.partition("::")[0]


def _order(one: Mutant, when: str, tests: tuple[str, ...]) -> Intervention:
    if one.kind == "attribute":
        names = {"owner": one.owner, "attribute": one.attribute}
    else:
        names = {"at": one.at, "text": one.text, "when": when}
    return Intervention(kind_of(one), one.file, one.line, tests, names)
