"""Why a test of a JUnit XML file made elsewhere failed as it did; nothing is run, nothing is stored."""

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from triage.errors import ReportError
from triage.explaining.asked import asked_document, named
from triage.explaining.which import fitting, no_test, several_tests
from triage.junit.cases import read_cases
from triage.model.failure import Failure
from triage.render.explanation import failure_document
from triage.render.summary import SCHEMA_VERSION, tool
from triage.stages.classify import classify
from triage.text import Masker, clean_text
from triage.tools import Tools

if TYPE_CHECKING:
    from triage.model.case import TestCase


def explain_in_report(given: str, report: Path, tools: Tools, playbook: str | None = None) -> dict[str, Any]:
    """What the file tells of one failing test; `given` is its id, or a part of it that is unique.

    Raises:
        ReportError: the file cannot be read as far as this test.
        UsageError: no failing test, or more than one, is meant; no such playbook.
    """
    known = tools.matcher().playbooks
    asked = named(playbook, known)
    failures, broken = _failures(report, tools)
    failure = _meant(clean_text(given), report, failures, broken)
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": tool(tools.library().fingerprint),
        "report": str(report),
        "nodeid": failure.case.id,
        "outcome": str(failure.case.outcome),
        "failure": failure_document(failure, None, known),
        "diagnosis": None,
        "asked": asked_document(asked, failure),
        "notes": [],
    }


def _failures(report: Path, tools: Tools) -> tuple[Sequence[Failure], ReportError | None]:
    """All of them, with roots and clusters, and what ended the file early."""
    cases = read_cases(report, Masker.from_environment(tools.environ))
    broken: ReportError | None = None
    found: list[TestCase] = []
    try:
        found.extend(cases)
    except ReportError as error:
        broken = error
    return classify(found, tools.matcher(), known=tools.store.known_clusters).failures, broken


def _meant(given: str, report: Path, failures: Sequence[Failure], broken: ReportError | None) -> Failure:
    items = [(failure, name) for failure in failures for name in _names(failure)]
    whole = [item for item in items if item[1] == given]
    found = {id(failure): failure for failure, _ in whole or fitting(given, items)}
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        raise several_tests(given, [one.case.id for one in found.values()], str(report))
    if broken is not None:
        raise broken
    look = f"triage classify --json {shlex.quote(str(report))}"
    raise no_test(given, [one.case.id for one in failures], str(report), look)


def _names(failure: Failure) -> Iterator[str]:
    """The id, and the name as the file writes it with dots."""
    yield failure.case.id
    if failure.case.classname:
        yield f"{failure.case.classname}.{failure.case.name}"
