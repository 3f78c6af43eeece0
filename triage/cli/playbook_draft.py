"""`triage playbooks draft`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage.cli.playbook_history import Days
from triage.cli.report import open_tools
from triage.cli.run import Json
from triage.cli.state import command, state_of
from triage.errors import ConfigurationError, ExitStatus

if TYPE_CHECKING:
    from triage.drafting import Draft
    from triage.settings import Settings

Cluster = Annotated[
    str, typer.Argument(metavar="CLUSTER", help="Its fingerprint, or how that begins: v2:cd38 or cd38.")
]
Id = Annotated[str | None, typer.Option("--id", help="The id of the new playbook.", metavar="ID")]
Into = Annotated[
    Path | None,
    typer.Option("--into", help="The folder; else the team's first, else playbooks/.", metavar="FOLDER"),
]
_SHOWN = 5  # clusters of which failures are taken


@command
def draft(
    context: typer.Context,
    cluster: Cluster,
    id_: Id = None,
    into: Into = None,
    days: Days = 90,
    json: Json = False,
) -> ExitStatus:
    """Write a playbook for a cluster of unknown failures, and show what it would have matched."""
    from triage.drafting import draft as make  # noqa: PLC0415 - not for `--help`

    state = state_of(context)
    settings = state.settings()
    own = [*settings.playbooks, settings.workspace / "playbooks"]
    folder = into or own[0]
    with open_tools(state) as tools:
        made = make(cluster, folder, tools, name=id_, days=days)
    if json:
        state.console.document(_document(made))
    else:
        state.console.data("\n".join(_lines(made)))
    if folder.resolve() not in {one.resolve() for one in settings.playbooks}:
        state.console.say(_where_in_force(folder, settings))
    return ExitStatus.OK


def _document(made: "Draft") -> dict[str, Any]:
    return {
        "id": made.id,
        "file": str(made.path),
        "examples": [str(one) for one in made.examples],
        "cluster": made.cluster,
        "failures": made.failures,
        "left_out": made.left_out,
        "taken": dict(made.taken),
        "history": made.moves.document(),
    }


def _lines(made: "Draft") -> list[str]:
    from triage.render.plan_markdown import count  # noqa: PLC0415 - not for `--help`
    from triage.render.replayed import lines  # noqa: PLC0415 - likewise

    path = _from_here(made.path)
    found = [f"{path}: {count(made.failures, 'failure')} of cluster {made.cluster}"]
    if made.left_out:
        found.append(f"  {made.left_out} of them it does not know yet: widen its symptoms")
    if made.taken:
        names = [f"{name} ({number})" for name, number in made.taken.items()]
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        taken = count(sum(made.taken.values()), "failure")
        found.append(f"  it also takes {taken} of other clusters: {', '.join(names[:_SHOWN])}{more}")
    found += lines(made.moves.document())
    return [*found, f"next: write its `why` and its steps, then triage playbooks check {path}"]


def _from_here(path: Path) -> Path:
    whole, here = path.absolute(), Path.cwd()
    return whole.relative_to(here) if whole.is_relative_to(here) else path


def _where_in_force(folder: Path, settings: "Settings") -> str:
    """For which project, or what makes it so for all."""
    from triage.settings import FILE_NAME  # noqa: PLC0415 - not for `--help`

    shown, place = _from_here(folder), folder.resolve()
    for root in (place, *place.parents):
        if place in _own_folders(root / FILE_NAME):
            return f"{shown} is in force for the project in {root} alone: its {FILE_NAME} names it"
    if os.environ.get("TRIAGE_PLAYBOOKS"):
        return f"{shown} is not in force yet: put it into TRIAGE_PLAYBOOKS, after a `:`"
    known = [*settings.playbooks, place]
    paths = ", ".join(_in_yaml(os.path.relpath(one, settings.workspace)) for one in known)
    return f"{shown} is not in force yet: put `playbooks: [{paths}]` into {settings.workspace / FILE_NAME}"


def _own_folders(file: Path) -> set[Path]:
    """What the `playbooks` of a project's file name; nothing where it cannot be read."""
    from triage.settings import read_file  # noqa: PLC0415 - not for `--help`

    try:
        data = read_file(file).data if file.is_file() else None
    except ConfigurationError:
        return set()
    named = data.get("playbooks") if isinstance(data, dict) else None
    named = named if isinstance(named, list) else []
    return {(file.parent / one).resolve() for one in named if isinstance(one, str)}


def _in_yaml(path: str) -> str:
    from triage.render.playbook_yaml import scalar  # noqa: PLC0415 - not for `--help`

    return path if path.replace("/", "").replace("_", "").replace("..", "").isalnum() else scalar(path)
