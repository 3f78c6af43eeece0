"""A scratch copy in which cures are tried: its suite runs in the project's own environment."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from triage import judgement
from triage.errors import RunError
from triage.fixing.diffs import changed_lines
from triage.fixing.workshop import Changed, Ran, State
from triage.judgement import Scene, Understood
from triage.model.failure import Failure
from triage.model.fix import Sabotage
from triage.model.run import RunArtifacts, TestRun
from triage.model.terms import RunStatus
from triage.probes.event_lines import read_events
from triage.probes.masking import mask_folder
from triage.proving.laboratory import Laboratory
from triage.reruns import ChildLaboratory, FirstRun
from triage.rules.lookup import Lookup
from triage.rules.source import SourceTree
from triage.sabotage.check import sabotage
from triage.scratch import Scratch
from triage.stages.classify import classify
from triage.stages.parse import parse
from triage.stages.run import RunOptions, run_tests
from triage.tools import Tools

_SLACK_S = 60.0  # beside the first run's time: an interpreter with its imports, on a busy machine
_PATIENCE = 4.0  # how much longer than the first run the same suite may take
_SOUND = (RunStatus.COMPLETED, RunStatus.NO_TESTS)


class ScratchWorkshop:
    """The runs' files stand in `fixes/NN-NAME` of the run's folder; the copy is gone at the end.

    `watch` is told the name of each run before it starts.
    """

    def __init__(
        self,
        scene: Scene,
        artifacts: RunArtifacts,
        known: Understood,
        tools: Tools,
        watch: Callable[[str], None] = lambda _: None,
    ) -> None:
        assert scene.environment is not None  # without one nothing was run
        self._scene, self._known, self._tools, self._watch = scene, known, tools, watch
        self._environment = scene.environment
        self._artifacts = artifacts
        self._matcher = tools.matcher(scene.project)
        place = tools.folders.home / "scratch" / scene.folder.name
        self._scratch = Scratch(scene.project, scene.environment, place, pytest_root(artifacts))
        self._count = 0
        self.runs: list[tuple[str, float]] = []  # name and seconds of each, for people

    def close(self) -> None:
        self._scratch.remove()

    @property
    def root(self) -> Path:
        return self._scratch.root

    def first(self) -> State:
        ran = _ran(self._known.run, self._known.found.failures, None, self._artifacts)
        return State(ran, self._known.found.diagnoses, self._known.lookup.tree)

    def run(self, changed: Changed, tests: Sequence[str] | None, name: str) -> Ran:
        self._scratch.lay(changed)
        self._count += 1
        self._watch(name)
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        out = self._scene.folder / "fixes" / f"{self._count:02d}-{slug}"
        limit_s = min(self._scene.project.test.timeout_s, _SLACK_S + _PATIENCE * self._known.run.duration_s)
        options = RunOptions(pass_env=self._scene.project.environment.pass_env, timeout_s=limit_s)
        try:
            artifacts = run_tests(
                self._scratch.project, self._environment, out, selection=self._raw(tests), options=options
            )
        except RunError as error:
            return Ran(is_sound=False, asked=None if tests is None else tuple(tests), notes=(str(error),))
        self.runs.append((name, artifacts.duration_s))
        run = parse(artifacts, self.root, self._known.masker)
        mask_folder(out, self._known.masker)
        failures = classify(run.cases, self._matcher, self._lookup().has_near).failures
        return _ran(run, failures, tests, artifacts)

    def look(self, changed: Changed, ran: Ran, tests: Sequence[str]) -> State:
        artifacts = ran.token
        assert isinstance(artifacts, RunArtifacts)  # only runs of this workshop come back
        self._scratch.lay(changed)
        scene = self._scene_at(artifacts)
        known = judgement.understand(scene, artifacts, self._tools, only=frozenset(tests))
        return State(ran, known.found.diagnoses, known.lookup.tree)

    def sabotage(
        self, changed: Changed, ran: Ran, tests: Sequence[str]
    ) -> tuple[Mapping[str, Sabotage], tuple[str, ...]]:
        artifacts = ran.token
        assert isinstance(artifacts, RunArtifacts)  # only runs of this workshop come back
        self._scratch.lay(changed)
        lookup = self._lookup()
        lines = {
            path: _lines(self._known.lookup.tree.files.get(path, b""), data) for path, data in changed.items()
        }
        return sabotage(self._laboratory(artifacts, lookup), tests, lookup.tree, lines)

    def _laboratory(self, artifacts: RunArtifacts, lookup: Lookup) -> Laboratory:
        run = parse(artifacts, self.root, self._known.masker)
        return ChildLaboratory(
            self._scratch.project,
            self._environment,
            artifacts.directory,
            FirstRun(artifacts, {case.id: case for case in run.cases}),
            self._matcher,
            lookup,
            self._known.masker,
            lambda name, _tests: self._watch(name),
        )

    def _scene_at(self, artifacts: RunArtifacts) -> Scene:
        return replace(
            self._scene,
            project=self._scratch.project,
            folder=artifacts.directory,
            on_rerun=lambda name, _tests: self._watch(name),
        )

    def _lookup(self) -> Lookup:
        project = self._scratch.project
        return Lookup(SourceTree(project.root, project.source, self._scene.project.test.arguments))

    def _raw(self, tests: Sequence[str] | None) -> list[str] | None:
        """Node ids as pytest knows them, where masking changed them."""
        if tests is None:
            return None
        clean = self._known.masker.clean_id
        asked = set(tests)
        return [nodeid for nodeid in read_events(self._artifacts.events).tests if clean(nodeid) in asked]


def _ran(
    run: TestRun, failures: Iterable[Failure], tests: Sequence[str] | None, artifacts: RunArtifacts
) -> Ran:
    return Ran(
        outcomes={case.id: case.outcome for case in run.cases},
        failures={one.case.id: one for one in failures},
        duration_s=artifacts.duration_s,
        is_sound=run.status in _SOUND,
        asked=None if tests is None else tuple(tests),
        notes=run.notes,
        token=artifacts,
    )


def pytest_root(artifacts: RunArtifacts) -> Path | None:
    """Its root folder in that run, as the plugin saw it."""
    root = read_events(artifacts.events).root
    return Path(root) if root else None


def _lines(before: bytes, after: bytes) -> frozenset[int]:
    """The changed lines, as they are counted in the new text."""
    return frozenset(line for first, last in changed_lines(after, before) for line in range(first, last + 1))
