"""`triage classify`."""

import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from triage.cli.report import open_tools
from triage.cli.run import Json, report_library
from triage.cli.state import command, state_of
from triage.errors import ExitStatus, ReportError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from triage.cli.console import Console
    from triage.reports import ClassifiedReport
    from triage.tools import Tools

_WIDEST = 160
_NARROWEST = 40
_OTHER_COLUMNS = 36  # `unknown v2:0123456789abcdef`, a number and the gaps


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
        paths = _once(reports, state.console)
        for path in paths:
            try:
                done.append(classify_report(path, tools, beside=len(paths) - 1))
            except ReportError as unreadable:
                unread.append((str(path), _with_next(unreadable)))
        if json:
            state.console.pieces(document_pieces(done, tools, [(file, str(error)) for file, error in unread]))
        elif done:
            lines = [line for one in done for line in _lines(one, tools)]
            state.console.data("\n".join([*lines, *(_total(done, tools) if len(done) > 1 else [])]))
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


def _once(paths: Iterable[Path], console: "Console") -> list[Path]:
    found: dict[Path, Path] = {}
    for path in paths:
        if found.setdefault(path.resolve(), path) is not path:
            console.say(f"{path} was given twice; it is classified once")
    return list(found.values())


def _lines(one: "ClassifiedReport", tools: "Tools") -> list[str]:
    """A table of the kinds of failure in one file, the unknown ones last."""
    reader = tools.store.report(one.stored.id)
    counts = one.stored.counts
    head = f"{one.stored.file}: {counts.total} tests, {counts.failed} failed, {counts.errors} errors"
    kinds = [(str(group.playbook), group.count) for group in reader.patterns()]
    unknown = [(str(group.fingerprint), group.count, group.signature) for group in reader.clusters()]
    return _table(head, kinds, unknown, tools)


def _total(done: "Sequence[ClassifiedReport]", tools: "Tools") -> list[str]:
    """The same of all files together."""
    from triage.reports import totals  # noqa: PLC0415 - not for `--help`

    found = totals(done, tools)
    head = f"{len(done)} files: {found['tests']} tests, {found['failed']} failed, {found['errors']} errors"
    kinds = [(one["playbook"], one["count"]) for one in found["patterns"]]
    unknown = [(one["fingerprint"], one["count"], one["signature"]) for one in found["clusters"]]
    return _table(head, kinds, unknown, tools)


def _table(
    head: str, kinds: "Sequence[tuple[str, int]]", unknown: "Sequence[tuple[str, int, str]]", tools: "Tools"
) -> list[str]:
    from triage.clustering.signature import shortened  # noqa: PLC0415 - not for `--help`
    from triage.render.plain import columns, visible  # noqa: PLC0415 - likewise

    playbooks = tools.library().playbooks
    width = _width()
    rows = [(playbook, str(count), playbooks[playbook].title) for playbook, count in kinds]
    rows += [
        (f"unknown {fingerprint}", str(count), shortened(signature, width))
        for fingerprint, count, signature in unknown
    ]
    table = columns(("kind", "tests", "what it is"), rows, ("what it is",)) if rows else ["no failures"]
    return [visible(head), *table, ""]


def _width() -> int:
    """Characters for a signature: what a terminal has beside the other columns, more in a file."""
    if not sys.stdout.isatty():
        return _WIDEST
    return min(max(shutil.get_terminal_size().columns - _OTHER_COLUMNS, _NARROWEST), _WIDEST)
