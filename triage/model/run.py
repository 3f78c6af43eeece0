"""One execution of one project's tests."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from triage.model.case import TestCase, WarningRecord
from triage.model.terms import Outcome, RunStatus


@dataclass(frozen=True, slots=True)
class RunArtifacts:
    """What a run left behind, before anyone reads it.

    `junit` may be missing or torn, `events` are the plugin's JSON lines (one file, or one per xdist
    worker), `output` is everything that pytest printed. `status` is what the runner itself saw;
    `detail` says in one sentence why it is not `completed`, `by_triage` that triage was interrupted.
    """

    directory: Path
    junit: Path
    events: tuple[Path, ...]
    output: Path
    status: RunStatus
    exit_status: int | None
    started_at: datetime
    duration_s: float
    command: tuple[str, ...]
    python: str
    detail: str | None = None
    notes: tuple[str, ...] = ()
    by_triage: bool = False


@dataclass(frozen=True, slots=True)
class Counts:
    """pytest's own counts: a test that fails in its body and its teardown is in `failed` and in `errors`.

    `total` counts it once.
    """

    total: int = 0
    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0
    xfailed: int = 0
    xpassed: int = 0
    warnings: int = 0

    @property
    def failing(self) -> int:
        """Tests, not failures."""
        return self.total - self.passed - self.skipped - self.xfailed - self.xpassed

    @property
    def pass_rate(self) -> float:
        """Percent of the tests that were not skipped; 0 where none ran."""
        ran = self.total - self.skipped
        return 100.0 * (self.passed + self.xfailed + self.xpassed) / ran if ran else 0.0


def errors_of(case: TestCase) -> int:
    """How many errors pytest counts for a failing test: one for each phase but its body's failure."""
    phases = {problem.phase for problem in case.problems if problem.outcome is Outcome.ERROR}
    return max(len(phases), 1 if case.outcome is Outcome.ERROR else 0)


@dataclass(frozen=True, slots=True)
class TestRun:
    """`unfinished` are tests that were collected and never ended; the first is the suspect.

    `packages` maps distribution names to versions where the plugin saw them, `notes` are
    sentences for people about what the machinery met.
    """

    __test__ = False

    status: RunStatus
    cases: tuple[TestCase, ...]
    exit_status: int | None
    started_at: datetime
    duration_s: float
    command: tuple[str, ...]
    python: str
    warnings: tuple[WarningRecord, ...] = ()
    unfinished: tuple[str, ...] = ()
    packages: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    detail: str | None = None

    @property
    def counts(self) -> Counts:
        tally = dict.fromkeys(Outcome, 0)
        for case in self.cases:
            tally[case.outcome] += 1
        return Counts(
            total=len(self.cases),
            passed=tally[Outcome.PASSED],
            failed=tally[Outcome.FAILED],
            errors=sum(errors_of(case) for case in self.cases if case.outcome.is_failing),
            skipped=tally[Outcome.SKIPPED],
            xfailed=tally[Outcome.XFAILED],
            xpassed=tally[Outcome.XPASSED],
            warnings=len(self.warnings),
        )
