"""The line of `triage fix`: run, understand, cure in a scratch copy, report, record."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

from triage import judgement
from triage.commit import head_commit
from triage.errors import TriageError, UsageError
from triage.fixing.cure import Cured, Healer, Kept, Wish
from triage.fixing.diffs import old_line, taken_out, unified
from triage.fixing.options import Chooser
from triage.model.fix import Fix, FixReport, LeftOver
from triage.model.plan import Plan
from triage.model.playbook import Playbook
from triage.model.progress import Progress
from triage.model.project import Project
from triage.model.report import ProjectReport
from triage.model.run import RunArtifacts
from triage.pipeline import ProjectResult, Watch, finish, run_scene
from triage.probes.masking import mask_folder
from triage.proofs.given import ProofInput, ProofRun
from triage.proofs.write import write_proof
from triage.tools import Tools
from triage.workshop import ScratchWorkshop, pytest_root
from triage.workspace import write_whole


@dataclass(frozen=True, slots=True)
class FixWish:
    """`task` is the id of a task of the plan (None: all)."""

    unsafe: bool = False
    task: str | None = None


@dataclass(frozen=True, slots=True)
class FixResult:
    """`report` is None where the tests could not be run."""

    project: ProjectResult
    report: FixReport | None


def fix_project(project: Project, tools: Tools, watch: Watch, wish: FixWish) -> FixResult:
    """Cures one project as far as can be proven; its working tree is not touched.

    An interruption leaves the run recorded without cures.

    Raises:
        UsageError: the plan has no such task.
    """
    began = monotonic()
    scene, artifacts = run_scene(project, tools, watch)
    known = judgement.understand(scene, artifacts, tools)
    if isinstance(artifacts, TriageError) or artifacts.by_triage:
        return FixResult(_concluded(scene, artifacts, known, tools, watch, None), None)
    try:
        cured = _cured(scene, artifacts, known, tools, watch, wish, began)
    except BaseException:
        _concluded(scene, artifacts, known, tools, watch, None)
        raise
    result = _concluded(scene, artifacts, known, tools, watch, cured)
    return FixResult(result, cured)


def _concluded(
    scene: judgement.Scene,
    artifacts: RunArtifacts | TriageError,
    known: judgement.Understood,
    tools: Tools,
    watch: Watch,
    cured: FixReport | None,
) -> ProjectResult:
    if cured is not None:
        write_whole(scene.folder / "fixes.diff", cured.diff.encode("utf-8", "surrogateescape"))
    summary, changes = judgement.conclude(scene, known, tools, cured)
    return finish(scene, artifacts, summary, changes, tools, watch)


def _cured(
    scene: judgement.Scene,
    artifacts: RunArtifacts,
    known: judgement.Understood,
    tools: Tools,
    watch: Watch,
    wish: FixWish,
    began: float,
) -> FixReport:
    name = scene.project.name
    report = judgement.report_of(scene, known, tools)
    chosen = _chosen(report.plan, wish.task, name)

    def tell(what: str) -> None:
        watch(Progress(name, what))

    playbooks = tools.matcher(scene.project).playbooks
    workshop = ScratchWorkshop(scene, artifacts, known, tools, lambda what: tell(f"curing: {what}"))
    try:
        healer = Healer(workshop, Chooser(playbooks, unsafe=wish.unsafe), Wish(wish.unsafe, chosen), tell)
        cured = healer.heal()
    finally:
        workshop.close()
    found = _report(report, cured, playbooks, known, monotonic() - began)
    if found.changed:
        _prove(scene, artifacts, cured, found, known, tools, workshop.root)
    return found


def _prove(
    scene: judgement.Scene,
    artifacts: RunArtifacts,
    cured: Cured,
    report: FixReport,
    known: judgement.Understood,
    tools: Tools,
    scratch: Path,
) -> None:
    """The proof bundle beside the diff."""
    last = cured.last.token
    assert isinstance(last, RunArtifacts)  # what is changed was run
    assert scene.environment is not None  # likewise
    given = ProofInput(
        project=scene.project,
        commit=head_commit(scene.project.root),
        environment=scene.environment,
        playbooks_fingerprint=tools.library(scene.project).fingerprint,
        report=report,
        before=ProofRun(artifacts.junit, artifacts.command, scene.project.root, artifacts.directory),
        after=ProofRun(last.junit, last.command, scratch, last.directory),
        environ=tools.environ,
        masker=known.masker,
        mask=lambda folder: mask_folder(folder, known.masker),
        probe_logs=tuple(sorted(scene.folder.glob("**/reruns/*/events.jsonl*"))),
        top=pytest_root(artifacts),
    )
    write_proof(scene.folder / "proof", given)


def _chosen(plan: Plan, task: str | None, project: str) -> frozenset[str] | None:
    if task is None:
        return None
    tasks = {one.id: one for phase in plan.phases for one in phase.tasks}
    if task not in tasks:
        raise UsageError(
            f"the plan has no task {task!r}",
            where=project,
            allowed=", ".join(tasks) or "none: nothing fails",
            hint=f"triage plan {project}",
        )
    return frozenset(tasks[task].diagnoses)


def _report(
    report: ProjectReport,
    cured: Cured,
    playbooks: Mapping[str, Playbook],
    known: judgement.Understood,
    duration_s: float,
) -> FixReport:
    files = known.lookup.tree.files
    changed = {path: (files.get(path, b""), data) for path, data in sorted(cured.changed.items())}
    fixes = [_named(one, place, report.plan, playbooks) for place, one in enumerate(cured.kept, start=1)]
    return FixReport(
        project=report.name,
        before=cured.first.ran.outcomes,
        after=cured.last.outcomes,
        fixes=tuple(fixes),
        rejected=tuple(replace(one, id=f"X{place}") for place, one in enumerate(cured.rejected, start=1)),
        left=tuple(_left(cured, playbooks)),
        changed=changed,
        diff=unified({path: old for path, (old, _) in changed.items()}, dict(cured.changed)),
        duration_s=duration_s,
        suite_s=report.run.duration_s,
        notes=tuple(dict.fromkeys(cured.notes)),
        task_diffs=_task_diffs(cured, fixes),
    )


def _task_diffs(cured: Cured, fixes: Sequence[Fix]) -> Mapping[str, str]:
    """The changes of each task alone, in the order of the rounds, on the project as it was.

    A task is left out where its changes cannot be told from those of others in the same lines.
    """
    members: dict[str, list[Kept]] = {}
    for kept, fix in zip(cured.kept, fixes, strict=True):
        for task in fix.tasks:
            members.setdefault(task, []).append(kept)
    found = {task: _carried(kept, cured.first.tree.files) for task, kept in members.items()}
    files = cured.first.tree.files
    return {
        task: unified({path: files.get(path, b"") for path in changed}, changed)
        for task, changed in found.items()
        if changed is not None
    }


def _carried(kept: Iterable[Kept], files: Mapping[str, bytes]) -> dict[str, bytes] | None:
    changed: dict[str, bytes] = {}
    for one in kept:
        for path, after in one.after.items():
            carried = taken_out(one.before[path], after, changed.get(path, files.get(path, b"")))
            if carried is None:
                return None
            changed[path] = carried
    return changed


def _named(one: Kept, place: int, plan: Plan, playbooks: Mapping[str, Playbook]) -> Fix:
    """With its id, the tasks of the plan that it belongs to, and what it costs a person."""
    fix = one.fix
    tests = {*fix.verdict.fixed, *(test for test, _ in fix.verdict.unmasked)}
    known = [task for phase in plan.phases for task in phase.tasks]
    tasks = [task.id for task in known if fix.round == 1 and set(task.files) & {one.target_site}]
    tasks = tasks or [task.id for task in known if set(task.diagnoses) & set(fix.diagnoses)]
    tasks = tasks or [task.id for task in known if tests & set(task.tests)]
    playbook = playbooks.get(fix.playbook)
    effort = playbook.plan.effort.per_site * len(fix.sites) if playbook else 0
    return replace(fix, id=f"F{place}", tasks=tuple(tasks), effort_min=effort)


def _left(cured: Cured, playbooks: Mapping[str, Playbook]) -> Iterable[LeftOver]:
    """The tests that still fail, with the newest that is known of each; lines are the working tree's."""
    known = {
        test: diagnosis
        for state in cured.states
        for diagnosis in state.diagnoses
        for test in (*diagnosis.tests, *diagnosis.dependents)
    }
    for test in cured.last.failing:
        failure = cured.last.failures.get(test)
        found = known.get(test)
        file, line = (found.cause.file, found.cause.line) if found else (test.partition("::")[0], 1)
        if found is not None and file in cured.changed and found not in cured.first.diagnoses:
            line = old_line(cured.first.tree.files.get(file, b""), cured.changed[file], line)
        playbook = playbooks.get((failure.playbook if failure else None) or "")
        reason = cured.refused.get(test) or _no_remedy(playbook)
        yield LeftOver(test, playbook.id if playbook else None, file, line, reason)


def _no_remedy(playbook: Playbook | None) -> str:
    if playbook is None:
        return "no playbook knows it"
    return (
        "no remedy of its playbook cured it" if playbook.remedies else "only a person can tell what is right"
    )
