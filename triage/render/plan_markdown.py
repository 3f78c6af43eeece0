"""A summary to `plan.md`, for the person who carries it out."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from triage.render.escape import block, cell, code, inline, spans
from triage.render.front_matter import front_matter, yaml_head

Excerpt = Callable[[str, int, Collection[int]], str | None]

WATCH = (
    ("stack trace", "the deepest line of your own code, not the deepest line"),
    (
        "session state",
        "`sqlalchemy.inspect(obj)`: transient, pending, persistent or detached, and in which session",
    ),
    ("database state", "the rows that the test finds before its first statement; what an earlier test left"),
    ("context state", "`flask.has_app_context()` where the object is made and where it is used"),
)


def plan_markdown(summary: Mapping[str, Any], excerpt: Excerpt) -> str:
    """The whole document; `excerpt(file, line, others)` gives source lines, these marked, or None."""
    sections = (
        yaml_head(front_matter(summary)),
        _title(summary),
        _overview(summary),
        _gates(summary["gates"]),
        _must_haves(summary["plan"].get("must_haves")),
        _patterns(summary),
        _files(summary),
        _causes(summary, excerpt),
        _chains(summary),
        _latent(summary["latent"]),
        _clusters(summary["clusters"]),
        *(_phase(phase) for phase in summary["plan"]["phases"]),
        _order(summary),
        _risks(summary["plan"]["phases"]),
        _watch(summary["failures"]),
    )
    return "\n\n".join(section for section in sections if section) + "\n"


def _title(summary: Mapping[str, Any]) -> str:
    run = summary["run"]
    return (
        f"# Plan for {inline(summary['project']['name'])}\n\n"
        f"Run {code(run['id'])}, {run['started_at']}, {run['duration_s']} s, {run['status']}. "
        f"The commands are run from the folder {code(summary['project']['root'])}."
    )


def _overview(summary: Mapping[str, Any]) -> str:
    counts, plan = summary["counts"], summary["plan"]
    failing = len(summary["failures"])
    lines = [
        "## Summary",
        "",
        f"- {tally(counts)}.",
    ]
    if summary["run"].get("detail"):
        lines.append(f"- The run did not complete: {inline(summary['run']['detail'])}")
    if failing:
        known = sum(pattern["count"] for pattern in summary["patterns"])
        comes = "comes" if failing == 1 else "come"
        lines.append(
            f"- {count(failing, 'failing test')} {comes} down to "
            f"{count(len(summary['diagnoses']), 'cause')}; "
            f"{known} of {count(len(summary['patterns']), 'known kind')}, {failing - known} of no known kind."
        )
    if plan["phases"]:
        lines.append(f"- {hours(plan['effort_min'])} of work in {count(len(plan['phases']), 'phase')}.")
    elif missed := [gate["name"] for gate in summary["gates"] if not gate["holds"]]:
        lines.append(f"- No task comes of this run, but these gates do not hold: {', '.join(missed)}.")
    else:
        lines.append("- Nothing to do.")
    return "\n".join(lines)


def _gates(gates: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (gate["name"], _number(gate["baseline"]), _number(gate["target"]), "yes" if gate["holds"] else "no")
        for gate in gates
    ]
    return "## Baseline against target\n\n" + table(("gate", "baseline", "target", "holds"), rows)


def _patterns(summary: Mapping[str, Any]) -> str:
    rows = [
        (one["playbook"], inline(one["title"]), one["category"], one["severity"], str(one["count"]))
        for one in summary["patterns"]
    ]
    if not rows:
        return ""
    return "## Kinds of failure\n\n" + table(
        ("playbook", "what it is", "category", "severity", "tests"), rows
    )


def _files(summary: Mapping[str, Any]) -> str:
    causes = {one["id"]: one for one in summary["diagnoses"]}
    rows: dict[tuple[str, str, str], int] = {}
    for failure in summary["failures"]:
        file = (failure["nodeid"] or "(unknown)").partition("::")[0]
        cause = causes.get(failure["diagnosis"] or "")
        where = f"{cause['cause']['file']}:{cause['cause']['line']}" if cause else "-"
        key = (file, failure["playbook"] or "unknown", where)
        rows[key] = rows.get(key, 0) + 1
    if not rows:
        return ""
    body = [
        (code(file), kind, code(where), str(count)) for (file, kind, where), count in sorted(rows.items())
    ]
    return "## Test files and what breaks them\n\n" + table(("test file", "kind", "cause", "tests"), body)


def _causes(summary: Mapping[str, Any], excerpt: Excerpt) -> str:
    parts = [_cause(one, excerpt) for one in summary["diagnoses"]]
    return "## Causes\n\n" + "\n\n".join(parts) if parts else ""


def _cause(one: Mapping[str, Any], excerpt: Excerpt) -> str:
    cause = one["cause"]
    tests = count(len(one["tests"]), "test")
    dependents = f", {len(one['dependents'])} more follow from them" if one["dependents"] else ""
    lines = [
        f"### {one['id']}: {inline(one['playbook'] or 'unknown')} at {_place(cause)}",
        "",
        f"{inline(cause['explanation'])} ({tests}{dependents}; proof: {one['proof']})",
    ]
    others = {item["line"] for item in one["evidence"] if item["file"] == cause["file"]}
    source = excerpt(cause["file"], cause["line"], others - {cause["line"]})
    if source:
        lines += ["", block(source, "python", as_is=True)]
    if one.get("repeats"):
        lines.append(f"- run again: {inline(one['repeats'])}")
    lines += [f"- {inline(item['kind'])}: {_place(item)} {code(item['text'])}" for item in one["evidence"]]
    return "\n".join(lines)


def _chains(summary: Mapping[str, Any]) -> str:
    followers: dict[str, list[str]] = {}
    for failure in summary["failures"]:
        if failure["root"]:
            followers.setdefault(failure["root"], []).append(failure["nodeid"] or "?")
    if not followers:
        return ""
    lines = ["## Chains: failures that only follow from another", ""]
    for root, names in followers.items():
        lines.append(f"- {code(root)}")
        lines += [f"  - {code(name)}" for name in names]
    return "\n".join(lines)


def _latent(latent: Sequence[Mapping[str, Any]]) -> str:
    if not latent:
        return ""
    rows = [(code(f"{one['file']}:{one['line']}"), one["playbook"], inline(one["message"])) for one in latent]
    return "## Known defects that no failing test shows yet\n\n" + table(("where", "kind", "what"), rows)


def _clusters(clusters: Sequence[Mapping[str, Any]]) -> str:
    if not clusters:
        return ""
    rows = [(code(one["fingerprint"]), str(one["count"]), code(one["signature"][:200])) for one in clusters]
    return "## Failures that no playbook knows\n\n" + table(("cluster", "tests", "signature"), rows)


def _phase(phase: Mapping[str, Any]) -> str:
    head = (
        f"## Phase {phase['number']}: {inline(phase['title'])} "
        f"({phase['severity'].upper()}, {hours(phase['effort_min'])})\n\nGate: {inline(phase['gate'])}."
    )
    return "\n\n".join([head, *(_task(task) for task in phase["tasks"])])


def _task(task: Mapping[str, Any]) -> str:
    """Files, action, verify and done, in this order."""
    places = ", ".join(code(f"{site['path']}:{site['line']}") for site in task["files"])
    lines = [
        f"### {task['id']} {inline(task['title'])} ({task['severity']}, {hours(task['effort_min'])})",
        "",
        spans(task["why"]),
        "",
        f"- Files: {places or 'none known'}",
    ]
    if task["depends_on"]:
        lines.append(f"- After: {', '.join(task['depends_on'])}")
    lines.append("- Action:")
    lines += [f"  {number}. {spans(step)}" for number, step in enumerate(task["steps"], start=1)]
    lines += [f"- Instead: {spans(one)}" for one in task["alternatives"]]
    lines += [
        f"- Risk: {task['risk']}; {spans(task['mitigation'])}",
        f"- Way back: {spans(task['rollback'])}",
    ]
    if task["tests"]:
        lines.append(f"- Tests: {len(task['tests'])}")
    lines += [f"- Done: {spans(_done(task))}", "- Verify:", ""]
    lines += [block(runnable(command), "sh") for command in task["verify"]]
    return "\n\n".join(["\n".join(lines), *(_fix(task["fix"]) if task["fix"] else ())])


def _done(task: Mapping[str, Any]) -> str:
    """Without the commands, which stand below it."""
    said: str = task["done"]
    for command in task["verify"]:
        said = said.replace(f": {command}", "")
    return said


def runnable(command: str) -> str:
    """A shell command in which no CI system finds one of its own, and which means the same.

    `shlex` puts every `#` between single quotes.
    """
    return command.replace("##", "#''#")


def _fix(fix: Mapping[str, Any]) -> Iterable[str]:
    verdict, proof = fix["verdict"], fix["proof"]
    head = ", ".join(inline(fix[key]) for key in ("remedy", "status", "applicability"))
    lines = [
        f"- Fix: {head}: {_told(verdict)}",
        *(f"- Judge: {spans(one)}" for one in _texts(fix.get("judge"))),
        *(f"- Migration: {spans(one)}" for one in _texts(fix.get("migration"))),
    ]
    if isinstance(proof, Mapping):
        lines += [f"- Proof of the {inline(key)}: {spans(str(value))}" for key, value in proof.items()]
    yield "\n".join(lines)
    if fix["diff"]:
        yield block(fix["diff"].rstrip("\n"), "diff")


def _told(verdict: Mapping[str, Any]) -> str:
    fixed, left, new = (len(verdict[key]) for key in ("fixed", "still_failing", "new_failures"))
    behind = len(verdict.get("unmasked", ()))
    shown = f", {behind} showed what hid behind" if behind else ""
    return f"{count(fixed, 'test')} turned green, {left} still failing, {new} new{shown}"


def _texts(value: Any) -> Sequence[str]:
    """One text or several."""
    return [value] if isinstance(value, str) and value else value or ()


def _must_haves(wanted: Mapping[str, Any] | None) -> str:
    """What the project file asks for; `triage verify` checks it."""
    if not wanted or not any(wanted.values()):
        return ""
    lines = ["## What must hold at the end", ""]
    lines += [f"- {spans(one)}" for one in wanted["truths"]]
    lines += [f"- {code(one['path'])} provides {inline(one['provides'])}" for one in wanted["artifacts"]]
    lines += [
        f"- {code(one['from'])} leads to {code(one['to'])}: {inline(one['via'])}"
        for one in wanted["key_links"]
    ]
    return "\n".join(lines)


def _order(summary: Mapping[str, Any]) -> str:
    phases = summary["plan"]["phases"]
    if not phases:
        return ""
    lines = ["## Order of verification", ""]
    lines += [
        f"{place}. phase {phase['number']}: {inline(phase['gate'])}" for place, phase in enumerate(phases, 1)
    ]
    return "\n".join(lines)


def _risks(phases: Iterable[Mapping[str, Any]]) -> str:
    rows = [
        (task["risk"], task["id"], spans(task["mitigation"]), spans(task["rollback"]))
        for level in ("high", "medium", "low")
        for phase in phases
        for task in phase["tasks"]
        if task["risk"] == level
    ]
    return "## Risks\n\n" + table(("risk", "task", "mitigation", "way back"), rows) if rows else ""


def _watch(failures: Sequence[Mapping[str, Any]]) -> str:
    if not failures:
        return ""
    return "## What to watch while debugging\n\n" + "\n".join(f"- {name}: {what}" for name, what in WATCH)


def tally(counts: Mapping[str, int]) -> str:
    """`198 tests: 157 passed, 19 failed, 22 errors, 1 warning`; what is zero is left out."""
    names = ("passed", "failed", "errors", "skipped", "xfailed", "xpassed", "warnings")
    parts = [
        f"{counts[name]} {name.removesuffix('s') if counts[name] == 1 else name}"
        for name in names
        if counts[name]
    ]
    return ": ".join(filter(None, (count(counts["total"], "test"), ", ".join(parts))))


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _place(item: Mapping[str, Any]) -> str:
    return code(f"{item['file']}:{item['line']}")


def hours(minutes: int) -> str:
    """`45 min`, `2 h`, `2 h 30 min`."""
    whole, rest = divmod(minutes, 60)
    if not whole:
        return f"{rest} min"
    return f"{whole} h {rest} min" if rest else f"{whole} h"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; the cells are escaped already, but for the bars in them."""
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(map(cell, row))} |" for row in rows)])


def _number(value: float | None) -> str:
    return "not measured" if value is None else f"{value:g}"
