"""The history of a project, or of one test, as JSON and as lines."""

from collections.abc import Mapping, Sequence
from typing import Any

from triage.model.history import Changes, TestHistory, TrendPoint
from triage.render.plain import columns, visible
from triage.render.summary import SCHEMA_VERSION, counts, timestamp


def runs_document(name: str, trend: Sequence[TrendPoint], changes: Changes) -> dict[str, Any]:
    """Runs newest first, with the failing tests of each playbook; what the newest one changed."""
    return {
        "schema_version": SCHEMA_VERSION,
        "project": name,
        "runs": [_run(point) for point in reversed(trend)],
        "changes": {
            key: list(getattr(changes, key))
            for key in ("new", "fixed", "still_failing", "regressed", "flaky", "silenced", "gone")
        },
    }


def test_document(history: TestHistory) -> dict[str, Any]:
    """The runs that one test was in, newest first."""
    return {
        "schema_version": SCHEMA_VERSION,
        "project": history.project,
        "nodeid": history.nodeid,
        "points": [
            {
                "run": one.run,
                "started_at": timestamp(one.started_at),
                "commit": one.commit,
                "outcome": str(one.outcome),
                "duration_s": one.duration_s,
                "playbook": one.playbook,
                "cluster": one.fingerprint,
            }
            for one in history.points
        ],
    }


def lines(document: Mapping[str, Any]) -> list[str]:
    """Either document for a person."""
    return _test_lines(document) if "points" in document else _run_lines(document)


def _run(point: TrendPoint) -> dict[str, Any]:
    run = point.run
    return {
        "id": run.id,
        "started_at": timestamp(run.started_at),
        "duration_s": run.duration_s,
        "status": str(run.status) if run.status else None,
        "commit": run.commit,
        "counts": counts(run.counts),
        "patterns": [{"playbook": name, "count": count} for name, count in point.patterns],
    }


def _run_lines(document: Mapping[str, Any]) -> list[str]:
    head = ("run", "status", "tests", "passed", "failed", "errors", "time", "patterns")
    rows = [
        (
            run["id"],
            run["status"] or "unfinished",
            *(str(run["counts"][key]) for key in ("total", "passed", "failed", "errors")),
            f"{run['duration_s']:.1f} s",
            ", ".join(f"{one['playbook'] or 'unknown'} {one['count']}" for one in run["patterns"]) or "-",
        )
        for run in document["runs"]
    ]
    changed = [f"{key} {len(tests)}" for key, tests in document["changes"].items() if tests]
    return [
        *columns(head, rows, ("status", "patterns")),
        "",
        "the newest run: " + (", ".join(changed) or "nothing changed"),
    ]


def _test_lines(document: Mapping[str, Any]) -> list[str]:
    head = ("run", "outcome", "time", "kind")
    rows = [
        (one["run"], one["outcome"], f"{one['duration_s']:.2f} s", one["playbook"] or one["cluster"] or "-")
        for one in document["points"]
    ]
    return [visible(document["nodeid"]), *columns(head, rows, ("outcome", "kind"))]
