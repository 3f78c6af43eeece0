"""Targets of a run, and the phases of an earlier plan, against what the tests do now."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from triage.gates.check import Check

_TARGETS = {
    "pass_rate": "at least {} % of the tests pass",
    "errors": "at most {} errors",
    "duration_s": "the suite ends within {} s",
    "coverage": "at least {} % of the lines are covered",
}
PASSING = frozenset({"passed", "xfailed", "xpassed"})


def targets(summary: Mapping[str, Any]) -> Iterator[Check]:
    """One check for each gate of a run's summary; a failure's place is the first cause's."""
    for gate in summary["gates"]:
        name, baseline = gate["name"], gate["baseline"]
        claim = _TARGETS.get(name, name + " {}").format(f"{gate['target']:g}")
        now = "not measured" if baseline is None else f"{baseline:g}"
        if gate["holds"]:
            yield Check("target", claim, holds=True, detail=f"now {now}")
            continue
        failing = _failing(summary, name)
        file, line = _cause(summary, failing)
        yield Check("target", claim, False, f"now {now}", file, line, len(failing) or 1)


def _failing(summary: Mapping[str, Any], gate: str) -> list[Mapping[str, Any]]:
    failures: list[Mapping[str, Any]] = summary["failures"] if gate in ("pass_rate", "errors") else []
    return [one for one in failures if gate == "pass_rate" or one["outcome"] == "error"]


def _cause(summary: Mapping[str, Any], failing: Sequence[Mapping[str, Any]]) -> tuple[str, int]:
    asked = {one["diagnosis"] for one in failing}
    found = (one["cause"] for one in summary["diagnoses"] if one["id"] in asked)
    return next(((one["file"], one["line"]) for one in found), ("", 0))


@dataclass(frozen=True, slots=True)
class Now:
    """The new run: what a test did in it (None: it was not in it), and its known defects.

    `is_all_well`: every test passes and every target holds.
    """

    outcome: Callable[[str], str | None]
    latent: Sequence[Mapping[str, Any]]
    is_all_well: bool


def phases(before: Mapping[str, Any], now: Now, *, validation: str) -> Iterator[Check]:
    """One check for each phase of an earlier run's summary.

    The tests of its tasks pass now, and the defects that no test showed are gone. A task of the title
    `validation` asks for the whole suite and every target.
    """
    for phase in before["plan"]["phases"]:
        tests = dict.fromkeys(test for task in phase["tasks"] for test in task["tests"])
        is_last = any(task["title"] == validation for task in phase["tasks"])
        claim = f"phase {phase['number']}, {phase['title']}: {_gate(phase, len(tests), is_last=is_last)}"
        broken = [(test, said) for test in tests if (said := now.outcome(test)) not in PASSING]
        if broken:
            yield _broken(claim, broken)
        elif found := _still_there(phase, before["latent"], now.latent):
            detail = found[0]["message"]
            yield Check("phase", claim, False, detail, found[0]["file"], found[0]["line"], len(found))
        elif is_last and not now.is_all_well:
            yield Check("phase", claim, holds=False, detail="the whole suite does not hold yet", count=1)
        else:
            yield Check("phase", claim, holds=True)


def _gate(phase: Mapping[str, Any], tests: int, *, is_last: bool) -> str:
    if is_last or not tests:
        return str(phase["gate"])
    return f"its {tests} tests pass" if tests > 1 else "its test passes"


def _still_there(
    phase: Mapping[str, Any], before: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """Known defects of the phase's tasks without tests; lines move, what a rule says of them does not."""
    sites = {
        (site["path"], site["line"]) for task in phase["tasks"] if not task["tests"] for site in task["files"]
    }
    asked = {_sign(one) for one in before if (one["file"], one["line"]) in sites}
    return [one for one in now if _sign(one) in asked]


def _sign(one: Mapping[str, Any]) -> tuple[str, str, str]:
    return one["rule"], one["file"], one["message"]


def _broken(claim: str, broken: Sequence[tuple[str, str | None]]) -> Check:
    test, said = broken[0]
    detail = f"{test}: {said or 'no longer run'}"
    return Check("phase", claim, False, detail, test.partition("::")[0], 0, len(broken))
