"""What the proofs of causes cost, against one run of the failing tests.

Usage: python bench/diagnose_cost.py [rounds] [project ...]; writes bench/results/diagnose-cost.md.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from side_by_side import machine

ROOT = Path(__file__).resolve().parent.parent
PROJECTS = ("tithi_fixture", "atom_fixture", "blog_fixture")
TIMES, PER_PLAYBOOK_S = 3.0, 2.0  # of one run of the failing tests; for each playbook that they met


def timed(command: Sequence[str], folder: Path) -> float:
    began = time.monotonic()
    subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return time.monotonic() - began


def summary_of(workspace: str, project: str) -> Mapping[str, Any]:
    path = Path(workspace, ".triage", "runs", project, "latest", "summary.json")
    document: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
    return document


def trials_of(workspace: str, project: str) -> int:
    return len(list(Path(workspace, ".triage", "runs", project, "latest", "reruns").iterdir()))


def measure(project: str, workspace: str, rounds: int) -> dict[str, float]:
    folder = ROOT / "projects" / project
    triage = [str(ROOT / "bin" / "triage"), "--workspace", workspace, "run", str(folder)]
    timed(triage, ROOT)  # makes the environment
    first = summary_of(workspace, project)
    failing = [one["nodeid"] for one in first["failures"]]
    bare = [first["run"]["command"][0], "-m", "pytest", "-q", "-p", "no:cacheprovider", *failing]
    found: dict[str, list[float]] = {"once": [], "with": [], "without": []}
    for _ in range(rounds):
        found["once"].append(timed(bare, folder))
        found["without"].append(timed([*triage, "--no-probe"], ROOT))
        found["with"].append(timed(triage, ROOT))
    trials = trials_of(workspace, project)
    once, plain, proven = (statistics.median(found[key]) for key in ("once", "without", "with"))
    playbooks = len({one["playbook"] for one in first["failures"]})
    return {
        "failing": len(failing),
        "playbooks": playbooks,
        "once": once,
        "stage": proven - plain,
        "limit": TIMES * once + PER_PLAYBOOK_S * playbooks,
        "trials": trials,
    }


def main(rounds: int, projects: Sequence[str]) -> None:
    rows = []
    with tempfile.TemporaryDirectory() as workspace:
        for project in projects:
            one = measure(project, workspace, rounds)
            rows.append(
                f"| {project} | {one['failing']:.0f} | {one['playbooks']:.0f} | {one['trials']:.0f} | "
                f"{one['once']:.2f} s | {one['stage']:.2f} s | {one['limit']:.2f} s | "
                f"{one['stage'] / one['limit']:.2f} |"
            )
    lines = [
        "# What the proofs of causes cost",
        "",
        "`triage run` with and without `--no-probe`; the difference is the diagnose stage. The limit is",
        "three times one bare pytest run of the failing tests, plus 2 s for each playbook that they met.",
        f"Made by `python bench/diagnose_cost.py`. {machine()}; medians of {rounds} rounds.",
        "",
        "| project | failing tests | playbooks | trials | one run of them | stage | limit | stage / limit |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        *rows,
        "",
        "A suite without failures starts no further child; its cost is in run-cost.md.",
    ]
    (ROOT / "bench" / "results" / "diagnose-cost.md").write_text("\n".join(lines) + "\n", "utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3, sys.argv[2:] or PROJECTS)
