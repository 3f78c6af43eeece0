"""What the injected plugin costs: CPU time of pytest with it against bare `pytest --junitxml`.

    python bench/probe_cost.py [--rounds 15] [--python PYTHON] [--write bench/results/probe-cost.md]

`--python` is an interpreter that has pytest. CPU time is user + system of the whole child process.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from triage.probes.injection import plugin_arguments, plugin_environment, plugin_folder

FILES = 20
TESTS = 2000
VERSIONS = "import platform, pytest; print('Python', platform.python_version(), 'pytest', pytest.__version__)"


@dataclass(frozen=True, slots=True)
class Suite:
    name: str
    failing_every: int


SUITES = (Suite("all pass", 0), Suite("1 in 10 fails", 10), Suite("all fail", 1))


def write_suite(folder: Path, suite: Suite) -> None:
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\n")
    each = TESTS // FILES
    for file in range(FILES):
        lines = []
        for number in range(each):
            fails = suite.failing_every and number % suite.failing_every == 0
            lines.append(f"def test_{number}():\n    assert {number} == {-1 if fails else number}\n")
        (folder / f"test_part_{file}.py").write_text("\n".join(lines))


def cpu_s(command: list[str], cwd: Path, environment: Mapping[str, str]) -> float:
    child = subprocess.Popen(command, cwd=cwd, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 1):
        message = f"{command} ended with {child.returncode}"
        raise SystemExit(message)
    return usage.ru_utime + usage.ru_stime


def measure(python: str, folder: Path, rounds: int) -> tuple[list[float], list[float]]:
    """CPU seconds of the bare and of the probed runs; the order changes from round to round."""
    events = folder / "events.jsonl"
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder / "pycache"), "PYTHONPATH": ""}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    probed = {**environment, **plugin_environment(events), "PYTHONPATH": str(plugin_folder())}
    command = [python, "-m", "pytest", "-q", "--tb=short", f"--junitxml={folder / 'junit.xml'}"]
    kinds: dict[str, tuple[list[str], Mapping[str, str]]] = {
        "bare": (command, environment),
        "probe": ([*command, *plugin_arguments()], probed),
    }
    spent: dict[str, list[float]] = {"bare": [], "probe": []}
    for number in range(rounds + 1):
        for kind in sorted(kinds, reverse=bool(number % 2)):
            events.unlink(missing_ok=True)
            seconds = cpu_s(*kinds[kind][:1], folder, kinds[kind][1])
            if number:  # the first round writes the bytecode
                spent[kind].append(seconds)
            if kind == "probe":
                check(events)
    return spent["bare"], spent["probe"]


def check(events: Path) -> None:
    kinds = [json.loads(line)["t"] for line in events.read_text().splitlines()]
    assert kinds.count("done") == TESTS, kinds.count("done")
    assert kinds[-1] == "end", kinds[-1]


def row(suite: Suite, bare: list[float], probed: list[float]) -> str:
    pairs = statistics.median(b / a for a, b in zip(bare, probed, strict=True))
    middle = statistics.median(bare), statistics.median(probed)
    least = min(bare), min(probed)
    return (
        f"| {suite.name} | {middle[0]:.2f} / {least[0]:.2f} | {middle[1]:.2f} / {least[1]:.2f} "
        f"| {middle[1] / middle[0]:.3f} | {least[1] / least[0]:.3f} | {pairs:.3f} |"
    )


def report(python: str, rounds: int) -> str:
    versions = subprocess.run([python, "-c", VERSIONS], capture_output=True, text=True, check=True).stdout
    lines = [
        "# What the injected plugin costs",
        "",
        f"{TESTS} trivial tests in {FILES} files; {versions.strip()}; {rounds} rounds.",
        "",
        "CPU seconds (user + system) of the whole process, `pytest -q --tb=short --junitxml` without and",
        "with `-p triage_probe`, one after the other in each round, the order swapped every round, one round",
        "to warm up.",
        "Written by `bench/probe_cost.py`.",
        "",
        "| suite | bare, median / min | with the plugin | ratio: medians | minima | median of pairs |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    with tempfile.TemporaryDirectory() as folder:
        for suite in SUITES:
            place = Path(folder) / suite.name.replace(" ", "-")
            write_suite(place, suite)
            lines.append(row(suite, *measure(python, place, rounds)))
            print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    text = report(options.python, options.rounds)
    if options.write:
        options.write.write_text(text)


if __name__ == "__main__":
    main()
