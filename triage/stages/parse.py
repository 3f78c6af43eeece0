"""Stage: what a run left behind, as test cases and the run's final status."""

import signal
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from triage.junit.index import CaseIndex
from triage.junit.nodeid import xml_names
from triage.model.case import ExceptionInfo, Frame, Problem, TestCase
from triage.model.run import RunArtifacts, TestRun
from triage.model.terms import Outcome, Phase, RunStatus
from triage.probes.event_lines import EventLog, read_events, text_of
from triage.probes.joining import Joiner
from triage.probes.stack_file import read_fatal, read_stack
from triage.text import Masker, shorten

_SUCCESS = (0, 1)


def parse(artifacts: RunArtifacts, root: Path, masker: Masker) -> TestRun:
    """Every result that the run left, each test once; every text is cleaned and masked here.

    Works with the JUnit XML alone, with the plugin's lines alone, or with both; what is in them
    never raises.
    """
    log = read_events(artifacts.events)
    report = CaseIndex(artifacts.junit)
    joiner = Joiner(log, report, root, masker)
    cases = joiner.cases()
    unfinished = joiner.unfinished()
    status, detail = _status(artifacts, report, log, unfinished)
    if not artifacts.by_triage:
        running = {masker.clean_id(one): log.lines.get(one) for one in unfinished if joiner.had_begun(one)}
        cases.extend(_suspects(artifacts, status, running, str(root)))
    return TestRun(
        status=status,
        cases=tuple(cases),
        exit_status=artifacts.exit_status,
        started_at=artifacts.started_at,
        duration_s=artifacts.duration_s,
        command=artifacts.command,
        python=artifacts.python,
        warnings=tuple(joiner.evidence.warning(record) for record in log.of("warn")),
        unfinished=tuple(masker.clean_id(nodeid) for nodeid in unfinished),
        packages=log.packages,
        notes=(
            *(masker.clean(note) for note in _notes(artifacts, report, log)),
            *_never_ran([masker.clean_id(one) for one in unfinished if not joiner.had_begun(one)], status),
            *_second_failures(cases),
        ),
        detail=masker.clean(detail) if detail else None,
    )


def _status(
    artifacts: RunArtifacts, report: CaseIndex, log: EventLog, unfinished: Sequence[str]
) -> tuple[RunStatus, str | None]:
    """Success is exit status 0 or 1, a whole report, the session's end, and every planned test done.

    `os._exit(0)` in a test has the first of them.
    """
    if artifacts.status is not RunStatus.COMPLETED:
        return artifacts.status, artifacts.detail
    if artifacts.exit_status not in _SUCCESS:
        return RunStatus.CRASHED, f"pytest ended with exit status {artifacts.exit_status}"
    if log.seen and log.exit_status is None:
        status = artifacts.exit_status
        return RunStatus.CRASHED, f"the interpreter ended with status {status} before pytest's session did"
    if report.error is not None:
        return RunStatus.CRASHED, f"the JUnit XML cannot be read to its end: {report.error.what}"
    if unfinished:
        count = len(unfinished)
        return RunStatus.INTERRUPTED, f"pytest stopped early: {count} collected tests were not run"
    return RunStatus.COMPLETED, artifacts.detail


def _suspects(
    artifacts: RunArtifacts, status: RunStatus, running: Mapping[str, int | None], root: str
) -> Iterator[TestCase]:
    """The tests that ran when the run ended: they are failures like any other, and never lost."""
    if not running:
        return
    said, frames = _last_seen(artifacts, root)
    message = f"{_ending(artifacts, status, said)} while this test ran"
    for nodeid, line in running.items():
        classname, name = xml_names(nodeid)
        shown = ExceptionInfo("", message, frames=frames, raised_in=frames[-1].file if frames else None)
        yield TestCase(
            name=name,
            classname=classname,
            nodeid=nodeid,
            outcome=Outcome.ERROR,
            problems=(Problem(Phase.CALL, Outcome.ERROR, (shown,), message),),
            file=nodeid.partition("::")[0],
            line=line,
            function=name.partition("[")[0],
        )


def _last_seen(artifacts: RunArtifacts, root: str) -> tuple[str, tuple[Frame, ...]]:
    """What killed the interpreter, if that was printed, and where the tests' thread was."""
    said, printed = read_fatal(artifacts.output, root)
    stacks = (read_stack(Path(f"{path}.stacks"), root) for path in artifacts.events)
    return said, next(filter(None, stacks), printed)


def _ending(artifacts: RunArtifacts, status: RunStatus, said: str) -> str:
    number = artifacts.exit_status
    if status is RunStatus.TIMED_OUT:
        return f"timed out after {artifacts.duration_s:.0f} s"
    if number is not None and number < 0:
        reason = f", {said}" if said else ""
        return f"the interpreter died (signal {-number}, {_signal_name(-number)}{reason})"
    if status is RunStatus.INTERRUPTED:
        return "the run was interrupted"
    return f"the interpreter ended (exit status {number}{', ' + said if said else ''})"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"


def _notes(artifacts: RunArtifacts, report: CaseIndex, log: EventLog) -> Iterator[str]:
    yield from artifacts.notes
    yield from log.notes
    if not log.seen and artifacts.status is not RunStatus.NOT_STARTED:
        yield "the plugin left no records: exceptions, frames and phases are read from the JUnit XML's text"
    if report.error is not None and artifacts.junit.exists():
        yield f"the JUnit XML is incomplete: {report.error.where}: {report.error.what}"
    for kind, words in (
        ("probe_error", "the plugin missed something"),
        ("internal", "pytest had an internal error"),
    ):
        for record in log.of(kind)[:3]:
            lines = text_of(record, "text").strip().splitlines()
            yield f"{words}: {lines[-1][:300] if lines else text_of(record, 'where')}"


def _second_failures(cases: Sequence[TestCase]) -> Iterator[str]:
    """What a test's diagnosis does not tell, as its first problem decides."""
    found = [
        (case, later)
        for case in cases
        for later in case.problems[1:]
        if later.phase is Phase.TEARDOWN and case.problems[0].phase is not Phase.TEARDOWN
    ]
    if found:
        case, problem = found[0]
        head = problem.chain[0] if problem.chain else None
        said = f"{head.type}: {head.message}" if head else problem.text
        tests = len({case.id for case, _ in found})
        yield f"{tests} test{'s' * (tests > 1)} also failed at teardown: {case.id}: {shorten(said, 300)}"


def _never_ran(left: Sequence[str], status: RunStatus) -> Iterator[str]:
    if left and status is not RunStatus.COMPLETED:
        tests = "1 collected test was" if len(left) == 1 else f"{len(left)} collected tests were"
        yield f"{tests} not run: {', '.join(left[:3])}{', ...' if len(left) > 3 else ''}"  # noqa: PLR2004
