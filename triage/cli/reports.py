"""`triage classify`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from triage.cli.report import open_tools
from triage.cli.run import Json, report_library
from triage.cli.state import command, state_of
from triage.errors import ExitStatus, ReportError

if TYPE_CHECKING:
    from triage.reports import ClassifiedReport
    from triage.tools import Tools


@command
def classify(
    context: typer.Context,
    reports: Annotated[list[Path], typer.Argument(help="JUnit XML files.", metavar="REPORT.xml...")],
    json: Json = False,
) -> ExitStatus:
    """Sort the failures of JUnit XML files made elsewhere; nothing is run."""
    from triage.reports import classify_report, document_pieces  # noqa: PLC0415 - not for `--help`

    state = state_of(context)
    done: list[ClassifiedReport] = []
    unread: list[tuple[str, ReportError]] = []
    with open_tools(state) as tools:
        for path in reports:
            try:
                done.append(classify_report(path, tools, beside=len(reports) - 1))
            except ReportError as unreadable:
                unread.append((str(path), _with_next(unreadable)))
        if json:
            state.console.pieces(document_pieces(done, tools, [(file, str(error)) for file, error in unread]))
        elif done:
            state.console.data("\n".join(line for one in done for line in _lines(one, tools)))
        report_library(tools, state)
    errors = [error for _, error in unread]
    errors += [_with_next(one.error) for one in done if one.error is not None]
    for error in errors:
        state.console.error(str(error))
    if errors:
        return ExitStatus.USAGE
    return ExitStatus.FAILURES if any(one.stored.failures for one in done) else ExitStatus.OK


def _with_next(error: ReportError) -> ReportError:
    return ReportError(
        error.what,
        where=error.where,
        allowed=error.allowed or "JUnit XML files",
        hint=error.hint or "make one with: pytest --junit-xml=report.xml",
    )


def _lines(one: "ClassifiedReport", tools: "Tools") -> list[str]:
    """A table of the kinds of failure in one file, the unknown ones last."""
    from triage.render.plain import columns, visible  # noqa: PLC0415 - not for `--help`

    reader = tools.store.report(one.stored.id)
    playbooks = tools.library().playbooks
    counts = one.stored.counts
    rows = [
        (str(group.playbook), str(group.count), playbooks[group.playbook or ""].title)
        for group in reader.patterns()
    ]
    rows += [
        (f"unknown {group.fingerprint}", str(group.count), group.signature[:80])
        for group in reader.clusters()
    ]
    head = f"{one.stored.file}: {counts.total} tests, {counts.failed} failed, {counts.errors} errors"
    table = columns(("kind", "tests", "what it is"), rows, ("what it is",)) if rows else ["no failures"]
    return [visible(head), *table, ""]
