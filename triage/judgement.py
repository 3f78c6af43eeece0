"""The second half of the line: from what a run left behind to its report, recorded.

It is imported while the tests run, so that its cost hides behind theirs.
"""

import hashlib
import json
import shlex
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from triage.clustering.clusters import Known
from triage.clustering.covering import Cluster
from triage.clustering.signature import VERSION
from triage.commit import head_commit
from triage.errors import StoreError, TriageError
from triage.model.environment import Environment
from triage.model.fix import FixReport
from triage.model.history import Changes
from triage.model.project import Project
from triage.model.report import ProjectReport, RunFacts
from triage.model.run import RunArtifacts, TestRun
from triage.model.terms import RunStatus
from triage.probes.coverage import covered_percent
from triage.probes.masking import mask_folder
from triage.probes.second_pass import known_interventions, known_observers
from triage.rules.lookup import Lookup
from triage.rules.source import SourceTree
from triage.stages.classify import classify, clusters_of
from triage.stages.diagnose import Diagnosed, Prove, diagnose
from triage.stages.fix import with_fixes
from triage.stages.parse import parse
from triage.stages.plan import Launcher, gates_of, make_plan
from triage.stages.record import record
from triage.stages.report import latent_of, patterns_of, write_report
from triage.text import Masker
from triage.tools import Tools

_NOT_COMPARED = "those of earlier runs are not compared with them"


@dataclass(frozen=True, slots=True)
class Scene:
    """What was run: `environment` is None where none could be made; `folder` takes the run's files.

    `on_rerun` is told the name of each further run, and how many tests it has.
    """

    project: Project
    environment: Environment | None
    folder: Path
    started_at: datetime
    on_rerun: Callable[[str, int], None] = lambda _name, _tests: None


@dataclass(frozen=True, slots=True)
class Understood:
    """What a run showed, before it is reported."""

    run: TestRun
    found: Diagnosed
    lookup: Lookup
    masker: Masker


def judge(
    scene: Scene, artifacts: RunArtifacts | TriageError, tools: Tools
) -> tuple[Mapping[str, Any], Changes]:
    """Parse, classify, diagnose, plan, report, record; gives the summary and what changed."""
    return conclude(scene, understand(scene, artifacts, tools), tools)


def understand(
    scene: Scene,
    artifacts: RunArtifacts | TriageError,
    tools: Tools,
    only: Collection[str] | None = None,
) -> Understood:
    """Parse, classify, diagnose; with `only` these failing tests alone are looked into."""
    project = scene.project
    masker = Masker.from_environment({**tools.environ, **project.test.env})
    if isinstance(artifacts, TriageError):
        run = _not_run(scene, masker.clean(str(artifacts)))
    else:
        run = parse(artifacts, project.root, masker)
    run = replace(run, notes=(*run.notes, *mask_folder(scene.folder, masker)))
    tree = SourceTree(project.root, project.source, project.test.arguments)
    lookup = Lookup(tree)
    sorted_ = classify(run.cases, tools.matcher(project), lookup.has_near, _known(tools))
    failures = tuple(one for one in sorted_.failures if only is None or one.case.id in only)
    prover = _prover(scene, artifacts, run, tools, lookup, masker) if failures else None
    found = diagnose(failures, tools.matcher(project).playbooks, lookup, prover)
    run = replace(run, notes=(*run.notes, *found.notes, *_new_algorithm(sorted_.clusters, tools)))
    return Understood(run, found, lookup, masker)


def conclude(
    scene: Scene, known: Understood, tools: Tools, cured: FixReport | None = None
) -> tuple[Mapping[str, Any], Changes]:
    """Plan, report, record; what was cured stands with the tasks of the plan."""
    report = report_of(scene, known, tools)
    if cured is not None:
        report = replace(report, plan=with_fixes(report.plan, cured))
    summary = write_report(report, scene.folder)
    state = _state(scene, known.lookup.tree)
    changes = record(report, known.run, json.dumps(summary), tools.store, source=state)
    return summary, changes


def _known(tools: Tools) -> Known:
    """A history that cannot be read is said when the run is recorded: its files are written before."""

    def known(buckets: Iterable[bytes]) -> Mapping[bytes, Sequence[Cluster]]:
        with suppress(StoreError):
            return tools.store.known_clusters(buckets)
        return {}

    return known


