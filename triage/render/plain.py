"""Text for a terminal or a log, with nothing in it that acts on either."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from triage.model.terms import Proof, RunStatus
from triage.render.escape import neutral
from triage.render.plan_markdown import count, hours
from triage.text import clean_text

if TYPE_CHECKING:
    from triage.model.progress import Progress

TOP_TASKS = 3
MAX_CHANGED = 30  # tests named on the screen; the report has all
MAX_CAUSES = 25  # of one project; the plan has all
MAX_SAID = 100  # characters of a failure's own message
_REFUSED = "not a project"
# Kinds whose cause says no more than that the test failed: what it said itself says more.
_WORDLESS = {None, "plain-assertion", "status-code-assertion", "mock-assertion"}
_NEWS = ("new", "regressed", "fixed", "silenced")


def visible(text: str) -> str:
    """Control characters shown, CI commands broken."""
    return neutral(clean_text(text))


def flat(text: str) -> str:
    """The same on one line, so that text from outside opens none of its own."""
    return visible(" ".join(text.split()))


def columns(head: Sequence[str], rows: Iterable[Sequence[str]], text: Collection[str] = ()) -> list[str]:
    """Lines of a table: the first column and those named in `text` to the left, the others to the right."""
    lines = [tuple(head), *(tuple(map(flat, row)) for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(head))]
    left = [not place or name in text for place, name in enumerate(head)]
    return [
        "  ".join(
            cell.ljust(width) if to_left else cell.rjust(width)
            for cell, width, to_left in zip(line, widths, left, strict=True)
        ).rstrip()
        for line in lines
    ]


def progress_line(progress: "Progress") -> str:
    """`shop  running tests  112/198  14 failing  8 s left`."""
    parts = [progress.project, progress.stage]
    if progress.total is not None:
        parts.append(f"{progress.done}/{progress.total}")
        parts.append(f"{progress.failing} failing")
    if progress.left_s is not None:
        parts.append(f"{progress.left_s:.0f} s left")
    return "  ".join(map(flat, parts))


def run_table(summaries: Sequence[Mapping[str, Any]], refused: Sequence[str] = ()) -> list[str]:
    """One row per project; `refused` are the paths that are none."""
    head = ("project", "result", "tests", "passed", "failed", "errors", "skipped", "causes", "effort", "time")
    rows = [*map(_run_row, summaries), *(_refused_row(path, len(head)) for path in refused)]
    return columns(head, rows, ("result",))


def _refused_row(path: str, width: int) -> tuple[str, ...]:
    return (PurePath(path).name or path, _REFUSED, *["-"] * (width - 2))


def _run_row(one: Mapping[str, Any]) -> tuple[str, ...]:
    counts, plan = one["counts"], one["plan"]
    numbers = (str(counts[name]) for name in ("total", "passed", "failed", "errors", "skipped"))
    effort = hours(plan["effort_min"]) if plan["phases"] else "-"
    return (
        one["project"]["name"],
        result_word(one),
        *numbers,
        str(len(one["diagnoses"])) if _started(one) else "-",
        effort if _started(one) else "-",
        f"{one['run']['duration_s']:.1f} s",
    )


def result_word(one: Mapping[str, Any]) -> str:
    """`ok`, `failing`, `gates` (only a target is missed), or what became of a run that broke."""
    if one["run"]["status"] != "completed":
        return str(one["run"]["status"]).replace("_", " ")
    if one["failures"]:
        return "failing"
    return "ok" if all(gate["holds"] for gate in one["gates"]) else "gates"


def causes(one: Mapping[str, Any]) -> list[str]:
    """A line for each cause: place, kind, tests, one sentence, proof; at most `MAX_CAUSES`."""
    said = _said(one["failures"])
    lines = [_cause_line(item, said.get(item["id"])) for item in one["diagnoses"]]
    lines += [
        f"{item['file']}:{item['line']}  {item['playbook']}, no failing test yet: {item['message']}"
        for item in one["latent"]
    ]
    more = len(lines) - MAX_CAUSES
    shown = [f"  {flat(line)}" for line in lines[:MAX_CAUSES]]
    return [*shown, f"  and {more} more: see the plan"] if more > 0 else shown


def _cause_line(item: Mapping[str, Any], said: str | None) -> str:
    cause = item["cause"]
    tests = count(len(item["tests"]) + len(item["dependents"]), "test")
    wordless = item["playbook"] in _WORDLESS and item["proof"] == Proof.NONE
    sentence = said if wordless and said else cause["explanation"]
    return (
        f"{cause['file']}:{cause['line']}  {item['playbook'] or 'unknown'}, {tests}: "
        f"{sentence} [proof: {item['proof']}]{_repeats(item)}"
    )


def _repeats(item: Mapping[str, Any]) -> str:
    return f" ({item['repeats']})" if item.get("repeats") else ""


def _said(failures: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The first line of the first failure's message, by diagnosis."""
    said: dict[str, str] = {}
    for failure in failures:
        line = next((line.strip() for line in failure["message"].splitlines() if line.strip()), "")
        if line and failure.get("diagnosis"):
            short = line if len(line) <= MAX_SAID else f"{line[: MAX_SAID - 3]}..."
            said.setdefault(failure["diagnosis"], short)
    return said


