"""`triage playbooks list / show / check / explain`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage.cli.explain import explain
from triage.cli.run import Json
from triage.cli.state import State, command, state_of
from triage.errors import ExitStatus, UsageError

if TYPE_CHECKING:
    from triage.model.playbook import Playbook
    from triage.playbook.load import Library

app = typer.Typer(help="The known kinds of failure.", no_args_is_help=True, rich_markup_mode=None)
app.command()(explain)


@app.command("list")
@command
def list_(context: typer.Context, json: Json = False) -> ExitStatus:
    """List the playbooks in force."""
    from triage.render.plain import columns  # noqa: PLC0415 - not for `--help`

    state = state_of(context)
    library = _library(state)
    playbooks = sorted(library.playbooks.values(), key=lambda one: (one.severity.rank, one.id))
    if json:
        state.console.document({"playbooks": [_row(one) for one in playbooks]})
    else:
        rows = [tuple(_row(one).values()) for one in playbooks]
        head = ("id", "severity", "category", "level", "title")
        state.console.data("\n".join(columns(head, rows, head)))
    for error in library.errors:
        state.console.say(f"warning: left out: {error}")
    return ExitStatus.OK


@app.command()
@command
def show(context: typer.Context, playbook: Annotated[str, typer.Argument(help="Its id.")]) -> ExitStatus:
    """Show one playbook as it stands in its file."""
    from difflib import get_close_matches  # noqa: PLC0415 - not for `--help`

    state = state_of(context)
    known = _library(state).playbooks
    if playbook not in known:
        close = get_close_matches(playbook, list(known), n=1)
        raise UsageError(
            "no such playbook",
            where=playbook,
            allowed=", ".join(sorted(known)),
            hint=f"triage playbooks show {close[0]}" if close else "triage playbooks list",
        )
    path = known[playbook].path
    assert path is not None
    state.console.data(path.read_text("utf-8"))
    return ExitStatus.OK


@app.command()
@command
def check(
    context: typer.Context,
    files: Annotated[list[Path] | None, typer.Argument(help="Only these files.")] = None,
) -> ExitStatus:
    """Check the playbooks: schema, expressions, examples, ties, expiry."""
    from triage.playbook.check import check_library  # noqa: PLC0415 - not for `--help`

    state = state_of(context)
    library = _library(state, [path.parent for path in files or () if path.parent.is_dir()])
    missing = [path for path in files or () if not path.is_file()]
    if missing:
        raise UsageError("no such file", where=str(missing[0]), hint="triage playbooks list")
    wanted = {path.resolve() for path in files or ()}
    foreign = [path for path in files or () if path.suffix != ".yaml"]
    if foreign:
        raise UsageError("no playbook file", where=str(foreign[0]), allowed="files named <id>.yaml")
    problems = [
        one
        for one in check_library(library, datetime.now(UTC).date())
        if not wanted or Path(one.where.partition(":")[0]).resolve() in wanted
    ]
    for one in problems:
        state.console.data(f"{one.where}: {one.kind}: {one.message}")
    state.console.say(f"{len(library.playbooks)} playbooks, {len(problems)} problems")
    return ExitStatus.FAILURES if problems else ExitStatus.OK


def _library(state: State, extra: list[Path] | None = None) -> "Library":
    from triage.playbook.load import load_library  # noqa: PLC0415 - not for `--help`
    from triage.resources import data_folder  # noqa: PLC0415 - likewise

    shipped = data_folder("playbooks").resolve()
    folders = [*state.settings().playbooks, *(extra or [])]
    return load_library(dict.fromkeys(one for one in folders if one.resolve() != shipped))


def _row(one: "Playbook") -> dict[str, Any]:
    return {
        "id": one.id,
        "severity": str(one.severity),
        "category": str(one.category),
        "level": str(one.level),
        "title": one.title,
    }
