"""Why a test of a JUnit XML file made elsewhere failed as it did; nothing is run, nothing is stored."""

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from triage.errors import ReportError
from triage.explaining.asked import asked_document, named
from triage.explaining.which import fitting, no_test, several_tests
from triage.junit.cases import read_cases
from triage.junit.nodeid import xml_names
from triage.model.case import TestCase
from triage.model.failure import Failure
from triage.render.explanation import failure_document
from triage.render.summary import SCHEMA_VERSION, tool
from triage.stages.classify import classify
from triage.text import Masker, clean_text
from triage.tools import Tools

T = TypeVar("T")


def explain_in_report(given: str, report: Path, tools: Tools, playbook: str | None = None) -> dict[str, Any]:
    """What the file tells of one failing test; `given` is its id, or a part of it that is unique.

    Raises:
        ReportError: the file cannot be read as far as this test.
        UsageError: no failing test, or more than one, is meant; no such playbook.
    """
    known = tools.matcher().playbooks
    asked = named(playbook, known)
    failures, broken = _failures(report, tools)
    found = _meant(clean_text(given), report, failures, broken, tools)
    failure = found if isinstance(found, Failure) else None
    case = found.case if isinstance(found, Failure) else found
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": tool(tools.library().fingerprint),
        "report": str(report),
        "nodeid": case.id,
        "outcome": str(case.outcome),
        "failure": failure and failure_document(failure, None, known),
        "diagnosis": None,
        "asked": failure and asked_document(asked, failure),
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


def _meant(
    given: str, report: Path, failures: Sequence[Failure], broken: ReportError | None, tools: Tools
) -> Failure | TestCase:
    """The failing test; else one that did not fail, which is looked for only then."""
    failing = _fitting(given, [(failure, failure.case) for failure in failures])
    if len(failing) == 1:
        return failing[0]
    if failing:
        raise several_tests(given, [one.case.id for one in failing], str(report))
    if broken is not None:
        raise broken
    cases = read_cases(report, Masker.from_environment(tools.environ), everything=True)
    others = _fitting(given, [(case, case) for case in cases if not case.outcome.is_failing])
    if len(others) == 1:
        return others[0]
    if others:
        raise several_tests(given, [one.id for one in others], str(report))
    look = f"triage classify --json {shlex.quote(str(report))}"
    raise no_test(given, [one.case.id for one in failures], str(report), look)


def _fitting(given: str, items: Sequence[tuple[T, TestCase]]) -> list[T]:
    named_ = [(one, name) for one, case in items for name in _names(case)]
    dotted = "::".join(xml_names(given))  # of the id as pytest prints it
    for wanted in dict.fromkeys((given, dotted)):
        whole = [item for item in named_ if wanted in (item[1], _dotted(item[1]))]
        if found := whole or fitting(wanted, named_):
            return list({id(one): one for one, _ in found}.values())
    return []


def _dotted(name: str) -> str:
    """A report without files has classes behind a dot."""
    return "::".join(xml_names(name)) if "::" in name else name


def _names(case: TestCase) -> Iterator[str]:
    """The id, and the name as the file writes it with dots."""
    yield case.id
    if case.classname:
        yield f"{case.classname}.{case.name}"
