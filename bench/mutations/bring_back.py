"""`triage fix --unsafe` over mutated copies of real packages: how many are green again?

Usage: python bench/mutations/bring_back.py [--cache DIR] [--jobs N] [--write] [PACKAGE[/MUTATION] ...]
Sources and environments are those of `run.py`. A mutation counts as brought back when the plain tests of
the written tree have the outcomes of the unmutated package, one by one. Exit status 1 below 80 %.
"""

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # triage itself, from this checkout
sys.path.insert(1, str(ROOT / "bench"))

from mutation_edits import apply  # noqa: E402 - needs the path
from mutation_sources import Ready, SourceError, outcomes, prepare  # noqa: E402 - needs the path
from mutation_specs import Mutation, load_all  # noqa: E402 - needs the path
from run import check_unmutated, project_file  # noqa: E402 - needs the path
from side_by_side import machine  # noqa: E402 - needs the path

from triage.guard.compare import weakenings  # noqa: E402 - needs the path
from triage.rules.source import SourceTree  # noqa: E402 - needs the path

RESULTS = ROOT / "bench" / "results" / "mutation-fixes.md"
LIMIT = 0.8
HEAD = (
    "| mutation | playbook | failing | after | back | remedies | caught | weakened | s | left |\n"
    "| --- | --- | ---: | ---: | --- | --- | --- | ---: | ---: | --- |"
)


@dataclass(frozen=True)
class Brought:
    """`is_back` when every test has its outcome of the unmutated package again."""

    name: str
    playbook: str
    failing: int
    left: int
    is_back: bool
    remedies: tuple[str, ...]
    caught: str
    weakened: int
    seconds: float
    why: str


def bring_back(ready: Ready, mutation: Mutation, scratch: Path) -> Brought:
    """Mutate a copy, fix it, write what was proven, and run its tests by plain pytest."""
    name = f"{ready.package.package}/{mutation.id}"
    tree = scratch / mutation.id
    shutil.copytree(ready.tree, tree)
    apply(tree, mutation)
    (tree / "triage.yaml").write_text(json.dumps(project_file(ready, mutation)), "utf-8")
    before = dict(_files(ready, tree))
    command = [sys.executable, "-m", "triage", "--workspace", str(scratch), "fix", "--json", "--unsafe"]
    began = time.monotonic()
    done = subprocess.run(
        [*command, "--apply", str(tree)], cwd=ROOT, check=False, capture_output=True, text=True
    )
    seconds = time.monotonic() - began
    if done.returncode not in {0, 1} or not done.stdout:
        raise SourceError(f"{name}: exit status {done.returncode}: {done.stderr[-800:]}")
    said = json.loads(done.stdout)
    (scratch / f"{mutation.id}.json").write_text(done.stdout, "utf-8")
    now = outcomes(ready, tree, mutation.tests, scratch / f"{mutation.id}.xml")
    was = json.loads(next(ready.tree.parent.glob("unmutated-*.json")).read_text("utf-8"))
    found = weakenings(before, dict(_files(ready, tree)), SourceTree(tree).is_test)
    sabotage = [one for fix in said["fixes"] for one in fix["sabotage"]]
    return Brought(
        name=name,
        playbook=mutation.playbook,
        failing=said["before"]["failing"],
        left=sum(state == "failed" for state in now.values()),
        is_back=all(was.get(test) == state for test, state in now.items())
        and _same(was, now, mutation, ready),
        remedies=tuple(dict.fromkeys(one["remedy"] for one in said["fixes"])),
        caught=f"{sum(one['caught'] for one in sabotage)} of {len(sabotage)}",
        weakened=len(found),
        seconds=seconds,
        why=said["left"][0]["reason"] if said["left"] else "",
    )


def _same(was: dict[str, str], now: dict[str, str], mutation: Mutation, ready: Ready) -> bool:
    """Whether no test is gone; where only some files were run, the others are not asked."""
    if mutation.tests == ready.package.tests:
        return len(was) == len(now)
    return bool(now)


def _files(ready: Ready, tree: Path) -> Iterable[tuple[str, bytes]]:
    return SourceTree(tree, tuple(ready.package.source), tuple(ready.package.tests)).files.items()


def row(one: Brought) -> str:
    cells = (
        one.name,
        one.playbook,
        str(one.failing),
        str(one.left),
        "yes" if one.is_back else "no",
        "<br>".join(one.remedies) or "-",
        one.caught,
        str(one.weakened),
        f"{one.seconds:.0f}",
        one.why.replace("|", "\\|")[:120],
    )
    return f"| {' | '.join(cells)} |"


def totals(found: Sequence[Brought]) -> list[str]:
    back = sum(one.is_back for one in found)
    share = f"{back / max(len(found), 1):.0%}; limit {LIMIT:.0%}"
    weak = sum(one.weakened > 0 for one in found)
    return [
        f"- brought back: {back} of {len(found)} mutations ({share})",
        f"- changes in which the guard sees a weakened test or a loosened product: {weak} (limit 0)",
    ]


def document(figures: Sequence[str], found: Sequence[Brought]) -> str:
    lines = [
        "# Fixes of mutated copies of real packages",
        "",
        "The mutations of mutations.md, each with `triage fix --unsafe --apply`. Back: plain pytest gives",
        "every test the outcome that it has in the unmutated package. Caught: tests that turned green and",
        "failed again when the behaviour was broken. Left: why the first test that still fails is left.",
        "Made by `python bench/mutations/bring_back.py --write`.",
        "",
        f"{machine()}.",
        "",
        *figures,
        "",
        *totals(found),
        "",
        HEAD,
        *map(row, found),
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cache", type=Path, default=ROOT / ".triage" / "bench")
    parser.add_argument("--jobs", type=int, default=1, help="mutations side by side")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.relative_to(ROOT)}")
    parser.add_argument("wanted", nargs="*", metavar="PACKAGE[/MUTATION]")
    asked = parser.parse_args()
    figures: list[str] = []
    work: list[tuple[Ready, Mutation, Path]] = []
    for package in load_all():
        chosen = [one for one in package.mutations if _wanted(asked.wanted, package.package, one.id)]
        if not chosen:
            continue
        scratch = asked.cache.resolve() / "fix" / package.package
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        ready = prepare(package, asked.cache.resolve())
        figures.append(check_unmutated(ready, scratch))
        work += [(ready, one, scratch) for one in chosen]
    print(HEAD, flush=True)
    with ThreadPoolExecutor(asked.jobs) as pool:
        found = [result for result in pool.map(_told, work) if result is not None]
    print("\n".join((*figures, *totals(found))))
    if asked.write and not asked.wanted:
        RESULTS.write_text(document(figures, found), "utf-8")
    return 0 if sum(one.is_back for one in found) >= LIMIT * len(work) else 1


def _told(work: tuple[Ready, Mutation, Path]) -> Brought | None:
    try:
        found = bring_back(*work)
    except SourceError as error:
        print(f"error: {error}", flush=True)
        return None
    print(row(found), flush=True)
    return found


def _wanted(wanted: Sequence[str], package: str, mutation: str) -> bool:
    names: Any = {package, f"{package}/{mutation}"}
    return not wanted or bool(names & set(wanted))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SourceError as error:
        sys.exit(f"error: {error}")
