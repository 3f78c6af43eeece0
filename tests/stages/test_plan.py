"""From diagnoses to phases, tasks and gates."""

import shlex
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tests.builders import case, cluster, diagnosis, finding, playbook, run
from triage.model.diagnosis import Diagnosis
from triage.model.failure import Cluster
from triage.model.plan import Plan, Task
from triage.model.playbook import Effort
from triage.model.project import CoverageTarget, MustHaves, Targets, Truth
from triage.model.report import LatentDefect
from triage.model.terms import Outcome, RunStatus, Severity
from triage.stages.plan import MAX_IDS, VALIDATION_TITLE, Launcher, gates_of, make_plan

Inputs = tuple[list[Diagnosis], list[Cluster]]
LAUNCHER = Launcher(("python", "-m", "pytest"), ("tests",))
BOOKS = {
    "early": playbook("early", phase=1, effort=Effort(30, 10)),
    "later": playbook("later", phase=2, effort=Effort(20, 5), severity=Severity.LOW),
    "known": playbook("known", phase=1),
}


def tasks_of(plan: Plan) -> list[Task]:
    return [task for phase in plan.phases for task in phase.tasks]


def test_nothing_to_do_gives_no_phases() -> None:
    assert make_plan((), (), (), BOOKS, LAUNCHER) == Plan()


def test_what_the_project_file_wants_stands_in_the_plan_with_or_without_work() -> None:
    wanted = MustHaves((Truth("factories only", "x"),))
    assert make_plan((), (), (), BOOKS, LAUNCHER, wanted) == Plan(must_haves=wanted)
    assert make_plan((diagnosis("D1", "early"),), (), (), BOOKS, LAUNCHER, wanted).must_haves == wanted


def test_one_task_for_a_playbook_and_file_names_each_line_once() -> None:
    causes = (
        diagnosis("D1", "early", "t::a", line=9),
        diagnosis("D2", "early", "t::b", line=3),
        diagnosis("D3", "early", "t::c", line=3),
        diagnosis("D4", "early", "t::d", file="app/b.py"),
    )
    first, second, last = tasks_of(make_plan(causes, (), (), BOOKS, LAUNCHER))
    assert [(site.path, site.line) for site in first.files] == [("app/shop.py", 3), ("app/shop.py", 9)]
    assert (first.diagnoses, first.tests) == (("D1", "D2", "D3"), ("t::a", "t::b", "t::c"))
    assert second.title == "Mend early in app/b.py"
    assert last.title == VALIDATION_TITLE


def test_the_base_effort_of_a_playbook_is_charged_once() -> None:
    causes = (diagnosis("D1", "early", "t::a"), diagnosis("D2", "early", "t::b", file="app/b.py"))
    latent = (LatentDefect("early", finding(file="app/c.py")),)
    efforts = [task.effort_min for task in tasks_of(make_plan(causes, latent, (), BOOKS, LAUNCHER))]
    assert sorted(efforts[:-1]) == [10, 10, 40]


def test_a_later_task_waits_for_those_that_share_a_file_or_a_test_file() -> None:
    causes = (
        diagnosis("D1", "early", "tests/a.py::a", file="app/a.py"),
        diagnosis("D2", "early", "tests/b.py::b", file="app/b.py"),
        diagnosis("D3", "later", "tests/b.py::c", file="app/c.py"),
    )
    by_title = {task.title: task for task in tasks_of(make_plan(causes, (), (), BOOKS, LAUNCHER))}
    waited = by_title["Mend early in app/b.py"].id
    assert by_title["Mend later in app/c.py"].depends_on == (waited,)
    assert by_title["Mend early in app/a.py"].depends_on == ()


def test_followers_of_an_unknown_failure_are_in_its_task() -> None:
    unknown = diagnosis("D1", None, "t::a", cluster="v1:0000000000000001", dependents=("t::b",))
    plan = make_plan((unknown,), (), (cluster("t::a"),), BOOKS, LAUNCHER)
    task = tasks_of(plan)[0]
    assert task.tests == ("t::a", "t::b")
    assert task.title.startswith("Understand 1 unknown failure:")


def test_a_cluster_with_several_places_names_them_all() -> None:
    places = [
        diagnosis(f"D{line}", None, f"t::{line}", cluster="v1:0000000000000001", line=line) for line in (5, 7)
    ]
    task = tasks_of(make_plan(places, (), (cluster("t::5", "t::7"),), BOOKS, LAUNCHER))[0]
    assert [site.line for site in task.files] == [5, 7]
    assert task.diagnoses == ("D5", "D7")


def test_two_findings_on_one_line_are_one_site_of_a_latent_task() -> None:
    latent = tuple(LatentDefect("early", finding(line=line, column=str(line))) for line in (8, 4, 4))
    task = tasks_of(make_plan((), latent, (), BOOKS, LAUNCHER))[0]
    assert [site.line for site in task.files] == [4, 8]
    assert task.tests == ()
    assert task.verify == ("python -m pytest tests",)


