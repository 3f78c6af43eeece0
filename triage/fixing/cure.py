"""From diagnoses to cures that hold: rounds until nothing more is gained, then what each is worth."""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace

from triage.fixing.diffs import sites_of, taken_out, unified
from triage.fixing.options import Chooser, Cure, Offer
from triage.fixing.round import Round, RoundResult, Tried
from triage.fixing.verdict import broken, symptom
from triage.fixing.workshop import Changed, Ran, State, Workshop
from triage.model.diagnosis import Diagnosis
from triage.model.fix import Fix, FixStatus, Sabotage, Verdict
from triage.model.plan import Site
from triage.model.terms import Applicability
from triage.remedies.edits import applied

ROUNDS = 8  # each gained something; the reference cases take two or three
FLAKY = "flaky"
_UNNOTICED = "its tests did not notice a broken product; --unsafe takes it"
_PUT_BACK = "the defect put back, all other fixes in place"


@dataclass(frozen=True, slots=True)
class Kept:
    """One cure that holds; `before` is the changed files' state that it was applied to."""

    fix: Fix
    cure: Cure
    before: Changed
    after: Changed

    @property
    def target_site(self) -> Site:
        """The place of the defect, as it was diagnosed."""
        return Site(self.cure.file, self.cure.line)


@dataclass
class Cured:
    """What came of it; `changed` are whole files against the project as it is, `last` the run with them."""

    first: State
    kept: list[Kept] = field(default_factory=list)
    rejected: list[Fix] = field(default_factory=list)
    changed: Changed = field(default_factory=dict)
    last: Ran = field(default_factory=Ran)
    states: list[State] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Wish:
    """What may be made: `diagnoses` limits the first round to these (None: all)."""

    unsafe: bool = False
    diagnoses: frozenset[str] | None = None


Watch = Callable[[str], None]


