"""Measures `triage classify` on the labelled corpus.

    python bench/accuracy/measure.py [--misses] [--history WHO] [--no-write]

Writes bench/results/accuracy.md; what `allure.py` added there stays if it is about as many cases. Exit
status 1 when precision is below 99 %, recall below 97 %, or a tricky negative stands in a specific playbook.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from metrics import CORPUS, HERE, UNKNOWN, Case, Key, Score, is_specific, read_cases, score

ROOT = HERE.parents[1]
RESULTS = ROOT / "bench" / "results" / "accuracy.md"
PRECISION, RECALL = 0.99, 0.97
ALLURE = "\n## Beside Allure\n"


def _classified(command: list[str], files: list[Path]) -> Any:
    with tempfile.TemporaryDirectory() as workspace:
        result = subprocess.run(
            [*command, "--workspace", workspace, "classify", "--json", *map(str, files)],
            stdout=subprocess.PIPE,
            check=False,
            env=os.environ | {"NO_COLOR": "1"},
            cwd=ROOT,
        )
    if result.returncode not in {0, 1}:
        sys.exit(f"triage classify ended with {result.returncode}")
    return json.loads(result.stdout)


def verdicts(command: list[str]) -> dict[Key, str]:
    """What the public command says of every failing case of the corpus."""
    found: dict[Key, str] = {}
    for report in _classified(command, sorted(CORPUS.glob("*.xml")))["reports"]:
        file = Path(report["file"]).name
        for failure in report["failures"]:
            key = (file, failure["classname"] or "", failure["name"] or "")
            found.setdefault(key, failure["playbook"] or UNKNOWN)
    return found


def by_id(scores: dict[str, Score]) -> list[str]:
    """A table with a row for each id and, for each tool, its counts, precision and recall."""
    names = sorted({name for one in scores.values() for name in (*one.right, *one.missed, *one.wrong)})
    head = "".join(f" {tool}: TP/FP/FN | precision | recall |" for tool in scores)
    lines = [f"| id |{head}", "| --- |" + " --- | --- | --- |" * len(scores)]
    for name in (*filter(is_specific, names), *(one for one in names if not is_specific(one))):
        cells = "".join(
            f" {one.right[name]}/{one.wrong[name]}/{one.missed[name]} | {one.precision(name)}"
            f" | {one.recall(name)} |"
            for one in scores.values()
        )
        lines.append(f"| {name} |{cells}")
    return lines


def in_short(title: str, one: Score) -> str:
    precision, recall = one.overall()
    return (
        f"| {title} | {one.cases} | {precision} | {recall} | {len(one.tricky_specific)} of {one.tricky}"
        f" | {100 * one.unknown / max(1, one.cases):.1f} % |"
    )


SHORT_HEAD = (
    "| cases | number | precision, specific ids | recall, specific ids | tricky negatives in a specific"
    " playbook | without a verdict |\n| --- | --- | --- | --- | --- | --- |"
)


def page(cases: list[Case], found: dict[Key, str]) -> str:
    whole = score(cases, found)
    parts = {
        "all": cases,
        "seen while playbooks were written": [case for case in cases if not case.held_out],
        "held out (a third of the first author's, by name)": [case for case in cases if case.held_out],
        "first author": [case for case in cases if case.author == "first"],
        "second author": [case for case in cases if case.author == "second"],
        "recorded from runs": [case for case in cases if case.source == "recorded"],
        "written from documentation": [case for case in cases if case.source == "documented"],
    }
    lines = [
        "# Accuracy of `triage classify` on the labelled corpus",
        "",
        "Made by `bench/accuracy/measure.py`; the corpus and its rules: `bench/accuracy/README.md`.",
        "Intervals are Wilson's, 95 %.",
        "",
        SHORT_HEAD,
        *(in_short(title, score(part, found)) for title, part in parts.items()),
        "",
        "A specific id is any but the fallback `plain-assertion`. TP, FP, FN: given and right, given and",
        "wrong, not given where it was right.",
        "",
        *by_id({"triage": whole}),
        "",
    ]
    return "\n".join(lines)


def beside_allure(number: int) -> str:
    """The part that `allure.py` wrote, if it is about as many cases; else it is dropped, with a word."""
    page = RESULTS.read_text("utf-8") if RESULTS.exists() else ""
    _, mark, part = page.partition(ALLURE)
    if not mark:
        return ""
    if f"| Allure 2 | {number} |" in part:
        return mark + part
    print("The part about Allure is of another corpus and was dropped; run allure.py.", file=sys.stderr)
    return ""


def holds(one: Score) -> bool:
    precision, recall = one.overall()
    return precision.value >= PRECISION and recall.value >= RECALL and not one.tricky_specific


def remember(who: str, cases: list[Case], one: Score) -> None:
    path = HERE / "history.md"
    precision, recall = one.overall()
    held = score([case for case in cases if case.held_out], {})
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
    line = (
        f"| {now} | {one.cases} ({held.cases}) | {precision} | {recall}"
        f" | {len(one.tricky_specific)} of {one.tricky} | {who} |\n"
    )
    with path.open("a", encoding="utf-8") as file:
        file.write(line)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--misses", action="store_true", help="list the wrong verdicts that are not held out")
    parser.add_argument("--history", metavar="WHO", help="add a line to history.md")
    parser.add_argument("--no-write", action="store_true", help="leave the results page alone")
    parser.add_argument("--triage", default=f"{sys.executable} -m triage", help="the command to measure")
    given = parser.parse_args()
    cases = read_cases()
    found = verdicts(given.triage.split())
    if apart := {case.key for case in cases} ^ set(found):
        sys.exit(
            f"{len(apart)} cases have a label and no report, or a report and no label: {sorted(apart)[:3]}"
        )
    whole = score(cases, found)
    text = page(cases, found)
    print(text)
    for case, said in whole.misses if given.misses else ():
        if not case.held_out:
            print(f"{'|'.join(sorted(case.ids))} -> {said}: {' '.join(case.key)}")
    if not given.no_write:
        RESULTS.write_text(text + beside_allure(whole.cases), "utf-8")
    if given.history:
        remember(given.history, cases, whole)
    return 0 if holds(whole) else 1


if __name__ == "__main__":
    sys.exit(main())
