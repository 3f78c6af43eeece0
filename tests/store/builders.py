"""Small runs and reports to record."""

from datetime import UTC, datetime, timedelta

from triage.model.case import Problem, TestCase
from triage.model.failure import Failure, Match
from triage.model.history import SpooledFailure
from triage.model.plan import Plan
from triage.model.report import ProjectReport, RunFacts
from triage.model.run import TestRun
from triage.model.terms import Outcome, Phase, RunStatus

BEGUN = datetime(2026, 11, 21, 2, 0, 0, 123456, tzinfo=UTC)
LETTERS = {
    ".": Outcome.PASSED,
    "F": Outcome.FAILED,
    "E": Outcome.ERROR,
    "s": Outcome.SKIPPED,
    "x": Outcome.XFAILED,
    "X": Outcome.XPASSED,
}


def cases_of(outcomes: str) -> tuple[TestCase, ...]:
    """One test for each letter (`.FEsxX`), named t0, t1, ...; a space leaves its test out."""
    return tuple(
        TestCase(name=f"t{number}", nodeid=f"t{number}", outcome=LETTERS[letter], duration_s=number / 8)
        for number, letter in enumerate(outcomes)
        if letter != " "
    )


def run_of(
    cases: tuple[TestCase, ...], status: RunStatus = RunStatus.COMPLETED, begun: datetime = BEGUN
) -> TestRun:
    return TestRun(status, cases, 1, begun, 2.5, ("pytest",), "3.11.7")


def failures_of(cases: tuple[TestCase, ...], playbook: str | None = None) -> tuple[Failure, ...]:
    match = Match(playbook, 0.9, "it says so") if playbook else None
    return tuple(
        Failure(
            case,
            Problem(Phase.CALL, case.outcome),
            match,
            signature=f"sig {case.id}",
            fingerprint="v1:" + case.id,
        )
        for case in cases
        if case.outcome.is_failing
    )


def report_of(
    run: TestRun,
    run_id: str,
    *,
    project: str = "shop",
    commit: str | None = None,
    failures: tuple[Failure, ...] | None = None,
    notes: tuple[str, ...] = (),
) -> ProjectReport:
    facts = RunFacts(
        run_id,
        run.started_at,
        run.duration_s,
        run.status,
        run.exit_status,
        run.python,
        run.command,
        notes=notes,
    )
    found = failures_of(run.cases) if failures is None else failures
    return ProjectReport(
        project, "/shop", commit, "pb:1", facts, run.counts, (), (), found, (), (), (), Plan()
    )


def night(number: int) -> datetime:
    return BEGUN + timedelta(days=number)


def spooled(number: int, name: str | None = None, **more: object) -> SpooledFailure:
    """A failing test of a report; its name is its number unless given."""
    name = f"test_{number}" if name is None else name
    fields: dict[str, object] = {
        "nodeid": f"tests/test_a.py::{name}",
        "exception": "ValueError",
        "message": f"no {number}",
        "fingerprint": "v1:a",
        "signature": "no <n>",
    }
    return SpooledFailure(number, Outcome.FAILED, Phase.CALL, "tests.test_a", name, **{**fields, **more})  # type: ignore[arg-type] # fields of every type
