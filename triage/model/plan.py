"""The ordered proposal."""

from dataclasses import dataclass

from triage.model.terms import Risk, Severity


@dataclass(frozen=True, slots=True)
class Gate:
    """A number to reach; `baseline` is what the run showed (None: not measured)."""

    name: str
    baseline: float | None
    target: float
    holds: bool


@dataclass(frozen=True, slots=True)
class Site:
    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Task:
    """`verify` are shell commands that run as they stand from the project's root."""

    id: str
    title: str
    severity: Severity
    files: tuple[Site, ...]
    why: str
    steps: tuple[str, ...]
    alternatives: tuple[str, ...]
    effort_min: int
    risk: Risk
    mitigation: str
    rollback: str
    depends_on: tuple[str, ...]
    diagnoses: tuple[str, ...]
    tests: tuple[str, ...]
    verify: tuple[str, ...]
    done: str


@dataclass(frozen=True, slots=True)
class PlanPhase:
    number: int
    title: str
    severity: Severity
    gate: str
    tasks: tuple[Task, ...]

    @property
    def effort_min(self) -> int:
        return sum(task.effort_min for task in self.tasks)


@dataclass(frozen=True, slots=True)
class Plan:
    phases: tuple[PlanPhase, ...] = ()

    @property
    def effort_min(self) -> int:
        return sum(phase.effort_min for phase in self.phases)
