"""`triage playbooks docs`."""

from pathlib import Path
from typing import Annotated

import typer

from triage.cli.state import command, state_of
from triage.errors import ExitStatus, UsageError


@command
def docs(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Where the pages are written.", metavar="FOLDER")],
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail where a page differs.")] = False,
) -> ExitStatus:
    """Write one reference page for each playbook in force."""
    from triage.playbook.load import load_library  # noqa: PLC0415 - not for `--help`
    from triage.reference import drift, pages, write  # noqa: PLC0415 - likewise

    state = state_of(context)
    if folder.exists() and not folder.is_dir():
        raise UsageError("no folder", where=str(folder), hint="triage playbooks docs docs/playbooks")
    library = load_library(state.settings().playbooks)
    for error in library.errors:
        state.console.say(f"warning: left out: {error}")
    made = pages(library.playbooks)
    if not check:
        changed = write(made, folder)
        state.console.say(f"{len(made)} pages in {folder}, {len(changed)} of them new or changed")
    found = drift(made, folder)
    for line in found:
        state.console.data(line)
    if found and check:
        state.console.say(f"write them anew: triage playbooks docs {folder}")
    return ExitStatus.FAILURES if found else ExitStatus.OK
