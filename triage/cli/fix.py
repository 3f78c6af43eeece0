"""`triage fix`."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage.cli.state import State, command, say_new_workspace, state_of
from triage.cli.writing import alone, journal_of, put_right
from triage.errors import ExitStatus, TriageError, UsageError

if TYPE_CHECKING:
    from triage.fixes import FixResult
    from triage.model.fix import FixReport
    from triage.model.project import Project
    from triage.tools import Tools

_UNSAFE = "Also fixes that a person should judge; each says what to judge."
_APPLY = "Write what was proven to the working tree, which must be clean."
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
        wish = _before(found, tools, state, writes=apply, branch=branch)
        with make_view(sys.stderr, [found.name], quiet=state.console.quiet) as view:
            result = fix_project(found, tools, view.update, FixWish(unsafe=unsafe, task=task))
        return _said(found, result, tools, state, wish, json=json)


@dataclass(frozen=True, slots=True)
class _Wish:
    """Where the change is to be written; `beside` is what the working tree holds that is not committed."""

    writes: bool
    branch: str | None
    beside: str = ""


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


def _before(project: "Project", tools: "Tools", state: State, *, writes: bool, branch: str | None) -> _Wish:
    """Puts right what a killed `--apply` left; what cannot be written is known before the tests run."""
    from triage.worktree.branches import check_branch  # noqa: PLC0415 - likewise
    from triage.worktree.clean import check_clean, named, unclean  # noqa: PLC0415 - likewise

    put_right(project, tools, state)
    beside = ""
    if branch is not None:
        check_branch(project.root, branch)
        beside = named(unclean(project.root))
    if beside:
        state.console.say(
            f"what is tested is the working tree, the branch starts from the last commit: {beside}"
        )
    note = check_clean(project.root) if writes else None
    if note:
        state.console.say(note)
    return _Wish(writes, branch, beside)


def _said(
    project: "Project", result: "FixResult", tools: "Tools", state: State, wish: _Wish, *, json: bool
) -> ExitStatus:
    """What was proven is shown also where it cannot be written."""
    from triage.render.cures import fix_document, fix_lines  # noqa: PLC0415 - not for `--help`
    from triage.schema import first_problem  # noqa: PLC0415 - likewise

    console, report = state.console, result.report
    if report is None:
        error = result.project.error
        console.error(f"{project.name}: {result.project.summary['run']['detail']}")
        return error.exit_status if error else ExitStatus.NOT_RUN
    folder = result.project.folder
    applied, refused = _written(project, report, tools, state, wish)
    document = fix_document(
        report, tools.library(project).fingerprint, {"id": folder.name, "folder": str(folder)}, applied
    )
    problem = first_problem(document, "fix")
    if problem:
        raise TriageError("what was fixed does not fit its schema", where=problem, hint="please report this")
    if json:
        console.document(document)
    else:
        console.data("\n".join(_lines(fix_lines(document), report, folder, applied, refused)))
    if refused is not None:
        console.error(str(refused))
        return refused.exit_status
    return ExitStatus.FAILURES if document["after"]["failing"] else ExitStatus.OK


def _lines(
    table: list[str], report: "FixReport", folder: Path, applied: str | None, refused: TriageError | None
) -> list[str]:
    from triage.render.cures import shown_diff  # noqa: PLC0415 - not for `--help`

    if not report.diff:
        return table
    place = folder / "fixes.diff"
    shown = place.relative_to(Path.cwd()) if place.is_relative_to(Path.cwd()) else place
    if applied:
        end = [f"written to {applied}; the diff is in {shown}"]
    else:
        end = [f"nothing is written to the project; the diff is in {shown}, the proof beside it"]
        if refused is None:
            end.append("next: --apply writes it to the working tree, --branch NAME to a branch")
    return [*table, "", *shown_diff(report.diff), "", *end]


def _written(
    project: "Project", report: "FixReport", tools: "Tools", state: State, wish: _Wish
) -> tuple[str | None, TriageError | None]:
    """Where the change was written to, or why it was not."""
    try:
        return _write(project, report, tools, wish), None
    except TriageError as error:
        return None, error
    except KeyboardInterrupt:
        if wish.writes:
            state.console.say(_stands(project, report))
        raise


def _stands(project: "Project", report: "FixReport") -> str:
    from triage.worktree.places import content  # noqa: PLC0415 - not for `--help`

    whole = all(content(project.root / path) == new for path, (_, new) in report.changed.items())
    return "the change was written, whole, before that" if whole else "the working tree is as it was"


def _write(project: "Project", report: "FixReport", tools: "Tools", wish: _Wish) -> str | None:
    from triage.worktree.applying import apply  # noqa: PLC0415 - not for `--help`
    from triage.worktree.branches import commit_to_branch  # noqa: PLC0415 - likewise

    if not report.changed:
        return None
    if wish.branch is not None:
        commit = commit_to_branch(project.root, report.changed, wish.branch, _message(report, wish.beside))
        return f"branch {wish.branch} ({commit[:10]})"
    if wish.writes:
        with alone(project, tools):
            apply(project.root, report.changed, journal_of(project, tools))
        return "the working tree"
    return None


def _message(report: "FixReport", beside: str) -> str:
    lines = [f"{one.id} {one.remedy}: {one.label}" for one in report.fixes]
    green = sum(not outcome.is_failing for outcome in report.after.values())
    if beside:
        lines += ["", f"Proven together with what was not committed: {beside}"]
    return "\n".join([f"fix: {green} of {len(report.after)} tests pass, proven by triage", "", *lines])
