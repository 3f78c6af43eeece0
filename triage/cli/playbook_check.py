"""`triage playbooks check`."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage.cli.playbook_history import Days, History, replay
from triage.cli.playbook_layers import Layers, OfProject, load_layers
from triage.cli.run import Json
from triage.cli.state import State, command, state_of
from triage.errors import ExitStatus, UsageError

if TYPE_CHECKING:
    from triage.playbook.check import CheckReport
    from triage.playbook.checks.evidence import Overlap
    from triage.playbook.checks.fault import CheckProblem

SCHEMA_VERSION = "1.0"
Files = Annotated[
    list[Path] | None,
    typer.Argument(help="Only these files, or those of these folders.", metavar="FILE"),
]
Overlaps = Annotated[
    bool, typer.Option("--overlaps", help="Which playbooks hold for the same examples, and who wins.")
]


@command
def check(
    context: typer.Context,
    files: Files = None,
    overlaps: Overlaps = False,
    history: History = False,
    days: Days = 90,
    project: OfProject = None,
    json: Json = False,
) -> ExitStatus:
    """Check playbooks: schema, expressions, examples, ties, shadows, neighbours, expiry.

    Exit status: 0 no fault, 1 faults, 2 wrong usage. Example: triage playbooks check my/playbook.yaml
    """
    from triage.playbook.check import check_library  # noqa: PLC0415 - not for `--help`
    from triage.render.replayed import lines  # noqa: PLC0415 - likewise

    state = state_of(context)
    wanted = _wanted(files or ())
    layers = load_layers(state, project, dict.fromkeys(path.parent for path in wanted))
    report = check_library(layers.library, datetime.now(UTC).date())
    if files:
        report = _only(report, layers, wanted)
    replayed = replay(layers, wanted, days, state) if history else None
    if json:
        state.console.document({**_document(report, layers), "history": replayed})
    else:
        _show(report, layers, state, overlaps=overlaps)
        if replayed is not None:
            state.console.data("\n".join(lines(replayed)))
    return ExitStatus.FAILURES if report.problems else ExitStatus.OK


def _wanted(files: Sequence[Path]) -> list[Path]:
    """The playbook files that are meant.

    Raises:
        UsageError: one of them is none.
    """
    found: list[Path] = []
    for path in files:
        inside = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
        if not inside:
            raise UsageError("no playbook in this folder", where=str(path), allowed="files named <id>.yaml")
        if not (path.is_dir() or path.is_file()):
            raise UsageError("no such file", where=str(path), hint="triage playbooks list")
        if inside[0].suffix != ".yaml":
            raise UsageError("no playbook file", where=str(path), allowed="files named <id>.yaml")
        found += inside
    return found


def _only(report: "CheckReport", layers: Layers, wanted: Sequence[Path]) -> "CheckReport":
    """What concerns the wanted files, faults that they cause in other playbooks included."""
    from triage.playbook.check import CheckReport  # noqa: PLC0415 - not for `--help`

    paths = {_real(path) for path in wanted}
    known = layers.library.playbooks.values()
    ids = {one.id for one in known if one.path and _real(one.path) in paths}

    def concerns(one: "CheckProblem") -> bool:
        return _real(_place(one.where)[0]) in paths or bool(ids & {*one.others})

    return CheckReport(
        problems=tuple(filter(concerns, report.problems)),
        notes=tuple(filter(concerns, report.notes)),
        overlaps=tuple(one for one in report.overlaps if ids & {one.winner, one.loser}),
    )


def _real(path: Path) -> Path:
    """The file itself may be a link, which is a fault of its own."""
    return path.parent.resolve() / path.name


def _show(report: "CheckReport", layers: Layers, state: State, *, overlaps: bool) -> None:
    from triage.render.plain import columns  # noqa: PLC0415 - not for `--help`

    for one in report.problems:
        path, at = _place(one.where)
        lines = [f"{_shown(path)}{at}: {one.kind}: {one.message}"]
        lines += [f"  allowed: {one.allowed}"] if one.allowed else []
        lines += [f"  next:    {one.hint}"] if one.hint else []
        state.console.data("\n".join(lines))
    if overlaps:
        head = ("winner", "loser", "failures", "reason", "for example")
        rows = [
            (one.winner, one.loser, str(one.failures), one.reason, one.files[0].name)
            for one in report.overlaps
        ]
        state.console.data("\n".join(columns(head, rows, ("winner", "loser", "reason", "for example"))))
    for note in layers.library.notes:
        state.console.say(f"note: {note}")
    for one in report.notes:
        path, at = _place(one.where)
        state.console.detail(f"note: {_shown(path)}{at}: {one.kind}: {one.message}")
    count = len(layers.library.playbooks)
    notes = f"{len(report.notes)} notes"
    if report.notes and not state.console.verbose:
        notes += " (triage -v playbooks check)"
    state.console.say(f"{count} playbooks, {len(report.problems)} problems, {notes}")


def _document(report: "CheckReport", layers: Layers) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "playbooks": len(layers.library.playbooks),
        "problems": [_problem(one) for one in report.problems],
        "notes": [_problem(one) for one in report.notes],
        "replaced": list(layers.library.notes),
        "overlaps": [_overlap(one) for one in report.overlaps],
    }


def _problem(one: "CheckProblem") -> dict[str, Any]:
    path, at = _place(one.where)
    line, column = (int(part) for part in at.split(":")[1:]) if at else (None, None)
    return {
        "playbook": one.playbook,
        "kind": one.kind,
        "message": one.message,
        "file": _shown(path),
        "line": line,
        "column": column,
        "allowed": one.allowed or None,
        "next": one.hint or None,
        "others": list(one.others),
    }


def _overlap(one: "Overlap") -> dict[str, Any]:
    return {
        "winner": one.winner,
        "loser": one.loser,
        "reason": one.reason,
        "failures": one.failures,
        "files": [_shown(path) for path in one.files],
    }


def _place(where: str) -> tuple[Path, str]:
    """The file, and `:line:column` where it is known."""
    name, line, column = [*where.rsplit(":", 2), "", ""][:3]
    if line.isdecimal() and column.isdecimal():
        return Path(name), f":{line}:{column}"
    return Path(where), ""


def _shown(path: Path) -> str:
    """Relative to where the user stands, when it is below."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
