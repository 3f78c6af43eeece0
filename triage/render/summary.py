"""Model to the JSON of `schemas/summary.schema.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from triage import __version__
from triage.render.front_matter import front_matter

if TYPE_CHECKING:  # `classify` needs little of this
    from collections.abc import Mapping
    from datetime import datetime

    from triage.model.diagnosis import Diagnosis
    from triage.model.failure import Cluster, Failure
    from triage.model.plan import Gate, Plan, PlanPhase, Task
    from triage.model.project import MustHaves
    from triage.model.report import LatentDefect, Pattern, ProjectReport
    from triage.model.run import Counts

SCHEMA_VERSION = "1.2"
MAX_MESSAGE = 4_000  # characters of a failure's message; the whole text stands in junit.xml


def summary(report: ProjectReport) -> dict[str, Any]:
    """One run of one project; keys in the order of the contract."""
    ids = {test: one.id for one in report.diagnoses for test in (*one.tests, *one.dependents)}
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": tool(report.playbooks_fingerprint),
        "project": {"name": report.name, "root": report.root, "commit": report.commit},
        "run": _run(report),
        "counts": counts(report.counts),
        "gates": [gate(one) for one in report.gates],
        "patterns": [pattern(one) for one in report.patterns],
        "failures": [{**failure(one), "diagnosis": ids.get(one.case.id)} for one in report.failures],
        "diagnoses": [diagnosis(one) for one in report.diagnoses],
        "latent": [latent(one) for one in report.latent],
        "clusters": [cluster(one) for one in report.clusters],
        "plan": plan(report.plan),
    }


def plan_document(of_summary: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON of `schemas/plan.schema.json`, from a summary."""
    run = of_summary["run"]
    return {
        "schema_version": of_summary["schema_version"],
        "project": of_summary["project"],
        "run": {"id": run["id"], "started_at": run["started_at"]},
        "gates": of_summary["gates"],
        "front_matter": front_matter(of_summary),
        "plan": of_summary["plan"],
    }


def tool(playbooks_fingerprint: str) -> dict[str, Any]:
    return {"name": "triage", "version": __version__, "playbooks_fingerprint": playbooks_fingerprint}


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def counts(value: Counts) -> dict[str, int]:
    return {
        "total": value.total,
        "passed": value.passed,
        "failed": value.failed,
        "errors": value.errors,
        "skipped": value.skipped,
        "xfailed": value.xfailed,
        "xpassed": value.xpassed,
        "warnings": value.warnings,
    }


def gate(value: Gate) -> dict[str, Any]:
    return {
        "name": value.name,
        "baseline": value.baseline,
        "target": value.target,
        "holds": value.holds,
    }


def pattern(value: Pattern) -> dict[str, Any]:
    return {
        "playbook": value.playbook,
        "title": value.title,
        "category": str(value.category),
        "severity": str(value.severity),
        "count": len(value.tests),
        "tests": list(value.tests),
    }


def failure(value: Failure) -> dict[str, Any]:
    """Without `diagnosis`, which only a run that was diagnosed has."""
    head = value.problem.head
    message = head.message if head else value.problem.text
    return {
        "nodeid": value.case.nodeid,
        "outcome": str(value.case.outcome),
        "phase": str(value.problem.phase),
        "exception": (head.type or None) if head else None,
        "message": message[:MAX_MESSAGE],
        "playbook": value.playbook,
        "confidence": value.match.confidence if value.match else 0.0,
        "cluster": None if value.match else value.fingerprint,
        "also": [loser.playbook for loser in value.also],
        "root": value.root,
    }


def diagnosis(value: Diagnosis) -> dict[str, Any]:
    return {
        "id": value.id,
        "playbook": value.playbook,
        "confidence": value.confidence,
        "proof": str(value.proof),
        "cause": {
            "file": value.cause.file,
            "line": value.cause.line,
            "symbol": value.cause.symbol,
            "explanation": value.cause.explanation,
        },
        "evidence": [
            {"kind": one.kind, "file": one.file, "line": one.line, "text": one.text} for one in value.evidence
        ],
        "tests": list(value.tests),
        "dependents": list(value.dependents),
        "repeats": value.repeats,
        "behind": [{"file": file, "line": line} for file, line in value.behind],
    }


def latent(value: LatentDefect) -> dict[str, Any]:
    return {
        "rule": value.finding.rule,
        "playbook": value.playbook,
        "file": value.finding.file,
        "line": value.finding.line,
        "message": value.finding.message,
    }


def cluster(value: Cluster) -> dict[str, Any]:
    return {
        "fingerprint": value.fingerprint,
        "signature": value.signature,
        "count": len(value.tests),
        "tests": list(value.tests),
    }


def plan(value: Plan) -> dict[str, Any]:
    return {
        "effort_min": value.effort_min,
        "phases": [_phase(phase) for phase in value.phases],
        "must_haves": _must_haves(value.must_haves),
    }


def _must_haves(value: MustHaves) -> dict[str, Any]:
    return {
        "truths": [one.claim for one in value.truths],
        "artifacts": [
            {"path": one.path, "provides": one.provides, "min_lines": one.min_lines}
            for one in value.artifacts
        ],
        "key_links": [
            {"from": one.source, "to": one.target, "via": one.via, "pattern": one.pattern}
            for one in value.key_links
        ],
    }


def _run(report: ProjectReport) -> dict[str, Any]:
    run = report.run
    return {
        "id": run.id,
        "started_at": timestamp(run.started_at),
        "duration_s": round(run.duration_s, 3),
        "status": str(run.status),
        "pytest_exit_status": run.pytest_exit_status,
        "python": run.python,
        "command": list(run.command),
        "detail": run.detail,
        "notes": list(run.notes),
    }


def _phase(value: PlanPhase) -> dict[str, Any]:
    return {
        "number": value.number,
        "title": value.title,
        "severity": str(value.severity),
        "effort_min": value.effort_min,
        "gate": value.gate,
        "tasks": [_task(task) for task in value.tasks],
    }


def _task(value: Task) -> dict[str, Any]:
    return {
        "id": value.id,
        "title": value.title,
        "severity": str(value.severity),
        "files": [{"path": site.path, "line": site.line} for site in value.files],
        "why": value.why,
        "steps": list(value.steps),
        "alternatives": list(value.alternatives),
        "effort_min": value.effort_min,
        "risk": str(value.risk),
        "mitigation": value.mitigation,
        "rollback": value.rollback,
        "depends_on": list(value.depends_on),
        "diagnoses": list(value.diagnoses),
        "tests": list(value.tests),
        "verify": list(value.verify),
        "done": value.done,
        "fix": None if value.fix is None else dict(value.fix),
    }
