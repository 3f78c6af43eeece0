"""What `triage fix` made, as the JSON of `schemas/fix.schema.json` and as lines for a person."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from triage.model.fix import Fix, FixReport, LeftOver, Sabotage
from triage.model.terms import Outcome
from triage.render.plain import columns, flat, visible
from triage.render.plan_markdown import count
from triage.render.summary import tool

SCHEMA_VERSION = "1.0"
MAX_LEFT = 40  # places left for a person that are listed
_PASSING = (Outcome.PASSED, Outcome.XFAILED, Outcome.XPASSED)


def fix_document(
    report: FixReport, fingerprint: str, run: Mapping[str, Any], applied: str | None
) -> dict[str, Any]:
    """`applied` says where the change was written to; None: nowhere. `run` is that of the summary."""
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": tool(fingerprint),
        "project": report.project,
        "run": {"id": run["id"], "folder": run["folder"]},
        "before": _tally(report.before),
        "after": _tally(report.after),
        "fixes": [_fix(one) for one in report.fixes],
        "rejected": [_fix(one) for one in report.rejected],
        "left": [_left(one) for one in report.left],
        "files": [
            {"path": path, "sha256_before": _hash(before), "sha256_after": _hash(after)}
            for path, (before, after) in report.changed.items()
        ],
        "diff": _readable(report.diff),
        "applied": applied,
        "duration_s": round(report.duration_s, 3),
        "suite_s": round(report.suite_s, 3),
        "notes": list(report.notes),
    }


def fix_lines(document: Mapping[str, Any]) -> list[str]:
    """The table, what to judge, what is left for a person."""
    lines = [_headline(document)]
    if document["fixes"]:
        head = ("id", "remedy", "where", "tests", "cause", "fix", "guard", "take it")
        lines += ["", *columns(head, _rows(document["fixes"]), ("remedy", "where"))]
        lines += _judging(document["fixes"])
    lines += _rejected(document["rejected"])
    lines += _for_a_person(document["left"])
    return [*lines, *(f"note: {flat(one)}" for one in document["notes"])]


def shown_diff(diff: str) -> list[str]:
    """Its lines for a terminal: what is invisible, or a command to it, is shown as text."""
    return [visible(line) for line in _readable(diff).rstrip("\n").split("\n")]


def _readable(diff: str) -> str:
    r"""Bytes that are no UTF-8 as `\xe9`, which every reader of JSON takes; `fixes.diff` has the bytes."""
    return diff.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _headline(document: Mapping[str, Any]) -> str:
    before, after = document["before"], document["after"]
    name, total = document["project"], before["total"]
    if not before["failing"]:
        return f"{name}: {count(total, 'test')}, none of which fails: nothing to fix"
    if not document["fixes"]:
        return f"{name}: {before['passing']} of {total} tests pass; no fix could be proven"
    number = len(document["fixes"])
    fixes = "1 fix" if number == 1 else f"{number} fixes"
    return (
        f"{name}: {before['passing']} of {total} tests pass; with {fixes} {after['passing']} of "
        f"{after['total']} do, and none that passed fails"
    )


def _rows(fixes: Sequence[Mapping[str, Any]]) -> Iterable[tuple[str, ...]]:
    """Fixes that the same tests need name the first of them."""
    known: dict[tuple[str, ...], str] = {}
    for one in fixes:
        tests = tuple(sorted(one["verdict"]["fixed"]))
        first = known.setdefault(tests, one["id"]) if tests else one["id"]
        row = _row(one)
        yield row if first == one["id"] else (*row[:3], f"with {first}", *row[4:])


def _row(one: Mapping[str, Any]) -> tuple[str, ...]:
    first = one["sites"][0] if one["sites"] else None
    more = f" +{len(one['sites']) - 1}" if len(one["sites"]) > 1 else ""
    where = f"{first['path']}:{first['line']}{more}" if first else "-"
    hidden = len(one["verdict"]["unmasked"])
    tests = f"+{len(one['verdict']['fixed'])}" + (f", {hidden} fail of another cause now" if hidden else "")
    proof = one["proof"]
    return (
        one["id"],
        one["remedy"],
        flat(where),
        tests,
        proof["cause"],
        proof["fix"],
        proof["guard"],
        one["applicability"],
    )


def _judging(fixes: Iterable[Mapping[str, Any]]) -> list[str]:
    """What is to be judged, done beside, and kept as a way back; the same said of several fixes once."""
    said: dict[str, list[str]] = {}
    for one in fixes:
        if one["judge"]:
            said.setdefault(f"to judge: {flat(one['judge'])}", []).append(one["id"])
        for step in one["migration"]:
            said.setdefault(f"migration: {flat(step)}", []).append(one["id"])
        if one["rollback"]:
            said.setdefault(f"way back: {flat(one['rollback'])}", []).append(one["id"])
    lines = [f"  {', '.join(ids)} {text}" for text, ids in said.items()]
    return ["", *lines] if lines else []


def _rejected(rejected: Sequence[Mapping[str, Any]]) -> list[str]:
    if not rejected:
        return []
    lines = dict.fromkeys(f"  {one['remedy']}: {flat(one['reason'])}" for one in rejected)
    return ["", "tried and not taken:", *lines]


def _for_a_person(left: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line for each place and reason, with its first test."""
    if not left:
        return []
    groups: dict[tuple[str, int, str, str], list[str]] = {}
    for one in left:
        key = (flat(one["file"]), one["line"], one["playbook"] or "unknown", flat(one["reason"]))
        groups.setdefault(key, []).append(flat(one["test"]))
    lines = []
    for (file, line, playbook, reason), tests in list(groups.items())[:MAX_LEFT]:
        more = f" and {len(tests) - 1} more" if len(tests) > 1 else ""
        lines += [f"  {file}:{line}  {playbook}: {reason}", f"    {tests[0]}{more}"]
    if len(groups) > MAX_LEFT:
        lines.append(f"  and {len(groups) - MAX_LEFT} more places")
    return ["", f"left for a person ({count(len(left), 'test')}):", *lines]


