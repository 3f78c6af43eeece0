"""Real children: those that behave, hang, print without end, and leave others behind."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from triage.errors import RunError
from triage.process import child, orphans
from triage.process.child import Finished, Limits, capture, run

pytestmark = pytest.mark.children

SHORT = Limits(time_s=0.6, grace_s=0.3)
ESCAPE = """
import os, subprocess, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        {before}
        open("pid", "w").write(str(os.getpid()))
        time.sleep(60)
    os._exit(0)
while not os.path.exists("pid") or not open("pid").read():
    time.sleep(0.01)
"""


@pytest.fixture
def go(tmp_path: Path) -> Callable[..., Finished]:
    def start(code: str, limits: Limits = SHORT, **more: object) -> Finished:
        (tmp_path / "code.py").write_text(code)
        argv = [sys.executable, "-S", tmp_path / "code.py"]
        return run(argv, cwd=tmp_path, env={}, output=tmp_path / "output.log", limits=limits, **more)  # type: ignore[arg-type] # on_tick

    return start


def said(tmp_path: Path) -> str:
    return (tmp_path / "output.log").read_text()


def is_alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def pid_in(tmp_path: Path) -> int:
    return int((tmp_path / "pid").read_text())


def test_output_of_both_streams_goes_to_the_file_and_the_status_comes_back(
    go: Callable[..., Finished], tmp_path: Path
) -> None:
    done = go("import sys; print('out', flush=True); print('err', file=sys.stderr); sys.exit(7)")
    assert (done.exit_status, done.killed, done.timed_out, done.leftovers) == (7, False, False, ())
    assert said(tmp_path) == "out\nerr\n"


def test_standard_input_is_empty(go: Callable[..., Finished], tmp_path: Path) -> None:
    go("print(repr(input.__self__ and __import__('sys').stdin.read()))")
    assert said(tmp_path) == "''\n"


def test_the_child_leads_a_session_of_its_own_and_sees_only_the_given_environment(
    go: Callable[..., Finished], tmp_path: Path
) -> None:
    go("import os; print(os.getsid(0) == os.getpid(), sorted(set(os.environ) - {'LC_CTYPE'}))")
    assert said(tmp_path) == f"True ['{orphans.COOKIE}']\n"


def test_a_signal_is_a_negative_status_and_leaves_no_core_dump(go: Callable[..., Finished]) -> None:
    wait = "import os, resource, time\nwhile resource.getrlimit(resource.RLIMIT_CORE)[0]: time.sleep(0.01)\n"
    assert go(wait + "os.kill(os.getpid(), 11)", Limits(time_s=20)).exit_status == -signal.SIGSEGV


def test_a_hanging_child_is_interrupted_first(go: Callable[..., Finished], tmp_path: Path) -> None:
    done = go(
        "import time\ntry:\n time.sleep(60)\nexcept KeyboardInterrupt:\n print('report written')\n",
    )
    assert done.timed_out
    assert not done.killed
    assert said(tmp_path) == "report written\n"


def test_a_child_that_ignores_every_request_is_killed_with_all_that_it_started(
    go: Callable[..., Finished], tmp_path: Path
) -> None:
    ignore = "import signal\nfor n in (2, 15): signal.signal(n, signal.SIG_IGN)\n"
    done = go(ignore + ESCAPE.format(before="pass") + "time.sleep(60)")
    assert (done.timed_out, done.killed, done.exit_status) == (True, True, -signal.SIGKILL)
    assert not is_alive(pid_in(tmp_path))


def test_a_child_that_waits_for_its_own_hanging_child_still_ends_well(
    go: Callable[..., Finished], tmp_path: Path
) -> None:
    code = """
import signal, subprocess, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
subprocess.run(["sleep", "60"])
print("report written")
"""
    done = go(code)
    assert (done.timed_out, done.killed, done.exit_status) == (True, False, 0)
    assert said(tmp_path) == "report written\n"


@pytest.mark.parametrize("catches", [True, False])
def test_the_stack_signal_is_sent_only_to_a_child_that_catches_it(
    go: Callable[..., Finished], tmp_path: Path, catches: bool
) -> None:
    number = signal.SIGRTMIN + 7
    handler = f"signal.signal({number}, lambda *_: print('stacks', flush=True))" if catches else ""
    loop = "try:\n while 1: time.sleep(1)\nexcept KeyboardInterrupt: print('end')"
    code = f"import signal, time\n{handler}\n{loop}"
    assert go(code, Limits(time_s=0.6, grace_s=0.3, stack_signal=number)).exit_status == 0
    assert said(tmp_path) == ("stacks\nend\n" if catches else "end\n")


def test_endless_output_is_stopped_and_its_head_kept(go: Callable[..., Finished], tmp_path: Path) -> None:
    done = go(
        "print('head')\nwhile 1: print('x' * 1000)", Limits(time_s=30, output_bytes=50_000, grace_s=0.2)
    )
    assert done.output_exceeded
    assert not done.timed_out
    assert len(said(tmp_path)) == 50_000
    assert said(tmp_path).startswith("head\nxxx")


def test_memory_is_limited(go: Callable[..., Finished], tmp_path: Path) -> None:
    wait = "import resource, time\nwhile resource.getrlimit(resource.RLIMIT_AS)[0] < 0: time.sleep(0.01)\n"
    go(wait + "x = bytearray(2_000_000_000)", Limits(time_s=20, memory_bytes=500_000_000))
    assert "MemoryError" in said(tmp_path)


@pytest.mark.parametrize("before", ["pass", "os.execve('/bin/sleep', ['sleep', '60'], {}) if W() else 0"])
def test_a_process_that_left_session_and_parent_dies_with_the_run(
    go: Callable[..., Finished], tmp_path: Path, before: str
) -> None:
    write = "W = lambda: open('pid', 'w').write(str(os.getpid()))\n"
    done = go(write + ESCAPE.format(before=before), Limits(time_s=20))
    assert done.exit_status == 0
    assert not is_alive(pid_in(tmp_path))
    assert len(done.leftovers) == 1
    assert f"(pid {pid_in(tmp_path)})" in done.leftovers[0]


def test_a_whole_tree_of_leftovers_dies(go: Callable[..., Finished], tmp_path: Path) -> None:
    code = """
