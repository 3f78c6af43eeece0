"""`triage report`, `triage plan` and `triage history`: what is stored, nothing is run."""

import json as json_module
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage.cli.run import Json, Projects
from triage.cli.state import State, command, say_new_workspace, state_of
from triage.errors import ExitStatus, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from triage.store.store import Store
    from triage.tools import Tools

Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="How many runs.")]


@command
def report(
    context: typer.Context,
    projects: Projects = None,
    json: Json = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Markdown on standard output.")] = False,
) -> ExitStatus:
    """Say what the history knows now of every project, or of those named."""
    from triage.render.fleet import fleet_markdown  # noqa: PLC0415 - not for `--help`
    from triage.render.plain import fleet_lines  # noqa: PLC0415 - likewise

    state = state_of(context)
    if json and markdown:
        raise UsageError("--json and --markdown exclude one another")
    with open_tools(state) as tools:
        names = [stored_name(one, tools.store) for one in projects or ()] or tools.store.projects()
        document = fleet_document(names, tools)
    if json:
        state.console.document(document)
    elif markdown:
        state.console.data(fleet_markdown(document))
    else:
        state.console.data("\n".join(fleet_lines(document)))
    return _status(document)


@command
def plan(
    context: typer.Context,
    project: Annotated[str, typer.Argument(help="A project's folder or name.")],
    json: Json = False,
) -> ExitStatus:
    """Show the phased plan of a project's latest run."""
    from triage.render.escape import neutral  # noqa: PLC0415 - not for `--help`
    from triage.render.plan_markdown import plan_markdown  # noqa: PLC0415 - not for `--help`
    from triage.render.summary import plan_document  # noqa: PLC0415 - likewise
    from triage.stages.report import excerpt  # noqa: PLC0415 - likewise

    state = state_of(context)
    with open_tools(state) as tools:
        summary = latest_summary(stored_name(project, tools.store), tools.store)
    if json:
        state.console.document(plan_document(summary))
    else:
        root = Path(summary["project"]["root"])

        def shown(file: str, line: int, others: "Collection[int]") -> str | None:
            return neutral(excerpt(root, file, line, others) or "") or None

        state.console.data(plan_markdown(summary, shown))
    return ExitStatus.OK


@command
def history(
    context: typer.Context,
    project: Annotated[str, typer.Argument(help="A project's folder or name.")],
    test: Annotated[str | None, typer.Option("--test", help="The node id of one test.")] = None,
    json: Json = False,
    limit: Limit = 20,
) -> ExitStatus:
    """Show a project's runs and trends, or what became of one test."""
    from triage.render import past  # noqa: PLC0415 - not for `--help`

    state = state_of(context)
    with open_tools(state) as tools:
        name = stored_name(project, tools.store)
        if test is None:
            document = past.runs_document(name, tools.store.trend(name, limit), tools.store.changes(name))
        else:
            found = tools.store.test_history(name, test, limit)
            if not found.points:
                raise UsageError("no run of this project has this test", where=test, hint=_list_of(name))
            document = past.test_document(found)
    if json:
        state.console.document(document)
    else:
        state.console.data("\n".join(past.lines(document)))
    return ExitStatus.OK


def _list_of(name: str) -> str:
    return f"give a node id as pytest writes it; those that fail: triage report {name} --json"


def open_tools(state: State) -> "Tools":
    from triage.tools import Tools  # noqa: PLC0415 - not for `--help`

    settings = state.settings()
    say_new_workspace(settings, state)
    return Tools(settings, os.environ)


def stored_name(given: str, store: "Store") -> str:
    """The recorded project that a name, or the path of a folder, means.

    Raises:
        UsageError: the history has no run of it; says what it has.
    """
    known = store.projects()
    if given in known:
        return given
    path = Path(given)
    if path.is_dir():
        from triage.stages.discover import load_project  # noqa: PLC0415 - not for `--help`

        name = load_project(path).name
        if name in known:
            return name
    raise UsageError(
        "the history has no run of this project",
        where=given,
        allowed=", ".join(known) or "nothing was run yet",
        hint=f"triage run {given}",
    )


def latest_summary(name: str, store: "Store") -> "Mapping[str, Any]":
    """The summary of the newest recorded run.

    Raises:
        UsageError: no run of it was ever recorded to its end.
    """
    latest = store.latest(name)
    text = store.summary(name, latest.id) if latest else None
    if text is None:
        raise UsageError("no run of this project was recorded to its end", where=name, hint="triage run")
    summary: Mapping[str, Any] = json_module.loads(text)
    return summary


def fleet_document(names: "Iterable[str]", tools: "Tools") -> dict[str, Any]:
    """The JSON of `schemas/report.schema.json` for these projects."""
    from triage.model.history import Changes  # noqa: PLC0415 - not for `--help`
    from triage.render.fleet import Entry, fleet_report  # noqa: PLC0415 - likewise

    store = tools.store
    entries = []
    for name in names:
        latest = store.latest(name)
        text = store.summary(name, latest.id) if latest else None
        changes = store.changes(name) if text else Changes(name)
        entries.append(Entry(name, json_module.loads(text) if text else None, changes))
    return fleet_report(entries, tools.library().fingerprint, datetime.now(UTC))


def _status(document: "Mapping[str, Any]") -> ExitStatus:
    """0 where no test fails and every gate of every project holds."""
    summaries = [one["summary"] for one in document["projects"] if one["summary"] is not None]
    holds = all(gate["holds"] for summary in summaries for gate in summary["gates"])
    failing = any(summary["failures"] for summary in summaries)
    return ExitStatus.OK if holds and not failing else ExitStatus.FAILURES
