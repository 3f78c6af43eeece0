"""Test cases of the model from JUnit XML alone: phases, outcomes, chains, duplicates merged."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from triage.errors import ReportError
from triage.junit.checkouts import Checkout
from triage.junit.failure_text import parse_failure
from triage.junit.nodeid import exact_nodeid
from triage.junit.phases import phase_of
from triage.junit.reader import Report, read_report
from triage.junit.report import Limits, RawCase, RawResult
from triage.junit.run_log import first_failure
from triage.model.case import ExceptionInfo, Frame, Problem, TestCase
from triage.model.run import Counts, errors_of
from triage.model.terms import Outcome, Phase
from triage.text import Masker

NODEID = "triage.nodeid"
_WINDOW = 32  # under xdist other tests may stand between a test's failure and its teardown's error


class CaseReport:
    """The test cases of one report file; `counts` holds when the iteration has ended."""

    def __init__(self, report: Report, masker: Masker, root: str) -> None:
        self._report = report
        self._masker = masker
        self._root = root
        self._checkout = Checkout()
        self._tally = dict.fromkeys(Outcome, 0)
        self._errors = 0

    def __iter__(self) -> Iterator[TestCase]:
        """Cases as they end; a test that failed in its body and its teardown is one.

        Raises:
            ReportError: after the last case that could be read.
        """
        pending: dict[tuple[str, str], TestCase] = {}
        broken: ReportError | None = None
        try:
            for raw in self._report:
                yield from self._sort_in(case_of(raw, self._masker, self._root, self._checkout), pending)
        except ReportError as error:
            broken = error
        for case in pending.values():
            yield self._counted(case)
        if broken is not None:
            raise broken

    @property
    def counts(self) -> Counts:
        plain = 0 if self._report.everything else self._report.passed
        tally = self._tally
        return Counts(
            total=sum(tally.values()) + plain,
            passed=tally[Outcome.PASSED] + plain,
            failed=tally[Outcome.FAILED],
            errors=self._errors,
            skipped=tally[Outcome.SKIPPED],
            xfailed=tally[Outcome.XFAILED],
            xpassed=tally[Outcome.XPASSED],
        )

    def _sort_in(self, case: TestCase, pending: dict[tuple[str, str], TestCase]) -> Iterator[TestCase]:
        key = (case.classname, case.name)
        earlier = pending.pop(key, None)
        if earlier is not None and case.name and is_teardown(case):
            case = with_teardown(earlier, case)
        elif earlier is not None:
            yield self._counted(earlier)
        pending[key] = case
        if len(pending) > _WINDOW:
            yield self._counted(pending.pop(next(iter(pending))))

    def _counted(self, case: TestCase) -> TestCase:
        self._tally[case.outcome] += 1
        self._errors += errors_of(case) if case.problems or case.outcome is Outcome.ERROR else 0
        return case


def read_cases(
    path: Path,
    masker: Masker,
    *,
    everything: bool = False,
    limits: Limits | None = None,
    root: str = "",
) -> CaseReport:
    """The cases of the report at `path`, without plain passes unless `everything` is set.

    `root` is the project's absolute folder where it is known.
    """
    return CaseReport(read_report(path, everything=everything, limits=limits), masker, root)


def case_of(raw: RawCase, masker: Masker, root: str = "", checkout: Checkout | None = None) -> TestCase:
    """One case of the model; every text is cleaned and masked here.

    Without a `root` it is looked for: `checkout` is what earlier cases of the report told of it.
    """
    masker = masker.suited(_texts(raw))
    failing = [result for result in raw.results if result.is_failing]
    if failing and not root:
        checkout = checkout or Checkout()
        checkout.learn(raw, [result.text for result in failing])
    known = None if root else checkout
    problems = tuple([problem_of(one, masker, root, raw.classname, raw.name, known) for one in failing])
    nodeid = raw.property_value(NODEID) or exact_nodeid(raw.classname, raw.name, raw.file)
    site = import_site(problems[0]) if problems else None
    return TestCase(
        name=masker.clean_id(raw.name),
        classname=masker.clean_id(raw.classname),
        nodeid=masker.clean_id(nodeid) if nodeid else None,
        outcome=outcome_of(problems) or raw.outcome,
        duration_s=raw.time_s,
        problems=problems,
        file=site.file if site else masker.clean_id(raw.file) if raw.file else None,
        line=site.line if site else line_of(raw, by_pytest=nodeid is not None),
        function=masker.clean_id(raw.name.partition("[")[0]) if nodeid else None,
    )


def _texts(raw: RawCase) -> list[str]:
    """All that can come to stand in the case."""
    texts = [raw.name, raw.classname, raw.file or "", *(value for _, value in raw.properties)]
    for result in raw.results:
        texts += (result.text, result.message)
    return texts


def import_site(problem: Problem) -> Frame | None:
    """Where a module that does not import raised, the deepest line of the project's own."""
    if problem.phase is not Phase.COLLECT or not problem.chain:
        return None
    return next((frame for frame in reversed(problem.chain[0].frames) if frame.is_own), None)


def outcome_of(problems: tuple[Problem, ...]) -> Outcome | None:
    """The body decides: failed if anything failed in it, else error; None without problems."""
    if not problems:
        return None
    return Outcome.FAILED if Outcome.FAILED in [one.outcome for one in problems] else Outcome.ERROR


def line_of(raw: RawCase, *, by_pytest: bool) -> int | None:
    """From 1; pytest's xunit1 family counts lines from 0."""
    return raw.line + 1 if raw.line is not None and by_pytest else raw.line


def problem_of(
    result: RawResult,
    masker: Masker,
    root: str = "",
    classname: str = "",
    name: str = "",
    checkout: Checkout | None = None,
) -> Problem:
    text, message = masker.clean(result.text), masker.clean(result.message)
    if result.is_log:
        return _logged(text, message, root)
    phase, outcome = phase_of(result, classname, name)
    shown, said = checkout.relative(text, message) if checkout else (text, message)
    chain = parse_failure(shown, said, result.type, root)
    return Problem(phase=phase, outcome=outcome, chain=chain, text=text or message)


def _logged(log: str, message: str, root: str) -> Problem:
    found = first_failure(log)
    if found is None:
        return Problem(Phase.CALL, Outcome.ERROR, (ExceptionInfo("", message),), log)
    return Problem(found.phase, found.outcome, parse_failure(found.text, root=root), found.text)


def with_teardown(body: TestCase, teardown: TestCase) -> TestCase:
    """One case of the two that pytest writes for a test that fails in its body and its teardown."""
    return replace(
        body,
        problems=body.problems + teardown.problems,
        duration_s=body.duration_s + teardown.duration_s,
        outcome=body.outcome if body.outcome.is_failing else teardown.outcome,
    )


def is_teardown(case: TestCase) -> bool:
    return bool(case.problems) and all(problem.phase is Phase.TEARDOWN for problem in case.problems)
