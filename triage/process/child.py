"""Runs a child under limits, interrupts it before it is killed, and outlives all that it started."""

import os
import resource
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from triage.errors import RunError
from triage.process import orphans

_WATCH_S = 0.05  # how often time, size and interruption are looked at; the end is seen at once
_TICK_S = 0.25
_PATIENCE_S = 0.2  # for helpers that end by themselves after the child
_STACK_S = 0.1  # faulthandler writes its stacks in some milliseconds
_TERMINATE_S = 1.0  # at most; less where the grace is less

_interrupted = threading.Event()
_running = 0
_running_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Limits:
    """`grace_s` is what the child has after an interrupt; `stack_signal` is sent before it if caught.

    `memory_bytes` limits the address space of each process. Zero or None: no limit.
    """

    time_s: float | None = None
    output_bytes: int = 20_000_000
    grace_s: float = 5.0
    stack_signal: int | None = None
    memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """How a child ended; `exit_status` is negative for a signal, `duration_s` by the monotonic clock.

    `killed`: it did not end when asked. `leftovers`: processes that outlived it and were killed.
    """

    exit_status: int
    duration_s: float
    timed_out: bool = False
    output_exceeded: bool = False
    killed: bool = False
    leftovers: tuple[str, ...] = ()
    interrupted: bool = False


DEFAULT = Limits()


def run(
    argv: Sequence[str | Path],
    *,
    cwd: Path,
    env: Mapping[str, str],
    output: Path,
    limits: Limits = DEFAULT,
    on_tick: Callable[[], None] | None = None,
) -> Finished:
    """Runs a child to its end with all that it prints in `output`, whose head is kept.

    `on_tick` is called about four times a second. May be called from several threads at once.

    Raises:
        RunError: it cannot be started.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND  # appending survives a truncation
    descriptor = os.open(output, flags, 0o666)
    try:
        return _Supervisor(limits, descriptor, descriptor, on_tick).run(argv, cwd, env)
    finally:
        os.close(descriptor)


def capture(
    argv: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    time_s: float = 30.0,
    output_bytes: int = 1_000_000,
) -> str:
    """What a short helper command prints, less surrounding white space.

    Raises:
        RunError: it cannot be started, fails, or passes a limit; with its last words.
    """
    limits = Limits(time_s, output_bytes, grace_s=0.5)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        supervisor = _Supervisor(limits, out.fileno(), err.fileno(), None)
        done = supervisor.run(argv, cwd or Path.cwd(), os.environ if env is None else env)
        if done.exit_status == 0 and not (done.timed_out or done.output_exceeded):
            return _head(out.fileno(), output_bytes).strip()
        words = _head(err.fileno(), output_bytes).strip().splitlines() or [""]
    raise RunError(f"`{_shown(argv)}` {_verdict(done, time_s)}", hint=words[-1][:500] or None)


def interrupt_all() -> None:
    """Makes every run that is on end as if its time were up; callable from any thread."""
    with _running_lock:
        if _running:
            _interrupted.set()


class _Supervisor:
    """Watches over one child."""

    def __init__(self, limits: Limits, out: int, err: int, on_tick: Callable[[], None] | None) -> None:
        self._limits = limits
        self._out, self._err = out, err
        self._on_tick = on_tick or (lambda: None)
        self._next_tick = 0.0
        self._exceeded = self._timed_out = self._was_interrupted = self._killed = False

    def run(self, argv: Sequence[str | Path], cwd: Path, env: Mapping[str, str]) -> Finished:
        started = time.monotonic()
        cookie = f"{os.environ.get(orphans.COOKIE, '')} {os.urandom(8).hex()}".strip()

        def launch() -> subprocess.Popen[bytes]:
            return _launch(argv, cwd, {**env, orphans.COOKIE: cookie}, self._out, self._err)

        _enter()
        try:
            child = orphans.start(launch, cookie)
            try:
                leftovers = self._supervise(child, started)
            finally:
                orphans.finish(child.pid)
        finally:
            _leave()
        return Finished(
            exit_status=child.returncode,
            duration_s=time.monotonic() - started,
            timed_out=self._timed_out,
            output_exceeded=self._exceeded,
            killed=self._killed,
            leftovers=leftovers,
            interrupted=self._was_interrupted,
        )

    def _supervise(self, child: subprocess.Popen[bytes], started: float) -> tuple[str, ...]:
        exit_ = _Exit(child)
        try:
            _restrict(child.pid, self._limits)
            if not self._ends_by_itself(exit_, started):
                self._stop(exit_)
        except BaseException:  # Ctrl-C above all: the child writes its report, then all of it goes
            self._on_tick = lambda: None
            self._stop(exit_)
            raise
        finally:
            self._kill(exit_)
            leftovers = orphans.sweep(child.pid, _PATIENCE_S)
            exit_.close()
            if self._exceeded:
                self._trim()
        return leftovers

    def _ends_by_itself(self, exit_: "_Exit", started: float) -> bool:
        """False when a limit was passed."""
        deadline = started + self._limits.time_s if self._limits.time_s else float("inf")
        while not exit_.within(min(_WATCH_S, max(0.0, deadline - time.monotonic()))):
            self._tick()
            self._exceeded = self._is_too_much()
            self._timed_out = time.monotonic() >= deadline
            self._was_interrupted = _interrupted.is_set()
            if self._exceeded or self._timed_out or self._was_interrupted:
                return False
        self._exceeded = self._is_too_much()
        return True

    def _stop(self, exit_: "_Exit") -> None:
        """From the mildest to the hardest; pytest writes its report on an interrupt, not on SIGTERM."""
        if self._limits.stack_signal and _ask_for_stacks(exit_.child.pid, self._limits.stack_signal):
            self._lasts(exit_, _STACK_S)
        exit_.signal(signal.SIGINT)
        if not self._lasts(exit_, self._limits.grace_s):
            return
        # It may wait for its own children (xdist's workers): without them it can still end well.
        orphans.end_descendants(exit_.child.pid)
        if self._lasts(exit_, min(_TERMINATE_S, self._limits.grace_s)):
            exit_.signal(signal.SIGTERM)
            self._lasts(exit_, min(_TERMINATE_S, self._limits.grace_s))

    def _lasts(self, exit_: "_Exit", limit_s: float) -> bool:
        """True when the child is still there after the limit; its output stays bounded meanwhile."""
        deadline = time.monotonic() + limit_s
        while not exit_.within(min(_WATCH_S, max(0.0, deadline - time.monotonic()))):
            self._tick()
            if self._exceeded:
                self._trim()
            if time.monotonic() >= deadline:
                return True
        return False

    def _kill(self, exit_: "_Exit") -> None:
        if exit_.within(0):
            return
        self._killed = True
        with suppress(ProcessLookupError):
            os.killpg(exit_.child.pid, signal.SIGKILL)
        exit_.child.wait()

    def _tick(self) -> None:
        now = time.monotonic()
        if now >= self._next_tick:
            self._next_tick = now + _TICK_S
            self._on_tick()

    def _is_too_much(self) -> bool:
        size = sum(os.fstat(descriptor).st_size for descriptor in {self._out, self._err})
        return bool(self._limits.output_bytes) and size > self._limits.output_bytes

    def _trim(self) -> None:
        for descriptor in {self._out, self._err}:
            if os.fstat(descriptor).st_size > self._limits.output_bytes:
                os.ftruncate(descriptor, self._limits.output_bytes)


class _Exit:
    """Tells at once when a child has ended (pidfd where the system has it)."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        self.child = child
        self._handle: int | None = None
        self._poll: select.poll | None = None
        with suppress(AttributeError, OSError):  # not Linux, or older than 5.3
            self._handle = os.pidfd_open(child.pid)
            self._poll = select.poll()
            self._poll.register(self._handle, select.POLLIN)

    def within(self, limit_s: float) -> bool:
        if self.child.returncode is not None:
            return True
        if self._poll is not None:
            return bool(self._poll.poll(limit_s * 1000)) and self.child.wait() is not None
        with suppress(subprocess.TimeoutExpired):
            self.child.wait(limit_s)
        return self.child.returncode is not None

    def signal(self, number: int) -> None:
        self.child.send_signal(number)

    def close(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def _launch(
    argv: Sequence[str | Path], cwd: Path, env: Mapping[str, str], out: int, err: int
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - an argument list, no shell
            [os.fspath(word) for word in argv],
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise RunError(f"cannot start `{_shown(argv)}`: {error}", where=str(cwd)) from error


def _restrict(pid: int, limits: Limits) -> None:
    """No core dump in the project's folder; bounded memory. What the child starts inherits both."""
    if sys.platform != "linux":
        return
    with suppress(OSError):
        resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))
        if limits.memory_bytes:
            resource.prlimit(pid, resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))


