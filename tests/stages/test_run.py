"""Whole runs of generated projects that misbehave; each gives a status, its results, and no orphan."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import psutil
import pytest

from triage.errors import RunError
from triage.model.environment import Environment, EnvironmentKind
from triage.model.project import Project, TestSpec
from triage.model.run import RunArtifacts
from triage.model.terms import RunStatus
from triage.stages.run import RunOptions, run_tests

pytestmark = pytest.mark.children

SECONDS = 40.0  # for runs that end by themselves: only a wedged machine takes longer
QUICK = RunOptions(grace_s=1.5)


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment(
        python=Path(sys.executable),
        kind=EnvironmentKind.EXISTING,
        key="tests",
        version="3.11",
        built_by="-",
        pycache=tmp_path_factory.getbasetemp() / "pycache",
    )


@pytest.fixture
def go(tmp_path: Path, environment: Environment) -> Callable[..., RunArtifacts]:
    def start(
        files: dict[str, str], *, timeout_s: float = SECONDS, arguments: tuple[str, ...] = (), **more: object
    ) -> RunArtifacts:
        root = tmp_path / "project"
        for name, content in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(content)
        env = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **(more.pop("env", None) or {})}  # type: ignore[dict-item] # a test's
        spec = TestSpec(arguments=arguments, timeout_s=timeout_s, env=env)
        project = Project(name="shop", root=root, test=spec)
        return run_tests(project, environment, tmp_path / "out", **{"options": QUICK, **more})  # type: ignore[arg-type] # likewise

    return start


def cases(run: RunArtifacts) -> dict[str, str]:
    found = {}
    for case in ET.parse(run.junit).getroot().iter("testcase"):
        found[case.get("name") or ""] = case[0].tag if len(case) else "passed"
    return found


def records(run: RunArtifacts, kind: str) -> list[dict[str, object]]:
    lines = [json.loads(line) for path in run.events for line in path.read_text().splitlines()]
    return [line for line in lines if line["t"] == kind]


def done(run: RunArtifacts) -> list[str]:
    return [str(record["id"]).rpartition("::")[2] for record in records(run, "done")]


def is_alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_run_that_completes_leaves_the_project_as_it_was(
    go: Callable[..., RunArtifacts], tmp_path: Path
) -> None:
    """With what `addopts` could do to it: stop early, hide tracebacks, write elsewhere, need the cache."""
    files = {
        "pytest.ini": "[pytest]\naddopts = -x --tb=no -q --lf --junitxml=elsewhere.xml --color=yes\n",
        "lib/helper.py": "",
        "test_shop.py": (
            "import os, sys, subprocess, helper\n"
            "def test_a(cache): assert 0, 'boom'\n"
            "def test_b(): assert os.environ['SHOP'] == '1'\n"
            "def test_c(): assert 'DATABASE_URL' not in os.environ\n"
            "def test_d():\n"
            "    argv = ['python', '-c', 'import sys; print(sys.executable)']\n"
            "    assert subprocess.check_output(argv, text=True).strip() == sys.executable\n"
        ),
    }
    os.environ["DATABASE_URL"] = "postgres://production"
    try:
        run = go(files, env={"SHOP": "1", "PYTHONPATH": "lib"}, arguments=("test_shop.py",))
    finally:
        del os.environ["DATABASE_URL"]
    assert (run.status, run.exit_status, run.detail, run.notes) == (RunStatus.COMPLETED, 1, None, ())
    assert cases(run) == {"test_a": "failure", "test_b": "passed", "test_c": "passed", "test_d": "passed"}
    assert done(run) == ["test_a", "test_b", "test_c", "test_d"]
    failure = ET.parse(run.junit).getroot().find(".//failure")
    assert failure is not None
    assert "test_shop.py:2: in test_a" in (failure.text or "")
    left = sorted(str(p.relative_to(tmp_path / "project")) for p in (tmp_path / "project").rglob("*"))
    assert left == ["lib", "lib/helper.py", "pytest.ini", "test_shop.py"]
    assert run.command[1:4] == ("-m", "pytest", "test_shop.py")


def test_only_selected_tests_run(go: Callable[..., RunArtifacts]) -> None:
    run = go({"test_s.py": "def test_a(): pass\ndef test_b(): pass\n"}, selection=["test_s.py::test_b"])
    assert done(run) == ["test_b"]
    assert run.status is RunStatus.COMPLETED


HANG = "import time\ndef test_a(): pass\ndef test_b(): time.sleep(60)\ndef test_c(): pass\n"
STUBBORN = "import signal\nfor n in (2, 15): signal.signal(n, lambda *_: None)\n"


def test_a_hang_is_interrupted_with_every_result_until_then_and_its_stack(
    go: Callable[..., RunArtifacts],
) -> None:
    run = go({"test_h.py": HANG}, timeout_s=2.5)
    assert (run.status, run.detail) == (RunStatus.TIMED_OUT, "stopped after 2.5 s, the time limit")
    assert cases(run)["test_a"] == "passed"
    assert done(run) == ["test_a"]
    assert "line 3 in test_b" in (run.directory / "events.jsonl.stacks").read_text()


def test_a_hang_that_ignores_signals_is_killed_and_the_lines_remain(go: Callable[..., RunArtifacts]) -> None:
    stubborn = "def test_b():\n" + "".join(f"    {line}\n" for line in STUBBORN.splitlines())
    code = f"import time\ndef test_a(): pass\n{stubborn}    while 1: time.sleep(9)\n"
    run = go({"test_h.py": code}, timeout_s=2.5, options=RunOptions(grace_s=0.3))
    assert (run.status, run.exit_status) == (RunStatus.TIMED_OUT, -9)
    assert run.detail == "stopped after 2.5 s, the time limit, by force"
    assert done(run) == ["test_a"]
    assert [str(r["id"]) for r in records(run, "start")][-1] == "test_h.py::test_b"


def test_exit_status_0_without_a_report_is_a_crash(go: Callable[..., RunArtifacts]) -> None:
    run = go({"test_e.py": "import os\ndef test_a(): pass\ndef test_b(): os._exit(0)\n"})
    assert (run.status, run.exit_status) == (RunStatus.CRASHED, 0)
    assert "vanished with exit status 0 and no report" in (run.detail or "")
    assert done(run) == ["test_a"]


def test_a_segmentation_fault_is_named(go: Callable[..., RunArtifacts], tmp_path: Path) -> None:
    code = "import ctypes\ndef test_a(): pass\ndef test_b(): ctypes.string_at(0)\n"
    run = go({"test_e.py": code})
    assert (run.status, run.detail) == (RunStatus.CRASHED, "pytest was ended by SIGSEGV")
    assert done(run) == ["test_a"]
    assert [p.name for p in (tmp_path / "project").iterdir()] == ["test_e.py"]


def test_a_conftest_that_does_not_import_is_told_in_a_sentence(go: Callable[..., RunArtifacts]) -> None:
    run = go({"conftest.py": "import no_such_thing\n", "test_a.py": "def test_a(): pass\n"})
    assert (run.status, run.exit_status) == (RunStatus.NOT_STARTED, 4)
    assert "ImportError while loading conftest" in (run.detail or "")
    assert "ModuleNotFoundError: No module named 'no_such_thing'" in (run.detail or "")


def test_an_unknown_option_is_told_in_a_sentence(go: Callable[..., RunArtifacts]) -> None:
    run = go({"test_a.py": "def test_a(): pass\n"}, arguments=("--nonsense",))
    assert run.status is RunStatus.NOT_STARTED
    assert "unrecognized arguments: --nonsense" in (run.detail or "")


def test_no_tests_is_a_status_of_its_own(go: Callable[..., RunArtifacts]) -> None:
    run = go({"readme.md": ""})
    assert (run.status, run.exit_status, run.detail) == (RunStatus.NO_TESTS, 5, "pytest found no tests")


def test_a_module_that_does_not_import_hides_no_other(go: Callable[..., RunArtifacts]) -> None:
    run = go({"test_a.py": "import no_such_thing\n", "test_b.py": "def test_b(): pass\n"})
    assert (run.status, run.exit_status) == (RunStatus.COMPLETED, 1)
    assert 'name="test_b"' in run.junit.read_text("utf-8")


def test_an_exit_at_import_is_an_internal_error(go: Callable[..., RunArtifacts]) -> None:
    run = go({"test_a.py": "import sys; sys.exit(0)\n"})
    assert (run.status, run.exit_status) == (RunStatus.CRASHED, 3)
    assert "SystemExit" in (run.detail or "")


def test_pytest_exit_with_any_status_is_an_interruption(go: Callable[..., RunArtifacts]) -> None:
    code = "import pytest\ndef test_a(): pass\ndef test_b(): pytest.exit('enough', returncode=7)\n"
    run = go({"test_a.py": code})
    assert (run.status, run.exit_status) == (RunStatus.INTERRUPTED, 7)
    assert "enough" in (run.detail or "")


LEAVE = """
import os, subprocess, sys, threading, time
def note(pid): open("pids", "a").write(f"{pid}\\n")
def test_children():
    note(subprocess.Popen(["sleep", "60"]).pid)
    note(subprocess.Popen(["sleep", "60"], start_new_session=True).pid)
