"""Targets, and the phases of an earlier plan, against a new run."""

from typing import Any

from triage.gates.phases import Now, phases, targets

LAST = "Validate"


def task(title: str = "Mend", *tests: str, line: int = 0) -> dict[str, Any]:
    return {"title": title, "tests": list(tests), "files": [{"path": "app.py", "line": line}] if line else []}


def before(*tasks: dict[str, Any], latent: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    numbered = [
        {"number": number, "title": "Part", "gate": "it holds", "tasks": [one]}
        for number, one in enumerate(tasks, start=1)
    ]
    return {"plan": {"phases": numbered}, "latent": list(latent)}


def now(latent: tuple[dict[str, Any], ...] = (), *, well: bool = False, **outcomes: str) -> Now:
    return Now(outcomes.get, latent, well)


def defect(line: int, message: str = "no key") -> dict[str, Any]:
    return {"rule": "r", "playbook": "p", "file": "app.py", "line": line, "message": message}


def test_a_phase_holds_where_its_tests_pass_and_names_the_first_that_does_not() -> None:
    plan = before(task("Mend", "a", "b"), task("Mend", "c", "d", "e"))
    first, second = phases(plan, now(a="passed", b="xfailed", c="passed", d="failed"), validation=LAST)
    assert (first.holds, first.claim) == (True, "phase 1, Part: its 2 tests pass")
    assert (second.holds, second.detail, second.count) == (False, "d: failed", 2)


def test_a_test_that_is_skipped_now_or_gone_does_not_pass() -> None:
    plan = before(task("Mend", "a"), task("Mend", "b"))
    found = list(phases(plan, now(a="skipped"), validation=LAST))
    assert [one.detail for one in found] == ["a: skipped", "b: no longer run"]


def test_the_last_phase_asks_for_everything() -> None:
    plan = before(task(LAST))
    assert [one.holds for one in phases(plan, now(), validation=LAST)] == [False]
    assert [one.holds for one in phases(plan, now(well=True), validation=LAST)] == [True]


def test_a_known_defect_is_gone_when_no_rule_says_it_again_wherever_it_stood() -> None:
    plan = before(task("Mend", line=4), latent=(defect(4), defect(9, "other")))
    (moved,) = phases(plan, now((defect(7),)), validation=LAST)
    assert (moved.holds, moved.file, moved.line) == (False, "app.py", 7)
    (gone,) = phases(plan, now((defect(9, "other"),)), validation=LAST)
    assert gone.holds


def test_a_target_that_does_not_hold_leads_to_the_first_cause() -> None:
    summary = {
        "gates": [
            {"name": "pass_rate", "baseline": 50.0, "target": 100.0, "holds": False},
            {"name": "errors", "baseline": 1, "target": 0, "holds": False},
            {"name": "coverage", "baseline": None, "target": 90.0, "holds": False},
            {"name": "duration_s", "baseline": 2.5, "target": 30, "holds": True},
        ],
        "failures": [{"outcome": "failed", "diagnosis": "D1"}, {"outcome": "error", "diagnosis": "D2"}],
        "diagnoses": [
            {"id": "D1", "cause": {"file": "a.py", "line": 3}},
            {"id": "D2", "cause": {"file": "b.py", "line": 5}},
        ],
    }
    found = list(targets(summary))
    assert [(one.holds, one.detail) for one in found] == [
        (False, "now 50"),
        (False, "now 1"),
        (False, "now not measured"),
        (True, "now 2.5"),
    ]
    places = [(one.file, one.line, one.count) for one in found]
    assert places == [("a.py", 3, 2), ("b.py", 5, 1), ("", 0, 1), ("", 0, 0)]
