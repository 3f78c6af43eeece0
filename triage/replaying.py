"""Stored failures, sorted again by other playbooks: what a changed one gains, loses and moves.

Where the files of a run or a report are still there they are read again, with the chain, the frames and
the plugin's facts; else the stored class and message stand in. Rules on the source are not asked.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from triage.clustering.masks import masked
from triage.errors import TriageError
from triage.junit.cases import read_cases
from triage.model.case import ExceptionInfo, Problem, TestCase
from triage.model.history import SpooledFailure, StoredReport
from triage.model.terms import Outcome, Phase
from triage.playbook.match import Matcher
from triage.recorded import Recorded, artifacts, recorded_run, root_of
from triage.render.summary import MAX_MESSAGE
from triage.stages.parse import parse
from triage.text import Masker
from triage.tools import Tools

RUNS = 1_000  # of one project, the newest; far more than nights in the days that are asked for
REPORTS = 1_000
_SAMPLES = 5  # tests named for each change
_AHEAD = 1_000  # failures of a changed report that are held until they are asked for


@dataclass(frozen=True, slots=True)
class Past:
    """A failing test of the history; `source` is its project or the file of its report."""

    source: str
    test: str
    problem: Problem
    seen_at: datetime
    playbook: str | None
    cluster: str | None = None


@dataclass(slots=True)
class Moves:
    """Verdicts that differ: by (before, after) how many and the first few tests; None is no playbook."""

    failures: int = 0
    sources: set[str] = field(default_factory=set)
    count: Counter[tuple[str | None, str | None]] = field(default_factory=Counter)
    samples: dict[tuple[str | None, str | None], list[str]] = field(default_factory=dict)

    def add(self, past: Past, before: str | None, after: str | None) -> None:
        self.failures += 1
        self.sources.add(past.source)
        if before != after:
            self.count[before, after] += 1
            named = self.samples.setdefault((before, after), [])
            if len(named) < _SAMPLES:
                named.append(f"{past.source}: {past.test}")

    def document(self) -> dict[str, Any]:
        """As JSON; the changes most frequent first."""
        order = sorted(self.count.items(), key=lambda item: (-item[1], str(item[0])))
        changes = [
            {"before": before, "after": after, "count": count, "tests": self.samples[before, after]}
            for (before, after), count in order
        ]
        return {"failures": self.failures, "sources": sorted(self.sources), "changes": changes}


def past_failures(tools: Tools, since: datetime, *, whole: bool = True) -> Iterator[Past]:
    """Every test that failed, newest first: once for each project or report file and each thing it said.

    Without `whole` each as often as it is stored, with its class and message alone.
    """
    seen = _Seen() if whole else None
    for name in tools.store.projects():
        for run in tools.store.runs(name, RUNS):
            ran = recorded_run(name, run.id, tools) if run.started_at >= since else None
            if ran is not None:
                yield from _of_run(ran, tools, seen)
    files: set[Path] = set()
    for report in tools.store.reports(REPORTS):
        if report.classified_at >= since:
            file = _place(report.file, tools)
            cases = _failing(file, tools) if whole and file not in files else iter(())
            yield from _of_report(report, file, tools, seen, _Again(cases))
            files.add(file)


def compare(past: Iterable[Past], before: Matcher, after: Matcher) -> Moves:
    """What `after` decides otherwise than `before`."""
    moves = Moves()
    for one in past:
        moves.add(one, verdict(one, before), verdict(one, after))
    return moves


def since_recorded(past: Iterable[Past], now: Matcher) -> tuple[Moves, tuple[str, ...]]:
    """What the playbooks in force decide otherwise than was recorded, and those that nothing was sorted into.

    What only reruns tell is in neither.
    """
    moves, hit = Moves(), set[str]()
    for one in past:
        known = now.playbooks.get(one.playbook or "")
        if known is None or known.symptoms:
            decided = verdict(one, now)
            hit.add(decided or "")
            moves.add(one, one.playbook, decided)
    by_text = {name for name, playbook in now.playbooks.items() if playbook.symptoms}
    return moves, tuple(sorted(by_text - hit))


def verdict(past: Past, matcher: Matcher) -> str | None:
    match, _ = matcher.match(past.problem)
    return match.playbook if match else None


class _Seen:
    """Which failures were met; a test that says the same but for numbers and the like has not failed anew."""

    def __init__(self) -> None:
        self._known: set[int] = set()

    def is_new(self, source: str, test: str, exception: str, message: str) -> bool:
        said = masked(message, is_assertion=exception == "AssertionError")
        before = len(self._known)
        self._known.add(hash((source, test, exception, said)))
        return len(self._known) > before


def _of_run(ran: Recorded, tools: Tools, seen: _Seen | None) -> Iterator[Past]:
    new = [
        one
        for one in ran.summary["failures"]
        if seen is None
        or seen.is_new(f"project {ran.name}", one["nodeid"] or "", one["exception"] or "", one["message"])
    ]
    cases = _cases(ran, tools) if seen is not None and new else {}
    at = datetime.fromisoformat(ran.summary["run"]["started_at"])
    for failure in new:
        test = failure["nodeid"] or ""
        case = cases.get(test)
        problem = case.problems[0] if case is not None and case.problems else _of_summary(failure)
        yield Past(ran.name, test, problem, at, failure["playbook"], failure["cluster"])


def _of_report(
    report: StoredReport, file: Path, tools: Tools, seen: _Seen | None, again: "_Again"
) -> Iterator[Past]:
    for one in tools.store.report(report.id).failures():
        test = one.nodeid or (f"{one.classname}::{one.name}" if one.classname else one.name)
        problem = again.problem(one)
        if seen is None or seen.is_new(str(file), test, one.exception, one.message):
            problem = problem or _problem(one.outcome, one.phase, one.exception, one.message)
            yield Past(report.file, test, problem, report.classified_at, one.playbook, one.fingerprint)


class _Again:
    """A report's file beside what is stored of it, in one order; what has changed since is passed over."""

    def __init__(self, cases: Iterator[TestCase]) -> None:
        self._cases = cases
        self._passed: dict[tuple[str, str], Problem] = {}

    def problem(self, stored: SpooledFailure) -> Problem | None:
        """None where the file does not tell this failure any more."""
        wanted = (stored.classname, stored.name)
        found = self._passed.pop(wanted, None) or self._next(wanted)
        head = found.head if found is not None else None
        said = (head.type, head.message[:MAX_MESSAGE]) if head is not None else None
        return found if said == (stored.exception, stored.message) else None

    def _next(self, wanted: tuple[str, str]) -> Problem | None:
        for case in self._cases:
            name = (case.classname, case.name)
            if name == wanted:
                return case.problems[0]
            if len(self._passed) < _AHEAD:
                self._passed.setdefault(name, case.problems[0])
        return None


