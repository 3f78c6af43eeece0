"""A playbook without a fault, in its folder, and the check of a library of such."""

from dataclasses import replace
from datetime import date
from pathlib import Path

from tests.builders import playbook, write_files
from triage.errors import ConfigurationError
from triage.model.playbook import Example, Playbook, Symptom
from triage.playbook.check import CheckReport, check_library
from triage.playbook.checks.fault import CheckProblem
from triage.playbook.load import Library

TODAY = date(2026, 11, 21)
REPORT = (
    '<testsuites><testsuite><testcase classname="test_a" name="test_a" file="test_a.py" line="0">'
    '<failure message="{0}">test_a.py:3: in test_a\n    sell(5)\nE   {0}</failure>'
    "</testcase></testsuite></testsuites>"
)


def good_playbook(folder: Path) -> Playbook:
    """It matches `known.xml` and not `other.xml`; `bad.xml` is no report."""
    known, other = REPORT.format("ValueError: no stock left"), REPORT.format("ValueError: no customer")
    write_files(folder, {"known.xml": known, "other.xml": other, "bad.xml": "<testsuites>"})
    symptom = Symptom(exception=("ValueError",), message=r"no (?P<value>\w+) left")
    return replace(
        playbook("known", symptom),
        match_examples=(Example("known.xml"),),
        no_match_examples=(Example("other.xml", "nothing is sold"),),
        review_by="2027-06-01",
        path=folder / "known.yaml",
    )


def changed(good: Playbook, **changes: object) -> Playbook:
    """The same with its one symptom changed."""
    symptom = replace(good.symptoms[0], **changes)  # type: ignore[arg-type] # each test names real fields
    return replace(good, symptoms=(symptom,))


def checked(*playbooks: Playbook, errors: tuple[ConfigurationError, ...] = ()) -> CheckReport:
    return check_library(Library({one.id: one for one in playbooks}, errors, (), "f"), TODAY)


def problems(*playbooks: Playbook, kind: str = "") -> list[CheckProblem]:
    return [one for one in checked(*playbooks).problems if kind in ("", one.kind)]


def only(*playbooks: Playbook) -> CheckProblem:
    (problem,) = checked(*playbooks).problems
    return problem
