"""The order of the stages, and nothing else."""

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

from triage.commit import head_commit
from triage.errors import ProvisionError, RunError, TriageError
from triage.model.environment import Environment
from triage.model.history import Changes
from triage.model.progress import Progress
from triage.model.project import Project
from triage.model.report import ProjectReport, RunFacts
from triage.model.run import TestRun
from triage.model.terms import RunStatus
from triage.probes.coverage import coverage_arguments, covered_percent
from triage.probes.progress import EventTail
from triage.process.child import interrupt_all
from triage.rules.lookup import Lookup
from triage.rules.source import SourceTree
from triage.stages.classify import classify
from triage.stages.diagnose import diagnose
from triage.stages.parse import parse
from triage.stages.plan import Launcher, gates_of, make_plan
from triage.stages.provision import provision
from triage.stages.record import record
from triage.stages.report import latent_of, patterns_of, write_report
from triage.stages.run import RunOptions, run_tests
from triage.text import Masker
from triage.tools import Tools

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
    started = datetime.now(UTC)
    run_id = f"{started:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    folder = tools.folders.new_run(project.name, run_id)
    error: TriageError | None = None
    try:
        watch(Progress(project.name, "preparing its environment"))
        environment = provision(project, tools.folders, tools.options)
        run = _run(project, environment, folder, tools, watch)
    except (ProvisionError, RunError) as raised:
        error = raised
        environment, run = None, _not_run(started, _masker(project, tools).clean(str(raised)))
    watch(Progress(project.name, "finding causes"))
    tree = SourceTree(project.root, project.source, project.test.arguments)
    report = _judge(project, environment, run, tools, folder, Lookup(tree))
    summary = write_report(report, folder)
    state = _state(project, environment, tree)
    changes = record(report, run, json.dumps(summary), tools.store, source=state)
    tools.folders.set_latest(folder)
    watch(Progress(project.name, "done"))
    return ProjectResult(project.name, folder, summary, changes, error)


def _run(project: Project, environment: Environment, folder: Path, tools: Tools, watch: Watch) -> TestRun:
    tail, began = EventTail(folder / "events.jsonl"), monotonic()

    def tick() -> None:
        tail.poll()
        watch(
            Progress(project.name, "running tests", tail.done, tail.total, tail.failing, monotonic() - began)
        )

    tools.preload()
    watch(Progress(project.name, "running tests"))
    options = RunOptions(
        pass_env=project.environment.pass_env,
        arguments=coverage_arguments(project.targets.coverage, environment, folder),
    )
    artifacts = run_tests(project, environment, folder, options=options, on_tick=tick)
    watch(Progress(project.name, "sorting failures"))
    return parse(artifacts, project.root, _masker(project, tools))


def _masker(project: Project, tools: Tools) -> Masker:
    return Masker.from_environment({**tools.environ, **project.test.env})


def _state(project: Project, environment: Environment | None, tree: SourceTree) -> str:
    """Names what the tests saw: without it an edit between two runs of one commit looks like a flaky test."""
    digest = hashlib.sha256(repr((environment and environment.key, project.test)).encode())
    for path, data in tree.files.items():
        digest.update(f"{path}\0{len(data)}\0".encode("utf-8", "surrogateescape") + data)
    return digest.hexdigest()[:32]


def _judge(
    project: Project,
    environment: Environment | None,
    run: TestRun,
    tools: Tools,
    folder: Path,
    lookup: Lookup,
) -> ProjectReport:
    """Classify, diagnose and plan: everything that needs no further run."""
    matcher = tools.matcher(project)
    sorted_ = classify(run.cases, matcher, lookup.has_near)
    diagnoses = diagnose(sorted_.failures, matcher.playbooks, lookup)
    rules = [rule for one in matcher.playbooks.values() if one.diagnose.latent for rule in one.diagnose.rules]
    latent = latent_of(lookup.findings(dict.fromkeys(rules)), matcher.playbooks, diagnoses)
    plan = make_plan(diagnoses, latent, sorted_.clusters, matcher.playbooks, _launcher(project, environment))
    return ProjectReport(
        name=project.name,
        root=str(project.root),
        commit=head_commit(project.root),
        playbooks_fingerprint=tools.library(project).fingerprint,
        run=_facts(run, folder.name, (*(environment.notes if environment else ()), *lookup.tree.notes)),
        counts=run.counts,
        gates=gates_of(run, project.targets, covered_percent(project.targets.coverage, folder)),
        patterns=patterns_of(sorted_.failures, matcher.playbooks),
        failures=sorted_.failures,
        diagnoses=diagnoses,
        latent=latent,
        clusters=sorted_.clusters,
        plan=plan,
    )


def _facts(run: TestRun, run_id: str, notes: Sequence[str]) -> RunFacts:
    return RunFacts(
        id=run_id,
        started_at=run.started_at,
        duration_s=run.duration_s,
        status=run.status,
        pytest_exit_status=run.exit_status,
        python=run.python,
        command=run.command,
        detail=run.detail,
        notes=(*run.notes, *notes),
    )


def _not_run(started: datetime, why: str) -> TestRun:
    return TestRun(
        status=RunStatus.NOT_STARTED,
        cases=(),
        exit_status=None,
        started_at=started,
        duration_s=0.0,
        command=(),
        python="-",
        detail=why,
    )


def _launcher(project: Project, environment: Environment | None) -> Launcher:
    variables = [f"{name}={value}" for name, value in project.test.env.items()]
    python = str(environment.python) if environment else "python"
    words = (*(("env", *variables) if variables else ()), python, "-m", "pytest")
    return Launcher(words, project.test.arguments)
