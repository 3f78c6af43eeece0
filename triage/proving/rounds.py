"""Changes one fact after another until the failures go away: a few of each group first, then all."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from triage.model.failure import Failure
from triage.model.observation import Applied, Intervention, Observation
from triage.model.playbook import Playbook
from triage.proving.budget import Budget
from triage.proving.candidates import Candidate
from triage.proving.laboratory import Laboratory, Trial, TrialResult
from triage.proving.subject import Attempt, Effect, Step, Subject, fingerprint_of

REPRESENTATIVES = 2  # of each group; the others get what helped them
CANDIDATES = 3  # places that are tried for one failure
MAX_ROUNDS = 6  # defects behind one another in one test
_ALONE = 8  # tests run one by one because another one spoilt them

Locate = Callable[[Failure, Sequence[Observation]], tuple[Candidate, ...]]
Group = tuple[str, str, int]


@dataclass
class Rounds:
    """`observers` watch every trial, so that what shows behind a cause can be located, too."""

    laboratory: Laboratory
    playbooks: Mapping[str, Playbook]
    kinds: frozenset[str]
    observers: tuple[str, ...]
    locate: Locate
    budget: Budget
    followers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    recovered: dict[str, bool] = field(default_factory=dict)
    late: dict[str, Subject] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def prove(self, subjects: Sequence[Subject]) -> None:
        """Leaves in each subject what was tried and what it proved."""
        groups: dict[Group, list[Subject]] = {}
        for one in subjects:
            key = (one.failure.playbook or "", *one.candidate.place)
            groups.setdefault(key, []).append(one)
        first = [one for members in groups.values() for one in _representatives(members)]
        for one in first:
            one.queue = self._steps(one.failure, one.candidates)
        self._until_settled("change", first)
        for members in groups.values():
            self._pass_on(members)
        rest = [one for one in subjects if one not in first]
        self._until_settled("change all", rest, roots=[one for one in subjects if one.test in self.followers])
        self._until_settled("change behind", list(self.late.values()))
        self.recovered |= {test: one.is_flipped for test, one in self.late.items()}
        self._control([one for one in subjects if one.is_flipped and (one.behind or one in first)])

    def _control(self, subjects: Sequence[Subject]) -> None:
        """Without the change, and with those behind it made, a test must fail as it did before."""
        if not subjects:
            return
        orders = [step.order((one.test, *one.company)) for one in subjects for step in one.behind]
        tests = [test for one in subjects for test in (*one.company, one.test)]
        result = self._run(Trial("control", _distinct(tests), self.observers, tuple(orders)))
        for one in subjects:
            if result.passes(one.test):  # the first change was not needed
                one.kept = one.kept[1:]
                one.is_flipped = bool(one.kept)

    def _until_settled(self, name: str, subjects: Sequence[Subject], roots: Sequence[Subject] = ()) -> None:
        """Rounds until nothing is left to try; `roots` run once more, with what follows from them."""
        for round_ in range(1, MAX_ROUNDS + 1):
            active = [one for one in subjects if one.is_open]
            ready = [one for one in roots if one.is_flipped and not self._is_followed(one)]
            if not active and not ready:
                return
            if round_ > 2 and not self.budget.allows([one.test for one in active]):  # noqa: PLR2004 - two rounds are always made
                self.notes.append("no further changes were tried: the time for proofs was used up")
                return
            self._round(f"{name} {round_}", active, ready)

    def _is_followed(self, root: Subject) -> bool:
        return all(test in self.recovered for test in self.followers[root.test])

    def _round(self, name: str, active: Sequence[Subject], roots: Sequence[Subject]) -> None:
        trying = {one.test: one.queue.pop(0) for one in active}
        following = [test for root in roots for test in self.followers[root.test]]
        orders = [order for one in active for order in one.orders(trying[one.test])]
        orders += [order for root in roots for order in root.orders()]
        tests = [test for one in (*active, *roots) for test in (*one.company, one.test)]
        result = self._run(Trial(name, _distinct([*tests, *following]), self.observers, tuple(orders)))
        for root in roots:
            self._recover(root, result)
        spoilt = []
        for one in active:
            if self._is_spoilt(one, result):
                spoilt.append(one)
            else:
                self._judge(one, trying[one.test], result)
        for one in spoilt[:_ALONE]:
            steps = trying[one.test]
            alone = Trial(f"{name} alone", (*one.company, one.test), self.observers, one.orders(steps))
            self._judge(one, steps, self._run(alone))

    def _recover(self, root: Subject, result: TrialResult) -> None:
        """Whether those that only follow pass, too; what one of them hides is looked into like the rest."""
        for test in self.followers[root.test]:
            self.recovered[test] = result.passes(test)
            failure = result.failures.get(test)
            if failure is not None:
                found = self.locate(failure, result.observations.get(test, ()))
                company = (*root.company, root.test)
                one = Subject(test, failure, failure, found, company, root.kept)
                one.queue = self._steps(failure, found)
                self.late[test] = one

    def _run(self, trial: Trial) -> TrialResult:
        result = self.laboratory.run(replace(trial, interventions=merged(trial.interventions)))
        self.notes.extend(note for note in result.notes if note not in self.notes)
        return result

    def _is_spoilt(self, one: Subject, result: TrialResult) -> bool:
        """It failed only because of another test that ran before it in this trial, or did not come to run."""
        if result.outcomes and one.test not in result.outcomes:
            return True
        failure = result.failures.get(one.test)
        root = failure.root if failure is not None else None
        return root is not None and root not in one.company and root != one.failure.root

    def _judge(self, one: Subject, steps: tuple[Step, ...], result: TrialResult) -> None:
        applied: dict[tuple[str, str, int], str] = {}
        for each in _applied(one, result):
            applied.setdefault((each.kind, each.file, each.line), each.text)
        text = "; ".join(applied[step.key] for step in steps if step.key in applied)
        if not any(step.key in applied for step in steps):
            one.attempts.append(Attempt(steps, Effect.NOT_APPLIED))
            return
        if result.passes(one.test):
            one.kept = (*one.kept, *steps)
            one.is_flipped = True
            one.attempts.append(Attempt(steps, Effect.FLIPPED, text))
            return
        failure = result.failures.get(one.test)
        if failure is None or not self._has_ended(failure):  # or it was skipped: nothing is known
            one.attempts.append(Attempt(steps, Effect.NOT_APPLIED, text))
            return
        found = self.locate(failure, result.observations.get(one.test, ()))
        if fingerprint_of(failure, found) == fingerprint_of(one.failure, one.candidates):
            one.attempts.append(Attempt(steps, Effect.UNCHANGED, text))
            return
        one.attempts.append(Attempt(steps, Effect.CHANGED, text))
        one.kept = (*one.kept, *steps)
        one.failure, one.candidates = failure, found
        one.queue = [each for each in self._steps(failure, found) if not _is_taken(each[0], one.kept)]

    def _has_ended(self, failure: Failure) -> bool:
        playbook = self.playbooks.get(failure.playbook or "")
        return playbook is None or playbook.diagnose.reruns

    def _steps(self, failure: Failure, found: Sequence[Candidate]) -> list[tuple[Step, ...]]:
        playbook = self.playbooks.get(failure.playbook or "")
        if playbook is None:
            return []
        kinds = [kind for kind in playbook.diagnose.interventions if kind in self.kinds]
        return [(Step(one, kind, playbook.id),) for one in found[:CANDIDATES] for kind in kinds]

    def _pass_on(self, members: Sequence[Subject]) -> None:
        """What helped one of a group is tried on the others at once."""
        helped = sorted((one for one in members if one.kept), key=lambda one: not one.is_flipped)
        for one in members:
            if one.attempts or one.queue:
                continue
            own = self._steps(one.failure, one.candidates)
            if helped:
                chain = _at_own_names(helped[0].kept, one)
                one.queue = [chain, *(each for each in own if each[0].key != chain[0].key)]
            elif not any(each.is_refuted for each in members):
                one.queue = own


def merged(orders: Iterable[Intervention]) -> tuple[Intervention, ...]:
    """Orders for one place as one, unless they name different targets: a place is changed once."""
    found: list[Intervention] = []
    for one in orders:
        for number, known in enumerate(found):
            same = (one.kind, one.file, one.line) == (known.kind, known.file, known.line)
            if same and all(known.names.get(name, text) == text for name, text in one.names.items()):
                tests = _distinct([*known.tests, *one.tests])
                found[number] = replace(known, tests=tests, names={**known.names, **one.names})
                break
        else:
            found.append(one)
    return tuple(found)


def _is_taken(step: Step, kept: Sequence[Step]) -> bool:
    """Whether a step asks for no more than one that was taken already."""
    return any(
        one.key == step.key and step.candidate.names.items() <= one.candidate.names.items() for one in kept
    )


def _representatives(members: Sequence[Subject]) -> list[Subject]:
    """Members that fail differently, as far as there are any."""
    by_kind: dict[object, Subject] = {}
    for one in members:
        by_kind.setdefault(fingerprint_of(one.failure, one.candidates), one)
    return list(by_kind.values())[:REPRESENTATIVES]


def _at_own_names(chain: Sequence[Step], one: Subject) -> tuple[Step, ...]:
    """The chain with the first step's names as this test has them."""
    first = chain[0]
    own = next((each for each in one.candidates if each.place == first.candidate.place), first.candidate)
    return (Step(own, first.kind, first.playbook), *chain[1:])


def _applied(one: Subject, result: TrialResult) -> Iterable[Applied]:
    """What took effect while this test or its company ran; another test's proves nothing of this one."""
    for test in (one.test, *one.company, ""):  # the last: in the whole process
        yield from result.applied.get(test, ())


def _distinct(tests: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tests))
