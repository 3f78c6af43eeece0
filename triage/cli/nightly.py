"""`triage nightly`."""

import json as json_module
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage.cli.report import open_tools
from triage.cli.run import Jobs, Json, Probe, Reruns, about, execute, find_projects, show, status_of
from triage.cli.state import State, command, state_of
from triage.errors import ExitStatus, TriageError, UsageError
from triage.model.terms import Outcome, RunStatus

if TYPE_CHECKING:
    from triage.pipeline import ProjectResult
    from triage.settings import Settings
    from triage.tools import Tools
    from triage.workspace import WorkspaceFolders

_LATEST = "latest.json"
_MEMORY = "memory.json"  # the last summary of each project that could be run, however long ago


@command
def nightly(
    context: typer.Context,
    jobs: Jobs = None,
    fail_on: Annotated[str | None, typer.Option("--fail-on", help="new, any or never; default new.")] = None,
    json: Json = False,
    offline: Annotated[bool | None, typer.Option("--offline", help="Install from caches only.")] = None,
    probe: Probe = None,
    reruns: Reruns = None,
) -> ExitStatus:
    """Run every project of the workspace and say what changed since the night before."""
    from triage.render.fleet import fleet_markdown  # noqa: PLC0415 - not for `--help`
    from triage.render.plain import night_lines  # noqa: PLC0415 - likewise
    from triage.settings import FAIL_ON  # noqa: PLC0415 - likewise
    from triage.workspace import WorkspaceFolders, locked  # noqa: PLC0415 - likewise

    state = state_of(context)
    settings = state.settings(jobs=jobs, offline=offline, fail_on=fail_on, probe=probe, reruns=reruns)
    if settings.fail_on not in FAIL_ON:
        raise UsageError(f"{settings.fail_on!r} is not known", where="--fail-on", allowed=", ".join(FAIL_ON))
    found, errors = find_projects([], settings, everything=True)
    for place, error in errors:
        state.console.error(about(place, error))
    if not found:
        return _nothing_ran(errors, state, json=json)
    folders = WorkspaceFolders(settings.workspace)
    with locked(folders.locks / "nightly.lock", 0, purpose="triage nightly"):
        results = execute(found, settings, state, lambda part: _salvage(part, state, json=json))
        with open_tools(state) as tools:
            document = _compare(results, errors, folders, tools)
        path = _write(document, fleet_markdown(document), folders)
    if json:
        state.console.document(document)
    else:
        state.console.data("\n".join([*night_lines(document), "", f"report: {path.with_suffix('.md')}"]))
    _notify(settings, document, path, state)
    return _verdict(document, status_of(results, errors), settings.fail_on)


def _nothing_ran(errors: "Sequence[tuple[str, TriageError]]", state: State, *, json: bool) -> ExitStatus:
    """No night: nothing is compared, remembered or sent."""
    from triage.render.fleet import fleet_report  # noqa: PLC0415 - not for `--help`
    from triage.render.plain import fleet_lines  # noqa: PLC0415 - likewise

    with open_tools(state) as tools:
        refused = [(path, str(error)) for path, error in errors]
        document = fleet_report([], tools.library().fingerprint, datetime.now(UTC), refused)
    if json:
        state.console.document(document)
    else:
        state.console.data("\n".join(fleet_lines(document)))
    return status_of([], errors)


def _salvage(part: "list[ProjectResult]", state: State, *, json: bool) -> None:
    """What was finished of a night that broke; its JSON document is the report, which there is none of."""
    if not json:
        show(part, (), state, json=False)


def _compare(
    results: "Sequence[ProjectResult]",
    errors: "Sequence[tuple[str, TriageError]]",
    folders: "WorkspaceFolders",
    tools: "Tools",
) -> dict[str, Any]:
    from triage.render.fleet import Entry, fleet_report  # noqa: PLC0415 - not for `--help`
    from triage.stages.compare import since  # noqa: PLC0415 - likewise

    before = _night_before(folders)
    entries = [
        Entry(
            one.project,
            one.summary,
            since(before.get(one.project), one.summary, one.changes, _outcomes(one, tools)),
        )
        for one in results
    ]
    refused = [(path, str(error)) for path, error in errors]
    return fleet_report(entries, tools.library().fingerprint, datetime.now(UTC), refused)


def _outcomes(result: "ProjectResult", tools: "Tools") -> "Callable[[str], Outcome | None]":
    """What one test did in the run of this night, None where it was not in it."""
    run = result.summary["run"]["id"]

    def outcome(nodeid: str) -> "Outcome | None":
        points = tools.store.test_history(result.project, nodeid, 1).points
        return points[0].outcome if points and points[0].run == run else None

    return outcome


def _night_before(folders: "WorkspaceFolders") -> dict[str, Mapping[str, Any]]:
    """The newest summary of each project from the nights before this one."""
    try:
        memory = json_module.loads((folders.home / "nightly" / _MEMORY).read_text("utf-8"))
        return {name: one for name, one in memory.items() if _is_summary(one)}
    except (OSError, ValueError, AttributeError):
        return {}


def _is_summary(one: Any) -> bool:
    """Not what somebody else, or a disk, made of the file."""
    return isinstance(one, dict) and {"run", "failures"} <= one.keys()


def _write(document: Mapping[str, Any], markdown: str, folders: "WorkspaceFolders") -> Path:
    from triage.workspace import write_whole  # noqa: PLC0415 - not for `--help`

    folder = folders.home / "nightly"
    folder.mkdir(exist_ok=True)
    text = json_module.dumps(document, indent=2, ensure_ascii=False)
    path = folder / f"{document['generated_at'].replace(':', '').replace('.', '-')}.json"
    write_whole(path.with_suffix(".md"), markdown.encode("utf-8", "backslashreplace"))
    write_whole(path, text.encode("utf-8", "backslashreplace"))
    write_whole(folder / _LATEST, text.encode("utf-8", "backslashreplace"))
    ran = {
        one["name"]: one["summary"]
        for one in document["projects"]
        if one["summary"]["run"]["status"] != RunStatus.NOT_STARTED
    }
    write_whole(folder / _MEMORY, json_module.dumps({**_night_before(folders), **ran}))
    return path


def _notify(settings: "Settings", document: Mapping[str, Any], path: Path, state: State) -> None:
    """Run the commands of the workspace; one that fails is said and stops nothing."""
    from triage.process.child import capture  # noqa: PLC0415 - not for `--help`

    changed = any(document["totals"][name] for name in ("new", "fixed", "regressed"))
    for one in settings.notify:
        if one.when == "always" or changed:
            try:
                capture([*one.command, str(path)], cwd=settings.workspace, env=os.environ)
            except TriageError as error:
                state.console.say(f"warning: a notification failed: {error}")


def _verdict(document: Mapping[str, Any], plain: ExitStatus, fail_on: str) -> ExitStatus:
    if plain in (ExitStatus.NOT_RUN, ExitStatus.USAGE) or fail_on == "any":
        return plain
    appeared = document["totals"]["new"] + document["totals"]["regressed"]
    return ExitStatus.FAILURES if fail_on == "new" and appeared else ExitStatus.OK
