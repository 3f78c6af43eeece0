"""The XML door: what it reads, what it refuses, and that nothing else comes out of it."""

import gzip
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from triage.errors import ReportError
from triage.junit.reader import read_report
from triage.junit.report import Limits, RawCase
from triage.model.terms import Outcome

Write = Callable[[str | bytes], Path]

GOOD = """<?xml version="1.0" encoding="utf-8"?>
<testsuites name="pytest tests"><testsuite name="pytest" hostname="h" errors="0" tests="3">
<testcase classname="tests.test_a" name="test_ok" time="0.5"/>
<testcase classname="tests.test_a" name="test_bad" file="tests/test_a.py" line="11" time="1.25">
<properties><property name="triage.nodeid" value="tests/test_a.py::test_bad"/></properties>
<failure message="assert 1 == 2">E   assert 1 == 2</failure><system-out>printed</system-out></testcase>
<testcase classname="tests.test_a" name="test_skip">
<skipped type="pytest.skip" message="no">a.py:1: no</skipped></testcase></testsuite></testsuites>"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(content: str | bytes) -> Path:
        path = tmp_path / "junit.xml"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return written


def read(path: Path, limits: Limits | None = None, *, everything: bool = True) -> list[RawCase]:
    return list(read_report(path, everything=everything, limits=limits))


def read_until(path: Path, limits: Limits | None = None) -> tuple[list[RawCase], ReportError]:
    found: list[RawCase] = []
    try:
        for case in read_report(path, everything=True, limits=limits):
            found.append(case)  # noqa: PERF402 - what came before the error counts
    except ReportError as error:
        return found, error
    raise AssertionError(f"read to the end: {found}")


def one(inner: str) -> str:
    return f"<testsuite><testcase name='t' classname='c'>{inner}</testcase></testsuite>"


def test_a_case_keeps_names_place_time_results_and_properties(write: Write) -> None:
    passed, bad, skipped = read(write(GOOD))
    assert (passed.name, passed.time_s, passed.outcome) == ("test_ok", 0.5, Outcome.PASSED)
    assert (bad.classname, bad.file, bad.line, bad.suite.hostname) == (
        "tests.test_a",
        "tests/test_a.py",
        11,
        "h",
    )
    assert bad.property_value("triage.nodeid") == "tests/test_a.py::test_bad"
    assert [(r.kind, r.message, r.text) for r in bad.results] == [
        ("failure", "assert 1 == 2", "E   assert 1 == 2")
    ]
    assert (skipped.outcome, skipped.results[0].text) == (Outcome.SKIPPED, "a.py:1: no")


def test_plain_passes_are_counted_and_not_given_unless_asked_for(write: Write) -> None:
    report = read_report(write(GOOD))
    assert [case.name for case in report] == ["test_bad", "test_skip"]
    assert (report.cases, report.passed) == (3, 1)
    report = read_report(write(GOOD), everything=True)
    assert len(list(report)) == report.cases == 3
    assert report.passed == 1


@pytest.mark.parametrize(
    ("xml", "outcomes"),
    [
        ("<testsuites><testcase name='a'/></testsuites>", ["passed"]),
        (
            "<testsuite><testsuite><testsuite><testcase name='a'/></testsuite></testsuite></testsuite>",
            ["passed"],
        ),
        (
            "<testsuite xmlns='urn:x'><testcase name='a'><failure/></testcase></testsuite>",
            ["failed"],
        ),
        ("<j:testsuite xmlns:j='u'><j:testcase name='a'><j:error/></j:testcase></j:testsuite>", ["error"]),
        ("<testsuite><testcase time='0.000'/></testsuite>", ["passed"]),
        (
            one("<rerunFailure message='m'><stackTrace>s</stackTrace></rerunFailure>"),
            ["failed"],
        ),
        (one("<flakyFailure message='m'/>"), ["passed"]),
        (one("<rerunError/>"), ["error"]),
        (one("<skipped type='pytest.xfail' message='known'/>"), ["xfailed"]),
        (one("<skipped/><error message='failed on teardown'/>"), ["error"]),
        (one("<failure/><failure/>"), ["failed"]),
        ("<testsuites/>", []),
        (
            "<testsuite tests='many' errors='x'><testcase name='a' time='NaN' line='x'/></testsuite>",
            ["passed"],
        ),
    ],
)
def test_every_flavour_is_read(write: Write, xml: str, outcomes: list[str]) -> None:
    assert [case.outcome.value for case in read(write(xml))] == outcomes


def test_the_stack_trace_of_a_rerun_is_its_text_and_its_output_is_not(write: Write) -> None:
    inner = "<stackTrace>trace</stackTrace><system-out>out</system-out>"
    (result,) = read(write(one(f"<rerunFailure message='m' type='T'>{inner}</rerunFailure>")))[0].results
    assert (result.kind, result.type, result.text) == ("rerunFailure", "T", "trace")


def test_a_case_that_passed_when_run_again_is_flaky(write: Write) -> None:
    assert read(write(one("<flakyError message='m'/>")))[0].is_flaky
    assert not read(write(one("")))[0].is_flaky


@pytest.mark.parametrize("time", ["NaN", "1e999", "-1", "x", "", "1" * 5000])
def test_a_time_that_is_none_counts_as_zero(write: Write, time: str) -> None:
    (case,) = read(write(f"<testsuite><testcase name='a' time='{time}'/></testsuite>"))
    assert case.time_s == (float("1" * 40) if time.startswith("1" * 40) else 0.0)


@pytest.mark.parametrize("inside", ["a<!-- c -->b", "a<?pi x?>b", "<![CDATA[a]]>b", "a<b>b</b>"])
def test_text_around_comments_and_instructions_is_kept(write: Write, inside: str) -> None:
    (case,) = read(write(one(f"<failure>{inside}</failure>")))
    assert case.results[0].text == "ab"


def test_a_long_text_keeps_its_head_and_its_decisive_tail(write: Write) -> None:
    text = "head " + "x" * 500_000 + " E   tail"
    (case,) = read(write(one(f"<failure message='{'m' * 100_000}'>{text}</failure>")))
    (result,) = case.results
    assert result.text.startswith("head x")
    assert result.text.endswith("x E   tail")
    assert len(result.text) < 81_000
    assert result.dropped == len(text) - 80_000
    assert f"{result.dropped:,} characters left out" in result.text
    assert "36,000 characters left out" in result.message


@pytest.mark.parametrize(
    ("xml", "what"),
    [
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><testsuite/>", "DOCTYPE"),
        ("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><testsuite/>", "DOCTYPE"),
        ("<testsuite>" + "<x>" * 60 + "</x>" * 60 + "</testsuite>", "nested more than 50"),
        ("<testsuite " + " ".join(f"a{n}='x'" for n in range(101)) + "/>", "more than 100 attributes"),
        ("<testsuite>" + "".join(f"<n{n}/>" for n in range(1100)) + "</testsuite>", "different element"),
        ("<html/>", "first element is <html>"),
        ("<testcase name='a'/>", "first element is <testcase>"),
        ("<testsuite><testcase><testcase/></testcase></testsuite>", "inside another"),
        ("<testsuite>&lol;</testsuite>", "undefined entity"),
        ("<testsuite><testcase name='&#0;'/></testsuite>", "reference to invalid character"),
        ("<testsuite><testcase name='\x1b'/></testsuite>", "not well-formed"),
        ("<testsuite><testcase></testsuite>", "mismatched tag"),
        ("<testsuite/><testsuite/>", "junk after document"),
        ("plain text", "not well-formed"),
        ("", "empty"),
        (" \n ", "empty"),
        (b"<testsuite name='\xff'/>", "not well-formed"),
        ("<?xml version='1.0' encoding='nosuch'?><testsuite/>", "encoding"),
        ("<?xml version='1.0' encoding='big5'?><testsuite/>", "encoding"),
        (gzip.compress(GOOD.encode()), "gzip"),
        (b"PK\x03\x04", "not well-formed"),
    ],
)
def test_hostile_and_broken_files_give_one_clear_error(write: Write, xml: str | bytes, what: str) -> None:
    path = write(xml)
    _, error = read_until(path)
    assert what in error.what
    assert str(path) in (error.where or "")
    assert "JUnit XML" in (error.allowed or "")


def test_a_token_without_end_is_refused(write: Write) -> None:
    path = write(b"<testsuite><!--" + b"x" * 3_000_000 + b"--></testsuite>")
    _, error = read_until(path, Limits(token_bytes=1_000_000))
    assert "longer than 1,000,000 bytes" in error.what
    assert read(path) == []


def test_more_elements_than_allowed_are_refused(write: Write) -> None:
    path = write("<testsuite>" + "<a/>" * 1000 + "</testsuite>")
    assert "more than 500 elements" in read_until(path, Limits(elements=500))[1].what


def test_results_and_properties_of_one_case_are_bounded(write: Write) -> None:
    inner = "<failure/>" * 500 + "<properties>" + "<property name='a' value='b'/>" * 500 + "</properties>"
    (case,) = read(write(one(inner)))
    assert (len(case.results), len(case.properties)) == (100, 200)


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1", "windows-1252", "utf-8-sig"])
def test_other_encodings_are_read(write: Write, encoding: str) -> None:
    declared = encoding.removesuffix("-sig")
    xml = f"<?xml version='1.0' encoding='{declared}'?><testsuite><testcase name='é'/></testsuite>"
    assert read(write(xml.encode(encoding)))[0].name == "é"


def test_every_case_before_the_break_is_given_and_the_error_says_line_and_column(write: Write) -> None:
    lines = GOOD.splitlines()
    path = write("\n".join(lines[:6]) + "\n<testcase name='torn' classname=")
    found, error = read_until(path)
    assert [case.name for case in found] == ["test_ok", "test_bad"]
    assert error.where == f"{path}:7:1"
    assert error.exit_status == 2


def test_the_error_names_the_column_of_the_offence(write: Write) -> None:
    path = write("<testsuite>\n  <testcase name='a'></testsuit>")
    assert read_until(path)[1].where == f"{path}:2:24"


@pytest.mark.parametrize("name", ["missing.xml", "."])
def test_a_file_that_cannot_be_opened_is_a_report_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(ReportError, match="cannot be read"):
        list(read_report(tmp_path / name))


def test_it_reads_the_same_without_lxml(write: Write) -> None:
    path = write(GOOD)
    program = (
        "import sys; sys.modules['lxml'] = None\n"
        "from pathlib import Path\nfrom triage.junit.reader import read_report\n"
        f"print(list(read_report(Path({str(path)!r}), everything=True)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == repr(read(path))


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    def peak(cases: int) -> int:
        path = tmp_path / f"{cases}.xml"
        case = "<testcase name='t'><failure>" + "x" * 2000 + "</failure></testcase>"
        path.write_text("<testsuite>" + case * cases + "</testsuite>")
        tracemalloc.start()
        try:
            assert sum(1 for _ in read_report(path)) == cases
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(4000) < peak(1000) * 1.2


names = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20)
results = st.sampled_from(["failure", "error", "skipped", "rerunFailure", "flakyError", "system-out", "odd"])


@given(st.lists(st.tuples(names, st.lists(results, max_size=3)), max_size=8), st.integers(0, 3))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_structure_gives_each_case_once(
    write: Write, cases: list[tuple[str, list[str]]], depth: int
) -> None:
    from xml.sax.saxutils import escape, quoteattr  # noqa: PLC0415 - only here

    inner = "".join(
        f"<testcase name={quoteattr(name)}>"
        + "".join(f"<{k}>{escape(name)}</{k}>" for k in kinds)
        + "</testcase>"
        for name, kinds in cases
    )
    xml = "<testsuites>" + "<testsuite>" * depth + inner + "</testsuite>" * depth + "</testsuites>"
    if any("\ufffe" in name or "\uffff" in name for name, _ in cases):
        return
    found = read(write(xml))
    assert [case.name for case in found] == [name for name, _ in cases]
    wanted = [[kind for kind in kinds if kind not in ("system-out", "odd")] for _, kinds in cases]
    assert [[result.kind for result in case.results] for case in found] == wanted


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
def test_mutated_bytes_are_read_or_refused_and_nothing_else(write: Write, data: st.DataObject) -> None:
    raw = bytearray(GOOD.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 5))] = data.draw(st.binary(max_size=6))
    report = read_report(write(bytes(raw)))
    try:
        assert len(list(report)) <= report.cases
    except ReportError as error:
        assert error.where  # noqa: PT017 - either end is right