def _ask_for_stacks(root: int, number: int) -> bool:
    """Signals the child and those of its descendants (xdist's workers) that know the signal."""
    asked = [pid for pid in (root, *orphans.descendants(root)) if _catches(pid, number)]
    for pid in asked:
        with suppress(OSError):
            os.kill(pid, number)
    return bool(asked)


def _catches(pid: int, number: int) -> bool:
    """True when the process has a handler for the signal, which would else end it (proc(5), SigCgt)."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    caught = next((line for line in status.splitlines() if line.startswith("SigCgt:")), "SigCgt: 0")
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


def _enter() -> None:
    global _running  # noqa: PLW0603 - how many runs this process has
    with _running_lock:
        _running += 1


def _leave() -> None:
    global _running  # noqa: PLW0603 - how many runs this process has
    with _running_lock:
        _running -= 1
        if not _running:
            _interrupted.clear()


def _head(descriptor: int, size: int) -> str:
    return os.pread(descriptor, size, 0).decode(errors="replace")


def _shown(argv: Sequence[str | Path]) -> str:
    return " ".join(map(str, argv))[:200]


def _verdict(done: Finished, time_s: float) -> str:
    if done.timed_out:
        return f"did not end within {time_s:g} s"
    if done.output_exceeded:
        return "printed too much"
    return f"ended with status {done.exit_status}"
