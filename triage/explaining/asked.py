"""What a playbook wanted of a failure and what it saw, as JSON."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from triage.errors import UsageError
from triage.model.failure import Failure
from triage.model.playbook import Playbook
from triage.playbook.conditions import HasFinding
from triage.playbook.explain import Tried, explain

_VERDICTS = {True: "held", False: "missed", None: "cannot be told"}


def named(playbook: str | None, known: Mapping[str, Playbook]) -> Playbook | None:
    """The playbook of this id; None where none is asked for.

    Raises:
        UsageError: there is no such playbook.
    """
    if playbook is None:
        return None
    if playbook not in known:
        close = get_close_matches(playbook, list(known), n=1)
        raise UsageError(
            "no such playbook",
            where=playbook,
            allowed=", ".join(sorted(known)),
            hint=f"--playbook {close[0]}" if close else "triage playbooks list",
        )
    return known[playbook]


def asked_document(
    playbook: Playbook | None, failure: Failure, has_finding: HasFinding | None = None
) -> dict[str, Any] | None:
    """Clause by clause, the nearest symptom first; None where no playbook was asked for."""
    if playbook is None:
        return None
    problems = failure.case.problems or (failure.problem,)
    tried = [one for problem in problems for one in explain(playbook, problem, has_finding)]
    lost = {one.playbook: one.reason for one in failure.also}
    won = failure.playbook == playbook.id
    return {
        "playbook": playbook.id,
        "title": playbook.title,
        "verdict": "won" if won else "lost" if playbook.id in lost else "does not match",
        "reason": lost.get(playbook.id, ""),
        "symptoms": [_tried(one) for one in tried],
    }


def _tried(one: Tried) -> dict[str, Any]:
    return {
        "symptom": one.symptom,
        "phase": str(one.phase),
        "role": one.role,
        "exception": one.exception or None,
        "held": one.held,
        "conditions": [
            {
                "condition": each.condition,
                "wanted": each.wanted,
                "seen": each.seen,
                "verdict": _VERDICTS[each.held],
            }
            for each in one.conditions
        ],
    }
