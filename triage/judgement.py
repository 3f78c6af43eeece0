"""The second half of the line: from what a run left behind to its report, recorded.

Needs no further run. It is imported while the tests run, so that its cost hides behind theirs.
"""

import hashlib
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from triage.commit import head_commit
from triage.errors import TriageError
from triage.model.environment import Environment
from triage.model.history import Changes
from triage.model.project import Project
from triage.model.report import ProjectReport, RunFacts
from triage.model.run import RunArtifacts, TestRun
from triage.model.terms import RunStatus
from triage.probes.coverage import covered_percent
from triage.probes.masking import mask_folder
from triage.rules.lookup import Lookup
from triage.rules.source import SourceTree
from triage.stages.classify import classify
from triage.stages.diagnose import diagnose
from triage.stages.parse import parse
from triage.stages.plan import Launcher, gates_of, make_plan
from triage.stages.record import record
from triage.stages.report import latent_of, patterns_of, write_report
from triage.text import Masker
from triage.tools import Tools


@dataclass(frozen=True, slots=True)
class Scene:
    """What was run: `environment` is None where none could be made; `folder` takes the run's files."""

    project: Project
    environment: Environment | None
    folder: Path
    started_at: datetime


def judge(
    scene: Scene, artifacts: RunArtifacts | TriageError, tools: Tools
) -> tuple[Mapping[str, Any], Changes]:
    """Parse, classify, diagnose, plan, report, record; gives the summary and what changed."""
    project = scene.project
    masker = Masker.from_environment({**tools.environ, **project.test.env})
    if isinstance(artifacts, TriageError):
        run = _not_run(scene, masker.clean(str(artifacts)))
    else:
        run = parse(artifacts, project.root, masker)
    run = replace(run, notes=(*run.notes, *mask_folder(scene.folder, masker)))
    tree = SourceTree(project.root, project.source, project.test.arguments)
    report = _report(scene, run, tools, Lookup(tree), _launcher(scene, masker))
    summary = write_report(report, scene.folder)
    changes = record(report, run, json.dumps(summary), tools.store, source=_state(scene, tree))
    return summary, changes


def _report(scene: Scene, run: TestRun, tools: Tools, lookup: Lookup, launcher: Launcher) -> ProjectReport:
    project = scene.project
    matcher = tools.matcher(project)
    sorted_ = classify(run.cases, matcher, lookup.has_near)
    diagnoses = diagnose(sorted_.failures, matcher.playbooks, lookup)
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
        patterns=patterns_of(sorted_.failures, matcher.playbooks),
        failures=sorted_.failures,
        diagnoses=diagnoses,
        latent=latent,
        clusters=sorted_.clusters,
        plan=make_plan(diagnoses, latent, sorted_.clusters, matcher.playbooks, launcher),
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
