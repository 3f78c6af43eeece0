"""Diagnoses to an ordered proposal: phases, tasks, gates."""

import shlex
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import floor

from triage.model.diagnosis import Diagnosis
from triage.model.failure import Cluster
from triage.model.plan import Gate, Plan, PlanPhase, Site, Task
from triage.model.playbook import Playbook
from triage.model.project import MustHaves, Targets
from triage.model.report import LatentDefect
from triage.model.run import TestRun
from triage.model.terms import Risk, RunStatus, Severity

# Order of work as in the reference cases: what blocks most comes first, validation last.
PHASES: tuple[tuple[int, str, Severity, str], ...] = (
    (1, "Critical database and session issues", Severity.CRITICAL, "the tests of this phase's tasks pass"),
    (2, "Test infrastructure", Severity.HIGH, "the tests of phases 1 and 2 pass, no test errors at setup"),
    (3, "Integration and performance", Severity.MEDIUM, "the tests of phases 1 to 3 pass"),
    (4, "Validation and clean-up", Severity.LOW, "the whole suite passes and every target holds"),
)
UNKNOWN_PHASE = 3
UNKNOWN_BASE_MIN = 30  # to read one unknown failure and write down its cause
UNKNOWN_PER_TEST_MIN = 2
VALIDATION_MIN = 60  # reference case 1: one hour for the full validation
VALIDATION_TITLE = "Validate the whole suite"
MIGRATION_STEPS = (
    "write a migration: count the rows that break the new rule, fill or delete them, then add the constraint",
    "try the migration and its way back on a copy of the production data",
)
MAX_IDS = 20  # node ids in one command; above, whole files are run


@dataclass(frozen=True, slots=True)
class Launcher:
    """How a person runs this project's tests: words that stand before pytest's arguments.

    `prefix` is shell text that stands before them all as it is.
    """

    words: tuple[str, ...]
    arguments: tuple[str, ...]
    prefix: str = ""

    def command(self, tests: Sequence[str] = ()) -> str:
        """A shell command for some tests, or for the whole suite."""
        chosen = tuple(tests)
        if len(chosen) > MAX_IDS:
            chosen = tuple(dict.fromkeys(test.partition("::")[0] for test in chosen))
        return f"{self.prefix} {shlex.join([*self.words, *(chosen or self.arguments)])}".lstrip()


def gates_of(run: TestRun, targets: Targets, coverage: float | None = None) -> tuple[Gate, ...]:
    """Baseline against target, one gate a target; a broken run holds none of them."""
    counts = run.counts
    sound = run.status is RunStatus.COMPLETED
    gates = [
        Gate(
            "pass_rate",
            _percent(counts.pass_rate),
            targets.pass_rate,
            sound and counts.pass_rate >= targets.pass_rate,
        ),
        Gate("errors", counts.errors, targets.errors, sound and counts.errors <= targets.errors),
    ]
    if targets.duration_s is not None:
        held = sound and run.duration_s <= targets.duration_s
        gates.append(Gate("duration_s", round(run.duration_s, 2), targets.duration_s, held))
    if targets.coverage is not None:
        percent = targets.coverage.percent
        held = sound and coverage is not None and coverage >= percent
        gates.append(Gate("coverage", coverage, percent, held))
    return tuple(gates)


def make_plan(
    diagnoses: Sequence[Diagnosis],
    latent: Sequence[LatentDefect],
    clusters: Sequence[Cluster],
    playbooks: Mapping[str, Playbook],
    launcher: Launcher,
    must_haves: MustHaves | None = None,
) -> Plan:
    """Tasks by playbook and file, within a phase the most severe and then those of most tests first.

    Every test of the diagnoses and clusters is in exactly one task; nothing to do gives no phases.
    """
    tasks = [
        *_known_tasks(diagnoses, playbooks, launcher),
        *_latent_tasks(latent, playbooks, launcher, {one.playbook for one in diagnoses}),
        *_unknown_tasks(diagnoses, clusters, launcher),
    ]
    wanted = must_haves or MustHaves()
    if not tasks:
        return Plan(must_haves=wanted)
    tasks.append((PHASES[-1][0], _validation(launcher)))
    return Plan(tuple(_phases(tasks)), wanted)


