"""Everything that triage has to say of one run of one project."""

from dataclasses import dataclass
from datetime import datetime

from triage.model.diagnosis import Diagnosis
from triage.model.failure import Cluster, Failure
from triage.model.finding import Finding
from triage.model.plan import Gate, Plan
from triage.model.run import Counts
from triage.model.terms import Category, RunStatus, Severity


@dataclass(frozen=True, slots=True)
class RunFacts:
    """`duration_s` in seconds of wall time; `started_at` in UTC."""

    id: str
    started_at: datetime
    duration_s: float
    status: RunStatus
    pytest_exit_status: int | None
    python: str
    command: tuple[str, ...]
    detail: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pattern:
    """A playbook that this run met."""

    playbook: str
    title: str
    category: Category
    severity: Severity
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LatentDefect:
    """A finding that no failing test shows yet."""

    playbook: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class ProjectReport:
    name: str
    root: str
    commit: str | None
    playbooks_fingerprint: str
    run: RunFacts
    counts: Counts
    gates: tuple[Gate, ...]
    patterns: tuple[Pattern, ...]
    failures: tuple[Failure, ...]
    diagnoses: tuple[Diagnosis, ...]
    latent: tuple[LatentDefect, ...]
    clusters: tuple[Cluster, ...]
    plan: Plan