def test_double_fork():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            note(os.getpid())
            os.execvp("sleep", ["sleep", "60"])
        os._exit(0)
    os.wait()
    while len(open("pids").readlines()) < 3: time.sleep(0.01)
def test_print(): print("x" * 60_000_000); assert 0
"""


def test_nothing_that_tests_start_outlives_the_run_and_what_they_print_is_bounded(
    go: Callable[..., RunArtifacts], tmp_path: Path
) -> None:
    run = go({"test_l.py": LEAVE})
    pids = [int(line) for line in (tmp_path / "project/pids").read_text().split()]
    assert len(pids) == 3
    assert not [pid for pid in pids if is_alive(pid)]
    assert run.status is RunStatus.COMPLETED
    assert run.notes[0].startswith("the tests left 3 processes behind, now ended: sleep 60 (pid ")
    assert cases(run) == {"test_children": "passed", "test_double_fork": "passed", "test_print": "failure"}
    assert run.output.stat().st_size < 10_000
    assert run.junit.stat().st_size < 10_000


def test_endless_printing_is_stopped(go: Callable[..., RunArtifacts]) -> None:
    code = "def test_a(): pass\ndef test_b():\n while 1: print('x' * 10_000)\n"
    run = go({"test_p.py": code}, arguments=("-s",), options=RunOptions(output_bytes=100_000, grace_s=3))
    assert (run.status, run.detail) == (RunStatus.INTERRUPTED, "stopped for printing too much")
    assert run.output.stat().st_size == 100_000
    assert cases(run)["test_a"] == "passed"
    assert run.notes == ("the output was cut at 0.1 MB",)


def test_a_thread_that_never_ends_costs_no_result(go: Callable[..., RunArtifacts]) -> None:
    code = "import threading, time\ndef test_a(): threading.Thread(target=time.sleep, args=(60,)).start()\n"
    run = go({"test_t.py": code}, timeout_s=2.5)
    assert run.status is RunStatus.TIMED_OUT
    assert cases(run) == {"test_a": "passed"}
    assert records(run, "end")


def test_an_environment_without_pytest_is_told_in_a_sentence(tmp_path: Path) -> None:
    bare = Environment(Path("/bin/false"), EnvironmentKind.EXISTING, "k", "3.11", "-")
    run = run_tests(Project(name="shop", root=tmp_path), bare, tmp_path / "out")
    assert (run.status, run.detail) == (RunStatus.NOT_STARTED, "pytest did not start (exit status 1)")


def test_an_interpreter_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    gone = Environment(tmp_path / "bin/python", EnvironmentKind.CACHED, "k", "3.11", "uv")
    with pytest.raises(RunError, match="cannot start"):
        run_tests(Project(name="shop", root=tmp_path), gone, tmp_path / "out")
