"""Stored failures, sorted again by other playbooks: what a changed one gains, loses and moves.

Where a run's files are still there they are read again, with the chain, the frames and the plugin's
facts; else the summary's class and message stand in. Rules on the source are not asked.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from triage.errors import TriageError
from triage.model.case import ExceptionInfo, Problem, TestCase
from triage.model.terms import Outcome, Phase
from triage.playbook.match import Matcher
from triage.recorded import Recorded, artifacts, recorded_run, root_of
from triage.stages.parse import parse
from triage.text import Masker
from triage.tools import Tools

RUNS = 50  # of one project, the newest
REPORTS = 50
_SAMPLES = 5  # tests named for each change
DAYS = 90


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


def past_failures(tools: Tools, since: datetime) -> Iterator[Past]:
    """Every stored failure, once for each run or report that holds it; newest runs first."""
    for name in tools.store.projects():
        for run in tools.store.runs(name, RUNS):
            ran = recorded_run(name, run.id, tools) if run.started_at >= since else None
            if ran is not None and ran.summary["failures"]:
                yield from _of_run(ran, tools)
    for report in tools.store.reports(REPORTS):
        if report.classified_at >= since:
            for one in tools.store.report(report.id).failures():
                test = one.nodeid or (f"{one.classname}::{one.name}" if one.classname else one.name)
                problem = _problem(one.outcome, one.phase, one.exception, one.message)
                yield Past(report.file, test, problem, report.classified_at, one.playbook, one.fingerprint)


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


def _of_run(ran: Recorded, tools: Tools) -> Iterator[Past]:
    cases = _cases(ran, tools)
    at = datetime.fromisoformat(ran.summary["run"]["started_at"])
    for failure in ran.summary["failures"]:
        test = failure["nodeid"] or ""
        case = cases.get(test)
        problem = case.problems[0] if case is not None and case.problems else _of_summary(failure)
        yield Past(ran.name, test, problem, at, failure["playbook"], failure["cluster"])


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
