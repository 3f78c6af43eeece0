"""The head of a plan that machines read: phases, what they touch, and what must hold at the end."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from triage.text import clean_text

_INDENT = "    "  # a reader that does not know front matter takes it for a block of code
_NO_MUST_HAVES: Mapping[str, Sequence[Any]] = {"truths": (), "artifacts": (), "key_links": ()}
_GATES = {
    "pass_rate": "at least {} % of the tests pass",
    "errors": "at most {} test errors",
    "duration_s": "the suite ends within {} s",
    "coverage": "at least {} % of the lines are covered",
}


def front_matter(summary: Mapping[str, Any]) -> dict[str, Any]:
    """As data, from a summary of any version."""
    phases = summary["plan"]["phases"]
    run, project = summary["run"]["id"], summary["project"]["name"]
    return {
        "plan": f"{project}-{run}",
        "project": project,
        "run": run,
        "type": "execute" if phases else "done",
        "effort_min": summary["plan"]["effort_min"],
        "phases": _phases(phases),
        "must_haves": _must_haves(summary),
    }


def yaml_head(data: Mapping[str, Any]) -> str:
    """Between `---` lines; every text is a quoted scalar, which JSON and YAML read alike."""
    return "\n".join(["---", *(_INDENT + line for line in _lines(data)), "---"])


def _phases(phases: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    owners = {task["id"]: _slug(phase) for phase in phases for task in phase["tasks"]}
    waves: dict[str, int] = {}
    found = []
    for phase in phases:
        slug = _slug(phase)
        needed = {owners[one] for task in phase["tasks"] for one in task["depends_on"] if one in owners}
        waited = [one for one in waves if one in needed]  # earlier phases only, in their order
        waves[slug] = 1 + max((waves[one] for one in waited), default=0)
        found.append(_phase(phase, slug, waves[slug], waited))
    return found


def _phase(phase: Mapping[str, Any], slug: str, wave: int, waited: list[str]) -> dict[str, Any]:
    tasks = phase["tasks"]
    return {
        "phase": slug,
        "title": phase["title"],
        "wave": wave,
        "depends_on": waited,
        "files_modified": list(dict.fromkeys(path for task in tasks for path in _paths(task))),
        "autonomous": all(_is_safe(task["fix"]) for task in tasks),
        "gap_closure": any(task["tests"] for task in tasks),
        "effort_min": phase["effort_min"],
        "tasks": [task["id"] for task in tasks],
    }


def _slug(phase: Mapping[str, Any]) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", str(phase["title"]).lower()).strip("-")
    return f"{phase['number']:02d}-{words}"


def _paths(task: Mapping[str, Any]) -> Iterator[str]:
    """What its fix touches, where one is known; else the places of its causes."""
    if task["fix"] and task["fix"]["files"]:
        yield from task["fix"]["files"]
    else:
        yield from (site["path"] for site in task["files"])


def _is_safe(fix: Mapping[str, Any] | None) -> bool:
    return bool(fix and fix["status"] == "proven" and fix["applicability"] == "safe")


def _must_haves(summary: Mapping[str, Any]) -> dict[str, Any]:
    stated = summary["plan"].get("must_haves") or _NO_MUST_HAVES
    return {
        "truths": [*_computed(summary), *stated["truths"]],
        "artifacts": [dict(one) for one in stated["artifacts"]],
        "key_links": [dict(one) for one in stated["key_links"]],
    }


def _computed(summary: Mapping[str, Any]) -> Iterator[str]:
    total = summary["counts"]["total"] - summary["counts"]["skipped"]
    for gate in summary["gates"]:
        if gate["name"] == "pass_rate" and gate["target"] >= 100 and total:  # noqa: PLR2004 - percent
            yield "the one test passes" if total == 1 else f"all {total} tests pass"
        else:
            yield _GATES.get(gate["name"], gate["name"] + ": {}").format(f"{gate['target']:g}")


def _lines(data: Mapping[str, Any]) -> Iterator[str]:
    for key, value in data.items():
        if isinstance(value, Mapping):
            yield f"{key}:"
            yield from (f"  {line}" for line in _lines(value))
        elif isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
            yield f"{key}:"
            for one in value:
                head, *rest = _lines(one)
                yield f"  - {head}"
                yield from (f"    {line}" for line in rest)
        elif isinstance(value, list) and value:
            yield f"{key}:"
            yield from (f"  - {_scalar(one)}" for one in value)
        else:
            yield f"{key}: {_scalar(value)}"


def _scalar(value: Any) -> str:
    r"""JSON in which no CI system finds a command: `##[` is `#\u0023[`, which reads the same."""
    text = clean_text(value) if isinstance(value, str) else value
    return json.dumps(text, ensure_ascii=False).replace("##", "#\\u0023")
