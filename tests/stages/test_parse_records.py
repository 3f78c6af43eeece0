"""The parse stage over records and XML made by hand: dying runs, xdist, torn lines, wrong types."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from triage.model.run import RunArtifacts, TestRun
from triage.model.terms import Outcome, Phase, RunStatus
from triage.stages.parse import parse
from triage.text import Masker

Records = Sequence[Mapping[str, Any] | str]
Made = Callable[..., TestRun]

NODE = "tests/test_a.py::test_x"
SESSION = {"t": "session", "schema": 1, "root": "/p", "w": None}
START, DONE = {"t": "start", "id": NODE}, {"t": "done", "id": NODE, "o": "passed", "d": 0.5}
END = {"t": "end", "exit": 0}
PASSED_XML = "<testcase classname='tests.test_a' name='test_x' file='tests/test_a.py' line='3' time='0.5'/>"


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """A run made of records (one list per file) and XML."""

    def make(
        *files: Records,
        xml: str | None = PASSED_XML,
        exit_status: int = 0,
        status: RunStatus = RunStatus.COMPLETED,
        stacks: str = "",
    ) -> TestRun:
        events = []
        for number, records in enumerate(files):
            path = tmp_path / ("events.jsonl" if not number else f"events.jsonl.gw{number - 1}")
            lines = [one if isinstance(one, str) else json.dumps(one) + "\n" for one in records]
            path.write_bytes("".join(lines).encode("utf-8", "surrogatepass"))
            events.append(path)
        junit = tmp_path / "junit.xml"
        junit.unlink(missing_ok=True)
        if xml is not None:
            junit.write_text(
                xml if xml.startswith("<testsuite") else f"<testsuite name='pytest'>{xml}</testsuite>"
            )
        if stacks:
            (tmp_path / "events.jsonl.stacks").write_text(stacks)
        begun = datetime(2026, 11, 21, tzinfo=UTC)
        artifacts = RunArtifacts(
            tmp_path, junit, tuple(events), tmp_path / "output.log", status, exit_status, begun, 3.0, (), "3"
        )
        return parse(artifacts, Path("/p"), Masker(["hunter2xyz"]))

    return make


def test_success_needs_all_of_its_signs(made: Made) -> None:
    whole = [SESSION, {"t": "collected", "n": 1, "ids": [NODE]}, START, DONE, END]
    assert made(whole).status is RunStatus.COMPLETED
    assert made(whole[:-1]).status is RunStatus.CRASHED
    assert made(whole, xml=None).status is RunStatus.CRASHED
    assert made(whole, xml="<testsuite><testcase").status is RunStatus.CRASHED
    more = [SESSION, {"t": "collected", "n": 2, "ids": [NODE, "b.py::t"]}, START, DONE, END]
    early = made(more, exit_status=1)
    assert (early.status, early.unfinished) == (RunStatus.INTERRUPTED, ("b.py::t",))
    assert made(whole, status=RunStatus.TIMED_OUT).status is RunStatus.TIMED_OUT


def test_a_test_that_runs_again_counts_by_its_last_outcome(made: Made) -> None:
    fail = {
        "t": "fail",
        "id": NODE,
        "when": "call",
        "chain": [{"type": "KeyError", "msg": "1", "via": "raised"}],
    }
    records = [SESSION, START, fail, DONE | {"o": "failed"}, START, DONE, END]
    (case,) = made(records).cases
    assert (case.outcome, case.problems, case.duration_s) == (Outcome.PASSED, (), 0.5)


def test_a_failure_that_only_the_xml_tells_is_kept_and_noted(made: Made) -> None:
    xml = PASSED_XML.replace("/>", "><failure message='KeyError: 1'/></testcase>")
    run = made([SESSION, START, DONE, END], xml=xml)
    assert [case.outcome for case in run.cases] == [Outcome.FAILED]
    assert run.cases[0].problems[0].chain[0].type == "KeyError"
    assert "passed in the plugin's lines and failed in the JUnit XML" in run.notes[0]


def test_a_report_whose_names_were_changed_counts_no_test_twice(made: Made) -> None:
    xml = PASSED_XML.replace("tests.test_a", "nightly.tests.test_a")
    assert made([SESSION, START, DONE, END], xml=xml).counts.total == 1
    assert made([SESSION, START, DONE, END], xml=PASSED_XML.replace("test_x", "renamed")).counts.total == 1


def test_a_dead_xdist_worker_s_test_failed_as_pytest_counts_it(made: Made) -> None:
    text = "worker 'gw0' crashed while running 'tests/test_a.py::test_x'"
    main = [
        SESSION,
        {"t": "collected", "n": 1},
        {"t": "crash", "id": NODE, "w": "gw0", "text": text},
        END | {"exit": 1},
    ]
    planned = {"t": "collected", "n": 1, "ids": [NODE], "lines": [7]}
    worker = [SESSION | {"w": "gw0"}, planned, START]
    told = PASSED_XML.replace(" line='3'", "").replace(
        "/>", f'><error message="failed on setup with &quot;{text}&quot;">{text}</error></testcase>'
    )
    for xml in (told, None):
        run = made(main, worker, xml=xml, exit_status=1)
        (case,) = run.cases
        assert (case.outcome, case.problems[0].phase, case.problems[0].chain[0].type) == (
            Outcome.FAILED,
            Phase.CALL,
            "",
        )
        assert case.problems[0].chain[0].message == text
        assert case.line == 7
        assert run.unfinished == ()


def test_a_worker_s_end_is_not_the_session_s(made: Made) -> None:
    assert made([SESSION, START, DONE], [SESSION | {"w": "gw0"}, END]).status is RunStatus.CRASHED


def test_a_hanging_test_is_located_by_the_stack_file(made: Made) -> None:
    stacks = """Thread 0x0001 (most recent call first):
  File "/usr/lib/python3.11/threading.py", line 3 in wait

