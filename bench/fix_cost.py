"""What `triage fix --unsafe` reaches on the reference projects, and its cost against one run of the suite.

Usage: python bench/fix_cost.py [project ...]; writes bench/results/fix.md. Each project is copied first; the
coverage of the models is measured by `triage run` of the tree with the fixes written to it.
"""

import json
import shutil
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
HEAD = (
    "project",
    "passed before",
    "after",
    "in a run of their own",
    "fixes",
    "caught",
    "left",
    "covered",
    "suite after",
    "bare suite",
    "fix",
    "ratio",
)
LIMIT = 12.0  # times one run of the suite, for the first project


def triage(workspace: Path, *words: str) -> tuple[Mapping[str, Any], float]:
    began = time.monotonic()
    command = [str(ROOT / "bin" / "triage"), "--workspace", str(workspace), *words]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    if done.returncode not in {0, 1}:
        sys.exit(f"{' '.join(words)}: exit status {done.returncode}\n{done.stderr[-2000:]}")
    document: Mapping[str, Any] = json.loads(done.stdout)
    return document, time.monotonic() - began


def measure(project: str, workspace: Path) -> str:
    tree = workspace / project
    shutil.copytree(ROOT / "projects" / project, tree, ignore=shutil.ignore_patterns("__pycache__"))
    first, _ = triage(workspace, "run", "--json", "--no-probe", str(tree))  # makes the environment
    command = first["run"]["command"]
    bare = timed([command[0], "-m", "pytest", "-q", "-p", "no:cacheprovider", *_arguments(command)], tree)
    fixed, seconds = triage(workspace, "fix", "--unsafe", "--apply", "--json", str(tree))
    after, _ = triage(workspace, "run", "--json", "--no-probe", str(tree))
    sabotage = [one for fix in fixed["fixes"] for one in fix["sabotage"]]
    caught = {one["test"] for one in sabotage if one["caught"] and one["assertions"]}
    gates = {one["name"]: one for one in after["gates"]}
    coverage = gates.get("coverage", {}).get("baseline")
    cells = (
        project,
        f"{fixed['before']['passing']} of {fixed['before']['total']}",
        f"{fixed['after']['passing']} of {fixed['after']['total']}",
        str(after["counts"]["passed"]),
        str(len(fixed["fixes"])),
        f"{len(caught)} of {len({one['test'] for one in sabotage})}",
        str(len(fixed["left"])),
        "-" if coverage is None else f"{coverage:g} %",
        f"{after['run']['duration_s']:.1f} s",
        f"{bare:.1f} s",
        f"{seconds:.1f} s",
        f"{seconds / bare:.1f}",
    )
    return f"| {' | '.join(cells)} |"


def _arguments(command: Sequence[str]) -> list[str]:
    """What the project itself asks for: the words after `pytest` up to the first of triage's own."""
    words = list(command[command.index("pytest") + 1 :])
    own = next((place for place, word in enumerate(words) if word.startswith("--junitxml")), len(words))
    return words[:own]


def timed(command: Sequence[str], folder: Path) -> float:
    """The quicker of two: the first compiles."""
    found = []
    for _ in range(2):
        began = time.monotonic()
        subprocess.run(command, cwd=folder, capture_output=True, check=False)
        found.append(time.monotonic() - began)
    return min(found)


def main(projects: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        rows = [measure(project, Path(folder)) for project in projects]
    lines = [
        "# Fixes of the reference projects",
        "",
        "`triage fix --unsafe --apply` on a copy of each, then `triage run` of the result. Caught: tests",
        "that turned green and failed again when the behaviour was broken. Times: one bare pytest run of the",
        f"suite, and the whole command; their ratio has a limit of {LIMIT:g} for the first project.",
        f"Made by `python bench/fix_cost.py`. {machine()}.",
        "",
        f"| {' | '.join(HEAD)} |",
        f"|{' --- |' * len(HEAD)}",
        *rows,
    ]
    (ROOT / "bench" / "results" / "fix.md").write_text("\n".join(lines) + "\n", "utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main(sys.argv[1:] or PROJECTS)
