"""The ordered proposal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from triage.model.project import MustHaves
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
    """`verify` are shell commands that run as they stand from the project's root.

    `fix` is the JSON of what was proven for it (None: nothing was tried).
    """

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
    fix: Mapping[str, Any] | None = None


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
    """`must_haves` are those of the project file, which the work must keep or bring about."""

    phases: tuple[PlanPhase, ...] = ()
    must_haves: MustHaves = field(default_factory=MustHaves)

    @property
    def effort_min(self) -> int:
        return sum(phase.effort_min for phase in self.phases)
