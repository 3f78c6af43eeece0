"""What supervising a child costs: a run of it against a bare Popen.wait, in turns.

    python bench/runner_overhead.py [ROUNDS]

Prints medians in milliseconds for a child that does nothing, with and without an orphan to find, and
for a whole `run_tests` of an empty project against the same pytest without triage.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from triage.model.environment import Environment, EnvironmentKind
from triage.model.project import Project
from triage.process.child import run
from triage.stages.run import run_tests

TRUE = ["/bin/true"]
ORPHAN = ["/bin/sh", "-c", "sleep 60 &"]


def bare(argv: list[str], folder: Path) -> None:
    with (folder / "bare.log").open("wb") as log:
        subprocess.Popen(
            argv, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        ).wait()


def supervised(argv: list[str], folder: Path) -> None:
    run(argv, cwd=folder, env=dict(os.environ), output=folder / "run.log")


def median_ms(rounds: int, *works: Callable[[], None]) -> list[float]:
    """Interleaved, so that a busy machine slows all of them alike."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for work, found in zip(works, times, strict=True):
            started = time.perf_counter()
            work()
            found.append((time.perf_counter() - started) * 1000)
    return [statistics.median(each) for each in times]


def show(name: str, plain: float, ours: float) -> None:
    print(f"{name:<32}{plain:10.1f}{ours:10.1f}{ours - plain:+10.1f}{ours / plain:9.2f}")


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"{'median ms':<32}{'bare':>10}{'triage':>10}{'more':>10}{'ratio':>9}")
        true = median_ms(rounds, lambda: bare(TRUE, folder), lambda: supervised(TRUE, folder))
        show("a child that does nothing", *true)
        orphan = median_ms(5, lambda: bare(TRUE, folder), lambda: supervised(ORPHAN, folder))
        show("one that leaves a process behind", *orphan)
        environment = Environment(Path(sys.executable), EnvironmentKind.EXISTING, "bench", "3", "-")
        project = Project("empty", folder)
        pytest = [sys.executable, "-m", "pytest", f"--junitxml={folder / 'junit.xml'}"]
        tests = median_ms(
            max(3, rounds // 10),
            lambda: bare(pytest, folder),
            lambda: void(run_tests(project, environment, folder / "out")),
        )
        show("pytest without tests", *tests)


def void(_: object) -> None:
    """Takes a result that nobody needs."""


if __name__ == "__main__":
    main()
