"""A laboratory without processes: defects stand at lines, and a change made there takes them away."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, repeat

from tests.builders import failure as failing
from tests.builders import frame, playbook, raised
from triage.model.diagnosis import Diagnosis
from triage.model.failure import Failure
from triage.model.observation import Applied, Intervention, Observation, Place
from triage.model.playbook import Diagnose, Playbook
from triage.model.terms import Level, Outcome, Phase
from triage.probes.leftovers import Leftover
from triage.probes.spectra import Spectra
from triage.proving.laboratory import Trial, TrialResult
from triage.proving.prove import FLAKY, ORDER, Means, Prover
from triage.rules.lookup import Lookup
from triage.stages.diagnose import Diagnosed, diagnose

WATCHED = Diagnose(probe="watch", interventions=("mend",), site="own-frame")
FILE, TESTS = "app/shop.py", "tests/test_shop.py"
DONE = "it was mended"
RAISED = 100  # the line of every traceback, unless a defect says otherwise
BOOKS: Mapping[str, Playbook] = {
    one.id: one
    for one in (
        playbook("known", diagnose=WATCHED),
        playbook("other", diagnose=WATCHED),
        playbook("tried", diagnose=replace(WATCHED, interventions=("shake", "mend"))),
        playbook("plain", level=Level.FALLBACK, diagnose=Diagnose(site="own-frame")),
        playbook("hangs", diagnose=Diagnose(site="own-frame", reruns=False)),
        playbook(FLAKY, diagnose=Diagnose(site="own-frame", explanation=("It changes.",))),
        playbook(
            ORDER,
            diagnose=Diagnose(
                explanation=(
                    "{victim} fails after {polluter}, which leaves {state} behind.",
                    "{victim} fails after {polluter}.",
                )
            ),
        ),
    )
}


@dataclass(frozen=True)
class Defect:
    """It stands at `line`, where `mend` takes it away, as it does at each line of `cures`.

    `seen` are the lines that an observer names, the true one if None. It strikes only after the tests
    of `after` have run, after `root` has failed (or passed, if that never fails) and, with `beside`, only
    beside other processes; `strikes` says so for one trial after the other, the last for all that come.
    """

    line: int
    playbook: str | None = "known"
    seen: tuple[int, ...] | None = None
    cures: tuple[int, ...] = ()
    raised: int = RAISED
    message: str = "no"
    after: tuple[str, ...] = ()
    root: str = ""
    beside: bool = False
    strikes: Sequence[bool] = (True,)
    phase: Phase = Phase.CALL
    facts: Mapping[str, object] = field(default_factory=dict)

    def failure(self, test: str) -> Failure:
        error = raised("ValueError", self.message, frame(FILE, self.raised, "sell", source="sell()"))
        told = failing(test, self.playbook, error, root=self.root or None)
        return Failure(
            told.case,
            type(told.problem)(self.phase, Outcome.FAILED, (error,)),
            told.match,
            fingerprint="" if self.playbook else f"v1:{self.raised}",
            root=told.root,
        )

    def observation(self, test: str) -> Observation:
        lines = (self.line,) if self.seen is None else self.seen
        places = tuple(Place(FILE, line, "sell") for line in lines)
        return Observation(test, self.phase, "watch", places, facts=self.facts)


HANG = Defect(0, "hangs", seen=(), raised=0)


@dataclass
class World:
    """Tests in their order, each with defects of which the first that strikes decides; each takes a second.

    A change takes effect in every test that it was ordered for, but not at the `unreached` lines.
    `endless` tests hang once run again, those of `stuck` once a fact is changed; nothing runs after them.
    """

    suite: Mapping[str, Sequence[Defect]]
    unreached: Sequence[int] = ()
    ran_in_parallel: bool = False
    endless: Sequence[str] = ()
    stuck: Sequence[str] = ()
    start_s: float = 1.0
    leaves: Mapping[str, tuple[Leftover, ...]] = field(default_factory=dict)
    harmless: Sequence[str] = ()  # states that may be put back without any effect
    spectra: Spectra | None = None
    trials: list[Trial] = field(default_factory=list)
    spent_s: float = 0.0
    _chances: dict[tuple[str, int], Iterator[bool]] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        return [trial.name for trial in self.trials]

    def trial(self, name: str) -> Trial:
        (found,) = [trial for trial in self.trials if trial.name == name]
        return found

    def first_run(self) -> list[Failure]:
        whole = Trial("first", self.all_tests(), parallel=self.ran_in_parallel)
        return list(self._result(whole).failures.values())

    def run(self, trial: Trial) -> TrialResult:
        self.trials.append(trial)
        result = self._result(trial, (*self.endless, *(self.stuck if trial.interventions else ())))
        self.spent_s += result.duration_s
        return result

    def all_tests(self) -> tuple[str, ...]:
        return tuple(self.suite)

    def before(self, test: str) -> tuple[str, ...]:
        names = list(self.suite)
        return tuple(names[: names.index(test)])

    def estimate_s(self, tests: Iterable[str]) -> float:
        return float(len(set(tests)))

    def place(self, test: str) -> Place:
        return Place(TESTS, 10 * (1 + list(self.suite).index(test)), test.rpartition("::")[2])

    def left(self, test: str) -> tuple[Leftover, ...]:
        return self.leaves.get(test, ())

    def _result(self, trial: Trial, endless: Sequence[str] = ()) -> TrialResult:
        outcomes: dict[str, Outcome] = {}
        struck: dict[str, Defect] = {}
        applied: dict[str, tuple[Applied, ...]] = {}
        for test in sorted(trial.tests, key=list(self.suite).index):
            orders = [one for one in trial.interventions if self._takes_effect(one, test)]
            applied[test] = tuple(Applied(test, one.kind, one.file, one.line, DONE) for one in orders)
            defect = HANG if test in endless else self._struck(test, trial, orders, outcomes)
            outcomes[test] = Outcome.FAILED if defect else Outcome.PASSED
            if defect:
                struck[test] = defect
            if defect is HANG:
                break
        return TrialResult(
            outcomes,
            {test: one.failure(test) for test, one in struck.items()},
            {test: (one.observation(test),) for test, one in struck.items()},
            applied,
            self.start_s + len(outcomes),
            spectra=self.spectra,
        )

    def _takes_effect(self, order: Intervention, test: str) -> bool:
        return order.file == FILE and order.line not in self.unreached and test in order.tests

    def _struck(
        self, test: str, trial: Trial, orders: Sequence[Intervention], outcomes: Mapping[str, Outcome]
    ) -> Defect | None:
        put_back = orders_of(trial, "restore-state")
        helping = [order for order in put_back if order.names["name"] not in self.harmless]
        restored = {one for order in helping for one in order.tests}
        mended = {one.line for one in orders if one.kind == "mend"}
        for number, one in enumerate(self.suite[test]):
            chance = self._chances.setdefault((test, number), chain(one.strikes, repeat(one.strikes[-1])))
            lacks = (one.beside and not trial.parallel) or not {*one.after} <= outcomes.keys() - restored
            poisoned = not one.root or self._poisons(one.root, outcomes)
            if next(chance) and poisoned and not lacks and not mended & {one.line, *one.cures}:
                return one
        return None

    def _poisons(self, root: str, outcomes: Mapping[str, Outcome]) -> bool:
        outcome = outcomes.get(root)
        return outcome is not None and (outcome.is_failing or not self.suite[root])


def orders_of(trial: Trial, kind: str) -> list[Intervention]:
    return [one for one in trial.interventions if one.kind == kind]


def examined(world: World, lookup: Lookup, **means: object) -> Diagnosed:
    """What the stage says of the failures of the world's first run."""
    known: dict[str, object] = {"observers": ("watch",), "interventions": ("mend", "shake", "trace-state")}
    tools = Means(world, **(known | means))  # type: ignore[arg-type] # of each test's own
    return diagnose(world.first_run(), BOOKS, lookup, Prover(BOOKS, lookup, tools).prove)


def of(test: str, found: Diagnosed) -> Diagnosis:
    """The one diagnosis that holds this test."""
    (one,) = [one for one in found.diagnoses if test in (*one.tests, *one.dependents)]
    return one


def said(one: Diagnosis, kind: str) -> list[str]:
    return [piece.text for piece in one.evidence if piece.kind == kind]
