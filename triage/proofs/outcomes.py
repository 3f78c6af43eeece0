"""What each test did, by a JUnit XML file, and how two runs differ."""

from collections.abc import Mapping
from pathlib import Path

from triage.errors import ReportError
from triage.junit.cases import read_cases
from triage.text import Masker

Outcomes = Mapping[str, tuple[str, ...]]


def outcomes(junit: Path, masker: Masker) -> Outcomes:
    """By node id; several where masked parameters made one id of several tests.

    Raises:
        ReportError: the file cannot be read to its end.
    """
    found: dict[str, list[str]] = {}
    if not junit.is_file():
        raise ReportError("there is no report", where=str(junit))
    for case in read_cases(junit, masker, everything=True):
        found.setdefault(case.id, []).append(str(case.outcome))
    return {test: tuple(sorted(each)) for test, each in found.items()}


def differences(recorded: Outcomes, now: Outcomes) -> tuple[str, ...]:
    """One sentence for each test that did something else."""
    tests = sorted({*recorded, *now})
    return tuple(
        f"{test}: recorded {_said(recorded, test)}, now {_said(now, test)}"
        for test in tests
        if recorded.get(test) != now.get(test)
    )


def _said(run: Outcomes, test: str) -> str:
    return ", ".join(run[test]) if test in run else "not there"
