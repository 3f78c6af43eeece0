"""Runs the examples beside a playbook: each recorded failure through the matcher of the whole library.

A report alone cannot show what a run by triage knows beside it. So an example may carry it as
properties of its test case: `triage.findings` (ids of static rules that point at the test's code) and
`triage.sessions` (how many SQLAlchemy sessions held objects).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from triage.errors import ConfigurationError, TriageError
from triage.junit.cases import case_of
from triage.junit.reader import read_report
from triage.junit.report import RawCase
from triage.model.case import Problem
from triage.model.failure import Loser
from triage.model.playbook import Example, Playbook
from triage.playbook.match import Matcher
from triage.text import Masker

MAX_FILES = 1_000  # that one example may name
FINDINGS = "triage.findings"
SESSIONS = "triage.sessions"


@dataclass(frozen=True, slots=True)
class ExampleFailure:
    """One failing test of an example file, with what a run would know beside the report."""

    file: Path
    problem: Problem
    findings: frozenset[str] = frozenset()

    def has_finding(self, rule: str, _: Problem, __: Mapping[str, str]) -> bool:
        return rule in self.findings


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """Whether the library does with one example what its playbook wants; `error`: it cannot be read.

    `index` is the example's place in its list, from 0.
    """

    playbook: str
    file: Path
    is_match: bool
    primary: str | None = None
    also: tuple[Loser, ...] = ()
    error: str | None = None
    failure: ExampleFailure | None = None
    index: int = 0

    @property
    def holds(self) -> bool:
        return self.error is None and (self.primary == self.playbook) == self.is_match


def run_examples(playbook: Playbook, matcher: Matcher) -> Iterator[ExampleResult]:
    """One result for each failing test of each example, and one for each example that cannot be read."""
    for examples, is_match in ((playbook.match_examples, True), (playbook.no_match_examples, False)):
        for index, example in enumerate(examples):
            try:
                for one in failures_of(playbook, example):
                    match, also = matcher.match(one.problem, one.has_finding)
                    primary = match.playbook if match else None
                    yield ExampleResult(
                        playbook.id, one.file, is_match, primary, also, failure=one, index=index
                    )
            except TriageError as error:
                file = _folder(playbook) / example.source
                yield ExampleResult(playbook.id, file, is_match, error=error.what, index=index)


def failures_of(playbook: Playbook, example: Example) -> Iterator[ExampleFailure]:
    """The failing tests that an example speaks of; its source may be a glob.

    Raises:
        ConfigurationError: no such file, too many, one outside of the folder, or it shows no failure.
        ReportError: a file cannot be read to its end.
    """
    masker = Masker()
    for file in files_of(playbook, example):
        found = [one for raw in read_report(file) for one in _failures(file, raw, masker)]
        if not found:
            raise ConfigurationError("the example shows no failure", where=str(file))
        yield from found


def files_of(playbook: Playbook, example: Example) -> tuple[Path, ...]:
    """The files that an example names, by name.

    Raises:
        ConfigurationError: there is none, too many, or a link leads out of the playbook's folder.
    """
    folder = _folder(playbook)
    try:
        found = [path for path in islice(folder.glob(example.source), MAX_FILES + 1) if path.is_file()]
        lost = [path for path in found if not path.resolve().is_relative_to(folder.resolve())]
    except (ValueError, NotImplementedError, OSError, RuntimeError) as error:  # `a**`, `/x`, a loop of links
        what = f"not a usable path or pattern: {error}"
        raise ConfigurationError(what, where=str(folder / example.source)) from error
    if not found:
        raise ConfigurationError("no such example", where=str(folder / example.source))
    if len(found) > MAX_FILES:
        raise ConfigurationError(f"more than {MAX_FILES:,} files", where=str(folder / example.source))
    if lost:
        raise ConfigurationError("it leads out of the playbook's folder", where=str(lost[0]))
    return tuple(sorted(found))


def _failures(file: Path, raw: RawCase, masker: Masker) -> Iterator[ExampleFailure]:
    case = case_of(raw, masker)
    facts = {"sessions": _sessions(raw.property_value(SESSIONS))}
    findings = frozenset((raw.property_value(FINDINGS) or "").split())
    if case.outcome.is_failing and case.problems:
        yield ExampleFailure(file, replace(case.problems[0], facts=facts), findings)


def _sessions(count: str | None) -> tuple[Mapping[str, object], ...]:
    number = int(count) if count and count.isdecimal() else 0
    return tuple({"n": place, "holds": {"object": 1}} for place in range(1, number + 1))


def _folder(playbook: Playbook) -> Path:
    assert playbook.path is not None, "a playbook that was not loaded from a file has no examples"
    return playbook.path.parent