Current thread 0x0002 (most recent call first):
  File "/p/tests/test_a.py", line 9 in wait
  File "/p/tests/test_a.py", line 7 in test_x
  File "/v/lib/python3.11/site-packages/_pytest/python.py", line 166 in pytest_pyfunc_call
  File "/v/lib/python3.11/site-packages/pluggy/_callers.py", line 53 in _multicall
"""
    run = made([SESSION, START], xml=None, exit_status=-9, status=RunStatus.TIMED_OUT, stacks=stacks)
    (case,) = run.cases
    head = case.problems[0].chain[0]
    assert head.message == "timed out after 3 s while this test ran"
    assert [(f.file, f.line, f.function) for f in head.frames] == [
        ("tests/test_a.py", 7, "test_x"),
        ("tests/test_a.py", 9, "wait"),
    ]


def test_torn_and_foreign_lines_cost_no_more_than_themselves(made: Made) -> None:
    run = made(
        [
            SESSION,
            "not json\n",
            '["a list"]\n',
            {"t": "unheard-of"},
            {"no": "kind"},
            "\n",
            START,
            DONE,
            '{"t":"fail","id',
        ]
    )
    assert [case.outcome for case in run.cases] == [Outcome.PASSED]
    assert any("torn" in note for note in run.notes)
    assert any("no JSON" in note for note in run.notes)


def test_nothing_invisible_or_secret_comes_out_of_the_records(made: Made) -> None:
    dirty = "hunter2xyz \x1b[31m\u202e\ud800\0"
    frame = {"file": "a.py", "line": 1, "func": "\x1b\u202e", "src": dirty}
    chain = [{"type": "KeyError", "msg": dirty, "frames": [frame]}]
    facts = {"a": [dirty, {"b": dirty}]}
    fail = {
        "t": "fail",
        "id": NODE + f"[{dirty}]",
        "when": "call",
        "param": dirty,
        "facts": facts,
        "chain": chain,
    }
    warn = {"t": "warn", "category": "UserWarning", "msg": dirty, "file": "a.py", "line": 1, "id": ""}
    probe = {"t": "probe_error", "where": "x", "text": dirty}
    run = made([SESSION, fail, {"t": "done", "id": fail["id"], "o": "failed"}, warn, probe, END], xml=None)
    shown = repr(run)
    assert run.cases[0].problems[0].chain[0].message == "*** #x202E#xD800#x00"
    assert not [bad for bad in ("hunter2xyz", "\\x1b", "\\u202e", "\\ud800", "\\x00") if bad in shown]


KINDS = str.split(
    "session collected start done fail warn collect_error conftest_error crash internal interrupt end"
    " probe_error packages odd"
)
KEYS = str.split(
    "id n ids o d when chain test fixtures in_fixture facts param text msg category file line exit w root"
    " packages type mro frames oid follows via func kind mod src col def name scope args gen"
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(
        [10**400, float("nan"), float("inf"), -1, NODE, "passed", "failed", "call", "setup", "gw0"]
    )
    | st.floats()
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=12,
)
RECORDS = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=8).flatmap(
    lambda record: st.sampled_from(KINDS).map(lambda kind: {**record, "t": kind})
)


@given(st.lists(RECORDS, max_size=8), st.sampled_from([PASSED_XML, None, "<testsuite><testcase"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=100)
def test_records_of_wrong_types_never_raise(
    made: Made, records: list[dict[str, Any]], xml: str | None
) -> None:
    run = made(records, xml=xml)
    ids = [case.nodeid for case in run.cases if case.nodeid]
    assert len(run.cases) == run.counts.total
    assert len([one for one in ids if one == NODE]) <= 1
    json.dumps([list(case.problems[0].facts.items()) for case in run.cases if case.problems], allow_nan=False)
