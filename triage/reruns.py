"""Runs some tests of a project again: the same environment and order, watched, with facts changed."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from triage.errors import RunError
from triage.model.case import TestCase
from triage.model.environment import Environment
from triage.model.observation import Observation, Place
from triage.model.project import Project
from triage.model.run import RunArtifacts
from triage.model.terms import RunStatus
from triage.playbook.match import Matcher
from triage.probes.event_lines import read_events
from triage.probes.leftovers import Leftover, left_of
from triage.probes.masking import mask_folder
from triage.probes.observing import watched
from triage.probes.second_pass import observe_arguments, observe_environment, orders_document
from triage.probes.sequences import sequences
from triage.probes.spectra import read_spectra
from triage.proving.laboratory import Trial, TrialResult
from triage.proving.suspects import SPECTRUM
from triage.rules.lookup import Lookup
from triage.stages.classify import classify
from triage.stages.parse import parse
from triage.stages.run import RunOptions, run_tests
from triage.text import Masker
from triage.workspace import write_whole

_START_S = 60.0  # an interpreter with its imports, on a busy machine
_PATIENCE = 5.0  # how much longer than in the first run the same tests may take
_WORKER = ".gw"


@dataclass(frozen=True, slots=True)
class FirstRun:
    """The run whose failures are looked into."""

    artifacts: RunArtifacts
    cases: Mapping[str, TestCase]


@dataclass
class ChildLaboratory:
    """One child process for each trial, its files in a folder of its own below `folder`.

    `on_trial` is told the name of each before it starts.
    """

    project: Project
    environment: Environment
    folder: Path
    first: FirstRun
    matcher: Matcher
    lookup: Lookup
    masker: Masker
    on_trial: Callable[[str, int], None] = lambda _name, _tests: None
    trials: int = 0
    spent_s: float = 0.0
    _left: dict[str, tuple[Leftover, ...]] = field(default_factory=dict)

    def run(self, trial: Trial) -> TrialResult:
        """Never raises for what tests do; a child that cannot start gives no outcomes and a note."""
        self.trials += 1
        self.on_trial(trial.name, len(trial.tests))
        name = re.sub(r"[^a-z0-9]+", "-", trial.name.lower()).strip("-")
        out = self.folder / "reruns" / f"{self.trials:02d}-{name}"
        try:
            artifacts = self._child(trial, out)
        except RunError as error:
            return TrialResult(notes=(f"{trial.name}: {self.masker.clean(str(error))}",))
        self.spent_s += artifacts.duration_s
        return self._read(trial, artifacts, out)

    @property
    def ran_in_parallel(self) -> bool:
        return any(_WORKER in path.name for path in self.first.artifacts.events)

    def before(self, test: str) -> tuple[str, ...]:
        """The tests that ran before this one in the same process of the first run, in their order."""
        for sequence in self._sequences:
            if test in sequence:
                return sequence[: sequence.index(test)]
        return ()

    def estimate_s(self, tests: Iterable[str]) -> float:
        """How long they took in the first run, without the start of the child."""
        return sum(case.duration_s for test in tests if (case := self.first.cases.get(test)))

    def all_tests(self) -> tuple[str, ...]:
        return tuple(one for each in self._sequences for one in each)

    def place(self, test: str) -> Place:
        case = self.first.cases.get(test)
        if case is None or not case.file:
            return Place(test.partition("::")[0], 1, test.rpartition("::")[2])
        return Place(case.file, case.line or 1, case.function or case.name)

    def left(self, test: str) -> tuple[Leftover, ...]:
        return self._left.get(test, ())

    def _child(self, trial: Trial, out: Path) -> RunArtifacts:
        out.mkdir(parents=True, exist_ok=True)
        asked = out / "orders.json"
        raw = self._raw_ids
        orders = [
            replace(one, tests=tuple(raw.get(test, test) for test in one.tests))
            for one in trial.interventions
        ]
        write_whole(asked, json.dumps(orders_document(trial.observers, orders)))
        limit_s = _START_S + _PATIENCE * self.estimate_s(trial.tests)
        options = RunOptions(
            pass_env=self.project.environment.pass_env,
            arguments=(*observe_arguments(), "--tb=no", *self._one_process(trial)),  # the lines tell it all
            env=observe_environment(asked),
            timeout_s=min(limit_s, self.project.test.timeout_s),
        )
        chosen = [raw.get(test, test) for test in self._ordered(trial.tests)]
        return run_tests(self.project, self.environment, out, selection=chosen, options=options)

    def _one_process(self, trial: Trial) -> tuple[str, ...]:
        return ("-n", "0") if self.ran_in_parallel and not trial.parallel else ()

    def _read(self, trial: Trial, artifacts: RunArtifacts, out: Path) -> TrialResult:
        run = parse(artifacts, self.project.root, self.masker)
        log = read_events(artifacts.events)
        seen = watched(log, self.masker)
        for test, left in left_of(log.of("left"), self.masker).items():
            self._left[test] = tuple(dict.fromkeys((*left, *self._left.get(test, ()))))
        mask_folder(out, self.masker)
        cases = [_with_facts(case, seen.observations.get(case.id, ())) for case in run.cases]
        failures = classify(cases, self.matcher, self.lookup.has_near).failures
        return TrialResult(
            outcomes={case.id: case.outcome for case in cases},
            failures={one.case.id: one for one in failures},
            observations={test: tuple(found) for test, found in seen.observations.items()},
            applied={test: tuple(found) for test, found in seen.applied.items()},
            duration_s=artifacts.duration_s,
            notes=(*seen.notes, *_trouble(trial, run.status, run.detail)),
            spectra=read_spectra(artifacts.events) if SPECTRUM in trial.observers else None,
        )

    def _ordered(self, tests: Iterable[str]) -> list[str]:
        places = {test: place for place, test in enumerate(one for each in self._sequences for one in each)}
        return sorted(dict.fromkeys(tests), key=lambda test: places.get(test, len(places)))

    @cached_property
    def _sequences(self) -> tuple[tuple[str, ...], ...]:
        clean = self.masker.clean_id
        return tuple(tuple(map(clean, each)) for each in sequences(self.first.artifacts.events))

    @cached_property
    def _raw_ids(self) -> Mapping[str, str]:
        """Node ids as pytest knows them, where masking changed them."""
        ids = (nodeid for each in sequences(self.first.artifacts.events) for nodeid in each)
        return {shown: nodeid for nodeid in ids if (shown := self.masker.clean_id(nodeid)) != nodeid}


def _with_facts(case: TestCase, observations: Iterable[Observation]) -> TestCase:
    """The case with what the observers saw among the facts of the problem in that phase."""
    facts = {one.phase: one.facts for one in observations if one.facts}
    if not facts:
        return case
    problems = tuple(
        replace(one, facts={**one.facts, **facts[one.phase]}) if one.phase in facts else one
        for one in case.problems
    )
    return replace(case, problems=problems)


def _trouble(trial: Trial, status: RunStatus, detail: str | None) -> tuple[str, ...]:
    if status is RunStatus.COMPLETED:
        return ()
    if status is RunStatus.NO_TESTS:
        return (f"{trial.name}: pytest found none of these tests again",)
    return (f"{trial.name}: {detail or status}",)
