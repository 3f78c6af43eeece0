"""`triage playbooks list / show / check / explain / draft / docs / schema`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage.cli.explain import explain
from triage.cli.playbook_check import check
from triage.cli.playbook_docs import docs
from triage.cli.playbook_draft import draft
from triage.cli.playbook_layers import SHIPPED, Layers, OfProject, load_layers
from triage.cli.run import Json
from triage.cli.state import command, state_of
from triage.errors import ExitStatus, UsageError

if TYPE_CHECKING:
    from triage.model.playbook import Playbook

app = typer.Typer(help="The known kinds of failure.", no_args_is_help=True, rich_markup_mode=None)
app.command()(explain)
app.command()(check)
app.command()(draft)
app.command()(docs)


@app.command("list")
@command
def list_(context: typer.Context, project: OfProject = None, json: Json = False) -> ExitStatus:
    """List the playbooks in force, with the layer of those that are not shipped."""
    from triage.render.plain import columns  # noqa: PLC0415 - not for `--help`

    state = state_of(context)
    layers = load_layers(state, project)
    playbooks = sorted(layers.library.playbooks.values(), key=lambda one: (one.severity.rank, one.id))
    rows = [_row(one, layers) for one in playbooks]
    if json:
        state.console.document({"playbooks": rows})
    else:
        shown = [key for key in rows[0] if key != "layer" or any(row[key] != SHIPPED for row in rows)]
        table = [tuple(row[key] for key in shown) for row in rows]
        state.console.data("\n".join(columns(shown, table, shown)))
    layers.say(state)
    return ExitStatus.OK


@app.command()
@command
def show(
    context: typer.Context,
    playbook: Annotated[str, typer.Argument(help="Its id.")],
    project: OfProject = None,
) -> ExitStatus:
    """Show one playbook as it stands in its file."""
    from difflib import get_close_matches  # noqa: PLC0415 - not for `--help`

    state = state_of(context)
    known = load_layers(state, project).library.playbooks
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
def schema(context: typer.Context) -> ExitStatus:
    """Print the JSON Schema of playbooks, by which editors complete and check them.

    Example: triage playbooks schema > .triage/playbook.schema.json, and as first line of a playbook
    # yaml-language-server: $schema=../.triage/playbook.schema.json
    """
    from triage.resources import data_folder  # noqa: PLC0415 - not for `--help`

    path = data_folder("schemas") / "playbook.schema.json"
    state_of(context).console.data(path.read_text("utf-8"))
    return ExitStatus.OK


def _row(one: "Playbook", layers: Layers) -> dict[str, Any]:
    return {
        "id": one.id,
        "severity": str(one.severity),
        "category": str(one.category),
        "level": str(one.level),
        "layer": layers.layer_of(one),
        "title": one.title,
    }
