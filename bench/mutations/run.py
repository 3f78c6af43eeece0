"""`triage run` over mutated copies of real packages: how often is the cause line right?

Usage: python bench/mutations/run.py [--cache DIR] [--write] [--check] [PACKAGE[/MUTATION] ...]
Sources and environments are kept in the cache (default `.triage/bench`); `--check` only runs the packages
without any mutation. Exit status 1 where less than 90 % are right or a wrong line is marked `flipped`.
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # triage itself, from this checkout
sys.path.insert(1, str(ROOT / "bench"))

from mutation_edits import apply, cause_lines  # noqa: E402 - needs the path
from mutation_report import HEAD, Verdict, holds, judge, row, totals  # noqa: E402 - needs the path
from mutation_sources import Ready, SourceError, outcomes, prepare  # noqa: E402 - needs the path
from mutation_specs import Mutation, load_all  # noqa: E402 - needs the path
from side_by_side import machine  # noqa: E402 - needs the path

RESULTS = ROOT / "bench" / "results" / "mutations.md"
TIMEOUT_S = 600


def check_unmutated(ready: Ready, scratch: Path) -> str:
    """Run the package's own tests once per cache; a line of figures.

    Raises:
        SourceError: a test fails.
    """
    package = ready.package
    asked = "\n".join((*package.requirements, *package.options(package.tests)))
    key = hashlib.sha256(asked.encode()).hexdigest()[:12]
    kept = ready.tree.parent / f"unmutated-{key}.json"
    if not kept.is_file():
        tree = scratch / "unmutated"
        shutil.copytree(ready.tree, tree)
        found = outcomes(ready, tree, package.tests, scratch / "unmutated.xml")
        kept.write_text(json.dumps(found), "utf-8")
    found = json.loads(kept.read_text("utf-8"))
    if bad := sorted(name for name, state in found.items() if state == "failed"):
        kept.unlink()
        raise SourceError(f"{package.package}: fails without a mutation: {', '.join(bad[:5])}")
    passed = sum(state == "passed" for state in found.values())
    return (
        f"- {package.package} {package.version}: {passed} tests pass, {len(found) - passed} are skipped, "
        f"{len(package.deselect)} deselected; {len(package.mutations)} mutations"
    )


def try_out(ready: Ready, mutation: Mutation, scratch: Path) -> Verdict:
    """Run triage over a copy with the mutation in it."""
    name = f"{ready.package.package}/{mutation.id}"
    tree = scratch / mutation.id
    shutil.copytree(ready.tree, tree)
    apply(tree, mutation)
    (tree / "triage.yaml").write_text(json.dumps(project_file(ready, mutation)), "utf-8")
    command = [sys.executable, "-m", "triage", "--workspace", str(scratch), "run", "--json", str(tree)]
    began = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    seconds = time.monotonic() - began
    if done.returncode not in {0, 1}:
        raise SourceError(f"{name}: exit status {done.returncode}: {done.stderr[-800:]}")
    return judge(name, mutation, cause_lines(tree, mutation.cause), json.loads(done.stdout), seconds)


def project_file(ready: Ready, mutation: Mutation) -> dict[str, Any]:
    """A project file; JSON is YAML, too."""
    package = ready.package
    return {
        "name": f"{package.package}-{mutation.id}",
        "environment": {"use": str(ready.environment)},
        "test": {
            "arguments": package.options(mutation.tests),
            "env": dict(package.env or {}),
            "timeout_s": TIMEOUT_S,
        },
        "source": list(package.source),
    }


def try_package(ready: Ready, wanted: list[str], scratch: Path, verdicts: list[Verdict]) -> None:
    for mutation in ready.package.mutations:
        name = f"{ready.package.package}/{mutation.id}"
        if not wanted or ready.package.package in wanted or name in wanted:
            verdicts.append(try_out(ready, mutation, scratch))
            print(row(verdicts[-1]), flush=True)


def document(figures: list[str], verdicts: list[Verdict]) -> str:
    lines = [
        "# Cause lines in mutated copies of real packages",
        "",
        "Each mutation breaks a published package in one way; its cause line was written down before triage",
        "was run. It is right when the cause of each failing test that shows its symptom is that line.",
        "Failing: tests that show the symptom and are no dependents, of all that fail. Rest: seconds of the",
        "whole command without its plain run of the tests.",
        "Made by `python bench/mutations/run.py --write`.",
        "",
        f"{machine()}.",
        "",
        *figures,
        "",
        *totals(verdicts),
        "",
        HEAD,
        *map(row, verdicts),
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cache", type=Path, default=ROOT / ".triage" / "bench")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.relative_to(ROOT)}")
    parser.add_argument("--check", action="store_true", help="run the packages without any mutation only")
    parser.add_argument("wanted", nargs="*", metavar="PACKAGE[/MUTATION]")
    asked = parser.parse_args()
    packages = load_all()
    names = {one.package for one in packages} | {f"{p.package}/{m.id}" for p in packages for m in p.mutations}
    if unknown := sorted(set(asked.wanted) - names):
        parser.error(f"unknown: {', '.join(unknown)}; known: {', '.join(sorted(names))}")
    if asked.write and (asked.wanted or asked.check):
        parser.error("--write needs the whole run")
    figures: list[str] = []
    verdicts: list[Verdict] = []
    print(HEAD, flush=True)
    for package in packages:
        if asked.wanted and package.package not in {name.partition("/")[0] for name in asked.wanted}:
            continue
        scratch = asked.cache.resolve() / "work" / package.package
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        ready = prepare(package, asked.cache.resolve())
        figures.append(check_unmutated(ready, scratch))
        if not asked.check:
            try_package(ready, asked.wanted, scratch, verdicts)
    print("\n".join((*figures, *(totals(verdicts) if verdicts else ()))))
    if asked.write:
        RESULTS.write_text(document(figures, verdicts), "utf-8")
    return 0 if asked.check or holds(verdicts) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SourceError as error:
        sys.exit(f"error: {error}")
