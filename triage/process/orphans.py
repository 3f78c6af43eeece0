"""Finds and ends what a run leaves behind.

While a run is on, this process is a "child subreaper" (prctl(2)): an orphan of any depth, in whatever
session, becomes its direct child. Where Linux's `/proc` is missing, the cookie in the environment is
what a scan by psutil goes by.
"""

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess

    import psutil

COOKIE = "TRIAGE_CHILD"
_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
_DEATH_S = 2.0  # a killed process that is still there by then hangs in the kernel
_TASKS = Path("/proc/self/task")

_lock = threading.Lock()
_roots: dict[int, str] = {}  # process id of each run's child: its cookie
_known: set[int] = set()  # children of this process that are older than any run


def has_proc() -> bool:
    """True where the kernel lists children under /proc (Linux with CONFIG_PROC_CHILDREN)."""
    return sys.platform == "linux" and (_TASKS / f"{threading.get_native_id()}/children").exists()


def start(launch: Callable[[], "subprocess.Popen[bytes]"], cookie: str) -> "subprocess.Popen[bytes]":
    """Launches a run's child; under the lock, for a child not yet entered would pass for an orphan."""
    with _lock:
        if not _roots:
            _set_subreaper(on=True)
            _known.update(children(os.getpid()) if has_proc() else ())
        try:
            child = launch()
        except BaseException:
            _release()
            raise
        _roots[child.pid] = cookie
        return child


def finish(root: int) -> None:
    """Forgets a run; call it after `sweep`."""
    with _lock:
        _roots.pop(root, None)
        _release()


def sweep(root: int, patience_s: float) -> tuple[str, ...]:
    """Ends what the run of `root` left; returns what had to be killed, as `command (pid)`.

    Costs one read of /proc when nothing was left. `patience_s`: helpers that end by themselves once
    their parent is gone (multiprocessing's trackers) are not worth a word.
    """
    if not has_proc():
        return _sweep_by_cookie(_roots[root], patience_s)
    orphans = _orphans(root)
    if not orphans:
        return ()
    _await(orphans, patience_s)
    killed: dict[int, str] = {}
    while orphans := _orphans(root):
        for pid in orphans:
            if not _reap(pid):
                killed[pid] = describe(pid)
                _kill(pid)
        if any(pid in killed and not _await([pid], _DEATH_S) for pid in orphans):
            break
    return tuple(killed.values())


def children(pid: int) -> list[int]:
    """Ids of the direct children of a process."""
    if not has_proc():
        return _children_by_scan(pid)
    found: list[int] = []
    with suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - names only, on every run's path
            with suppress(OSError):
                found += map(int, Path(f"/proc/{pid}/task/{task}/children").read_bytes().split())
    return found


def descendants(pid: int) -> list[int]:
    """Ids of a process's children, their children and so on, parents first."""
    found = children(pid)
    for each in found:  # grows while it is walked
        found += (child for child in children(each) if child not in found)
    return found


def describe(pid: int) -> str:
    """`command line (pid)`, at most some 80 characters."""
    try:
        words = (
            Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        )
    except OSError:
        words = ""
    return f"{words[:80] or 'a process'} (pid {pid})"


def end_descendants(root: int) -> None:
    """Kills everything below `root`, which must not have been waited for yet, but not `root`."""
    for pid in descendants(root):
        _kill(pid)


def _release() -> None:
    if not _roots:
        _known.clear()
        _set_subreaper(on=False)


def _set_subreaper(*, on: bool) -> None:
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 - costs 4 ms, which only runs need

        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, int(on), 0, 0, 0)


def _orphans(root: int) -> list[int]:
    """Adopted children that belong to the run of `root`, or to no run that is still on.

    An orphan is never in this process's own session, since each run's child opened one.
    """
    own_session = os.getsid(0)
    with _lock:
        others = {pid: cookie for pid, cookie in _roots.items() if pid != root}
        candidates = [p for p in children(os.getpid()) if p not in _roots and p not in _known]
        mine = _roots[root]
    return [p for p in candidates if _session(p) != own_session and _belongs(p, root, mine, others)]


def _belongs(pid: int, root: int, cookie: str, others: dict[int, str]) -> bool:
    session = _session(pid)
    if session == root or not others:
        return True
    return session not in others and cookie in _cookie(pid)


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return -1


def _cookie(pid: int) -> str:
    """The value of the cookie in a process's environment, with the cookies of runs around it."""
    try:
        variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return ""
    prefix = f"{COOKIE}=".encode()
    return " ".join(v.removeprefix(prefix).decode() for v in variables if v.startswith(prefix))


def _kill(pid: int) -> None:
    with suppress(OSError):
        os.kill(pid, signal.SIGKILL)


def _reap(pid: int) -> bool:
    """True when the adopted child has ended; takes its exit status, or it stays a zombie."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True


def _await(pids: Iterable[int], limit_s: float) -> bool:
    """Reaps adopted children as they end; True when all did within the limit."""
    deadline = time.monotonic() + limit_s
    for pid in pids:
        while not _reap(pid):
            remaining_s = deadline - time.monotonic()
            if remaining_s <= 0:
                return False
            _pause(pid, min(remaining_s, 0.05))
    return True


def _pause(pid: int, limit_s: float) -> None:
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return
    try:
        waiter = select.poll()  # select() fails on descriptors above 1023
        waiter.register(handle, select.POLLIN)
        waiter.poll(limit_s * 1000)
    finally:
        os.close(handle)


def _children_by_scan(pid: int) -> list[int]:
    import psutil  # noqa: PLC0415 - only where /proc is missing

    with suppress(psutil.Error):
        return [child.pid for child in psutil.Process(pid).children()]
    return []


def _sweep_by_cookie(cookie: str, patience_s: float) -> tuple[str, ...]:
    import psutil  # noqa: PLC0415 - only where /proc is missing

    psutil.wait_procs(_carriers(cookie), timeout=patience_s)
    killed: dict[int, str] = {}
    while found := _carriers(cookie):
        for process in found:
            with suppress(psutil.Error):
                killed[process.pid] = f"{' '.join(process.cmdline())[:80]} (pid {process.pid})"
                process.kill()
        if psutil.wait_procs(found, timeout=_DEATH_S)[1]:
            break
    return tuple(killed.values())


def _carriers(cookie: str) -> "list[psutil.Process]":
    """Processes with this cookie in their environment."""
    import psutil  # noqa: PLC0415 - only where /proc is missing

    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if cookie in process.environ().get(COOKIE, ""):
                found.append(process)
    return found
