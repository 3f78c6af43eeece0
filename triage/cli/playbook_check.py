"""`triage playbooks check`."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage.cli.playbook_history import Days, History, replay
from triage.cli.playbook_layers import SHIPPED, Layers, OfProject, load_layers
from triage.cli.run import Json
from triage.cli.state import State, command, state_of
from triage.errors import ExitStatus, UsageError

if TYPE_CHECKING:
    from triage.playbook.check import CheckReport
    from triage.playbook.checks.evidence import Overlap
    from triage.playbook.checks.fault import CheckProblem
    from triage.playbook.checks.names import Known

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
    report = check_library(layers.library, datetime.now(UTC).date(), known_names())
    if files:
        report = _only(report, layers, wanted)
    replayed = replay(layers, wanted, days, state) if history else None
    if json:
        state.console.document({**_document(report, layers), "history": replayed})
    else:
        _show(report, state, overlaps=overlaps)
        _tell_notes(report, layers, state, wanted)
        if replayed is not None:
            state.console.data("\n".join(lines(replayed)))
    return ExitStatus.FAILURES if report.problems else ExitStatus.OK


def known_names() -> "Known":
    """What playbooks may name."""
    from triage.playbook.checks.names import Known  # noqa: PLC0415 - not for `--help`
    from triage.probes.second_pass import known_interventions, known_observers  # noqa: PLC0415 - likewise
    from triage.remedies.registry import IDS  # noqa: PLC0415 - likewise

    return Known(known_observers(), known_interventions(), frozenset(IDS))


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
    from triage.playbook.checks.fault import place_of  # noqa: PLC0415 - likewise

    paths = {_real(path) for path in wanted}
    folders = {path.parent for path in paths}
    known = layers.library.playbooks.values()
    ids = {one.id for one in known if one.path and _real(one.path) in paths}

    def concerns(one: "CheckProblem") -> bool:
        path = _real(place_of(one.where)[0])
        return path in paths or path in folders or bool(ids & {*one.others})

    problems = [one for one in report.problems if concerns(one)]
    told = {_real(place_of(one.where)[0]) for one in problems}
    read = {_real(one.path) for one in known if one.path} | told
    problems += [_unread(path) for path in wanted if not {_real(path), path.parent.resolve()} & read]
    return CheckReport(
        problems=tuple(problems),
        notes=tuple(filter(concerns, report.notes)),
        overlaps=tuple(one for one in report.overlaps if ids & {one.winner, one.loser}),
    )


def _unread(path: Path) -> "CheckProblem":
    from triage.playbook.checks.fault import CheckProblem  # noqa: PLC0415 - not for `--help`

    hidden = path.name.startswith(".")
    said = "hidden files are not read" if hidden else "not checked: another file of this name replaces it"
    hint = "rename it" if hidden else "check it alone, without that file"
    return CheckProblem(path.stem, "file", said, str(path), hint=hint)


def _real(path: Path) -> Path:
    """The file itself may be a link, which is a fault of its own."""
    return path.parent.resolve() / path.name


def _show(report: "CheckReport", state: State, *, overlaps: bool) -> None:
    from triage.render.plain import columns  # noqa: PLC0415 - not for `--help`

    for one in report.problems:
        lines = [f"{_at(one.where)}: {one.kind}: {one.message}"]
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


def _tell_notes(report: "CheckReport", layers: Layers, state: State, wanted: Sequence[Path]) -> None:
    """Those of shipped playbooks only where they were asked for: who uses them cannot act on them."""
    from triage.playbook.checks.fault import place_of  # noqa: PLC0415 - not for `--help`
    from triage.render.plan_markdown import count  # noqa: PLC0415 - likewise

    asked = {_real(path) for path in wanted}
    hidden = 0
    for note in layers.library.notes:
        state.console.say(f"note: {note}")
    for one in report.notes:
        path = _real(place_of(one.where)[0])
        is_shipped = layers.names.get(path.parent, SHIPPED) == SHIPPED and path not in asked
        hidden += is_shipped
        tell = state.console.detail if is_shipped else state.console.say
        tell(f"note: {_at(one.where)}: {one.kind}: {one.message}")
    parts = [
        count(len(layers.library.playbooks), "playbook"),
        count(len(report.problems), "problem"),
        count(len(report.notes) - hidden, "note"),
    ]
    more = f" (and {hidden} on shipped playbooks: triage -v playbooks check)" if hidden else ""
    state.console.say(", ".join(parts) + ("" if state.console.verbose else more))


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
    from triage.playbook.checks.fault import place_of  # noqa: PLC0415 - not for `--help`

    path, line, column = place_of(one.where)
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


def _at(where: str) -> str:
    from triage.playbook.checks.fault import place_of  # noqa: PLC0415 - not for `--help`

    path, *places = place_of(where)
    return ":".join([_shown(path), *(str(one) for one in places if one is not None)])


def _shown(path: Path) -> str:
    """Relative to where the user stands, when it is below."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