import os, time
for depth in range(5):
    if os.fork():
        break
    os.setsid()
    open(f"pid{depth}", "w").write(str(os.getpid()))
if depth == 0:
    while not os.path.exists("pid3"): time.sleep(0.01)
else:
    time.sleep(60)
"""
    done = go(code, Limits(time_s=20))
    assert done.exit_status == 0
    pids = [int(path.read_text()) for path in tmp_path.glob("pid*") if path.read_text()]
    assert len(pids) >= 4
    assert not [pid for pid in pids if is_alive(pid)]


def test_a_helper_that_ends_by_itself_is_not_called_a_leftover(go: Callable[..., Finished]) -> None:
    assert go("import subprocess; subprocess.Popen(['sleep', '0.05'])").leftovers == ()


def test_where_proc_is_missing_the_cookie_finds_what_escaped(
    go: Callable[..., Finished], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphans, "has_proc", lambda: False)
    monkeypatch.delattr(os, "pidfd_open")
    done = go(ESCAPE.format(before="pass"), Limits(time_s=20))
    assert not is_alive(pid_in(tmp_path))
    assert len(done.leftovers) == 1


def test_runs_side_by_side_end_only_their_own_leftovers(tmp_path: Path) -> None:
    results: dict[str, Finished] = {}

    def one(name: str, seconds: float) -> None:
        folder = tmp_path / name
        folder.mkdir()
        escape = f"{ESCAPE.format(before='pass')}\ntime.sleep({seconds})\nos.kill(int(open('pid').read()), 0)"
        argv = [sys.executable, "-S", "-c", escape]
        results[name] = run(argv, cwd=folder, env={}, output=folder / "output.log", limits=Limits(time_s=20))

    threads = [threading.Thread(target=one, args=(f"run{n}", 0.15 * n)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name: done.exit_status for name, done in results.items()} == {f"run{n}": 0 for n in range(6)}
    for name, done in results.items():
        pid = pid_in(tmp_path / name)
        assert not is_alive(pid)
        assert [text for text in done.leftovers if f"(pid {pid})" in text] == list(done.leftovers)
        assert len(done.leftovers) == 1


def test_children_that_the_caller_started_are_left_alone(go: Callable[..., Finished]) -> None:
    own = psutil.Popen(["sleep", "60"], start_new_session=True)
    plain = psutil.Popen(["sleep", "60"])
    try:
        go("pass")
        assert own.poll() is None
        assert plain.poll() is None
    finally:
        own.kill()
        plain.kill()
        own.wait()
        plain.wait()


def test_an_exception_of_the_caller_waits_until_the_child_has_ended(
    go: Callable[..., Finished], tmp_path: Path
) -> None:
    def tick() -> None:
        if (tmp_path / "ready").exists():
            raise KeyboardInterrupt

    report = "try:\n open('ready', 'w'); time.sleep(60)\nexcept KeyboardInterrupt:\n print('report written')"
    with pytest.raises(KeyboardInterrupt):
        go(ESCAPE.format(before="pass") + report, Limits(time_s=20), on_tick=tick)
    assert said(tmp_path) == "report written\n"
    assert not is_alive(pid_in(tmp_path))


def test_interrupt_all_ends_runs_of_other_threads(go: Callable[..., Finished]) -> None:
    results: list[Finished] = []
    started = threading.Event()

    def work() -> None:
        results.append(go("import time; time.sleep(60)", Limits(time_s=30), on_tick=started.set))

    thread = threading.Thread(target=work)
    thread.start()
    started.wait(10)
    child.interrupt_all()
    thread.join(10)
    assert [done.interrupted for done in results] == [True]
    assert go("pass").interrupted is False


def test_ticks_come_while_the_child_runs(go: Callable[..., Finished]) -> None:
    ticks: list[float] = []
    go("import time; time.sleep(0.7)", Limits(time_s=20), on_tick=lambda: ticks.append(time.monotonic()))
    assert 2 <= len(ticks) <= 4


@pytest.mark.parametrize("argv", [["/nowhere/python"], ["a\0b"]])
def test_a_child_that_cannot_be_started_is_one_clear_error(tmp_path: Path, argv: list[str]) -> None:
    with pytest.raises(RunError, match="cannot start"):
        run(argv, cwd=tmp_path, env={}, output=tmp_path / "output.log")


def test_capture_gives_standard_output_only() -> None:
    code = "import sys; print(' text '); print('noise', file=sys.stderr)"
    assert capture([sys.executable, "-c", code]) == "text"


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import sys; sys.exit('no such thing')", "ended with status 1"),
        ("import time; time.sleep(60)", "did not end within 0.3 s"),
        ("while 1: print('x' * 1000)", "printed too much"),
    ],
)
def test_capture_names_the_command_and_its_end(code: str, says: str) -> None:
    with pytest.raises(RunError, match=says) as caught:
        capture([sys.executable, "-S", "-c", code], time_s=5 if "print" in code else 0.3)
    assert "-S -c" in caught.value.what
    if "such" in code:
        assert caught.value.hint == "no such thing"
