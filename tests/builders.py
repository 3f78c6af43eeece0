"""Small values of the model, with what a test does not speak of filled in."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from triage.model.case import ExceptionInfo, Frame, Problem, TestCase
from triage.model.diagnosis import Cause, Diagnosis
from triage.model.failure import Cluster, Failure, Match
from triage.model.finding import Finding
from triage.model.plan import Gate, Plan
from triage.model.playbook import Effort, PlanTemplate, Playbook, Symptom
from triage.model.report import ProjectReport, RunFacts
from triage.model.run import TestRun
from triage.model.terms import Category, Level, Outcome, Phase, Proof, RunStatus, Severity

BEGUN = datetime(2026, 11, 21, 2, 0, 0, 123456, tzinfo=UTC)


def frame(file: str = "app/shop.py", line: int = 3, function: str = "sell", **more: Any) -> Frame:
    return Frame(file, line, function, **more)


def raised(type_: str = "ValueError", message: str = "no", *frames: Frame, **more: Any) -> ExceptionInfo:
    return ExceptionInfo(type_, message, frames=frames, **more)


def problem(*chain: ExceptionInfo, phase: Phase = Phase.CALL, **more: Any) -> Problem:
    return Problem(phase, Outcome.FAILED if phase is Phase.CALL else Outcome.ERROR, chain, **more)


def case(
    nodeid: str | None = "tests/test_a.py::test_a", *problems: Problem, outcome: Outcome | None = None
) -> TestCase:
    """A failing test unless `outcome` says otherwise."""
    file, _, name = (nodeid or "tests/test_a.py::test_a").partition("::")
    classname = file.removesuffix(".py").replace("/", ".")
    said = outcome or (problems[0].outcome if problems else Outcome.FAILED)
    return TestCase(name or file, classname, nodeid, said, problems=problems, file=file, line=1)


def failure(
    nodeid: str = "tests/test_a.py::test_a",
    playbook: str | None = None,
    *chain: ExceptionInfo,
    fingerprint: str = "v1:0000000000000001",
    captures: tuple[tuple[str, str], ...] = (),
    **more: Any,
) -> Failure:
    one = problem(*(chain or (raised(),)))
    match = Match(playbook, 0.9, "it says so", captures) if playbook else None
    return Failure(case(nodeid, one), one, match, signature="ValueError: no", fingerprint=fingerprint, **more)


def playbook(
    name: str = "known", *symptoms: Symptom, phase: int = 1, effort: Effort | None = None, **more: Any
) -> Playbook:
    template = PlanTemplate(
        phase=phase,
        effort=effort or Effort(30, 10),
        title=f"Mend {name}",
        steps=("look", "mend"),
        alternatives=("leave it",),
        mitigation="one commit",
        rollback="revert it",
    )
    base = Playbook(
        id=name,
        title=f"The title of {name}",
        status="stable",
        category=Category.TEST,
        severity=Severity.HIGH,
        level=Level.SPECIFIC,
        why=f"The why of {name}.",
        symptoms=symptoms,
        plan=template,
    )
    return replace(base, **more)


def diagnosis(name: str = "D1", playbook: str | None = "known", *tests: str, **more: Any) -> Diagnosis:
    """At app/shop.py:3; `file` and `line` move it."""
    cause = Cause(more.pop("file", "app/shop.py"), more.pop("line", 3), "sell", more.pop("said", "It is so."))
    tests = tests or ("tests/test_a.py::test_a",)
    return Diagnosis(name, playbook, 0.5, Proof.NONE, cause, more.pop("evidence", ()), tests, **more)


def cluster(*tests: str, fingerprint: str = "v1:0000000000000001") -> Cluster:
    return Cluster(fingerprint, "ValueError: no", tests)


def finding(rule: str = "a-rule", file: str = "app/shop.py", line: int = 3, **subject: str) -> Finding:
    return Finding(rule, file, line, f"{rule} says so.", "sell", subject)


def run(*cases: TestCase, status: RunStatus = RunStatus.COMPLETED, duration_s: float = 2.5) -> TestRun:
    return TestRun(status, cases, 1, BEGUN, duration_s, ("python", "-m", "pytest"), "3.11.7")


def report(*failures: Failure, of: TestRun | None = None, **more: Any) -> ProjectReport:
    run_ = of or run(*(one.case for one in failures))
    facts = RunFacts(
        more.pop("id", "r1"),
        BEGUN,
        run_.duration_s,
        run_.status,
        run_.exit_status,
        "3.11.7",
        run_.command,
        more.pop("detail", None),
        more.pop("notes", ()),
    )
    base = ProjectReport(
        name="shop",
        root="/shop",
        commit=None,
        playbooks_fingerprint="pb",
        run=facts,
        counts=run_.counts,
        gates=(Gate("pass_rate", 0.0, 100.0, holds=False),),
        patterns=(),
        failures=failures,
        diagnoses=(),
        latent=(),
        clusters=(),
        plan=Plan(),
    )
    return replace(base, **more)


def write_files(root: Path, files: dict[str, str]) -> Path:
    """Gives the folder."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
    return root
