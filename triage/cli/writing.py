"""One writer of a project's tree at a time, and what a killed one left."""

import os
from contextlib import AbstractContextManager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from triage.cli.state import State

if TYPE_CHECKING:
    from triage.model.project import Project
    from triage.tools import Tools

_WAIT_S = 60.0  # for another call that writes to the same project


def put_right(project: "Project", tools: "Tools", state: State) -> None:
    """Takes back what a killed `fix --apply` left half-written, and says so."""
    journal = journal_of(project, tools)
    if not journal.exists():
        return
    from triage.worktree.applying import recover  # noqa: PLC0415 - seldom needed

    with alone(project, tools):  # another call may be writing at this moment
        for told in recover(project.root, journal):
            state.console.say(told)


def alone(project: "Project", tools: "Tools") -> AbstractContextManager[None]:
    from triage.workspace import file_name, locked  # noqa: PLC0415 - not for `--help`

    return locked(tools.folders.locks / f"apply-{file_name(project.name)}", _WAIT_S, purpose="writing fixes")


def journal_of(project: "Project", tools: "Tools") -> Path:
    """Of this folder: another one of the same name must not take its originals for its own."""
    from triage.workspace import file_name  # noqa: PLC0415 - not for `--help`

    root = sha256(os.fsencode(project.root.resolve())).hexdigest()[:12]
    return tools.folders.home / "journal" / f"{file_name(project.name)}-{root}"
