"""What was cured goes to the tasks of the plan, and orders its phases."""

from triage.model.fix import Fix, FixReport, FixStatus, Sabotage, Verdict
from triage.model.plan import Plan, PlanPhase, Site, Task
from triage.model.terms import Applicability, Outcome, Risk, Severity
from triage.stages.fix import fix_document, with_fixes


def task(name: str, *tests: str, effort: int = 10, needs: tuple[str, ...] = ()) -> Task:
    return Task(
        id=name,
        title=name,
        severity=Severity.HIGH,
        files=(Site("m.py", 1),),
        why="",
        steps=(),
        alternatives=(),
        effort_min=effort,
        risk=Risk.LOW,
        mitigation="",
        rollback="",
        depends_on=needs,
        diagnoses=(),
        tests=tests,
        verify=(),
        done="",
    )


def fix(name: str, tasks: tuple[str, ...], *fixed: str, **more: object) -> Fix:
    fields: dict[str, object] = {
        "remedy": "mend",
        "label": "it",
        "applicability": Applicability.SAFE,
        "status": FixStatus.PROVEN,
        "round": 1,
        "playbook": "known",
        "diagnoses": (),
        "sites": (Site("m.py", 1),),
        "diff": f"diff of {name}\n",
        "verdict": Verdict(fixed=fixed),
        "cause_proof": "flipped",
    }
    return Fix(id=name, tasks=tasks, **{**fields, **more})  # type: ignore[arg-type] # fields of the caller's choice


def report(*fixes: Fix, after: dict[str, Outcome]) -> FixReport:
    return FixReport("p", {}, after, fixes, (), (), {}, "", 1.0, 1.0)


PLAN = Plan(
    (
        PlanPhase(1, "slow", Severity.CRITICAL, "first", (task("T1", "a", effort=600),)),
        PlanPhase(2, "quick", Severity.HIGH, "second", (task("T2", "b", "c", needs=("T1",)),)),
        PlanPhase(4, "end", Severity.LOW, "all", (task("T3", needs=("T1", "T2")),)),
    )
)
GREEN = dict.fromkeys("abc", Outcome.PASSED)


def test_the_phase_of_most_tests_for_its_effort_comes_first_and_the_last_stays_last() -> None:
    cured = report(fix("F1", ("T1",), "a"), fix("F2", ("T2",), "b", "c"), after=GREEN)
    phases = with_fixes(PLAN, cured).phases
    assert [(one.number, one.title) for one in phases] == [(1, "quick"), (2, "slow"), (3, "end")]
    assert phases[0].tasks[0].depends_on == ()
    assert phases[2].tasks[0].depends_on == ("T1", "T2")
    assert phases[0].gate == "the tests of this phase's tasks pass"


def test_without_a_fix_the_plan_stays_as_it_is() -> None:
    assert with_fixes(PLAN, report(after=GREEN)) == PLAN


def test_a_task_carries_all_its_fixes_with_the_weakest_word_on_them() -> None:
    careful = fix(
        "F2", ("T1",), "b", applicability=Applicability.UNSAFE, judge="is it?", cause_proof="observed"
    )
    document = fix_document(
        [fix("F1", ("T1",), "a"), careful], ("a", "b", "x"), {**GREEN, "x": Outcome.FAILED}
    )
    assert document["applicability"] == "unsafe"
    assert document["diff"] == "diff of F1\ndiff of F2\n"
    assert document["judge"] == ["is it?"]
    assert document["verdict"]["fixed"] == ["a", "b"]
    assert document["verdict"]["still_failing"] == ["x"]
    assert document["proof"]["cause"] == "observed"
    assert document["proof"]["guard"] == "0 of 0 tests failed again with the product broken"


def test_a_task_without_tests_of_its_own_has_those_of_its_fix() -> None:
    plan = Plan((PlanPhase(1, "hidden", Severity.HIGH, "", (task("T1"),)), *PLAN.phases[2:]))
    found = with_fixes(plan, report(fix("F1", ("T1",), "a", "b"), after=GREEN)).phases[0].tasks[0].fix
    assert found is not None
    assert (found["status"], found["verdict"]["fixed"]) == ("proven", ["a", "b"])


def test_only_a_test_that_asserted_and_noticed_is_a_guard() -> None:
    seen = (Sabotage("a", caught=True, asserted=1),)
    assert fix_document([fix("F1", ("T1",), "a", sabotage=seen)], "a", GREEN)["proof"]["guard"].startswith(
        "1 of 1 "
    )
    mute = (Sabotage("a", caught=True, asserted=0),)
    assert fix_document([fix("F1", ("T1",), "a", sabotage=mute)], "a", GREEN)["proof"]["guard"].startswith(
        "0 of 1 "
    )
