"""Stage: what was cured to the plan: each task with its fix, the phases in the order of measured gain."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from triage.model.fix import Fix, FixReport, FixStatus
from triage.model.plan import Plan, PlanPhase, Task
from triage.model.terms import Applicability, Outcome

_WEAKEST = tuple(Applicability)
_PASSING = (Outcome.PASSED, Outcome.XFAILED, Outcome.XPASSED)


def with_fixes(plan: Plan, cured: FixReport) -> Plan:
    """Tasks carry what was proven for them; the phases of most tests turned green per minute come first.

    Phases without a fix keep their order after those; the last phase, the validation, stays last.
    """
    phases = [
        replace(phase, tasks=tuple(_task(task, cured) for task in phase.tasks)) for phase in plan.phases
    ]
    if not phases:
        return plan
    *work, last = phases
    ordered = sorted(work, key=lambda phase: -gain_per_minute(phase, cured))
    if ordered == work:
        return replace(plan, phases=tuple(phases))
    numbered = [
        replace(phase, number=place, gate=_gate(place)) for place, phase in enumerate(ordered, start=1)
    ]
    numbered.append(replace(last, number=len(phases)))
    return replace(plan, phases=tuple(_needing_only_earlier(numbered)))


def gain_per_minute(phase: PlanPhase, cured: FixReport) -> float:
    """Tests that the fixes of its tasks turned green, for each minute of its effort."""
    ids = {task.id for task in phase.tasks}
    tests = {test for fix in cured.fixes if ids & set(fix.tasks) for test in fix.verdict.fixed}
    return len(tests) / max(phase.effort_min, 1)


def fix_document(fixes: Sequence[Fix], tests: Iterable[str], after: Mapping[str, Outcome]) -> dict[str, Any]:
    """Several cures of one task as the plan's `fix`: the weakest applicability, all diffs."""
    mine = tuple(dict.fromkeys(tests))
    fixed = [test for test in mine if after.get(test) in _PASSING]
    sabotage = [one for fix in fixes for one in fix.sabotage]
    noticed = {one.test for one in sabotage if one.failed}
    tried = {one.test for one in sabotage}
    return {
        "status": str(FixStatus.PROVEN if fixed else FixStatus.UNPROVEN),
        "applicability": str(max((fix.applicability for fix in fixes), key=_WEAKEST.index)),
        "remedy": ", ".join(dict.fromkeys(fix.remedy for fix in fixes)),
        "files": list(dict.fromkeys(file for fix in fixes for file in fix.files)),
        "judge": list(dict.fromkeys(fix.judge for fix in fixes if fix.judge)),
        "migration": list(dict.fromkeys(step for fix in fixes for step in fix.migration)),
        "diff": "".join(strict(fix.diff) for fix in fixes),
        "verdict": {
            "fixed": fixed,
            "still_failing": [test for test in mine if test not in fixed],
            "new_failures": [],
            "unmasked": [
                {"test": test, "playbook": name}
                for test, name in dict.fromkeys(pair for fix in fixes for pair in fix.verdict.unmasked)
            ],
        },
        "proof": {
            "cause": _weakest_cause(fixes),
            "fix": f"{len(fixed)} of {len(mine)} tests turned green, none turned red",
            "guard": f"{len(noticed)} of {len(tried)} tests failed again with the product broken",
        },
    }


def strict(diff: str) -> str:
    """Without what JSON cannot hold: bytes that are not UTF-8 are escaped."""
    return diff.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _task(task: Task, cured: FixReport) -> Task:
    mine = [fix for fix in cured.fixes if task.id in fix.tasks]
    if not mine:
        return task
    tests = task.tests or tuple(test for fix in mine for test in fix.verdict.fixed)  # no test shows it alone
    document = fix_document(mine, tests, cured.after)
    diff = cured.task_diffs.get(task.id, document["diff"])
    return replace(task, fix={**document, "diff": strict(diff)})


def _gate(place: int) -> str:
    upto = "this phase's tasks" if place == 1 else f"phases 1 to {place}"
    return f"the tests of {upto} pass"


def _weakest_cause(fixes: Iterable[Fix]) -> str:
    order = ("flipped", "changed", "observed", "static", "none")
    return max((fix.cause_proof for fix in fixes), key=order.index)


def _needing_only_earlier(phases: Sequence[PlanPhase]) -> Iterable[PlanPhase]:
    """A task needs no task that comes after it now: what was proven together holds in any order."""
    before: set[str] = set()
    for phase in phases:
        before |= {task.id for task in phase.tasks}
        yield replace(
            phase,
            tasks=tuple(
                replace(task, depends_on=tuple(one for one in task.depends_on if one in before))
                for task in phase.tasks
            ),
        )
