"""What `triage verify` found, as lines for a person and as JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

from triage.gates.check import Check
from triage.render.plain import flat
from triage.render.summary import SCHEMA_VERSION, tool
from triage.text import clean_text


def verified_document(
    summary: Mapping[str, Any], checks: Sequence[Check], fingerprint: str
) -> dict[str, Any]:
    """The JSON of `schemas/verify.schema.json` for a project that was run."""
    run = summary["run"]
    return {
        **_document(checks, fingerprint),
        "project": summary["project"],
        "run": {"id": run["id"], "status": run["status"], "started_at": run["started_at"]},
    }


def replayed_document(bundle: str, checks: Sequence[Check], fingerprint: str) -> dict[str, Any]:
    """The same for a proof bundle that was replayed."""
    return {**_document(checks, fingerprint), "proof": clean_text(bundle)}


def _document(checks: Sequence[Check], fingerprint: str) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": tool(fingerprint),
        "holds": all(one.holds for one in checks),
        "checks": [_check(one) for one in checks],
    }


def _check(one: Check) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "claim": clean_text(one.claim),
        "holds": one.holds,
        "detail": clean_text(one.detail),
        "file": clean_text(one.file) or None,
        "line": one.line or None,
        "count": one.count,
    }


def check_lines(checks: Sequence[Check]) -> list[str]:
    """`FAILS  truth  the claim  (file:line; 3 in all; why)`, one line each; further reasons below it."""
    width = max((len(one.kind) for one in checks), default=0)
    lines = []
    for one in checks:
        head, *more = one.detail.splitlines() or [""]
        place = f"{one.file}:{one.line}" if one.line else one.file
        many = f"{one.count} in all" if one.count > 1 else ""
        told = "; ".join(flat(part) for part in (place, many, head) if part)
        why = f"  ({told})" if told else ""
        lines.append(f"{'ok   ' if one.holds else 'FAILS'}  {one.kind:{width}}  {flat(one.claim)}{why}")
        lines += [f"       {flat(each)}" for each in more]
    return lines
