"""`triage classify` of a large JUnit XML file against a bare lxml `iterparse` over the same file.

Usage: python bench/classify_cost.py [rounds] [--million] [--more 200]; writes bench/results/classify-cost.md.
`--more` also compares with so many more playbooks, given as a team gives its own.
"""

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from more_playbooks import write
from side_by_side import HEAD, Cost, Pairs, cost, in_turn, machine, row

ROOT = Path(__file__).resolve().parent.parent
CPU_LIMIT, MEMORY_LIMIT_MIB, GROWTH_LIMIT, MORE_LIMIT = 8.0, 120, 1.2, 1.5
ITERPARSE = (
    "import sys; from lxml import etree\n"
    "for _, element in etree.iterparse(sys.argv[1], huge_tree=True): element.clear()"
)


def generate(path: Path, cases: int) -> None:
    command = [sys.executable, str(ROOT / "bench" / "generate_junit.py"), "--cases", str(cases)]
    cost([*command, "--failing", "0.1", str(path)], path.parent)


def classify(path: Path, workspace: Path) -> list[str]:
    return [str(ROOT / "bin" / "triage"), "--workspace", str(workspace), "classify", "--json", str(path)]


@dataclass(frozen=True)
class More:
    """The first call with `count` more playbooks, and later ones in turn with calls without them."""

    count: int
    first: Cost
    pairs: Pairs

    def lines(self) -> list[str]:
        ratio, peak = self.pairs.ratio("cpu_s"), max(one.peak_mib for one in self.pairs.first)
        return [
            f"CPU with {self.count} more playbooks, median of pairs: {ratio:.2f} times; limit {MORE_LIMIT}.",
            f"The first call with them, which checks each: {self.first.cpu_s:.2f} s. Memory: {peak:.0f} MiB.",
        ]


def million(folder: Path) -> Cost:
    path = folder / "million.xml"
    generate(path, 1_000_000)
    return cost(classify(path, folder), folder)


def with_more(path: Path, folder: Path, count: int, rounds: int) -> More:
    write(folder / "more", count)
    few = classify(path, folder)
    many = ["env", f"TRIAGE_PLAYBOOKS={folder / 'more'}", *few]
    first = cost(many, folder)
    return More(count, first, in_turn(many, few, folder, rounds))


def report(size_mb: float, rounds: int, pairs: Pairs, more: More | None, large: Cost | None) -> list[str]:
    peak = max(one.peak_mib for one in pairs.first)
    lines = [
        "# What `triage classify` costs",
        "",
        f"A generated report of 100,000 cases ({size_mb:.0f} MB, 10 % failing, 200 causes), with everything:",
        "start, read, match, cluster, store, JSON.",
        "Made by `python bench/classify_cost.py --million --more 200`.",
        f"{machine()}; {rounds} pairs in turn.",
        "",
        HEAD,
        row("triage classify --json", pairs.first),
        row("lxml iterparse", pairs.second),
    ]
    if more:
        lines.append(row(f"triage classify --json, {more.count} more playbooks", more.pairs.first))
        lines.append(row("triage classify --json, in turn with that", more.pairs.second))
    if large:
        lines.append(row("triage classify --json, 1,000,000 cases", [large]))
    lines += [
        "",
        f"CPU, median over pairs: {pairs.ratio('cpu_s'):.1f} times iterparse; limit {CPU_LIMIT:g}.",
        *(more.lines() if more else ()),
        f"Memory: {peak:.0f} MiB; limit {MEMORY_LIMIT_MIB}.",
    ]
    if large:
        grown = large.peak_mib / peak
        lines.append(f"Memory at ten times the cases: {grown:.2f} times; limit {GROWTH_LIMIT}.")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("rounds", type=int, nargs="?", default=5)
    parser.add_argument("--million", action="store_true", help="also a report of 1,000,000 cases")
    parser.add_argument("--more", type=int, default=0, metavar="COUNT", help="further playbooks, at most 200")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "report.xml"
        generate(path, 100_000)
        iterparse = [sys.executable, "-c", ITERPARSE, str(path)]
        pairs = in_turn(classify(path, folder), iterparse, folder, given.rounds)
        more = with_more(path, folder, given.more, given.rounds) if given.more else None
        large = million(folder) if given.million else None
        lines = report(path.stat().st_size / 1e6, given.rounds, pairs, more, large)
    (ROOT / "bench" / "results" / "classify-cost.md").write_text("\n".join(lines) + "\n", "utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
