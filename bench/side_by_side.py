"""Runs commands in turn, A B A B ..., and reports their own CPU time, wall time and peak memory."""

import os
import resource
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """One run: CPU and wall seconds of the whole process tree, peak memory of one process in MiB."""

    cpu_s: float
    wall_s: float
    peak_mib: float


def cost(command: Sequence[str], cwd: Path, env: Mapping[str, str] | None = None) -> Cost:
    """Run a command once with its output thrown away.

    A helper process is in between, so that `ru_maxrss` of its children is that of this run alone.
    """
    reader, writer = os.pipe()
    helper = os.fork()
    if helper == 0:
        _measure(command, cwd, dict(env or os.environ), writer)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        cpu, wall, peak = map(float, pipe.read().split())
    os.waitpid(helper, 0)
    return Cost(cpu, wall, peak / 1024)


def _measure(command: Sequence[str], cwd: Path, env: dict[str, str], writer: int) -> None:
    os.chdir(cwd)
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        os.execvpe(command[0], list(command), env)
    os.waitpid(child, 0)
    wall = time.monotonic() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    os.write(writer, f"{used.ru_utime + used.ru_stime} {wall} {used.ru_maxrss}".encode())
    os._exit(0)


@dataclass(frozen=True)
class Pairs:
    """Runs of A and B taken in turn."""

    first: tuple[Cost, ...]
    second: tuple[Cost, ...]

    def ratio(self, figure: str) -> float:
        """Median over the pairs of A's figure by B's."""
        pairs = zip(self.first, self.second, strict=True)
        return float(statistics.median(getattr(a, figure) / getattr(b, figure) for a, b in pairs))


def in_turn(
    first: Sequence[str], second: Sequence[str], cwd: Path, rounds: int, env: Mapping[str, str] | None = None
) -> Pairs:
    """One warm-up of each, then `rounds` pairs."""
    cost(first, cwd, env)
    cost(second, cwd, env)
    pairs = [(cost(first, cwd, env), cost(second, cwd, env)) for _ in range(rounds)]
    return Pairs(tuple(one for one, _ in pairs), tuple(two for _, two in pairs))


def row(name: str, costs: Sequence[Cost]) -> str:
    """A Markdown row: median and least CPU, median and least wall, greatest peak."""
    cpu = [one.cpu_s for one in costs]
    wall = [one.wall_s for one in costs]
    peak = max(one.peak_mib for one in costs)
    return (
        f"| {name} | {statistics.median(cpu):.2f} ({min(cpu):.2f}) "
        f"| {statistics.median(wall):.2f} ({min(wall):.2f}) | {peak:.0f} |"
    )


HEAD = "| what | CPU s, median (least) | wall s, median (least) | peak MiB |\n| --- | --- | --- | --- |"


def machine() -> str:
    """What the figures were measured on, in words that hold anywhere."""
    return f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