def _failing(file: Path, tools: Tools) -> Iterator[TestCase]:
    """Those that can be read; none where the file is gone."""
    if not file.is_file():
        return
    try:
        for case in read_cases(file, Masker.from_environment(tools.environ)):
            if case.outcome.is_failing and case.problems:
                yield case
    except (TriageError, OSError):
        return


def _place(file: str, tools: Tools) -> Path:
    """Where a report is that may have been named from the current folder or from the workspace's."""
    given = Path(file)
    places = [given.absolute(), tools.settings.workspace / given]
    return next((one for one in places if one.is_file()), places[0])


def _cases(ran: Recorded, tools: Tools) -> Mapping[str, TestCase]:
    """The failing tests as their run's files tell them; nothing where these are gone."""
    try:
        run = parse(artifacts(ran, tools), root_of(ran), Masker.from_environment(tools.environ))
    except TriageError:
        return {}
    return {case.id: case for case in run.cases if case.outcome.is_failing}


def _of_summary(failure: Mapping[str, Any]) -> Problem:
    return _problem(
        Outcome(failure["outcome"]),
        Phase(failure["phase"]),
        failure["exception"] or "",
        failure["message"],
    )


def _problem(outcome: Outcome, phase: Phase | None, exception: str, message: str) -> Problem:
    shown = ExceptionInfo(exception, message)
    return Problem(phase or Phase.CALL, outcome, (shown,), message)
