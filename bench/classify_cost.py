"""`triage classify` of a large JUnit XML file against a bare lxml `iterparse` over the same file.

Usage: python bench/classify_cost.py [rounds] [--million]; writes bench/results/classify-cost.md.
"""

import sys
import tempfile
from pathlib import Path

from side_by_side import HEAD, Cost, cost, in_turn, machine, row

ROOT = Path(__file__).resolve().parent.parent
CPU_LIMIT, MEMORY_LIMIT_MIB, GROWTH_LIMIT = 8.0, 120, 1.2
ITERPARSE = (
    "import sys; from lxml import etree\n"
    "for _, element in etree.iterparse(sys.argv[1], huge_tree=True): element.clear()"
)


def generate(path: Path, cases: int) -> None:
    command = [sys.executable, str(ROOT / "bench" / "generate_junit.py"), "--cases", str(cases)]
    cost([*command, "--failing", "0.1", str(path)], path.parent)


def classify(path: Path) -> list[str]:
    return [str(ROOT / "bin" / "triage"), "--workspace", str(path.parent), "classify", "--json", str(path)]


def million(folder: Path) -> Cost:
    path = folder / "million.xml"
    generate(path, 1_000_000)
    return cost(classify(path), folder)


def main(rounds: int, *, with_million: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "report.xml"
        generate(path, 100_000)
        size = path.stat().st_size / 1e6
        pairs = in_turn(classify(path), [sys.executable, "-c", ITERPARSE, str(path)], folder, rounds)
        large = million(folder) if with_million else None
    peak = max(one.peak_mib for one in pairs.first)
    lines = [
        "# What `triage classify` costs",
        "",
        f"A generated report of 100,000 cases ({size:.0f} MB, 10 % failing, 200 causes), with everything:",
        "start, read, match, cluster, store, JSON. Made by `python bench/classify_cost.py --million`.",
        f"{machine()}; {rounds} pairs in turn.",
        "",
        HEAD,
        row("triage classify --json", pairs.first),
        row("lxml iterparse", pairs.second),
        *([row("triage classify --json, 1,000,000 cases", [large])] if large else []),
        "",
        f"CPU, median over pairs: {pairs.ratio('cpu_s'):.1f} times iterparse; limit {CPU_LIMIT:g}.",
        f"Memory: {peak:.0f} MiB; limit {MEMORY_LIMIT_MIB}.",
        *(
            [f"Memory at ten times the cases: {large.peak_mib / peak:.2f} times; limit {GROWTH_LIMIT}."]
            if large
            else []
        ),
    ]
    (ROOT / "bench" / "results" / "classify-cost.md").write_text("\n".join(lines) + "\n", "utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    counts = [int(one) for one in sys.argv[1:] if one.isdigit()]
    main(counts[0] if counts else 5, with_million="--million" in sys.argv)
