"""`triage run`."""

import json as json_module
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage.cli.state import State, command, say_new_workspace, state_of
from triage.cli.writing import put_right
from triage.errors import ExitStatus, StoreError, UsageError

if TYPE_CHECKING:
    from triage.errors import TriageError
    from triage.model.project import Project
    from triage.pipeline import ProjectResult
    from triage.settings import Settings
    from triage.tools import Tools

Projects = Annotated[list[str] | None, typer.Argument(help="Folders of projects.", show_default=False)]
Jobs = Annotated[int | None, typer.Option("--jobs", "-j", min=1, help="Projects run side by side.")]
Probe = Annotated[
    bool | None, typer.Option("--probe/--no-probe", help="Run what failed again to prove its cause.")
]
Reruns = Annotated[
    int | None,
    typer.Option(min=1, max=100, help="Runs that tell chance from defects where nothing is proven."),
]
_LOCALISE = "Rank suspicious lines for failures that no playbook knows (runs the suite once more)."
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]


@command
def run(
    context: typer.Context,
    projects: Projects = None,
    everything: Annotated[bool, typer.Option("--all", help="Every project of the workspace.")] = False,
    json: Json = False,
    jobs: Jobs = None,
    offline: Annotated[bool | None, typer.Option("--offline", help="Install from caches only.")] = None,
    probe: Probe = None,
    reruns: Reruns = None,
    localise: Annotated[bool, typer.Option("--localise", help=_LOCALISE)] = False,
) -> ExitStatus:
    """Run projects as far as the plan, record it, write the run's files.

    Example: triage run projects/shop projects/blog
    """
    state = state_of(context)
    settings = state.settings(
        jobs=jobs, offline=offline, probe=probe, reruns=reruns, localise=localise or None
    )
    found, errors = find_projects(projects or [], settings, everything=everything)
    results: list[ProjectResult] = []
    if found:
        results = execute(found, settings, state, lambda part: show(part, errors, state, json=json))
    show(results, errors, state, json=json)
    return status_of(results, errors)


def find_projects(
    paths: Sequence[str], settings: Any, *, everything: bool
) -> "tuple[tuple[Project, ...], tuple[tuple[str, TriageError], ...]]":
    """The projects named, or those of the workspace.

    Raises:
        UsageError: neither projects nor --all.
        ConfigurationError: the workspace names none.
    """
    from triage.stages.discover import discover, workspace_paths  # noqa: PLC0415 - not for `--help`

    if everything:
        paths = workspace_paths(settings)
    elif not paths:
        raise UsageError(
            "no project given",
            allowed="folders of projects, or --all for those of the workspace",
            hint="triage run --all",
        )
    discovery = discover(paths, Path.cwd(), settings.workspace / ".triage" / "cache" / "valid")
    return discovery.projects, discovery.errors


def execute(
    projects: "Sequence[Project]",
    settings: "Settings",
    state: State,
    salvage: "Callable[[list[ProjectResult]], None]",
) -> "list[ProjectResult]":
    """Run them with a live view on standard error; `salvage` gets what was finished of a call that breaks.

    Raises:
        StoreError: before anything is run where the history is unusable, else when it cannot be written.
    """
    from triage.pipeline import run_projects  # noqa: PLC0415 - not for `--help`
    from triage.render.terminal import make_view  # noqa: PLC0415 - likewise
    from triage.store.opening import check_place, default_database  # noqa: PLC0415 - likewise
    from triage.tools import Tools  # noqa: PLC0415 - likewise

    names = [project.name for project in projects]
    say_new_workspace(settings, state)
    check_place(settings.database_url or default_database(settings.workspace))
    with Tools(settings, os.environ) as tools:
        for project in projects:
            put_right(project, tools, state)
        before = {name: _run_folders(tools, name) for name in names}
        try:
            with make_view(sys.stderr, names, quiet=state.console.quiet) as view:
                results = run_projects(projects, tools, view.update, settings.jobs)
        except (KeyboardInterrupt, StoreError):
            part = _finished(tools, before)
            salvage(part)
            for one in part:
                state.console.say(f"{one.project}: its files are in {_shown(one.folder)}")
            raise
        report_library(tools, state)
    return results


