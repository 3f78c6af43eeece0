"""`triage run` of 2,000 trivial tests against bare `pytest --junitxml`, same suite, same environment.

Usage: python bench/run_cost.py [rounds]; writes bench/results/run-cost.md.
"""

import sys
import tempfile
from pathlib import Path

from side_by_side import HEAD, in_turn, machine, row

ROOT = Path(__file__).resolve().parent.parent
FILES, TESTS = 20, 100
LIMIT = 1.15


def write_suite(folder: Path) -> None:
    """2,000 tests in 20 files, all pass."""
    tests = folder / "tests"
    tests.mkdir(parents=True)
    for number in range(FILES):
        body = "\n".join(
            f"def test_{place}():\n    assert {place} + 1 == {place + 1}\n" for place in range(TESTS)
        )
        (tests / f"test_part_{number}.py").write_text(body, "utf-8")
    (folder / "triage.yaml").write_text(
        f"name: trivial\nenvironment: {{use: {sys.prefix}}}\ntest: {{arguments: [tests]}}\n", "utf-8"
    )


def main(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "trivial"
        write_suite(folder)
        bare = [sys.executable, "-m", "pytest", f"--junitxml={name}/bare.xml", "tests"]
        ours = [str(ROOT / "bin" / "triage"), "--workspace", name, "run", str(folder)]
        pairs = in_turn(ours, bare, folder, rounds)
    ratios = f"wall {pairs.ratio('wall_s'):.2f}, CPU {pairs.ratio('cpu_s'):.2f}"
    lines = [
        "# What `triage run` costs over bare pytest",
        "",
        f"{FILES * TESTS:,} trivial tests that pass; `triage run` (environment ready, all included: start,",
        "run, parse, classify, record, files) and `pytest --junitxml` in turn.",
        "Made by `python bench/run_cost.py`.",
        f"{machine()}; {rounds} pairs.",
        "",
        HEAD,
        row("triage run", pairs.first),
        row("pytest --junitxml", pairs.second),
        "",
        f"Ratio, median over pairs: {ratios}; limit {LIMIT}.",
    ]
    (ROOT / "bench" / "results" / "run-cost.md").write_text("\n".join(lines) + "\n", "utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
