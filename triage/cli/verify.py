"""`triage verify`."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from triage.cli.run import Json, report_library
from triage.cli.state import State, command, say_new_workspace, state_of
from triage.cli.writing import put_right
from triage.errors import ExitStatus, UsageError

if TYPE_CHECKING:
    from triage.model.project import Project
    from triage.settings import Settings
    from triage.verifying import Verified

Folder = Annotated[str | None, typer.Argument(help="A project's folder.", show_default=False)]
Offline = Annotated[bool | None, typer.Option("--offline", help="Install from caches only.")]
Bundle = Annotated[
    Path | None,
    typer.Option("--proof", metavar="DIR", help="Replay this proof bundle, offline, and say same or not."),
]


@command
def verify(
    context: typer.Context,
    project: Folder = None,
    proof: Bundle = None,
    json: Json = False,
    offline: Offline = None,
) -> ExitStatus:
    """Run a project and check its targets, its must-haves and the phases of its latest plan.

    Exit status 0 only where all of them hold.
    """
    state = state_of(context)
    if proof is not None:
        return _replay(proof, project, state, json=json)
    if project is None:
        raise UsageError("no project given", allowed="the folder of one project", hint="triage verify FOLDER")
    settings = state.settings(offline=offline, probe=False)
    found, fingerprint = _verify(_project(project, settings), settings, state)
    _show(found, fingerprint, state, json=json)
    return ExitStatus.OK if found.holds else ExitStatus.FAILURES


def _project(path: str, settings: "Settings") -> "Project":
    from triage.stages.discover import load_project  # noqa: PLC0415 - not for `--help`

    return load_project(Path(path), settings.workspace / ".triage" / "cache" / "valid")


def _verify(project: "Project", settings: "Settings", state: State) -> "tuple[Verified, str]":
    from triage.render.terminal import make_view  # noqa: PLC0415 - not for `--help`
    from triage.store.opening import check_place, default_database  # noqa: PLC0415 - likewise
    from triage.tools import Tools  # noqa: PLC0415 - likewise
    from triage.verifying import verify as look  # noqa: PLC0415 - likewise

    say_new_workspace(settings, state)
    check_place(settings.database_url or default_database(settings.workspace))
    with Tools(settings, os.environ) as tools:
        put_right(project, tools, state)
        with make_view(sys.stderr, [project.name], quiet=state.console.quiet) as view:
            found = look(project, tools, view.update)
        report_library(tools, state)
        return found, tools.library(project).fingerprint


def _show(found: "Verified", fingerprint: str, state: State, *, json: bool) -> None:
    from triage.render.checks import check_lines, verified_document  # noqa: PLC0415 - not for `--help`

    if json:
        state.console.document(verified_document(found.summary, found.checks, fingerprint))
    else:
        state.console.data("\n".join(check_lines(found.checks)))


def _replay(bundle: Path, project: str | None, state: State, *, json: bool) -> ExitStatus:
    from triage.render.checks import check_lines, replayed_document  # noqa: PLC0415 - not for `--help`
    from triage.tools import Tools  # noqa: PLC0415 - likewise
    from triage.verifying import replay  # noqa: PLC0415 - likewise

    settings = state.settings(offline=True, probe=False)
    say_new_workspace(settings, state)
    with Tools(settings, os.environ) as tools:
        known = _project(project, settings) if project else None
        checks = replay(bundle, known, tools, state.console.say)
        fingerprint = tools.library().fingerprint
    holds = all(one.holds for one in checks)
    if json:
        state.console.document(replayed_document(str(bundle), checks, fingerprint))
    else:
        state.console.data("\n".join([*check_lines(checks), "same" if holds else "not the same"]))
    return ExitStatus.OK if holds else ExitStatus.FAILURES
