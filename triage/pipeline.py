"""The order of the stages, and nothing else."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from triage.errors import ProvisionError, RunError, TriageError
from triage.model.environment import Environment
from triage.model.history import Changes
from triage.model.progress import Progress
from triage.model.project import Project
from triage.model.run import RunArtifacts
from triage.probes.coverage import coverage_arguments
from triage.probes.progress import EventTail
from triage.process.child import interrupt_all
from triage.stages.provision import provision
from triage.stages.run import RunOptions, run_tests
from triage.tools import Tools

if TYPE_CHECKING:
    from triage import judgement

Watch = Callable[[Progress], None]
INTERRUPT_S = 0.1  # how often what still runs is told to end


@dataclass(frozen=True, slots=True)
class ProjectResult:
    """What became of one project; `error` says why its tests could not be run."""

    project: str
    folder: Path
    summary: Mapping[str, Any]
    changes: Changes
    error: TriageError | None = None


def run_projects(
    projects: Sequence[Project], tools: Tools, watch: Watch, jobs: int = 1
) -> list[ProjectResult]:
    """Every project through the whole line, `jobs` at a time, in the order given."""
    with ThreadPoolExecutor(max_workers=max(1, min(jobs, len(projects) or 1))) as pool:
        pending = [pool.submit(run_project, project, tools, watch) for project in projects]
        try:
            return [one.result() for one in pending]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            while wait(pending, INTERRUPT_S).not_done:  # each time anew: a run may only begin just now
                interrupt_all()  # what runs ends early, and is recorded as far as it came
            raise


def run_project(project: Project, tools: Tools, watch: Watch) -> ProjectResult:
    """One project as far as the plan, recorded; what cannot be run is recorded as that."""
    scene, artifacts = run_scene(project, tools, watch)
    from triage import judgement  # noqa: PLC0415 - `preload` has imported it while the tests ran

    summary, changes = judgement.judge(scene, artifacts, tools)
    return finish(scene, artifacts, summary, changes, tools, watch)


def run_scene(
    project: Project, tools: Tools, watch: Watch
) -> "tuple[judgement.Scene, RunArtifacts | TriageError]":
    """Provision and run, in a new folder."""
    started = datetime.now(UTC)
    folder = tools.folders.new_run(project.name, f"{started:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}")
    environment: Environment | None = None
    try:
        watch(Progress(project.name, "preparing its environment"))
        environment = provision(project, tools.folders, tools.options)
        tools.preload(project.name, folder.name, started)
        artifacts: RunArtifacts | TriageError = _run(project, environment, folder, watch)
    except (ProvisionError, RunError) as error:
        artifacts = error
    from triage.judgement import Scene  # noqa: PLC0415 - `preload` has imported it while the tests ran

    watch(Progress(project.name, "finding causes"))

    def again(name: str, tests: int) -> None:
        watch(Progress(project.name, f"proving causes: {name}", total=tests))

    return Scene(project, environment, folder, started, again), artifacts


def finish(
    scene: "judgement.Scene",
    artifacts: RunArtifacts | TriageError,
    summary: Mapping[str, Any],
    changes: Changes,
    tools: Tools,
    watch: Watch,
) -> ProjectResult:
    """The run becomes the project's latest."""
    tools.folders.set_latest(scene.folder)
    watch(Progress(scene.project.name, "done"))
    error = artifacts if isinstance(artifacts, TriageError) else None
    return ProjectResult(scene.project.name, scene.folder, summary, changes, error)


def _run(project: Project, environment: Environment, folder: Path, watch: Watch) -> RunArtifacts:
    tail, began = EventTail(folder / "events.jsonl"), monotonic()

    def tick() -> None:
        tail.poll()
        watch(
            Progress(project.name, "running tests", tail.done, tail.total, tail.failing, monotonic() - began)
        )

    watch(Progress(project.name, "running tests"))
    options = RunOptions(
        pass_env=project.environment.pass_env,
        arguments=coverage_arguments(project.targets.coverage, environment, folder),
    )
    return run_tests(project, environment, folder, options=options, on_tick=tick)
