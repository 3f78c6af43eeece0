"""The newest summary of every project and what changed, as JSON and Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from triage.clustering.across import shared
from triage.model.history import Changes
from triage.render.escape import code, inline
from triage.render.plain import result_word
from triage.render.plan_markdown import hours, table
from triage.render.summary import SCHEMA_VERSION, timestamp, tool

MAX_MESSAGE = 500  # characters of a failure's message, by contract
MAX_LISTED = 20  # tests listed by name in Markdown
_CHANGES = ("new", "fixed", "still_failing", "regressed", "flaky", "silenced", "gone")


@dataclass(frozen=True, slots=True)
class Entry:
    """One project; `summary` is None where no run of it was recorded."""

    name: str
    summary: Mapping[str, Any] | None
    changes: Changes


def fleet_report(
    entries: Sequence[Entry], fingerprint: str, now: datetime, refused: Sequence[tuple[str, str]] = ()
) -> dict[str, Any]:
    """The JSON of `schemas/report.schema.json`; `refused` are paths that are no usable project, and why."""
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": tool(fingerprint),
        "generated_at": timestamp(now),
        "projects": [
            {"name": one.name, "summary": _short(one.summary), "changes": _changes(one.changes)}
            for one in entries
        ],
        "clusters": shared({one.name: one.summary["clusters"] for one in entries if one.summary is not None}),
        "errors": [{"project": path, "message": message} for path, message in refused],
        "totals": _totals(entries),
    }


def fleet_markdown(report: Mapping[str, Any]) -> str:
    """For a chat or a pull request: a table, then what changed by project."""
    projects = report["projects"]
    rows = [_row(one) for one in projects]
    head = ("project", "result", "tests", "passed", "failed", "errors", "new", "fixed", "effort")
    parts = [f"# Triage, {report['generated_at']}", table(head, rows)]
    if report["errors"]:
        lines = [f"- {code(one['project'])}: {inline(one['message'])}" for one in report["errors"]]
        parts.append("\n".join(["## Not usable", "", *lines]))
    parts += [section for one in projects if (section := _section(one))]
    return "\n\n".join(parts) + "\n"


def _short(summary: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if summary is None:
        return None
    failures = [{**one, "message": one["message"][:MAX_MESSAGE]} for one in summary["failures"]]
    return {**summary, "failures": failures}


def _changes(changes: Changes) -> dict[str, list[str]]:
    return {name: list(getattr(changes, name)) for name in _CHANGES}


def _totals(entries: Sequence[Entry]) -> dict[str, int]:
    counts = [one.summary["counts"] for one in entries if one.summary is not None]
    totals = {name: sum(one[name] for one in counts) for name in ("total", "passed", "failed", "errors")}
    changed = {
        name: sum(len(getattr(one.changes, name)) for one in entries)
        for name in ("new", "fixed", "regressed", "flaky")
    }
    return {"projects": len(entries), **totals, **changed}


def _row(one: Mapping[str, Any]) -> tuple[str, ...]:
    summary, changes = one["summary"], one["changes"]
    name = inline(one["name"])
    if summary is None:
        return (name, "never run", "-", "-", "-", "-", "-", "-", "-")
    counts = summary["counts"]
    return (
        name,
        result_word(summary),
        *(str(counts[key]) for key in ("total", "passed", "failed", "errors")),
        str(len(changes["new"]) + len(changes["regressed"])),
        str(len(changes["fixed"])),
        hours(summary["plan"]["effort_min"]),
    )


def _section(one: Mapping[str, Any]) -> str:
    summary, changes = one["summary"], one["changes"]
    if summary is None:
        return ""
    lines = [f"## {inline(one['name'])}", ""]
    for title in ("new", "regressed", "fixed", "flaky", "silenced", "gone"):
        tests = changes[title]
        if tests:
            lines.append(f"- {title}: {len(tests)}")
            lines += [f"  - {code(test)}" for test in tests[:MAX_LISTED]]
            if len(tests) > MAX_LISTED:
                lines.append(f"  - and {len(tests) - MAX_LISTED} more")
    lines += [
        f"- {inline(item['playbook'] or 'unknown')} at {code(_place(item))}: "
        f"{len(item['tests']) + len(item['dependents'])} tests"
        for item in summary["diagnoses"]
    ]
    return "\n".join(lines) if len(lines) > 2 else ""  # noqa: PLR2004 - the heading alone says nothing


def _place(item: Mapping[str, Any]) -> str:
    return f"{item['cause']['file']}:{item['cause']['line']}"
