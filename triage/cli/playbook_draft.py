"""`triage playbooks draft`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage.cli.playbook_history import Days
from triage.cli.report import open_tools
from triage.cli.run import Json
from triage.cli.state import command, state_of
from triage.errors import ExitStatus

if TYPE_CHECKING:
    from triage.drafting import Draft

Cluster = Annotated[str, typer.Argument(metavar="CLUSTER", help="Its fingerprint, or how that begins.")]
Id = Annotated[str | None, typer.Option("--id", help="The id of the new playbook.", metavar="ID")]
Into = Annotated[
    Path | None,
    typer.Option("--into", help="The folder; else the team's first, else playbooks/.", metavar="FOLDER"),
]


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
        file = settings.workspace / "triage.yaml"
        state.console.say(f"{folder} is not in force yet: put `playbooks: [{folder.name}]` into {file}")
    return ExitStatus.OK


def _document(made: "Draft") -> dict[str, Any]:
    return {
        "id": made.id,
        "file": str(made.path),
        "examples": [str(one) for one in made.examples],
        "cluster": made.cluster,
        "failures": made.failures,
        "left_out": made.left_out,
        "history": made.moves.document(),
    }


def _lines(made: "Draft") -> list[str]:
    from triage.render.replayed import lines  # noqa: PLC0415 - not for `--help`

    found = [f"{made.path}: {made.failures} failures of cluster {made.cluster}"]
    if made.left_out:
        found.append(f"  {made.left_out} of them it does not know yet: widen its symptoms")
    found += lines(made.moves.document())
    return [*found, f"next: write its `why` and its steps, then triage playbooks check {made.path}"]
