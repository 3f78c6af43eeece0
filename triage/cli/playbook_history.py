"""`triage playbooks check --history`: the playbooks over all stored failures."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from triage.cli.playbook_layers import Layers
from triage.cli.report import open_tools
from triage.cli.state import State

Days = Annotated[int, typer.Option("--days", min=1, max=3650, help="How far the history is read back.")]
History = Annotated[
    bool, typer.Option("--history", help="What the playbooks change over all stored failures.")
]


def replay(layers: Layers, files: Sequence[Path], days: int, state: State) -> dict[str, Any]:
    """What these files change against the library without them.

    Where none is named: what the playbooks in force decide otherwise than was recorded, and those that no
    failure of the last `days` was sorted into.
    """
    from triage.playbook.match import Matcher  # noqa: PLC0415 - not for `--help`
    from triage.replaying import compare, past_failures, since_recorded  # noqa: PLC0415 - likewise

    now = Matcher(layers.library.playbooks.values())
    with open_tools(state) as tools:
        past = past_failures(tools, datetime.now(UTC) - timedelta(days=days))
        if files:
            before = Matcher(layers.without(files).playbooks.values())
            return {"days": days, "unused": [], **compare(past, before, now).document()}
        moves, unused = since_recorded(past, now)
    return {"days": days, "unused": list(unused), **moves.document()}
