"""`triage fix`."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage.cli.state import State, command, say_new_workspace, state_of
from triage.errors import ExitStatus, UsageError

if TYPE_CHECKING:
    from triage.fixes import FixResult
    from triage.model.fix import FixReport
    from triage.model.project import Project
    from triage.tools import Tools

_UNSAFE = "Also fixes that a person should judge; each says what to judge."
_APPLY = "Write what was proven to the working tree, which must be clean."
_WAIT_S = 60.0  # for another call that writes to the same project
_BRANCH = "Write it as one commit to a new branch instead; the working tree is not touched."


@command
def fix(
    context: typer.Context,
    project: Annotated[str, typer.Argument(help="Folder of a project.", show_default=False)],
    unsafe: Annotated[bool, typer.Option("--unsafe", help=_UNSAFE)] = False,
    apply: Annotated[bool, typer.Option("--apply", help=_APPLY)] = False,
    branch: Annotated[str | None, typer.Option("--branch", metavar="NAME", help=_BRANCH)] = None,
    task: Annotated[
        str | None, typer.Option("--task", metavar="ID", help="Only this task of the plan.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
    offline: Annotated[bool | None, typer.Option("--offline", help="Install from caches only.")] = None,
) -> ExitStatus:
    """Make fixes in a scratch copy, prove them, print the diff.

    Example: triage fix projects/shop --unsafe --branch mend-sessions
    """
    if apply and branch is not None:
        raise UsageError("--apply and --branch exclude each other", allowed="one of them")
    state = state_of(context)
    settings = state.settings(offline=offline, probe=True)
    found = _project(project, settings)
    from triage.fixes import FixWish, fix_project  # noqa: PLC0415 - not for `--help`
    from triage.render.terminal import make_view  # noqa: PLC0415 - likewise
    from triage.tools import Tools  # noqa: PLC0415 - likewise

    say_new_workspace(settings, state)
    with Tools(settings, os.environ) as tools:
        _before(found, tools, state, writes=apply, branch=branch)
        with make_view(sys.stderr, [found.name], quiet=state.console.quiet) as view:
            result = fix_project(found, tools, view.update, FixWish(unsafe=unsafe, task=task))
        return _said(found, result, tools, state, writes=apply, branch=branch, json=json)


def _project(path: str, settings: Any) -> "Project":
    from triage.stages.discover import discover  # noqa: PLC0415 - not for `--help`

    discovery = discover([path], Path.cwd(), settings.workspace / ".triage" / "cache" / "valid")
    for _, error in discovery.errors:
        raise error
    if len(discovery.projects) != 1:
        raise UsageError(
            f"{path}: not one project but {len(discovery.projects)}", allowed="the folder of one project"
        )
    return discovery.projects[0]


def _before(project: "Project", tools: "Tools", state: State, *, writes: bool, branch: str | None) -> None:
    """Puts right what a killed `--apply` left; what cannot be written is known before the tests run."""
    from triage.worktree.applying import recover  # noqa: PLC0415 - not for `--help`
    from triage.worktree.branches import check_branch  # noqa: PLC0415 - likewise
    from triage.worktree.clean import check_clean  # noqa: PLC0415 - likewise

    for told in recover(project.root, _journal(project, tools)):
        state.console.say(told)
    if branch is not None:
        check_branch(project.root, branch)
    note = check_clean(project.root) if writes else None
    if note:
        state.console.say(note)


def _said(
    project: "Project",
    result: "FixResult",
    tools: "Tools",
    state: State,
    *,
    writes: bool,
    branch: str | None,
    json: bool,
) -> ExitStatus:
    from triage.render.cures import fix_document, fix_lines  # noqa: PLC0415 - not for `--help`

    console, report = state.console, result.report
    if report is None:
        error = result.project.error
        console.error(f"{project.name}: {result.project.summary['run']['detail']}")
        return error.exit_status if error else ExitStatus.NOT_RUN
    applied = _write(project, report, tools, writes=writes, branch=branch)
    run = {"id": result.project.folder.name, "folder": str(result.project.folder)}
    document = fix_document(report, tools.library(project).fingerprint, run, applied)
    if json:
        console.document(document)
    else:
        console.data("\n".join(_lines(fix_lines(document), report, result.project.folder, applied)))
    failing = document["after"]["failing"]
    return ExitStatus.FAILURES if failing else ExitStatus.OK


def _lines(table: list[str], report: "FixReport", folder: Path, applied: str | None) -> list[str]:
    if not report.diff:
        return table
    place = folder / "fixes.diff"
    shown = place.relative_to(Path.cwd()) if place.is_relative_to(Path.cwd()) else place
    if applied:
        end = [f"written to {applied}; the diff is in {shown}"]
    else:
        end = [
            f"nothing is written to the project; the diff is in {shown}, the proof beside it",
            "next: --apply writes it to the working tree, --branch NAME to a branch",
        ]
    return [*table, "", report.diff.rstrip("\n"), "", *end]


def _write(
    project: "Project", report: "FixReport", tools: "Tools", *, writes: bool, branch: str | None
) -> str | None:
    """Where the change was written to."""
    from triage.workspace import file_name, locked  # noqa: PLC0415 - likewise
    from triage.worktree.applying import apply  # noqa: PLC0415 - not for `--help`
    from triage.worktree.branches import commit_to_branch  # noqa: PLC0415 - likewise

    if not report.changed:
        return None
    if branch is not None:
        commit = commit_to_branch(project.root, report.changed, branch, _message(report))
        return f"branch {branch} ({commit[:10]})"
    if writes:
        with locked(
            tools.folders.locks / f"apply-{file_name(project.name)}", _WAIT_S, purpose="writing fixes"
        ):
            apply(project.root, report.changed, _journal(project, tools))
        return "the working tree"
    return None


def _message(report: "FixReport") -> str:
    lines = [f"{one.id} {one.remedy}: {one.label}" for one in report.fixes]
    green = sum(not outcome.is_failing for outcome in report.after.values())
    return "\n".join([f"fix: {green} of {len(report.after)} tests pass, proven by triage", "", *lines])


def _journal(project: "Project", tools: "Tools") -> Path:
    from triage.workspace import file_name  # noqa: PLC0415 - not for `--help`

    return tools.folders.home / "journal" / file_name(project.name)