def _percent(rate: float) -> float:
    """To one decimal, but 99.96 is not 100."""
    rounded = round(rate, 1)
    return rounded if rounded < 100 or rate >= 100 else floor(rate * 10) / 10  # noqa: PLR2004 - percent


def _phases(tasks: Iterable[tuple[int, Task]]) -> Iterable[PlanPhase]:
    by_phase: dict[int, list[Task]] = {}
    for number, task in tasks:
        by_phase.setdefault(number, []).append(task)
    before: list[Task] = []
    touched: dict[str, set[str]] = {}  # by the ids of the tasks in `before`
    for number, title, severity, gate in PHASES:
        ordered = sorted(by_phase.get(number, ()), key=_order)
        named = [
            replace(task, id=f"T{len(before) + place}", depends_on=_needs(task, touched))
            for place, task in enumerate(ordered, start=1)
        ]
        if named and named[-1].title == VALIDATION_TITLE:
            named[-1] = replace(named[-1], depends_on=tuple(one.id for one in (*before, *named[:-1])))
        if named:
            yield PlanPhase(number, title, severity, gate, tuple(named))
            before += named
            touched |= {task.id: _touched(task) for task in named}


def _needs(task: Task, touched: Mapping[str, set[str]]) -> tuple[str, ...]:
    """Tasks of earlier phases that touch a file of this one, or whose tests share a file with it."""
    mine = _touched(task)
    return tuple(other for other, files in touched.items() if not mine.isdisjoint(files))


def _touched(task: Task) -> set[str]:
    return {site.path for site in task.files} | {test.partition("::")[0] for test in task.tests}


def _order(task: Task) -> tuple[bool, int, int, str]:
    return (task.title == VALIDATION_TITLE, task.severity.rank, -len(task.tests), task.title)


def _known_tasks(
    diagnoses: Iterable[Diagnosis], playbooks: Mapping[str, Playbook], launcher: Launcher
) -> Iterable[tuple[int, Task]]:
    groups: dict[tuple[str, str], list[Diagnosis]] = {}
    for one in diagnoses:
        if one.playbook is not None:
            groups.setdefault((one.playbook, one.cause.file), []).append(one)
    charged: set[str] = set()
    largest_first = sorted(groups.items(), key=lambda item: -sum(len(one.tests) for one in item[1]))
    for (name, file), members in largest_first:
        playbook = playbooks[name]
        base = 0 if name in charged else playbook.plan.effort.base
        charged.add(name)
        effort = base + playbook.plan.effort.per_site * len(members)
        why = f"{members[0].cause.explanation} {playbook.why} {_behind(members)}".strip()
        yield playbook.plan.phase, _task(playbook, file, members, effort, why, launcher)


def _task(
    playbook: Playbook, file: str, members: Sequence[Diagnosis], effort: int, why: str, launcher: Launcher
) -> Task:
    tests = tuple(dict.fromkeys(test for one in members for test in (*one.tests, *one.dependents)))
    lines = sorted({one.cause.line for one in members})
    return Task(
        id=playbook.id,
        title=f"{playbook.plan.title} in {file}",
        severity=playbook.severity,
        files=tuple(Site(file, line) for line in lines),
        why=why,
        steps=_steps(playbook),
        alternatives=playbook.plan.alternatives,
        effort_min=effort,
        risk=playbook.plan.risk,
        mitigation=playbook.plan.mitigation,
        rollback=playbook.plan.rollback,
        depends_on=(),
        diagnoses=tuple(one.id for one in members),
        tests=tests,
        verify=(launcher.command(tests),),
        done=f"{_count(len(tests), 'test')} that failed pass: {launcher.command(tests)}",
    )


def _behind(members: Iterable[Diagnosis]) -> str:
    """Places that a person meets once the cause is mended."""
    places = dict.fromkeys(f"`{file}:{line}`" for one in members for file, line in one.behind)
    return f"Behind it stand, and show once it is mended: {', '.join(places)}." if places else ""


