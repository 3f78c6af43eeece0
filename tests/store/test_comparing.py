"""What a run changed against the one before it."""

from tests.store.builders import cases_of, failures_of, report_of, run_of
from triage.model.history import Changes
from triage.model.terms import Outcome, RunStatus
from triage.store.store import Store


def nights(
    store: Store, *runs: str, project: str = "shop", commit: str | None = None, source: str | None = None
) -> Changes:
    """Records r0, r1, ... (a leading `!` makes a run crash) and compares the last one."""
    first = len(store.runs(project, 100))
    for number, outcomes in enumerate(runs, first):
        status = RunStatus.CRASHED if outcomes.startswith("!") else RunStatus.COMPLETED
        run = run_of(cases_of(outcomes.removeprefix("!")), status)
        report = report_of(run, f"r{number}", project=project, commit=commit)
        store.record(report, run, "{}", source=source)
    return store.changes(project)


def test_without_a_run_there_is_nothing_to_say(store: Store) -> None:
    assert store.changes("shop") == Changes("shop")
    store.begin_run("shop", "r1", run_of(()).started_at)
    assert store.changes("shop") == Changes("shop")
    assert store.changes("shop", "r1") == Changes("shop")


def test_every_failure_of_the_first_run_is_new(store: Store) -> None:
    assert nights(store, ".FE.") == Changes("shop", "r0", None, new=("t1", "t2"))


def test_a_second_identical_night_has_nothing_new(store: Store) -> None:
    changes = nights(store, ".FEsxX", ".FEsxX")
    assert changes == Changes("shop", "r1", "r0", still_failing=("t1", "t2"))
    assert changes.appeared == ()


def test_each_test_is_told_by_what_became_of_it(store: Store) -> None:
    changes = nights(store, "F......FF", ".FFFFFF..", "FF.XsxEF ")
    assert changes == Changes(
        "shop",
        "r2",
        "r1",
        fixed=("t2", "t3"),
        still_failing=("t1", "t6"),
        regressed=("t0", "t7"),
        silenced=("t4", "t5"),
        gone=("t8",),
    )
    assert changes.appeared == ("t0", "t7")


def test_an_earlier_run_can_be_compared(store: Store) -> None:
    nights(store, ".", "F", ".")
    assert store.changes("shop", "r1") == Changes("shop", "r1", "r0", new=("t0",))
    before = store.before("shop", "r1")
    assert before is not None
    assert before.id == "r0"
    assert store.before("shop", "r0") is None


def test_a_test_that_was_not_there_is_new(store: Store) -> None:
    assert nights(store, "..", "...F").new == ("t3",)


def test_a_completed_run_is_compared_with_the_newest_completed_one(store: Store) -> None:
    changes = nights(store, "F..", "!.", "F.F")
    assert (changes.against, changes.still_failing, changes.new) == ("r0", ("t0",), ("t2",))


def test_tests_that_a_crashed_run_never_reached_are_neither_gone_nor_fixed(store: Store) -> None:
    assert nights(store, "F.F.", "!F") == Changes("shop", "r1", "r0", still_failing=("t0",))


def test_a_suite_that_crashes_every_night_says_once_what_is_new(store: Store) -> None:
    assert nights(store, "...", "!F").new == ("t0",)
    assert nights(store, "!F").still_failing == ("t0",)
    assert nights(store, "!F.F").new == ("t2",)


def test_a_run_without_results_is_no_night_before(store: Store) -> None:
    assert nights(store, "!F", "!", "!F").still_failing == ("t0",)


def test_flaky_tests_pass_and_fail_in_one_source_state(store: Store) -> None:
    cases = [
        ((".F", "F."), "c1", None, ("t0", "t1")),
        ((".", "F", "F"), "c1", None, ("t0",)),
        (("X", "E"), "c1", None, ("t0",)),
        (("s", "F"), "c1", None, ()),
        (("F", "x"), "c1", None, ()),
        ((".", "F"), None, None, ()),
        ((".", "F"), None, "tree", ()),
        ((".", "F"), "c1-dirty", None, ()),
        ((".", "F"), "c1-dirty", "tree", ("t0",)),
    ]
    for number, (runs, commit, source, flaky) in enumerate(cases):
        changes = nights(store, *runs, project=f"p{number}", commit=commit, source=source)
        assert (changes.project, changes.flaky) == (f"p{number}", flaky)


def test_flakiness_of_long_ago_is_forgotten(store: Store) -> None:
    assert nights(store, "F", *"." * 19, commit="c1").flaky == ("t0",)
    assert nights(store, ".", commit="c1").flaky == ()


def test_a_change_of_the_source_is_not_flakiness(store: Store) -> None:
    nights(store, ".", commit="c1", source="a")
    assert nights(store, "F", commit="c1", source="b").flaky == ()
    assert nights(store, ".", commit="c2", source="b").flaky == ()
    assert nights(store, ".", commit="c1", source="b").flaky == ("t0",)


def test_projects_do_not_mix(store: Store) -> None:
    nights(store, "F")
    run = run_of(cases_of("."))
    store.record(report_of(run, "r1", project="blog", commit="c"), run, "{}")
    assert store.changes("blog") == Changes("blog", "r1", None)
    assert store.changes("shop").new == ("t0",)


def test_a_test_history_is_newest_first_and_says_why_it_failed(store: Store) -> None:
    nights(store, ".")
    cases = cases_of("F")
    run = run_of(cases)
    store.record(report_of(run, "r1", commit="c1", failures=failures_of(cases, "not-null")), run, "{}")
    nights(store, "E")
    points = store.test_history("shop", "t0").points
    assert [(point.run, point.outcome) for point in points] == [
        ("r2", Outcome.ERROR),
        ("r1", Outcome.FAILED),
        ("r0", Outcome.PASSED),
    ]
    assert [point.playbook for point in points] == [None, "not-null", None]
    assert [(point.fingerprint, point.signature) for point in points[1:]] == [("v1:t0", "sig t0"), (None, "")]
    assert points[1].commit == "c1"
    assert len(store.test_history("shop", "t0", 1).points) == 1


def test_a_trend_is_oldest_first_with_the_failures_of_each_playbook(store: Store) -> None:
    nights(store, "...", "FF.")
    cases = cases_of("FFF")
    run = run_of(cases)
    failures = failures_of(cases[:2], "not-null") + failures_of(cases[2:])
    store.record(report_of(run, "r2", failures=failures), run, "{}")
    store.begin_run("shop", "r3", run.started_at)
    trend = store.trend("shop")
    assert [(point.run.id, point.patterns) for point in trend] == [
        ("r0", ()),
        ("r1", ((None, 2),)),
        ("r2", (("not-null", 2), (None, 1))),
    ]
    assert [point.run.id for point in store.trend("shop", 2)] == ["r1", "r2"]