def _new_algorithm(found: Sequence[object], tools: Tools) -> tuple[str, ...]:
    with suppress(StoreError):
        if found and tools.store.is_other_algorithm():
            return (f"clusters of unknown failures are made in a new way ({VERSION}): {_NOT_COMPARED}",)
    return ()


def _prover(
    scene: Scene,
    artifacts: RunArtifacts | TriageError,
    run: TestRun,
    tools: Tools,
    lookup: Lookup,
    masker: Masker,
) -> Prove | None:
    """None where nothing can be run again, or shall not."""
    if not tools.settings.probe or scene.environment is None or isinstance(artifacts, TriageError):
        return None
    if artifacts.by_triage:
        return None
    from triage.proving.prove import Means, Prover  # noqa: PLC0415 - a suite without failures pays nothing
    from triage.reruns import ChildLaboratory, FirstRun  # noqa: PLC0415 - likewise

    laboratory = ChildLaboratory(
        scene.project,
        scene.environment,
        scene.folder,
        FirstRun(artifacts, {case.id: case for case in run.cases}),
        tools.matcher(scene.project),
        lookup,
        masker,
        scene.on_rerun,
    )
    means = Means(
        laboratory=laboratory,
        observers=known_observers(),
        interventions=known_interventions(),
        reruns=tools.settings.reruns,
        localise=tools.settings.localise,
    )
    return Prover(tools.matcher(scene.project).playbooks, lookup, means).prove


def report_of(scene: Scene, known: Understood, tools: Tools) -> ProjectReport:
    """Everything that there is to say of it, the plan included."""
    project, run, lookup, found = scene.project, known.run, known.lookup, known.found
    launcher = _launcher(scene, known.masker)
    matcher = tools.matcher(project)
    diagnoses, failures = found.diagnoses, found.failures
    clusters = clusters_of(failures)
    rules = [rule for one in matcher.playbooks.values() if one.diagnose.latent for rule in one.diagnose.rules]
    latent = latent_of(lookup.findings(dict.fromkeys(rules)), matcher.playbooks, diagnoses)
    return ProjectReport(
        name=project.name,
        root=str(project.root),
        commit=head_commit(project.root),
        playbooks_fingerprint=tools.library(project).fingerprint,
        run=_facts(scene, run, lookup),
        counts=run.counts,
        gates=gates_of(run, project.targets, covered_percent(project.targets.coverage, scene.folder)),
        patterns=patterns_of(failures, matcher.playbooks),
        failures=failures,
        diagnoses=diagnoses,
        latent=latent,
        clusters=clusters,
        plan=make_plan(diagnoses, latent, clusters, matcher.playbooks, launcher, project.must_haves),
    )


def _facts(scene: Scene, run: TestRun, lookup: Lookup) -> RunFacts:
    made = scene.environment.notes if scene.environment else ()
    return RunFacts(
        id=scene.folder.name,
        started_at=run.started_at,
        duration_s=run.duration_s,
        status=run.status,
        pytest_exit_status=run.exit_status,
        python=run.python,
        command=run.command,
        detail=run.detail,
        notes=(*run.notes, *made, *lookup.tree.notes),
    )


def _not_run(scene: Scene, why: str) -> TestRun:
    return TestRun(
        status=RunStatus.NOT_STARTED,
        cases=(),
        exit_status=None,
        started_at=scene.started_at,
        duration_s=0.0,
        command=(),
        python="-",
        detail=why,
    )


def _state(scene: Scene, tree: SourceTree) -> str:
    """Names what the tests saw: without it an edit between two runs of one commit looks like a flaky test."""
    made = scene.environment and scene.environment.key
    digest = hashlib.sha256(repr((made, scene.project.test)).encode())
    for path, data in tree.files.items():
        digest.update(f"{path}\0{len(data)}\0".encode("utf-8", "surrogateescape") + data)
    return digest.hexdigest()[:32]


def _launcher(scene: Scene, masker: Masker) -> Launcher:
    """What is secret is not written into a command: it comes from the shell that runs it."""
    test = scene.project.test
    variables = [
        shlex.quote(f"{name}={value}") if masker.mask(value) == value else f'{name}="${name}"'
        for name, value in test.env.items()
        if name.isidentifier()
    ]
    python = str(scene.environment.python) if scene.environment else "python"
    prefix = " ".join(("env", *variables)) if variables else ""
    return Launcher((python, "-m", "pytest"), test.arguments, prefix)