def project_lines(one: Mapping[str, Any], plan: str) -> list[str]:
    """What a person wants to know of one project after its row in the table."""
    lines = [*causes(one), *gate_lines(one)]
    counts = one["counts"]
    if expected := [f"{counts[name]} {name}" for name in ("xfailed", "xpassed") if counts[name]]:
        lines.insert(0, f"  {', '.join(expected)}")
    if one["run"].get("detail"):
        lines.insert(0, visible(f"  {one['run']['detail']}"))
    lines += [visible(f"  note: {note}") for note in one["run"].get("notes", ())]
    if one["plan"]["phases"]:
        lines.append(visible(f"  plan: {plan}"))
    return [visible(one["project"]["name"]), *lines] if lines else []


def gate_lines(one: Mapping[str, Any]) -> list[str]:
    """The gates that do not hold."""
    return [
        visible(f"  gate {gate['name']}: {_measured(gate['baseline'])}, target {gate['target']:g}")
        for gate in one["gates"]
        if not gate["holds"]
    ]


def top_tasks(summaries: Sequence[Mapping[str, Any]], most: int = TOP_TASKS) -> list[str]:
    """The tasks that turn most tests green per minute, over all projects."""
    tasks = [
        (len(task["tests"]) / max(task["effort_min"], 1), one["project"]["name"], task)
        for one in summaries
        for phase in one["plan"]["phases"]
        for task in phase["tasks"]
        if task["tests"]
    ]
    tasks.sort(key=lambda item: (-item[0], item[1], item[2]["id"]))
    return [
        visible(
            f"{place}. {name} {task['id']}: {task['title']} "
            f"({count(len(task['tests']), 'test')}, {hours(task['effort_min'])})"
        )
        for place, (_, name, task) in enumerate(tasks[:most], start=1)
    ]


def fleet_lines(document: Mapping[str, Any]) -> list[str]:
    """A row per project of a fleet report, with what changed since the run before."""
    head = ("project", "result", "tests", "passed", "failing", "new", "fixed", "causes", "effort")
    rows = [_fleet_row(one) for one in document["projects"]]
    rows += [_refused_row(one["project"], len(head)) for one in document.get("errors", ())]
    return columns(head, rows, ("result",)) if rows else ["nothing was run yet: triage run PROJECT"]


def night_lines(document: Mapping[str, Any]) -> list[str]:
    """The fleet, then every test that is different from the night before."""
    lines = fleet_lines(document)
    for one in document["projects"]:
        changed = [(kind, test) for kind in _NEWS for test in one["changes"][kind]]
        if changed:
            lines += ["", visible(one["name"])]
            lines += [f"  {flat(f'{kind}: {test}')}" for kind, test in changed[:MAX_CHANGED]]
        if len(changed) > MAX_CHANGED:
            lines.append(f"  and {len(changed) - MAX_CHANGED} more")
    ran = any(one["summary"] and _started(one["summary"]) for one in document["projects"])
    if ran and not any(one["changes"][kind] for one in document["projects"] for kind in _NEWS):
        lines += ["", "nothing is new since the night before"]
    return lines


def _fleet_row(one: Mapping[str, Any]) -> tuple[str, ...]:
    summary, changes = one["summary"], one["changes"]
    if summary is None:
        return (one["name"], "never run", *["-"] * 7)
    counts = summary["counts"]
    return (
        one["name"],
        result_word(summary),
        str(counts["total"]),
        str(counts["passed"]),
        str(len(summary["failures"])),
        str(len(changes["new"]) + len(changes["regressed"])),
        str(len(changes["fixed"])),
        str(len(summary["diagnoses"])) if _started(summary) else "-",
        hours(summary["plan"]["effort_min"]) if _started(summary) else "-",
    )


def _started(one: Mapping[str, Any]) -> bool:
    return bool(one["run"]["status"] != RunStatus.NOT_STARTED)


def _measured(value: float | None) -> str:
    return "not measured" if value is None else f"{value:g}"
