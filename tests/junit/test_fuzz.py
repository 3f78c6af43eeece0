"""A long campaign over mutated reports; its figures are in bench/results/fuzz-xml.md."""

import os
import random
import re
import resource
import time
from collections import Counter
from pathlib import Path

import pytest

from triage.errors import ReportError
from triage.junit.cases import read_cases
from triage.text import Masker

FILES = int(os.environ.get("TRIAGE_FUZZ_FILES", "100000"))
RESULTS = Path(__file__).parents[2] / "bench" / "results" / "fuzz-xml.md"
TOKENS = [
    *(b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"&b;", b"&#0;", b"&#xD800;", b"\0", b"\x1b[31m", b"\xff"),
    *(b"<testcase>", b"</testcase>", b"<failure>", b"</failure>", b"<![CDATA[", b"]]>", b"<!--", b"-->"),
    *(b"<x>" * 60, b" a='1'" * 120, b"encoding='utf-7'", b"encoding='utf-16'", b"\xfe\xff", b"\x1f\x8b"),
    *(b"\xed\xa0\x80", b"<?x?>", b"E   ", b":1: in ", b"A" * 70_000, b"<rerunFailure/>", b"<skipped/>"),
    b"\nThe above exception was the direct cause of the following exception:\n",
]
SEED = b"""<?xml version="1.0" encoding="utf-8"?>
<testsuites name="pytest tests"><testsuite name="pytest" errors="1" tests="4" hostname="h">
<testcase classname="tests.test_a" name="test_ok" time="0.5"/>
<testcase classname="tests.test_a.TestB" name="test_bad[1]" file="tests/test_a.py" line="11" time="1.25">
<properties><property name="triage.nodeid" value="tests/test_a.py::TestB::test_bad[1]"/></properties>
<failure message="KeyError: 1">
app/logic.py:6: in inner
    raise KeyError(x)
E   KeyError: 1

The above exception was the direct cause of the following exception:
app/logic.py:13: in outer
    raise DomainError(x) from error
E   app.logic.DomainError: no \xc3\xa9</failure><system-out>printed</system-out></testcase>
<testcase classname="tests.test_a" name="test_set">
<error message="failed on setup with &quot;a.B: c&quot;">a.py:1: B
E   a.B: c</error></testcase>
<testcase name="test_skip"><skipped type="pytest.xfail" message="no"/></testcase>
</testsuite></testsuites>"""


def mutated(rng: random.Random) -> bytes:
    raw = bytearray(SEED)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        raw = raw or bytearray(SEED)
        at, span = rng.randrange(len(raw)), rng.choice((0, 1, 2, 8, 200))
        kind = rng.randrange(5)
        if kind == 0:
            raw[at] = rng.randrange(256)
        elif kind == 1:
            del raw[at : at + span]
        elif kind == 2:
            raw[at:at] = rng.choice(TOKENS)
        elif kind == 3:
            other = rng.randrange(len(raw))
            raw[at : at + span] = raw[other : other + rng.choice((1, 8, 200))]
        else:
            del raw[at:]
            raw += b"<"
    return bytes(raw)


@pytest.mark.campaign
def test_a_hundred_thousand_mutated_reports_are_read_or_refused(tmp_path: Path) -> None:
    rng, path, masker = random.Random(20261121), tmp_path / "junit.xml", Masker()
    tally: Counter[str] = Counter()
    slowest, cases, located, begun = 0.0, 0, 0, time.process_time()
    for _ in range(FILES):
        path.write_bytes(mutated(rng))
        start = time.process_time()
        try:
            for _case in read_cases(path, masker, everything=True):
                cases += 1
            tally["read to the end"] += 1
        except ReportError as error:
            located += (error.where or "").startswith(str(path))
            tally[kind_of(error)] += 1
        slowest = max(slowest, time.process_time() - start)
    assert located == FILES - tally["read to the end"] > 0
    report(tally, slowest, cases, time.process_time() - begun)


def kind_of(error: ReportError) -> str:
    if error.what.startswith("not well-formed"):
        return error.what.removeprefix("not well-formed XML: ")
    return re.split(r"[<:]", error.what.replace("a <testcase>", "a case"))[0].strip()


def report(tally: Counter[str], slowest: float, cases: int, seconds: float) -> None:
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    how = "TRIAGE_FUZZ_FILES=N pytest -m campaign tests/junit/test_fuzz.py"
    made = f"{FILES:,} files, from one seed by flips, cuts, copies and hostile tokens (`{how}`)."
    cost = f"Slowest file {slowest * 1000:.0f} ms of CPU, all {seconds:.0f} s, peak memory {memory} MB."
    rows = [f"| {what.replace('|', ' ')} | {count:,} |" for what, count in tally.most_common()]
    head = [
        f"Only `ReportError` came out. {cases:,} cases were read.",
        cost,
        "",
        "| end | files |",
        "| --- | --- |",
    ]
    lines = ["# Mutated JUnit XML files", "", made, *head, *rows]
    RESULTS.write_text("\n".join(lines) + "\n")
