"""CPU time of `bin/triage --help` and wall time of the second `bin/triage --version`.

Usage: python bench/start_cost.py [rounds]; writes bench/results/start-cost.md.
"""

import sys
from pathlib import Path

from side_by_side import HEAD, in_turn, machine, row

ROOT = Path(__file__).resolve().parent.parent


def main(rounds: int) -> None:
    program = str(ROOT / "bin" / "triage")
    pairs = in_turn([program, "--help"], [program, "--version"], ROOT, rounds)
    lines = [
        "# What a start costs",
        "",
        "Made by `python bench/start_cost.py`; the environment is set up. Limits: 0.35 s of CPU for",
        f"`--help`, 1 s of wall time for `--version`. {machine()}; {rounds} runs of each in turn.",
        "",
        HEAD,
        row("bin/triage --help", pairs.first),
        row("bin/triage --version", pairs.second),
    ]
    (ROOT / "bench" / "results" / "start-cost.md").write_text("\n".join(lines) + "\n", "utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