def _fix(one: Fix) -> dict[str, Any]:
    return {
        "id": one.id,
        "remedy": one.remedy,
        "label": one.label,
        "applicability": str(one.applicability),
        "status": str(one.status),
        "round": one.round,
        "playbook": one.playbook,
        "diagnoses": list(one.diagnoses),
        "tasks": list(one.tasks),
        "sites": [{"path": site.path, "line": site.line} for site in one.sites],
        "diff": _readable(one.diff),
        "verdict": {
            "fixed": list(one.verdict.fixed),
            "still_failing": list(one.verdict.still_failing),
            "new_failures": list(one.verdict.new_failures),
            "unmasked": [{"test": test, "playbook": name} for test, name in one.verdict.unmasked],
        },
        "proof": {"cause": one.cause_proof, "fix": _proof_of_fix(one), "guard": _proof_of_guard(one)},
        "weakenings": [
            {"kind": each.kind, "file": each.file, "line": each.line, "text": each.text}
            for each in one.weakenings
        ],
        "sabotage": [_sabotage(each) for each in one.sabotage],
        "judge": one.judge,
        "migration": list(one.migration),
        "rollback": one.rollback,
        "effort_min": one.effort_min,
        "reason": one.reason,
    }


def _proof_of_fix(one: Fix) -> str:
    if one.reason:
        return "rejected"
    return "cause gone" if one.verdict.is_cause_gone else "some tests"


def _proof_of_guard(one: Fix) -> str:
    """How many of the fixed tests noticed that the product was broken."""
    if not one.sabotage:
        return "-" if one.reason or not one.verdict.fixed else "not tried"
    caught = sum(each.failed and each.caught for each in one.sabotage)
    raised = sum(each.failed and not each.caught for each in one.sabotage)
    more = f", {raised} raised" if raised else ""
    return f"{caught} of {len(one.sabotage)} caught{more}"


def _sabotage(one: Sabotage) -> dict[str, Any]:
    return {
        "test": one.test,
        "caught": one.caught,
        "raised": one.raised,
        "assertions": one.asserted,
        "file": one.file,
        "line": one.line,
        "text": one.text,
        "tried": one.tried,
    }


def _left(one: LeftOver) -> dict[str, Any]:
    return {
        "test": one.test,
        "playbook": one.playbook,
        "file": one.file,
        "line": one.line,
        "reason": one.reason,
    }


def _tally(outcomes: Mapping[str, Outcome]) -> dict[str, int]:
    passing = sum(outcome in _PASSING for outcome in outcomes.values())
    failing = sum(outcome.is_failing for outcome in outcomes.values())
    return {"total": len(outcomes), "passing": passing, "failing": failing}


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
