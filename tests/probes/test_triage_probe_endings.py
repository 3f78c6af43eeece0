"""What is left of runs that end badly, or that are told to run only some tests."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.probes import samples
from tests.probes.children import Child, start
from triage.probes.injection import STACK_SIGNAL

CONTINUE = "--continue-on-collection-errors"


@pytest.fixture(scope="module")
def children(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Child]]:
    """All at once: each spends most of its time starting."""
    folder = tmp_path_factory.mktemp("endings")
    planned: dict[str, tuple[samples.Sources, tuple[str, ...]]] = {
        "os._exit": (samples.LEAVES_AT_ONCE, ()),
        "segfault": (samples.SEGFAULTS, ()),
        "sys.exit": (samples.EXITS, ()),
        "sys.exit at import": (samples.EXITS_AT_IMPORT, ()),
        "not collected": (samples.NOT_COLLECTED, (CONTINUE,)),
        "conftest": (samples.CONFTEST_BROKEN, ()),
        "hang": (samples.HANGS, ()),
        "interrupted": (samples.HANGS, ()),
        "fork": (samples.FORKS, ()),
        "descriptors": (samples.CLOSES_DESCRIPTORS, ("-s",)),
        "nested": (samples.NESTED, ("tests",)),
        "reruns": (samples.RERUNS, ()),
    }
    found = {}
    for number, (name, (sources, arguments)) in enumerate(planned.items()):
        (folder / str(number)).mkdir()
        found[name] = start(folder / str(number), sources, *arguments)
    yield found
    for child in found.values():
        child.process.kill()
        child.process.wait()


def wait_for(path: Path, words: str, seconds: float = 60.0) -> str:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        text = path.read_text(errors="replace") if path.exists() else ""
        if words in text:
            return text
        time.sleep(0.02)
    raise AssertionError(f"{words!r} never came to {path}")


@pytest.mark.parametrize(("how", "status"), [("os._exit", 0), ("segfault", -signal.SIGSEGV)])
def test_a_dead_interpreter_leaves_every_line_up_to_the_running_test(
    children: dict[str, Child], how: str, status: int
) -> None:
    records = children[how].records()
    assert records.exit_status == status
    assert records.one("collected")["n"] == 3
    assert records.texts() == ["start test_a", "done test_a", "start test_b"]
    assert records.of("end") == []


def test_sys_exit_in_a_test_is_its_failure_and_pytest_exit_the_end(children: dict[str, Child]) -> None:
    records = children["sys.exit"].records()
    assert records.fail("test_a")["chain"][0]["type"] == "SystemExit"
    interrupt = records.one("interrupt")
    assert (interrupt["id"], interrupt["text"]) == ("test_x.py::test_b", "Exit: enough")
    assert records.one("end")["exit"] == records.exit_status == 7


def test_sys_exit_at_import_is_an_internal_error_with_its_place(children: dict[str, Child]) -> None:
    records = children["sys.exit at import"].records()
    internal = records.one("internal")
    assert "SystemExit" in internal["text"]
    assert [(frame["file"], frame["line"]) for frame in internal["chain"][0]["frames"]] == [("test_x.py", 2)]
    assert records.one("end")["exit"] == 3


def test_modules_that_cannot_be_collected_show_what_they_raised(children: dict[str, Child]) -> None:
    records = children["not collected"].records()
    found = {record["id"]: record["chain"][0] for record in records.of("collect_error")}
    assert {name: one["type"] for name, one in found.items()} == {
        "test_import.py": "ModuleNotFoundError",
        "test_syntax.py": "SyntaxError",
        "test_value.py": "ValueError",
    }
    assert [frame["func"] for frame in found["test_value.py"]["frames"]] == ["<module>", "made"]
    assert found["test_import.py"]["frames"][-1]["src"] == "import shop_that_is_not_there"
    assert all("test_" in record["text"] for record in records.of("collect_error"))
    assert records.outcomes() == {"test_fine": "passed"}


def test_a_conftest_that_does_not_import_is_recorded_with_its_frames(children: dict[str, Child]) -> None:
    records = children["conftest"].records()
    (exception,) = records.one("conftest_error")["chain"]
    assert (exception["type"], exception["msg"]) == ("KeyError", "'missing'")
    assert [frame["file"] for frame in exception["frames"] if frame["kind"] != "library"] == [
        "conftest.py",
        "settings.py",
    ]
    assert records.exit_status == 4
    assert records.all[0]["t"] == "session"


def test_a_run_that_hangs_says_where_on_the_signal_and_goes_on(children: dict[str, Child]) -> None:
    child = children["hang"]
    wait_for(child.out, '"t":"start","id":"test_x.py::test_b"')
    os.kill(child.process.pid, STACK_SIGNAL)
    stacks = wait_for(child.out.with_name("events.jsonl.stacks"), "in test_b")
    assert 'test_x.py", line 3 in wait' in stacks
    assert child.process.poll() is None
    child.process.kill()
    assert child.records().texts() == ["start test_a", "done test_a", "start test_b"]


def test_an_interrupt_names_the_running_test(children: dict[str, Child]) -> None:
    child = children["interrupted"]
    wait_for(child.out, '"t":"start","id":"test_x.py::test_b"')
    os.kill(child.process.pid, signal.SIGINT)
    records = child.records()
    assert records.one("interrupt")["id"] == "test_x.py::test_b"
    assert records.one("end")["exit"] == 2


def test_a_forked_child_that_goes_on_writes_nothing(children: dict[str, Child]) -> None:
    records = children["fork"].records()
    assert [text for text in records.texts() if not text.startswith("fail")] == [
        f"{word} test_{name}" for name in "abc" for word in ("start", "done")
    ]
    assert len(records.of("fail")) == len(records.of("end")) == 1


def test_a_test_that_closes_every_descriptor_gets_none_of_the_records(children: dict[str, Child]) -> None:
    records = children["descriptors"].records()
    assert records.outcomes() == {"test_a": "passed", "test_b": "failed", "test_c": "passed"}
    assert records.fail("test_b")["chain"][0]["msg"].startswith("assert 1 == 2")
    assert records.one("end")["exit"] == 1


def test_a_test_that_is_run_again_ends_once_with_its_last_outcome(children: dict[str, Child]) -> None:
    records = children["reruns"].records()
    again = ["start test_a", "start test_a", "done test_a", "start test_b", "start test_b"]
    assert records.texts() == [*again, "fail test_b", "done test_b"]
    assert records.outcomes() == {"test_a": "passed", "test_b": "failed"}
    (frame,) = records.fail("test_b")["chain"][0]["frames"]
    assert (frame["file"], frame["func"]) == ("test_x.py", "test_b")


def test_code_beside_a_root_directory_of_tests_belongs_to_the_project(children: dict[str, Child]) -> None:
    records = children["nested"].records()
    session = records.one("session")
    assert session["root"] == f"{session['cwd']}/tests"
    frames = records.fail("test_a")["chain"][0]["frames"]
    assert [(frame["file"], frame["kind"]) for frame in frames] == [
        ("test_x.py", "test"),
        ("../lib/code.py", "project"),
    ]


def test_a_selection_keeps_only_its_tests(tmp_path: Path) -> None:
    chosen = ["tests/test_outcomes.py::test_passes", "tests/test_outcomes.py::test_awkward[a::b]"]
    (tmp_path / "ids.json").write_text(json.dumps([*chosen, "tests/test_gone.py::test_gone"]))
    child = start(tmp_path, samples.SHOP, "-k", "not database", select=tmp_path / "ids.json")
    records = child.records()
    assert records.one("collected")["ids"] == chosen
    assert records.outcomes() == {"test_passes": "passed", "test_awkward[a::b]": "failed"}
    assert "deselected" in child.printed


def test_a_selection_that_cannot_be_read_runs_nothing(tmp_path: Path) -> None:
    child = start(tmp_path, samples.LEAVES_AT_ONCE, select=tmp_path / "nowhere.json")
    assert child.records().exit_status == 4
    assert "TRIAGE_PROBE_SELECT" in child.printed
