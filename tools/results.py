"""From the JUnit XML of the checks to `raw_results.json` (each test) and `output.json` (the summary)."""

import json
import platform
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from triage import __version__
from triage.errors import ReportError
from triage.junit.reader import read_report
from triage.junit.report import RawCase

ROOT = Path(__file__).resolve().parent.parent
SUITES = {"unit": "unit.xml", "children": "children.xml", "end-to-end": "e2e.xml"}


def main(work: Path) -> int:
    """Write both files; 1 where a suite left no report."""
    suites = {suite: _cases(work / name) for suite, name in SUITES.items()}
    results = [_result(suite, case) for suite, (cases, _) in suites.items() for case in cases]
    checks = [_check(line) for line in (work / "checks.tsv").read_text("utf-8").splitlines()]
    (ROOT / "raw_results.json").write_text(json.dumps({"tests": results}, indent=1) + "\n", "utf-8")
    summary = _summary(results, checks)
    (ROOT / "output.json").write_text(json.dumps(summary, indent=2) + "\n", "utf-8")
    counts = summary["counts"]
    for check in checks:
        print(f"{'ok  ' if check['passed'] else 'FAIL'} {check['name']} ({check['duration_s']} s)")
    for one in summary["left_out"]:
        print(f"left out: {one['reason']} ({one['tests']} tests)")
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    for suite, (_, error) in suites.items():
        if error:
            print(f"FAIL the report of the {suite} tests: {error}")
    return 1 if any(error for _, error in suites.values()) else 0


def _cases(path: Path) -> tuple[list[RawCase], str]:
    """All that a report holds, and why it holds no more where it was cut short."""
    cases: list[RawCase] = []
    try:
        for case in read_report(path, everything=True):
            cases.append(case)  # noqa: PERF402 - what was read before an error is kept
    except ReportError as error:
        return cases, str(error)
    return cases, ""


def _result(suite: str, case: RawCase) -> dict[str, Any]:
    message = case.results[0].message if case.results else ""
    return {
        "suite": suite,
        "test": f"{case.classname}::{case.name}",
        "outcome": str(case.outcome),
        "duration_s": case.time_s,
        "message": message[:2000],
    }


def _check(line: str) -> dict[str, Any]:
    name, status, seconds = line.split("\t")
    return {"name": name, "passed": status == "0", "exit_status": int(status), "duration_s": int(seconds)}


def _summary(results: list[dict[str, Any]], checks: list[dict[str, Any]]) -> dict[str, Any]:
    outcomes = Counter(one["outcome"] for one in results)
    left_out = Counter(one["message"] for one in results if one["outcome"] == "skipped")
    return {
        "schema_version": "1.0",
        "tool": {"name": "triage", "version": __version__, "python": platform.python_version()},
        "passed": all(check["passed"] for check in checks),
        "counts": {
            "total": len(results),
            "passed": outcomes["passed"] + outcomes["xfailed"] + outcomes["xpassed"],
            "failed": outcomes["failed"] + outcomes["error"],
            "skipped": outcomes["skipped"],
        },
        "duration_s": sum(check["duration_s"] for check in checks),
        "checks": checks,
        "failures": [one for one in results if one["outcome"] in ("failed", "error")],
        "left_out": [{"reason": reason, "tests": count} for reason, count in left_out.items()],
    }


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
