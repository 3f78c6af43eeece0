"""`triage classify` against Allure 2 and Allure 3 with equivalent categories, on one file, in turn.

Usage: python bench/allure_speed.py [rounds]; needs npm, and java for Allure 2; what is missing is said.
Writes bench/results/allure-speed.md. ALLURE_HOME names a folder in which the two are kept installed.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from classify_cost import classify, generate
from side_by_side import HEAD, Cost, cost, machine, row

ROOT = Path(__file__).resolve().parent.parent
CASES = 100_000
# Playbook: what Allure must find in the message for the same verdict.
CATEGORIES = {
    "detached-instance": r"DetachedInstanceError",
    "not-null": r"NOT NULL constraint failed|violates not-null constraint|cannot be null",
    "unique-violation": r"UNIQUE constraint failed|violates unique constraint|Duplicate entry",
    "foreign-key-violation": r"FOREIGN KEY constraint failed|violates foreign key constraint",
    "check-violation": r"CHECK constraint failed|violates check constraint",
    "pending-rollback": r"PendingRollbackError|transaction has been rolled back due to a previous exception",
    "flask-app-context": r"Working outside of application context",
    "flask-request-context": r"Working outside of request context",
    "session-mixing": r"is already attached to session",
    "missing-foreign-key": r"NoForeignKeysError|Could not determine join condition",
    "uuid-type-mismatch": r"badly formed hexadecimal UUID|'str' object has no attribute 'hex'",
    "missing-table": r"no such table|relation \S+ does not exist",
    "missing-column": r"no such column|column \S+ does not exist",
    "database-locked": r"database is locked",
    "database-unreachable": r"could not connect to server|Connection refused",
    "missing-dependency": r"ModuleNotFoundError: No module named",
    "fixture-not-found": r"fixture '[^']+' not found",
    "timeout": r"TimeoutError|Timeout >",
    "missing-config": r"KeyError: '[A-Z_]+'",
    "status-code-assertion": r"assert \d{3} == \d{3}[\s\S]*status_code",
}


@dataclass(frozen=True)
class Contender:
    """A package of npm that makes a report of a folder of results; `limit` is how much slower it must be."""

    name: str
    package: str
    limit: float
    needs: tuple[str, ...]
    options: tuple[str, ...] = ()
    costs: list[Cost] = field(default_factory=list)

    def missing(self) -> list[str]:
        return [one for one in self.needs if shutil.which(one) is None]

    def folder(self, home: Path) -> Path:
        return home / self.package.replace("@", "-")

    def install(self, home: Path) -> None:
        folder = self.folder(home)
        if not (folder / "node_modules").is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            npm = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder)]
            subprocess.run([*npm, self.package], cwd=folder, check=True)

    def measure(self, home: Path, work: Path) -> None:
        out = work / f"report-{self.package}"
        program = self.folder(home) / "node_modules" / ".bin" / "allure"
        self.costs.append(cost([str(program), "generate", *self.options, "-o", str(out), "results"], work))
        if not any(out.rglob("*.html")):
            raise SystemExit(f"{self.name} made no report")
        shutil.rmtree(out)


CONTENDERS = (
    Contender("Allure 2", "allure-commandline@2.46.1", 20.0, ("npm", "java")),
    Contender("Allure 3", "allure@3.18.0", 40.0, ("npm",), ("--config", "allurerc.json")),
)


def prepare(work: Path) -> Path:
    """The report file, alone in a folder with the categories in the form of each Allure."""
    results = work / "results"
    results.mkdir()
    report = results / "report.xml"
    generate(report, CASES)
    rules = [
        {"name": name, "messageRegex": rf"[\s\S]*(?:{words})[\s\S]*", "matchedStatuses": ["failed", "broken"]}
        for name, words in CATEGORIES.items()
    ]
    (results / "categories.json").write_text(json.dumps(rules), "utf-8")
    (work / "allurerc.json").write_text(json.dumps({"categories": {"rules": rules}}), "utf-8")
    return report


def verdict(one: Contender, ours: list[Cost]) -> str:
    def ratio(figure: str) -> float:
        pairs = zip(one.costs, ours, strict=True)
        return float(statistics.median(getattr(a, figure) / getattr(b, figure) for a, b in pairs))

    return (
        f"{one.name}: {ratio('wall_s'):.1f} times the wall time and {ratio('cpu_s'):.1f} times the CPU time "
        f"of triage, median over rounds; aim: at least {one.limit:g} times the wall time."
    )


def measure(there: list[Contender], work: Path, rounds: int) -> list[Cost]:
    """Fills `costs` of each and gives those of triage."""
    home = Path(os.environ.get("ALLURE_HOME", work / "allure"))
    for one in there:
        one.install(home)
    command = classify(prepare(work), work)
    cost(command, work)
    ours: list[Cost] = []
    for _ in range(rounds):
        ours.append(cost(command, work))
        for one in there:
            one.measure(home, work)
    return ours


def main(rounds: int) -> None:
    there = [one for one in CONTENDERS if not one.missing()]
    absent = [(one.name, " and no ".join(one.missing())) for one in CONTENDERS if one.missing()]
    with tempfile.TemporaryDirectory() as name:
        ours = measure(there, Path(name), rounds)
    lines = [
        "# `triage classify` and Allure, side by side",
        "",
        f"A generated report of {CASES:,} cases, 10 % failing: triage reads, matches by all playbooks,",
        f"clusters, stores and writes JSON; Allure reports with {len(CATEGORIES)} equivalent categories.",
        f"Made by `python bench/allure_speed.py`. {machine()}; {rounds} rounds in turn.",
        "",
        HEAD,
        row("triage classify --json", ours),
        *(row(f"{one.name} ({one.package})", one.costs) for one in there),
        "",
        *(verdict(one, ours) for one in there),
        *(f"{name}: not measured, no {what} here." for name, what in absent),
    ]
    (ROOT / "bench" / "results" / "allure-speed.md").write_text("\n".join(lines) + "\n", "utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