class Healer:
    """Rounds over one workshop."""

    def __init__(
        self, workshop: Workshop, chooser: Chooser, wish: Wish, watch: Watch = lambda _: None
    ) -> None:
        self._workshop = workshop
        self._chooser = chooser
        self._wish = wish
        self._watch = watch

    def heal(self) -> Cured:
        """Never raises for what remedies or tests do."""
        first = self._workshop.first()
        cured = Cured(first, last=first.ran, states=[first])
        if not first.ran.is_sound:
            why = "the first run did not complete, so nothing can be compared with it"
            cured.notes.append(why)
            cured.refused.update(dict.fromkeys(first.ran.failing, why))
            return cured
        state, tests = first, self._wanted(first)
        others = [test for test in first.ran.failing if test not in tests]
        cured.refused.update(dict.fromkeys(others, "it does not belong to the task that was asked for"))
        for number in range(1, ROUNDS + 1):
            result = self._round(cured, state, tests, number)
            if not result.taken:
                break
            fresh = _to_look_at(state.ran, result, tests)
            cured.changed, cured.last = result.changed, result.ran
            if not fresh:
                break
            self._watch(f"round {number + 1}: diagnosing {len(fresh)} tests")
            state = self._workshop.look(result.changed, result.ran, fresh)
            cured.states.append(state)
        self._prune(cured)
        self._sabotage(cured)
        if not self._wish.unsafe:
            self._only_safe(cured)
        _tell_others(cured)
        return cured

    def _wanted(self, first: State) -> frozenset[str]:
        """The tests that may be cured: all that fail, or those of the diagnoses that were asked for."""
        chosen = [one for one in first.diagnoses if self._takes(one)]
        return frozenset(test for one in chosen for test in (*one.tests, *one.dependents))

    def _takes(self, diagnosis: Diagnosis) -> bool:
        return self._wish.diagnoses is None or diagnosis.id in self._wish.diagnoses

    def _round(self, cured: Cured, state: State, tests: frozenset[str], number: int) -> RoundResult:
        known = [one for one in state.diagnoses if tests & {*one.tests, *one.dependents}]
        offers = [self._chooser.offer(one, state.tree) for one in known if one.playbook != FLAKY]
        chance = {test for one in known if one.playbook == FLAKY for test in one.tests}
        for offer in offers:
            self._tell_refused(cured, offer, number)
        possible = [offer for offer in offers if offer.options]
        self._watch(f"round {number}: trying cures for {len(possible)} causes")
        result = Round(self._workshop, state, cured.changed, number, chance).run(possible)
        cured.kept += _kept(result, state, number)
        cured.rejected += [_rejected(offer, tried, state, number) for offer, tried in result.failed]
        return result

    def _tell_refused(self, cured: Cured, offer: Offer, number: int) -> None:
        for one in sorted(offer.refused, key=lambda one: one.cure is None):  # what could be made comes first
            for test in offer.tests:
                cured.refused.setdefault(test, one.reason)
            if one.cure is not None and one.is_weakening:
                cured.rejected.append(
                    _fix(offer.diagnosis, one.cure, number, FixStatus.REJECTED, Verdict(), "", (), one.reason)
                )

    def _prune(self, cured: Cured) -> None:
        """Takes out what made no test green in the end, if the rest holds without it."""
        for one in [each for each in cured.kept if not _gain(each.fix, cured.last)]:
            self._without(cured, one, "no test turned green by it in the end")
        shared = [one for one in cured.kept if self._may_be_needless(cured, one)]
        for one in sorted(shared, key=lambda one: -one.cure.proposal.reach):
            if self._may_be_needless(cured, one) and self._is_needless(cured, one):
                self._without(cured, one, "its tests pass without it, by the other fixes")

    @staticmethod
    def _may_be_needless(cured: Cured, one: Kept) -> bool:
        """Whether each test that it helped is one that another fix helped, too."""
        others = {test for each in cured.kept if each is not one for test in _gain(each.fix, cured.last)}
        return set(_gain(one.fix, cured.last)) <= others

    def _is_needless(self, cured: Cured, one: Kept) -> bool:
        tests = _gain(one.fix, cured.last)
        changed = _undone(one, cured.changed, cured.first)
        if changed is None:
            return False
        ran = self._workshop.run(changed, tests, f"{one.fix.remedy} left out")
        return all(test in ran.outcomes and not ran.fails(test) for test in tests)

    def _without(self, cured: Cured, one: Kept, reason: str, may_lose: Container[str] = ()) -> bool:
        """Whether it could be taken out: no test may turn red but those of `may_lose`."""
        changed = _undone(one, cured.changed, cured.first)
        if changed is None:
            return False
        ran = self._workshop.run(changed, None, f"without {one.fix.remedy}")
        lost = [test for test in broken(cured.last, ran) if test not in may_lose]
        if lost or not ran.is_sound:
            return False
        cured.kept.remove(one)
        cured.refused.update(dict.fromkeys(_gain(one.fix, cured.last), reason))
        cured.rejected.append(replace(one.fix, status=FixStatus.REJECTED, reason=reason))
        cured.changed, cured.last = changed, ran
        return True

    def _sabotage(self, cured: Cured) -> None:
        """Each test that turned green must fail again when the behaviour that it is about is broken."""
        tests = list(dict.fromkeys(test for one in cured.kept for test in _gain(one.fix, cured.last)))
        if not tests:
            return
        self._watch(f"breaking the product for {len(tests)} fixed tests")
        found, notes = self._workshop.sabotage(cured.changed, cured.last, tests)
        cured.notes += notes
        cured.kept = [
            replace(
                one, fix=_with_sabotage(one.fix, cured.last, {**found, **self._put_back(cured, one, found)})
            )
            for one in cured.kept
        ]

    def _put_back(self, cured: Cured, one: Kept, found: Mapping[str, Sabotage]) -> Mapping[str, Sabotage]:
        """A defect of the product put back alone: which of its tests, not caught so far, notice that."""
        open_ = [test for test in _gain(one.fix, cured.last) if test in found and not found[test].failed]
        changed = _undone(one, cured.changed, cured.first) if one.cure.is_product and open_ else None
        if changed is None:
            return {}
        ran = self._workshop.run(changed, open_, f"{one.fix.remedy} put back")
        site = one.fix.sites[0]
        return {
            test: replace(found[test], caught=True, file=site.path, line=site.line, text=_PUT_BACK)
            for test in open_
            if ran.fails(test)
        }

    def _only_safe(self, cured: Cured) -> None:
        """What the sabotage check made unsafe is not handed out, nor what then is of no more use."""
        failing = frozenset(cured.first.ran.failing)
        for one in [each for each in cured.kept if each.fix.applicability is not Applicability.SAFE]:
            if not self._without(cured, one, _UNNOTICED, may_lose=failing):
                cured.notes.append(
                    f"{one.fix.remedy} is for a person and cannot be told from the rest: use --unsafe"
                )
                cured.rejected += [
                    replace(each.fix, status=FixStatus.REJECTED, reason=_UNNOTICED) for each in cured.kept
                ]
                cured.kept, cured.changed, cured.last = [], {}, cured.first.ran
                return
        self._prune(cured)


def _tell_others(cured: Cured) -> None:
    """Tests that turned green though no cause that was cured is theirs."""
    known = {test for one in cured.kept for test in _gain(one.fix, cured.last)}
    green = [test for test in cured.first.ran.failing if test in cured.last.outcomes]
    others = [test for test in green if test not in known and not cured.last.fails(test)]
    if others:
        cured.notes.append(f"turned green, too, though nothing was made for it: {', '.join(others)}")


def _to_look_at(before: Ran, result: RoundResult, tests: Container[str]) -> tuple[str, ...]:
    """Tests that fail in another way than before, or whose cause was cured for others, or must wait."""
    open_ = {test for _, tried in result.taken for test in tried.verdict.still_failing}
    open_ |= {test for offer in result.waiting for test in offer.tests}
    return tuple(
        test
        for test in result.ran.failing
        if test in tests
        and (test in open_ or symptom(before.failures.get(test)) != symptom(result.ran.failures.get(test)))
    )


