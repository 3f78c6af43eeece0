"""One round: the best cures of all diagnoses together, the next ones where they fail, and what remains."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain

from triage.fixing.blame import culprit
from triage.fixing.options import Offer, Option
from triage.fixing.verdict import broken, verdict
from triage.fixing.workshop import Changed, Ran, State, Workshop
from triage.model.fix import Edit, Verdict
from triage.remedies.edits import applied, compatible
from triage.remedies.source import UntouchableError

ATTEMPTS = 5  # trials of one round: the first choices, and what comes after them where they fail
_SHORT_S = 15.0  # a suite of at most this long is always run whole
_SHARE = 0.5  # of the suite's time; from there on the affected tests are no shorter way


@dataclass(frozen=True, slots=True)
class Tried:
    """One option of a diagnosis with what its trial showed."""

    option: Option
    verdict: Verdict

    @property
    def is_good(self) -> bool:
        return bool(self.verdict.fixed or self.verdict.unmasked) and self.verdict.is_cause_gone

    @property
    def rank(self) -> tuple[bool, bool, int]:
        """The best first; a test turned green counts before one whose failure is another one now."""
        return not self.is_good, not self.verdict.fixed, -len(self.verdict.fixed)


@dataclass
class Course:
    """How far a diagnosis has come in a round."""

    offer: Offer
    queue: list[Option]
    tried: list[Tried] = field(default_factory=list)
    failed: list[Tried] = field(default_factory=list)
    chosen: Option | None = None
    disappointed: bool = False

    @property
    def best(self) -> Tried | None:
        useful = [one for one in self.tried if _is_of_use(one.verdict)]
        return min(useful, key=lambda one: one.rank, default=None)


@dataclass(frozen=True, slots=True)
class RoundResult:
    """`taken` are the options that hold together, `ran` the whole suite with them.

    `waiting` could not be tried beside them, or broke something that another cure may have mended.
    """

    taken: tuple[tuple[Offer, Tried], ...]
    failed: tuple[tuple[Offer, Tried], ...]
    waiting: tuple[Offer, ...]
    changed: Changed
    ran: Ran


class Round:
    """The diagnoses of one state; `changed` are the files that earlier rounds changed."""

    def __init__(
        self,
        workshop: Workshop,
        state: State,
        changed: Changed,
        number: int,
        chance: Iterable[str] = (),
    ) -> None:
        self._workshop = workshop
        self._state = state
        self._changed = changed
        self._number = number
        self._chance = set(chance)
        self._runs = 0
        self._always_whole = False
        self._last: tuple[Changed, Ran] | None = None

    def run(self, offers: Iterable[Offer]) -> RoundResult:
        """What a run of some tests promised and the whole suite does not show is followed by whole runs."""
        courses = [Course(one, list(one.options)) for one in offers]
        result = self._attempts(courses)
        while not self._always_whole and any(one.queue for one in courses if one.disappointed):
            self._always_whole = True
            result = self._attempts(courses)
        return result

    def _attempts(self, courses: Sequence[Course]) -> RoundResult:
        for _ in range(ATTEMPTS):
            fresh = self._choose(courses)
            if not fresh:
                break
            self._try(courses, fresh)
        for one in courses:
            one.chosen = one.best.option if one.best else None
        return self._settled(courses)

    def _choose(self, courses: Sequence[Course]) -> list[Course]:
        """Those of which a new option can be tried beside what the others have."""
        fresh: list[Course] = []
        taken = list(chain.from_iterable(one.chosen.edits for one in courses if one.chosen is not None))
        for one in courses:
            if one.chosen is not None or not one.queue:
                continue
            fit = next((each for each in one.queue if compatible(each.edits, taken)), None)
            if fit is not None:
                one.queue.remove(fit)
                one.chosen = fit
                taken += fit.edits
                fresh.append(one)
        return fresh

    def _try(self, courses: Sequence[Course], fresh: Sequence[Course]) -> None:
        chosen = [one for one in courses if one.chosen is not None]
        ran = self._run(chosen, self._affected(chosen))
        left, ran = self._sound(chosen, ran)
        for one in fresh:
            if one.chosen is None or one not in left:
                continue
            tried = Tried(one.chosen, self._verdict(one.offer, ran))
            one.tried.append(tried)
            if not tried.is_good:
                one.chosen = None  # the next of its options; the best of all is taken at the end

    def _sound(self, left: list[Course], ran: Ran) -> tuple[list[Course], Ran]:
        """Takes out what breaks something, until nothing does; each time the same tests run again."""
        while left and (news := self._news(ran)):
            guilty = self._guilty(left, news, ran.asked)
            if not guilty:
                self._chance |= set(news)
            for one in guilty:
                self._reject(one, ran, news)
                left.remove(one)
            if guilty:
                ran = self._run(left, ran.asked) if left else self._state.ran
        return left, ran

    def _guilty(
        self, left: Sequence[Course], news: tuple[str, ...], asked: Sequence[str] | None
    ) -> Sequence[Course]:
        """None where it was chance: the same run once more breaks none of them.

        What breaks tests only in their company is looked for by remedy: there one for all of a kind is
        guilty, and runs of so many tests are dear.
        """
        found = culprit(left, lambda part: bool(self._broken_by(part, news, news)))
        if found is not None:
            return [found]
        self._last = None
        if not self._broken_by(left, asked, news):
            return []
        groups = list(_by_remedy(left).values())
        return culprit(groups, lambda part: bool(self._broken_by(list(chain(*part)), asked, news))) or left

    def _broken_by(
        self, part: Sequence[Course], asked: Sequence[str] | None, tests: Sequence[str]
    ) -> tuple[str, ...]:
        ran = self._run(part, asked)
        return broken(self._state.ran, ran, self._chance, among=frozenset(tests))

    def _news(self, ran: Ran) -> tuple[str, ...]:
        return broken(self._state.ran, ran, self._chance, among=ran.asked)

    def _reject(self, one: Course, ran: Ran, news: tuple[str, ...]) -> None:
        assert one.chosen is not None  # only chosen ones are tried
        found = self._verdict(one.offer, ran)
        one.failed.append(Tried(one.chosen, Verdict(found.fixed, found.still_failing, news, found.unmasked)))
        one.tried = [each for each in one.tried if each.option is not one.chosen]
        one.chosen = None

    def _settled(self, courses: Sequence[Course]) -> RoundResult:
        """The whole suite with what was chosen; what breaks it is taken out until nothing does."""
        left = _together([one for one in courses if one.chosen is not None])
        ran = self._run(left, None) if left else self._state.ran
        left, ran = self._sound(left, ran)
        while useless := [one for one in left if not _is_of_use(self._verdict(one.offer, ran))]:
            for one in useless:
                self._disappoint(one, ran)
            left = [one for one in left if one not in useless]
            left, ran = self._sound(left, self._run(left, None) if left else self._state.ran)
        taken = []
        for one in left:
            assert one.chosen is not None  # by construction of `left`
            taken.append((one.offer, Tried(one.chosen, self._verdict(one.offer, ran))))
        failed = [(one.offer, each) for one in courses for each in _failures(one)]
        waiting = tuple(one.offer for one in courses if one not in left and (one.queue or one.failed))
        return RoundResult(tuple(taken), tuple(failed), waiting, self._files(left), ran)

    def _disappoint(self, one: Course, ran: Ran) -> None:
        """Its tests turned green among some, and not in the whole suite."""
        assert one.chosen is not None  # only chosen ones are tried
        one.tried = [each for each in one.tried if each.option is not one.chosen]
        one.tried.append(Tried(one.chosen, self._verdict(one.offer, ran)))
        one.chosen, one.disappointed = None, True

    def _verdict(self, offer: Offer, ran: Ran) -> Verdict:
        found = verdict(offer.tests, self._state.ran, ran, self._chance)
        return Verdict(found.fixed, found.still_failing, (), found.unmasked, found.is_cause_gone)

    def _run(self, chosen: Sequence[Course], tests: Sequence[str] | None) -> Ran:
        files = self._files(chosen)
        if tests is None and self._last is not None and self._last[0] == files:
            return self._last[1]
        self._runs += 1
        what = "whole suite" if tests is None else "part"
        ran = self._workshop.run(files, tests, f"round {self._number} trial {self._runs} {what}")
        if tests is None:
            self._last = (files, ran)
        return ran

    def _files(self, chosen: Iterable[Course]) -> Changed:
        edits = chain.from_iterable(one.chosen.edits for one in chosen if one.chosen is not None)
        try:
            found = applied(self._state.tree.files, edits)
        except UntouchableError:  # each alone was possible; together they are, too
            found = {}
        return {**self._changed, **found}

    def _affected(self, chosen: Iterable[Course]) -> tuple[str, ...] | None:
        """None where the whole suite takes little longer than the tests of these diagnoses."""
        tests = tuple(dict.fromkeys(chain.from_iterable(one.offer.tests for one in chosen)))
        if (
            self._always_whole
            or self._state.ran.duration_s <= _SHORT_S
            or len(tests) >= _SHARE * len(self._state.ran.outcomes)
        ):
            return None
        return tuple(test for test in tests if self._state.ran.fails(test))


def _by_remedy(courses: Iterable[Course]) -> dict[str, list[Course]]:
    found: dict[str, list[Course]] = {}
    for one in courses:
        if one.chosen is not None:
            found.setdefault(one.chosen.cures[0].proposal.remedy, []).append(one)
    return found


def _together(courses: Sequence[Course]) -> list[Course]:
    """Those whose edits go together, the ones of most tests first; the others wait for the next round."""
    kept: list[Course] = []
    taken: list[Edit] = []
    ranked = sorted(courses, key=lambda one: -len(one.best.verdict.fixed if one.best else ()))
    for one in ranked:
        edits = one.chosen.edits if one.chosen is not None else ()
        if compatible(edits, taken):
            kept.append(one)
            taken += edits
    return kept


def _failures(one: Course) -> list[Tried]:
    """Options that were tried in vain."""
    return [*one.failed, *(each for each in one.tried if not _is_of_use(each.verdict))]


def _is_of_use(found: Verdict) -> bool:
    return bool(found.fixed or found.unmasked)
