"""The same corpus through Allure 2 and Allure 3 with `categories.json`.

    python bench/accuracy/allure.py --npm FOLDER

FOLDER is where `npm install allure-commandline allure` was run; Allure 2 needs java. The expressions were
written for the same ids from the same table, without a look at triage's, and mended once after a look at
their misses outside the held-out third. An expression must match the whole text; the first category that
matches is the verdict. Adds a part to bench/results/accuracy.md, below triage's figures.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

from measure import ALLURE, RESULTS, SHORT_HEAD, by_id, in_short
from metrics import CORPUS, HERE, UNKNOWN, Key, read_cases, score

DEFAULTS = {"Product errors", "Test errors", "Product defects", "Test defects"}


def _collect(folder: Path) -> dict[str, Key]:
    """Writes every failing case into one report, under a name of its own: equal names count as retries."""
    keys: dict[str, Key] = {}
    suite = ET.Element("testsuite", {"name": "corpus"})
    for path in sorted(CORPUS.glob("*.xml")):
        for case in ET.parse(path).getroot().iter("testcase"):
            key = (path.name, case.get("classname", ""), case.get("name", ""))
            name = f"case-{len(keys):05d}"
            keys[name] = key
            case.set("classname", f"corpus.{name}")
            case.set("name", name)
            suite.append(case)
    folder.mkdir()
    ET.ElementTree(suite).write(folder / "report.xml", "utf-8", xml_declaration=True)
    (folder / "categories.json").write_text((HERE / "categories.json").read_text("utf-8"), "utf-8")
    return keys


def _run(command: list[str], folder: Path) -> None:
    result = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    if result.returncode:
        sys.exit(f"{' '.join(command)}: {result.stdout[-800:]} {result.stderr[-800:]}")


def _named(categories: object) -> str:
    names = [one.get("name", "") for one in categories] if isinstance(categories, list) else []
    return next((name for name in names if name not in DEFAULTS), UNKNOWN)


def allure_2(npm: Path, results: Path, keys: dict[str, Key]) -> dict[Key, str]:
    report = results.parent / "allure2"
    program = npm / "node_modules" / "allure-commandline" / "bin" / "allure"
    _run([str(program), "generate", str(results), "-o", str(report)], results.parent)
    found = {}
    for path in (report / "data" / "test-cases").glob("*.json"):
        case = json.loads(path.read_text("utf-8"))
        if case["name"] in keys:
            found[keys[case["name"]]] = _named(case["extra"].get("categories"))
    return found


def allure_3(npm: Path, results: Path, keys: dict[str, Key]) -> dict[Key, str]:
    report = results.parent / "allure3"
    rules = json.loads((HERE / "categories.json").read_text("utf-8"))
    config = {
        "output": str(report),
        "categories": {"rules": rules},
        "plugins": {"awesome": {"options": {"singleFile": False}}},
    }
    (results.parent / "allurerc.json").write_text(json.dumps(config), "utf-8")
    program = npm / "node_modules" / "allure" / "cli.js"
    _run(["node", str(program), "generate", "--config", "allurerc.json", str(results)], results.parent)
    found = {}
    for path in report.rglob("test-results/*.json"):
        case = json.loads(path.read_text("utf-8"))
        if case.get("name") in keys:
            found[keys[case["name"]]] = _named(case.get("categories"))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--npm", type=Path, required=True)
    given = parser.parse_args()
    cases, npm = read_cases(), given.npm.absolute()
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results"
        keys = _collect(results)
        tools = {
            "Allure 2": allure_2(npm, results, keys),
            "Allure 3": allure_3(npm, results, keys),
        }
    for name, found in tools.items():
        print(name, len(found), "cases read")
    scores = {name: score(cases, found) for name, found in tools.items()}
    rows = [in_short(name, one) for name, one in scores.items()]
    text = "\n".join([SHORT_HEAD.replace("| cases |", "| tool |", 1), *rows, "", *by_id(scores), ""])
    print(text)
    page = RESULTS.read_text("utf-8").partition(ALLURE)[0] if RESULTS.exists() else ""
    RESULTS.write_text(f"{page}{ALLURE}\n{text}", "utf-8")


if __name__ == "__main__":
    main()
