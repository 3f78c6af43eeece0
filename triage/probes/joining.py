"""Test cases from the plugin's lines and the JUnit XML together: the facts win, the XML adds its text."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from triage.junit.cases import (
    case_of,
    import_site,
    is_teardown,
    line_of,
    outcome_of,
    problem_of,
    with_teardown,
)
from triage.junit.index import CaseIndex
from triage.junit.nodeid import nodeid_below, xml_names
from triage.junit.phases import phase_of
from triage.junit.report import RawCase, RawResult
from triage.model.case import ExceptionInfo, Problem, TestCase
from triage.model.terms import Outcome, Phase
from triage.probes.event_lines import EventLog, Record, TestEvents, text_of
from triage.probes.evidence import EvidenceReader
from triage.text import Masker, clean_text

_PHASES = {"setup": Phase.SETUP, "call": Phase.CALL, "teardown": Phase.TEARDOWN}


class Joiner:
    """Joins the two sources of one run, test by test."""

    def __init__(self, log: EventLog, report: CaseIndex, root: Path, masker: Masker) -> None:
        self._log = log
        self._report = report
        self._folder = root
        self._root = log.root or str(root)
        self._masker = masker
        self._ended: set[str] = set()
        self.evidence = EvidenceReader(masker)

    def cases(self) -> list[TestCase]:
        """Each test once, in run order, what broke outside of tests first."""
        found = [*self._collection_errors()]
        crashed = {clean_text(text_of(record, "id")): record for record in self._log.of("crash")}
        for nodeid in dict.fromkeys([*self._log.planned, *self._log.tests, *crashed]):
            case = self._case(nodeid, crashed.get(nodeid))
            if case is not None:
                self._ended.add(nodeid)
                found.append(case)
        return found + list(self._from_xml_alone())

    def unfinished(self) -> list[str]:
        """Tests that were collected and never ended, those that had begun first."""
        known = dict.fromkeys([*self._log.tests, *self._log.planned])
        left = [nodeid for nodeid in known if nodeid not in self._ended]
        return sorted(left, key=lambda nodeid: not self.had_begun(nodeid))

    def had_begun(self, nodeid: str) -> bool:
        test = self._log.tests.get(nodeid)
        return test is not None and test.started

    def _case(self, nodeid: str, crash: Record | None) -> TestCase | None:
        raws = self._report.take(nodeid)
        test = self._log.tests.get(nodeid) or TestEvents()
        if test.outcome is None and not raws and crash is None:
            return None
        if (
            test.outcome is Outcome.PASSED
            and not test.fails
            and raws
            and not raws[0].results
            and len(raws) == 1
        ):
            return self._build(nodeid, Outcome.PASSED, (), raws, test)  # the many
        problems = self._problems(test, [result for raw in raws for result in raw.results])
        if crash is not None and not problems:
            problems = (self._crash(crash),)
        outcome = self._outcome(nodeid, test, raws, problems)
        return self._build(nodeid, outcome, problems if outcome.is_failing else (), raws, test)

    def _outcome(
        self, nodeid: str, test: TestEvents, raws: list[RawCase], problems: tuple[Problem, ...]
    ) -> Outcome:
        in_xml = outcome_of(problems) or (raws[0].outcome if raws else None)
        told = test.outcome
        if told is None or (in_xml is not None and in_xml.is_failing and not told.is_failing):
            if told is not None:
                self._log.note(f"{nodeid} is {told} in the plugin's lines and {in_xml} in the JUnit XML")
            return in_xml or Outcome.ERROR
        return told

    def _build(
        self,
        nodeid: str,
        outcome: Outcome,
        problems: tuple[Problem, ...],
        raws: list[RawCase],
        test: TestEvents,
    ) -> TestCase:
        shown = self._masker.clean_id(nodeid)
        classname, name = xml_names(shown)
        file, line, function = self.evidence.place(test.fails[0]) if test.fails else (None, None, None)
        if line is None and raws:
            file, line = file or raws[0].file, line_of(raws[0], by_pytest=True)
        if line is None and outcome.is_failing:
            line = self._log.lines.get(nodeid)
        return TestCase(
            name=name,
            classname=classname,
            nodeid=shown,
            outcome=outcome,
            duration_s=test.duration_s or sum(raw.time_s for raw in raws),
            problems=problems,
            file=file or shown.partition("::")[0],
            line=line,
            function=function or name.partition("[")[0],
        )

    def _problems(self, test: TestEvents, results: list[RawResult]) -> tuple[Problem, ...]:
        """One for each record, with the XML's text of the same phase, then what only the XML tells."""
        left = [result for result in results if result.is_failing]
        found = []
        for record in test.fails:
            phase = _PHASES.get(text_of(record, "when"), Phase.CALL)
            text = next((result for result in left if phase_of(result)[0] is phase), None)
            if text is not None:
                left.remove(text)
            found.append(self._problem(record, phase, text))
        return (*found, *(problem_of(result, self._masker, self._root) for result in left))

    def _problem(self, record: Record, phase: Phase, result: RawResult | None) -> Problem:
        chain = self.evidence.chain(record)
        read = problem_of(result, self._masker, self._root) if result and not chain else None
        text = self._masker.clean(result.text or result.message) if result else ""
        return Problem(
            phase=phase,
            outcome=Outcome.FAILED if phase is Phase.CALL else Outcome.ERROR,
            chain=chain or (read.chain if read else self._bare(record)),
            text=text or self._masker.clean(text_of(record, "text")) or _said(chain),
            in_fixture=self.evidence.in_fixture(record),
            fixtures=self.evidence.fixtures(record),
            facts=self.evidence.facts(record),
        )

    def _bare(self, record: Record) -> tuple[ExceptionInfo, ...]:
        return (ExceptionInfo("", self._masker.clean(text_of(record, "text"))),)

    def _crash(self, record: Record) -> Problem:
        """pytest-xdist counts a test that killed its worker as failed."""
        text = self._masker.clean(text_of(record, "text")) or "the xdist worker died while this test ran"
        return Problem(Phase.CALL, Outcome.FAILED, (ExceptionInfo("", text),), text)

    def _collection_errors(self) -> Iterator[TestCase]:
        for record in self._log.of("conftest_error"):
            yield self._outside(record, "", [])
        for record in self._log.of("collect_error"):
            nodeid = clean_text(text_of(record, "id"))
            if nodeid in self._ended:
                continue
            self._ended.add(nodeid)
            yield self._outside(record, nodeid, self._report.take(nodeid))

    def _outside(self, record: Record, nodeid: str, raws: list[RawCase]) -> TestCase:
        """A module or a conftest that does not import."""
        result = next((one for raw in raws for one in raw.results if one.is_failing), None)
        found = replace(self._problem(record, Phase.COLLECT, result), outcome=Outcome.ERROR)
        site = import_site(found)
        frames = found.chain[0].frames if found.chain else ()
        conftest = next((frame.file for frame in frames if frame.file.endswith("conftest.py")), None)
        file = self._masker.clean_id(nodeid) or conftest or (site.file if site else "conftest.py")
        return TestCase(
            name=xml_names(file)[1],
            nodeid=file,
            outcome=Outcome.ERROR,
            duration_s=sum(raw.time_s for raw in raws),
            problems=(found,),
            file=site.file if site else file,
            line=site.line if site else None,
        )

    def _from_xml_alone(self) -> Iterator[TestCase]:
        whole = self._log.exit_status is not None and bool(self._ended)
        for raws in self._report.rest():
            for case in self._merged([case_of(raw, self._masker, self._root) for raw in raws]):
                nameless = not case.name and not case.problems  # an interrupted test; it is told by `start`
                renamed = whole and case.outcome is Outcome.PASSED  # the lines had it under its own name
                if not nameless and not renamed and case.nodeid not in self._ended:
                    yield case

    def _merged(self, cases: list[TestCase]) -> Iterator[TestCase]:
        held: TestCase | None = None
        for case in cases:
            located = case if case.nodeid else self._located(case)
            if held is not None and is_teardown(case) and case.name:
                held = with_teardown(held, case)
                continue
            if held is not None:
                yield held
            held = located
        if held is not None:
            yield held

    def _located(self, case: TestCase) -> TestCase:
        nodeid = nodeid_below(self._folder, case.classname, case.name)
        if nodeid is None:
            return case
        return replace(case, nodeid=nodeid, file=case.file or nodeid.partition("::")[0])


def _said(chain: tuple[ExceptionInfo, ...]) -> str:
    return f"{chain[0].type}: {chain[0].message}".removesuffix(": ") if chain else ""