def _run_folders(tools: "Tools", project: str) -> "set[Path]":
    return {path for path in tools.folders.runs(project).iterdir() if not path.is_symlink()}


def _finished(tools: "Tools", before: "Mapping[str, set[Path]]") -> "list[ProjectResult]":
    """The runs of this call whose summary stands in their folder, recorded or not."""
    from triage.model.history import Changes  # noqa: PLC0415 - not for `--help`
    from triage.pipeline import ProjectResult  # noqa: PLC0415 - likewise

    found = []
    for name, known in before.items():
        for folder in sorted(_run_folders(tools, name) - known):
            with suppress(OSError, ValueError):
                summary = json_module.loads((folder / "summary.json").read_text("utf-8"))
                found.append(ProjectResult(name, folder, summary, Changes(name)))
    return found


def report_library(tools: "Tools", state: State) -> None:
    """Playbooks that were left out, and those that replaced others."""
    libraries = tools.libraries()
    for error in dict.fromkeys(str(error) for library in libraries for error in library.errors):
        state.console.say(f"warning: a playbook is left out: {error}")
    for note in dict.fromkeys(note for library in libraries for note in library.notes):
        state.console.say(f"note: {note}")


def show(
    results: "Sequence[ProjectResult]",
    errors: "Sequence[tuple[str, TriageError]]",
    state: State,
    *,
    json: bool,
) -> None:
    """The JSON document, or the tables for a person."""
    from triage.render import plain  # noqa: PLC0415 - not for `--help`

    console = state.console
    for path, error in errors:
        console.error(about(path, error))
    for result in results:
        if result.error is not None:
            console.error(f"{result.project}: {result.summary['run']['detail']}")  # without secrets
    summaries = [result.summary for result in results]
    if json:
        console.document(_document(summaries, errors))
        return
    if not results:
        return
    lines = plain.run_table(summaries, [path for path, _ in errors])
    for result in results:
        lines += ["", *plain.project_lines(result.summary, _shown(result.folder / "plan.md"))]
    tasks = plain.top_tasks(summaries)
    lines += ["", "most valuable next:", *tasks] if tasks else []
    console.data("\n".join(lines))


def about(path: str, error: "TriageError") -> str:
    """An error with the path that it is about, unless it names the place itself."""
    return str(error) if error.where and Path(path).name in error.where else f"{path}: {error}"


def _shown(path: Path) -> str:
    """Relative to where the user stands, when it is below."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _document(
    summaries: "Sequence[Mapping[str, Any]]", errors: "Sequence[tuple[str, TriageError]]"
) -> "Mapping[str, Any]":
    """One project's summary as it is, several in one document."""
    from triage.render.summary import SCHEMA_VERSION  # noqa: PLC0415 - not for `--help`

    if len(summaries) == 1 and not errors:
        return summaries[0]
    refused = [{"project": path, "message": str(error)} for path, error in errors]
    return {"schema_version": SCHEMA_VERSION, "projects": summaries, "errors": refused}


def status_of(results: "Sequence[ProjectResult]", errors: "Sequence[tuple[str, TriageError]]") -> ExitStatus:
    """The worst of what happened, by the published order."""
    from triage.model.terms import RunStatus  # noqa: PLC0415 - not for `--help`

    if not results and errors:
        return max((error.exit_status for _, error in errors), default=ExitStatus.USAGE)
    not_run = [one for one in results if one.summary["run"]["status"] == RunStatus.NOT_STARTED]
    if errors or any(one.error or not one.summary["counts"]["total"] for one in not_run):
        return ExitStatus.NOT_RUN
    holds = all(gate["holds"] for one in results for gate in one.summary["gates"])
    failing = any(one.summary["failures"] for one in results)
    return ExitStatus.OK if holds and not failing else ExitStatus.FAILURES
