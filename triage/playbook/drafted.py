"""The content of a drafted playbook; what a person is to write is marked."""

from collections.abc import Mapping
from typing import Any

from triage.model.case import ExceptionInfo
from triage.model.playbook import Effort, PlanTemplate, Playbook, Symptom
from triage.model.terms import Category, Level, Severity
from triage.playbook.draft import class_names

_EXPRESSIONS = ("message", "unless")


def drafted(name: str, type_: str, symptom: Mapping[str, Any], because: Mapping[str, str]) -> dict[str, Any]:
    """As its YAML file holds it; `because` are its examples by path, with why those must not match."""
    names = class_names([ExceptionInfo(type_, "")])
    known = (names[0] if names else "failure").rpartition(".")[2]
    return {
        "id": name,
        "title": f"To be named: {known}",
        "status": "experimental",
        "category": "product",
        "severity": "medium",
        "level": "specific",
        "why": "To be written: what makes this happen, and why it is wrong.",
        "symptoms": [dict(symptom)],
        "diagnose": {"site": "own-frame"},
        "plan": {
            "title": f"To be named: the cure of {known}",
            "phase": 3,
            "effort_min": {"base": 30, "per_site": 15},
            "steps": [
                "run one of its tests alone and read its failure from the deepest line of your own code",
                "To be written: what to change, and by which command to see that it helped",
            ],
            "risk": "medium",
            "mitigation": "run every test of the files that change",
            "rollback": "revert the commit",
        },
        "examples": {
            "match": [{"from": path} for path, why in because.items() if not why],
            "no_match": [{"from": path, "because": why} for path, why in because.items() if why],
        },
    }


def only(symptom: Mapping[str, Any]) -> Playbook:
    """A playbook of this symptom and nothing else."""
    asked: dict[str, Any] = {
        key: (value,) if isinstance(value, str) and key not in _EXPRESSIONS else value
        for key, value in symptom.items()
    }
    return Playbook(
        id="draft",
        title="",
        status="experimental",
        category=Category.PRODUCT,
        severity=Severity.MEDIUM,
        level=Level.SPECIFIC,
        why="",
        symptoms=(Symptom(**asked),),
        plan=PlanTemplate(1, Effort(1), "", ()),
    )