def _steps(playbook: Playbook) -> tuple[str, ...]:
    return (*playbook.plan.steps, *(MIGRATION_STEPS if playbook.plan.changes_schema else ()))


def _latent_tasks(
    latent: Iterable[LatentDefect],
    playbooks: Mapping[str, Playbook],
    launcher: Launcher,
    charged: set[str | None],
) -> Iterable[tuple[int, Task]]:
    groups: dict[tuple[str, str], list[LatentDefect]] = {}
    for one in latent:
        groups.setdefault((one.playbook, one.finding.file), []).append(one)
    for (name, file), members in groups.items():
        playbook = playbooks[name]
        base = 0 if name in charged else playbook.plan.effort.base
        charged.add(name)
        yield (
            playbook.plan.phase,
            Task(
                id=f"latent-{name}",
                title=f"{playbook.plan.title} in {file} (no failing test shows it yet)",
                severity=playbook.severity,
                files=tuple(Site(file, line) for line in sorted({one.finding.line for one in members})),
                why=f"{members[0].finding.message.rstrip('.')}. {playbook.why}",
                steps=_steps(playbook),
                alternatives=playbook.plan.alternatives,
                effort_min=base + playbook.plan.effort.per_site * len(members),
                risk=playbook.plan.risk,
                mitigation=playbook.plan.mitigation,
                rollback=playbook.plan.rollback,
                depends_on=(),
                diagnoses=(),
                tests=(),
                verify=(launcher.command(),),
                done="the next run lists this place no more, and no test fails that passed before",
            ),
        )


def _unknown_tasks(
    diagnoses: Iterable[Diagnosis], clusters: Iterable[Cluster], launcher: Launcher
) -> Iterable[tuple[int, Task]]:
    by_cluster: dict[str | None, list[Diagnosis]] = defaultdict(list)
    for one in diagnoses:
        if one.playbook is None:
            by_cluster[one.cluster].append(one)
    for cluster in clusters:
        causes = by_cluster[cluster.fingerprint]
        followers = (test for one in causes for test in one.dependents)
        tests = tuple(dict.fromkeys((*cluster.tests, *followers)))
        yield (
            UNKNOWN_PHASE,
            Task(
                id=cluster.fingerprint,
                title=f"Understand {_count(len(cluster.tests), 'unknown failure')}: {cluster.signature[:80]}",
                severity=Severity.MEDIUM,
                files=tuple(dict.fromkeys(Site(one.cause.file, one.cause.line) for one in causes)),
                why="No playbook matches; alike failures are one cluster, most likely with one cause.",
                steps=(
                    "run the first test of the cluster alone and read its traceback at the named line",
                    "write the cause down; where it may come again, write a playbook for it",
                ),
                alternatives=(),
                effort_min=UNKNOWN_BASE_MIN + UNKNOWN_PER_TEST_MIN * (len(cluster.tests) - 1),
                risk=Risk.MEDIUM,
                mitigation="change nothing before the cause is known",
                rollback="revert the commit of this task",
                depends_on=(),
                diagnoses=tuple(one.id for one in causes),
                tests=tests,
                verify=(launcher.command(tests),),
                done=f"{_count(len(tests), 'test')} that failed pass: {launcher.command(tests)}",
            ),
        )


def _validation(launcher: Launcher) -> Task:
    return Task(
        id="validation",
        title=VALIDATION_TITLE,
        severity=Severity.LOW,
        files=(),
        why="A cure is proven by the whole suite, not by the tests that it was made for.",
        steps=(
            "run the tests in this order: schema and models, unit, integration, end to end, performance",
            "run the whole suite once more in one go and compare every target with its baseline",
            "remove what was only added to look for a cause, and mend the warnings that are left",
        ),
        alternatives=(),
        effort_min=VALIDATION_MIN,
        risk=Risk.LOW,
        mitigation="keep one commit per task, so that a new failure can be bisected",
        rollback="revert the commit of the task that the bisection names",
        depends_on=(),
        diagnoses=(),
        tests=(),
        verify=(launcher.command(),),
        done="every gate of the plan holds",
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
