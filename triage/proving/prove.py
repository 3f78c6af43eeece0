"""From failures to proven causes: watch, tell order and chance apart, change facts, run again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from triage.model.diagnosis import Evidence
from triage.model.failure import Failure, Loser, Match
from triage.model.observation import Observation
from triage.model.playbook import Playbook
from triage.model.terms import Level, Phase, Proof
from triage.proving.budget import Budget
from triage.proving.candidates import Candidate, candidates, explain
from triage.proving.laboratory import Laboratory, Trial, TrialResult
from triage.proving.pollutions import Pollutions, Spoilt
from triage.proving.rounds import Rounds
from triage.proving.stability import Stability, passing_apart, reruns_of
from triage.proving.subject import Subject
from triage.proving.suspects import suspects_of
from triage.rules.lookup import Lookup

ORDER, FLAKY = "order-dependent", "flaky"  # ids of playbooks that no text can match
_STUCK = 3  # times that tests which do not end are left out, and the others run once more
_OBSERVED = 0.95  # trust in a verdict that rests on runs


@dataclass(frozen=True, slots=True)
class Proven:
    """What is known of one failing test; `failure` is sorted anew where a run said more than the text.

    `repeats` is a sentence on how often it was run again and what that supports.
    """

    failure: Failure
    subject: Subject
    evidence: tuple[Evidence, ...] = ()
    repeats: str = ""


@dataclass(frozen=True, slots=True)
class Proofs:
    """`recovered` tells of tests that only follow whether they pass once their root does.

    `late` are those of them that hid something else.
    """

    by_test: Mapping[str, Proven] = field(default_factory=dict)
    recovered: Mapping[str, bool] = field(default_factory=dict)
    late: Mapping[str, Subject] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Means:
    """What proofs are made with; the names are those of files beside the plugin."""

    laboratory: Laboratory
    observers: frozenset[str]
    interventions: frozenset[str]
    reruns: int = 2
    localise: bool = False


class Prover:
    """Proofs of one run."""

    def __init__(self, playbooks: Mapping[str, Playbook], lookup: Lookup, means: Means) -> None:
        self._playbooks = playbooks
        self._lookup = lookup
        self._means = means
        self._notes: list[str] = []

    def prove(self, failures: Sequence[Failure]) -> Proofs:
        """Runs what failed again, and tells what came of it; nothing is run where nothing can be."""
        chosen = [one for one in failures if self._can_run(one)]
        if not chosen:
            return Proofs()
        company = _company(chosen)
        chosen, seen = self._observe_what_ends(chosen, company)
        budget = self._budget(chosen, seen)
        pollutions = self._pollutions(chosen, seen)
        spoilt = dict(pollutions.find(self._passing(chosen, seen)))
        subjects = self._subjects(chosen, company, seen, spoilt)
        rounds = self._rounds(chosen, budget)
        rounds.prove([one for one in subjects.values() if self._can_prove(one, spoilt, seen)])
        stability = self._again(subjects, seen, budget)
        spoilt |= self._hidden(subjects, seen, stability, pollutions, budget)
        self._notes += [*rounds.notes, *pollutions.notes]
        settled = [self._settled(one, spoilt.get(one.test), stability) for one in subjects.values()]
        if self._means.localise:
            settled = self._localised(settled)
        return Proofs(
            by_test={one.subject.test: one for one in settled},
            recovered=rounds.recovered,
            late=rounds.late,
            notes=tuple(dict.fromkeys(self._notes)),
        )

    def _can_run(self, failure: Failure) -> bool:
        playbook = self._playbooks.get(failure.playbook or "")
        outside = failure.problem.phase in (Phase.COLLECT, Phase.SESSION)
        return bool(failure.case.nodeid) and not outside and (playbook is None or playbook.diagnose.reruns)

    def _observe_what_ends(
        self, failures: Sequence[Failure], company: Mapping[str, tuple[str, ...]]
    ) -> tuple[list[Failure], TrialResult]:
        """A test that hangs or ends the process only now is left out, so that the others are seen."""
        chosen = list(failures)
        for _ in range(_STUCK):
            seen = self._observe(chosen, company)
            stuck = {test for test, one in seen.failures.items() if not self._can_run(one)}
            chosen = [one for one in chosen if one.case.id not in stuck]
            self._notes += [f"{test} did not come to an end when it was run again" for test in stuck]
            if not stuck or not chosen:
                break
        return chosen, seen

    def _observe(self, failures: Sequence[Failure], company: Mapping[str, tuple[str, ...]]) -> TrialResult:
        tests = [test for one in failures for test in (*company.get(one.case.id, ()), one.case.id)]
        observers = self._observers(one.playbook for one in failures)
        result = self._means.laboratory.run(Trial("observe", tuple(dict.fromkeys(tests)), observers))
        self._notes += result.notes
        return result

    def _observers(self, playbooks: Iterable[str | None]) -> tuple[str, ...]:
        """Those of the playbooks; of what none knows for certain, those whose facts may still tell."""
        known = [self._playbooks.get(name or "") for name in playbooks]
        chosen = [one for one in known if one is not None]
        if any(one is None or one.level is Level.FALLBACK for one in known):
            chosen += [one for one in self._playbooks.values() if any(each.fact for each in one.symptoms)]
        wanted = dict.fromkeys(one.diagnose.probe for one in chosen)
        return tuple(name for name in wanted if name in self._means.observers)

    def _budget(self, failures: Sequence[Failure], seen: TrialResult) -> Budget:
        estimate_s = self._means.laboratory.estimate_s
        start_s = max(0.0, seen.duration_s - estimate_s(one.case.id for one in failures))
        kinds = {one.playbook for one in failures}
        return Budget(self._means.laboratory, seen.duration_s, len(kinds), start_s)

    def _passing(self, failures: Sequence[Failure], seen: TrialResult) -> list[Failure]:
        tests = {one.case.id for one in failures}
        return [one for one in failures if seen.passes(one.case.id) and one.root not in tests]

    def _pollutions(self, failures: Sequence[Failure], seen: TrialResult) -> Pollutions:
        observers = self._observers(one.playbook for one in self._passing(failures, seen))
        return Pollutions(self._means.laboratory, observers)

    def _hidden(
        self,
        subjects: Mapping[str, Subject],
        seen: TrialResult,
        stability: Stability,
        pollutions: Pollutions,
        budget: Budget,
    ) -> Mapping[str, Spoilt]:
        """What a test that fails itself spoils: it failed again with the failing tests, and not without."""
        open_ = {test: one.company for test, one in subjects.items() if test in stability.by_test}
        steady = {test: before for test, before in open_.items() if test not in stability.flaky}
        alone = passing_apart(
            {test: before for test, before in steady.items() if test not in stability.unlike},
            self._means.laboratory,
            budget,
        )
        victims = [subjects[test].first for test in steady if test in alone or test in stability.unlike]
        return pollutions.among(victims, seen)

    def _subjects(
        self,
        failures: Sequence[Failure],
        company: Mapping[str, tuple[str, ...]],
        seen: TrialResult,
        spoilt: Mapping[str, Spoilt],
    ) -> dict[str, Subject]:
        tests = {one.case.id for one in failures}
        found = {}
        for first in failures:
            test = first.case.id
            if first.root is not None and first.root in tests:
                continue
            result = spoilt[test].seen if test in spoilt else seen
            failure = _again(first, result.failures.get(test))
            observations = result.observations.get(test, ()) if failure is not first else ()
            before = (*company.get(test, ()), *(spoilt[test].company if test in spoilt else ()))
            located = self.locate(failure, observations)
            found[test] = Subject(test, failure, failure, located, tuple(dict.fromkeys(before)))
        return found

    def locate(self, failure: Failure, observations: Sequence[Observation]) -> tuple[Candidate, ...]:
        return candidates(failure, self._playbooks, self._lookup, observations)

    def _can_prove(self, one: Subject, spoilt: Mapping[str, Spoilt], seen: TrialResult) -> bool:
        """Whether changing facts can say more: not for chance, nor where order alone is the matter.

        What did not fail again in the same way passes, or fails otherwise, without any change.
        """
        known = spoilt.get(one.test)
        playbook = self._playbooks.get(one.first.playbook or "")
        again = (known.seen if known else seen).failures.get(one.test)
        if playbook is None or not playbook.diagnose.interventions:
            return False
        if again is None or not _alike(one.first, again):
            return False
        return known is None or (known.is_order and playbook.level is Level.SPECIFIC)

    def _rounds(self, failures: Sequence[Failure], budget: Budget) -> Rounds:
        followers: dict[str, list[str]] = {}
        tests = {one.case.id for one in failures}
        for one in failures:
            if one.root is not None and one.root in tests:
                followers.setdefault(one.root, []).append(one.case.id)
        return Rounds(
            laboratory=self._means.laboratory,
            playbooks=self._playbooks,
            kinds=self._means.interventions,
            observers=self._observers(self._playbooks),
            locate=self.locate,
            budget=budget,
            followers=followers,
        )

    def _again(self, subjects: Mapping[str, Subject], seen: TrialResult, budget: Budget) -> Stability:
        """Runs what failed twice and is not explained: nothing has shown yet that it always fails."""
        open_ = [one for one in subjects.values() if not one.is_flipped and seen.fails(one.test)]
        tests = {one.test: one.company for one in open_}
        return reruns_of(tests, self._means.laboratory, budget, self._means.reruns)

    def _settled(self, one: Subject, spoilt: Spoilt | None, stability: Stability) -> Proven:
        if spoilt is not None and spoilt.is_order and not one.is_flipped:
            return self._ordered(one, spoilt)
        if spoilt is not None and spoilt.is_flaky:
            return self._by_chance(one, spoilt.sentence)
        if spoilt is not None:
            return Proven(one.first, one, spoilt.evidence, spoilt.sentence)
        if one.test in stability.flaky:
            return self._by_chance(one, stability.sentence(one.test))
        return Proven(one.first, one, repeats=stability.sentence(one.test))

    def _by_chance(self, one: Subject, sentence: str) -> Proven:
        """Where it fails stays; why the text says it does, and what a change did to it, no longer counts."""
        failure = self._named(one.first, FLAKY, sentence)
        if failure.playbook != FLAKY:
            return Proven(failure, one, repeats=sentence)
        return Proven(failure, self._said(one, explain(self._playbooks[FLAKY], {}, "")), repeats=sentence)

    @staticmethod
    def _said(one: Subject, sentence: str) -> Subject:
        first = one.candidates[0]
        told = replace(first, cause=replace(first.cause, explanation=sentence), proof=Proof.NONE)
        return replace(one, candidates=(told,), kept=())

    def _ordered(self, one: Subject, spoilt: Spoilt) -> Proven:
        """It passes without the polluter and fails with it: the one fact that was changed."""
        failure = self._named(one.first, ORDER, spoilt.sentence, spoilt.names())
        playbook = self._playbooks.get(failure.playbook or "")
        sentence = explain(playbook, spoilt.names(), f"{spoilt.sentence[:1].upper()}{spoilt.sentence[1:]}.")
        cause = spoilt.cause(sentence)
        if failure.playbook != ORDER:
            return Proven(failure, one, spoilt.evidence, spoilt.sentence)
        if cause is None:
            told = self._said(one, sentence) if one.proof is Proof.NONE else one
            return Proven(failure, told, spoilt.evidence, spoilt.sentence)
        found = Candidate(cause, Proof.FLIPPED, one.candidates[0].evidence, spoilt.names())
        return Proven(failure, replace(one, candidates=(found,), kept=()), spoilt.evidence, spoilt.sentence)

    def _localised(self, settled: Sequence[Proven]) -> list[Proven]:
        """Suspicious lines for what no specific playbook explains; runs the whole suite once more."""
        unknown = [one for one in settled if self._is_unknown(one.failure)]
        found, notes = suspects_of([one.failure for one in unknown], self._means.laboratory)
        self._notes += notes
        return [replace(one, evidence=(*one.evidence, *found.get(one.subject.test, ()))) for one in settled]

    def _is_unknown(self, failure: Failure) -> bool:
        playbook = self._playbooks.get(failure.playbook or "")
        return playbook is None or playbook.level is Level.FALLBACK

    def _named(
        self, failure: Failure, playbook: str, why: str, names: Mapping[str, str] | None = None
    ) -> Failure:
        """The failure under a playbook that only running it again can tell; the one by its text lost."""
        if playbook not in self._playbooks:
            return failure
        lost = () if failure.match is None else (Loser(failure.match.playbook, f"it was run again: {why}"),)
        match = Match(playbook, _OBSERVED, f"run again: {why}", tuple((names or {}).items()))
        return replace(
            failure, match=match, also=(*lost, *failure.also), signature="", fingerprint="", root=None
        )


def _company(failures: Sequence[Failure]) -> dict[str, tuple[str, ...]]:
    """Tests that passed and yet are the root of another's failure: without them it may not fail."""
    tests = {one.case.id for one in failures}
    return {one.case.id: (one.root,) for one in failures if one.root is not None and one.root not in tests}


def _again(first: Failure, second: Failure | None) -> Failure:
    """The failure as it was seen again, if it is the same one; what it follows from is the first run's."""
    if second is None or not _alike(first, second):
        return first
    return replace(second, root=first.root, root_reason=first.root_reason, case=first.case)


def _alike(first: Failure, second: Failure) -> bool:
    one, other = first.problem.head, second.problem.head
    if one is None or other is None:
        return one is other
    return one.type == other.type and first.problem.phase == second.problem.phase