def _kept(result: RoundResult, state: State, number: int) -> list[Kept]:
    """One for each cure, however many diagnoses it is for."""
    by_key: dict[object, list[tuple[Offer, Tried, Cure]]] = {}
    for offer, tried in result.taken:
        for cure in tried.option.cures:
            by_key.setdefault(cure.key, []).append((offer, tried, cure))
    found = []
    for members in by_key.values():
        cure = members[0][2]
        after = applied(state.tree.files, cure.proposal.edits)
        before = {path: state.tree.files[path] for path in after}
        merged = _merged([tried.verdict for _, tried, _ in members])
        names = tuple(dict.fromkeys(_name(offer.diagnosis, number) for offer, _, _ in members))
        fix = _fix(members[0][0].diagnosis, cure, number, FixStatus.PROVEN, merged, "", names)
        fix = replace(fix, diff=unified(before, after), sites=_nearest_first(before, after, cure))
        found.append(Kept(fix, cure, before, after))
    return found


def _nearest_first(before: Changed, after: Changed, cure: Cure) -> tuple[Site, ...]:
    """The change at the defect itself, not the import above it, stands for all."""
    found = sites_of(before, after)
    return tuple(sorted(found, key=lambda site: (site.path != cure.file, abs(site.line - cure.line))))


def _merged(verdicts: Sequence[Verdict]) -> Verdict:
    return Verdict(
        fixed=tuple(dict.fromkeys(test for one in verdicts for test in one.fixed)),
        still_failing=tuple(dict.fromkeys(test for one in verdicts for test in one.still_failing)),
        new_failures=tuple(dict.fromkeys(test for one in verdicts for test in one.new_failures)),
        unmasked=tuple(dict.fromkeys(pair for one in verdicts for pair in one.unmasked)),
        is_cause_gone=all(one.is_cause_gone for one in verdicts),
    )


def _rejected(offer: Offer, tried: Tried, state: State, number: int) -> Fix:
    """An option that was tried and not taken, under its first cure."""
    cure = tried.option.cures[0]
    news = tried.verdict.new_failures
    reason = f"{news[0]} fails with it" if news else "the failure stays as it was"
    fix = _fix(offer.diagnosis, cure, number, FixStatus.REJECTED, tried.verdict, reason, ())
    after = applied(state.tree.files, cure.proposal.edits)
    before = {path: state.tree.files[path] for path in after}
    return replace(fix, diff=unified(before, after), sites=_nearest_first(before, after, cure))


def _fix(
    diagnosis: Diagnosis,
    cure: Cure,
    number: int,
    status: FixStatus,
    verdict: Verdict,
    reason: str,
    names: tuple[str, ...],
    why: str = "",
) -> Fix:
    proposal = cure.proposal
    return Fix(
        id="",
        remedy=proposal.remedy,
        label=proposal.label,
        applicability=cure.applicability,
        status=status,
        round=number,
        playbook=cure.playbook,
        diagnoses=names or (_name(diagnosis, number),),
        tasks=(),
        sites=(),
        diff="",
        verdict=verdict,
        cause_proof=str(diagnosis.proof),
        weakenings=cure.weakenings,
        judge=proposal.judge,
        migration=proposal.migration,
        rollback=proposal.rollback,
        reason=reason or why,
    )


def _name(diagnosis: Diagnosis, number: int) -> str:
    return diagnosis.id if number == 1 else f"R{number}-{diagnosis.id}"


def _gain(fix: Fix, last: Ran) -> list[str]:
    tests = (*fix.verdict.fixed, *(test for test, _ in fix.verdict.unmasked))
    return [test for test in tests if not last.fails(test) and test in last.outcomes]


def _undone(one: Kept, changed: Changed, first: State) -> Changed | None:
    """The changed files without one cure; None where a later one touches the same lines."""
    files = dict(changed)
    for path, after in one.after.items():
        found = taken_out(after, one.before[path], files[path])
        if found is None:
            return None
        files[path] = found
    return {path: data for path, data in files.items() if data != first.tree.files.get(path)}


def _with_sabotage(fix: Fix, last: Ran, found: Mapping[str, Sabotage]) -> Fix:
    """A fix whose tests notice nothing is one for a person at best."""
    mine = tuple(found[test] for test in _gain(fix, last) if test in found)
    with_it = replace(fix, sabotage=mine)
    if with_it.caught:
        return with_it
    why = "not every fixed test notices a broken product: do they assert what matters?"
    weaker = max(fix.applicability, Applicability.UNSAFE, key=tuple(Applicability).index)
    return replace(with_it, applicability=weaker, judge="; ".join(filter(None, (fix.judge, why))))