def test_schema_changes_bring_their_migration() -> None:
    template = BOOKS["early"].plan
    plan = make_plan((diagnosis("D1", "early"),), (), (), BOOKS, LAUNCHER)
    assert tasks_of(plan)[0].steps == template.steps
    changing = playbook("early", phase=1)
    object.__setattr__(changing.plan, "changes_schema", True)
    assert (
        len(tasks_of(make_plan((diagnosis("D1", "early"),), (), (), {"early": changing}, LAUNCHER))[0].steps)
        == 4
    )


@st.composite
def inputs(draw: st.DrawFn) -> Inputs:
    """Diagnoses and clusters over distinct tests, each test in one diagnosis."""
    groups = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["early", "later", "known", None]),
                st.integers(0, 3),
                st.integers(1, 3),
                st.integers(0, 3),
                st.integers(0, 3),
            ),
            max_size=12,
        )
    )
    causes: list[Diagnosis] = []
    members: dict[str, list[str]] = {}
    number = 0
    for place, (book, file, count, dependents, kind) in enumerate(groups):
        names = [f"tests/test_{(number + one) % 4}.py::t{number + one}" for one in range(count + dependents)]
        number += count + dependents
        key = None if book else f"v1:{kind:016d}"
        if key:
            members.setdefault(key, []).extend(names[:count])
        causes.append(
            diagnosis(
                f"D{place}",
                book,
                *names[:count],
                dependents=tuple(names[count:]),
                file=f"app/{file}.py",
                line=place + 1,
                cluster=key,
            )
        )
    return causes, [cluster(*tests, fingerprint=key) for key, tests in members.items()]


@given(inputs())
def test_every_failing_test_is_in_exactly_one_task_and_ids_hold_together(given_: Inputs) -> None:
    causes, clusters = given_
    tasks = tasks_of(make_plan(causes, (), clusters, BOOKS, LAUNCHER))
    wanted = [test for one in causes for test in (*one.tests, *one.dependents)]
    assert Counter(test for task in tasks for test in task.tests) == Counter(wanted)
    assert Counter(name for task in tasks for name in task.diagnoses) == Counter(one.id for one in causes)
    ids = [task.id for task in tasks]
    assert len(set(ids)) == len(ids)
    for place, task in enumerate(tasks):
        assert set(task.depends_on) <= set(ids[:place])
    if tasks:
        assert tasks[-1].title == VALIDATION_TITLE
        assert tasks[-1].depends_on == tuple(ids[:-1])


@given(
    st.lists(
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=1, max_size=4
    )
)
def test_a_command_gives_the_shell_the_words_as_they_are(tests: list[str]) -> None:
    words = ("env", "A=b c", "/my python/bin", "-m", "pytest")
    chosen = [f"tests/a.py::{test}" for test in tests]
    assert shlex.split(Launcher(words, ()).command(chosen)) == [*words, *chosen]


def test_many_tests_are_run_by_their_files() -> None:
    tests = [f"tests/test_{number % 2}.py::t{number}" for number in range(MAX_IDS + 1)]
    assert LAUNCHER.command(tests) == "python -m pytest tests/test_0.py tests/test_1.py"
    assert LAUNCHER.command(tests[:MAX_IDS]).count("::") == MAX_IDS
    assert LAUNCHER.command() == "python -m pytest tests"


def test_gates_compare_the_run_with_the_targets() -> None:
    cases = [case("a::a", outcome=Outcome.PASSED), case("a::b"), case("a::c", outcome=Outcome.ERROR)]
    targets = Targets(33.0, 0, duration_s=2.0, coverage=CoverageTarget("app", 90.0))
    gates = {gate.name: gate for gate in gates_of(run(*cases), targets, 91.0)}
    assert {name: gate.holds for name, gate in gates.items()} == {
        "pass_rate": True,
        "errors": False,
        "duration_s": False,
        "coverage": True,
    }
    assert gates["pass_rate"].baseline == 33.3


def test_nearly_all_is_not_shown_as_all() -> None:
    cases = [case(f"a::{number}", outcome=Outcome.PASSED) for number in range(2999)]
    gate = gates_of(run(*cases, case("a::x")), Targets())[0]
    assert (gate.baseline, gate.holds) == (99.9, False)


def test_a_run_that_broke_holds_no_gate() -> None:
    targets = Targets(duration_s=60.0, coverage=CoverageTarget("app", 1.0))
    broken = run(case("a::a", outcome=Outcome.PASSED), status=RunStatus.CRASHED)
    assert [gate.holds for gate in gates_of(broken, targets, 100.0)] == [False] * 4


def test_coverage_that_nobody_measured_holds_no_gate() -> None:
    targets = Targets(coverage=CoverageTarget("app", 0.0))
    gate = gates_of(run(case("a::a", outcome=Outcome.PASSED)), targets, None)[-1]
    assert (gate.baseline, gate.holds) == (None, False)
