"""The model as JSON."""

from dataclasses import replace
from datetime import UTC, datetime

from tests.builders import case, cluster, diagnosis, failure, finding, playbook, problem, raised, report, run
from triage.model.failure import Failure, Loser
from triage.model.report import LatentDefect, Pattern
from triage.model.terms import Category, Outcome, RunStatus, Severity
from triage.render.summary import MAX_MESSAGE, plan_document, summary, timestamp
from triage.schema import first_problem
from triage.stages.plan import Launcher, make_plan

LAUNCHER = Launcher(("python", "-m", "pytest"), ())
BOOKS = {"known": playbook("known")}


def test_everything_of_a_report_has_its_place() -> None:
    failures = (
        failure("a::a", "known", also=(Loser("other", "why"),)),
        failure("a::b", "known", root="a::a"),
        failure("a::c", None),
    )
    causes = (
        diagnosis("D1", "known", "a::a", dependents=("a::b",)),
        diagnosis("D2", None, "a::c", cluster="v1:0000000000000001"),
    )
    plan = make_plan(causes, (), (cluster("a::c"),), BOOKS, LAUNCHER)
    pattern = Pattern("known", "It", Category.TEST, Severity.HIGH, ("a::a", "a::b"))
    document = summary(
        report(
            *failures,
            diagnoses=causes,
            clusters=(cluster("a::c"),),
            latent=(LatentDefect("known", finding()),),
            patterns=(pattern,),
            plan=plan,
        )
    )
    assert first_problem(document, "summary") is None
    assert first_problem(plan_document(document), "plan") is None
    assert [(one["nodeid"], one["diagnosis"], one["root"]) for one in document["failures"]] == [
        ("a::a", "D1", None),
        ("a::b", "D1", "a::a"),
        ("a::c", "D2", None),
    ]
    assert document["failures"][0]["also"] == ["other"]
    assert [one["cluster"] for one in document["failures"]] == [None, None, "v1:0000000000000001"]
    assert document["patterns"][0]["count"] == 2
    assert document["plan"]["effort_min"] == sum(one["effort_min"] for one in document["plan"]["phases"])


def test_a_run_that_did_not_start_fits_the_schema() -> None:
    empty = replace(run(status=RunStatus.NOT_STARTED, duration_s=0), exit_status=None, command=(), python="-")
    document = summary(report(of=empty, detail="why", notes=("a note",)))
    assert first_problem(document, "summary") is None
    assert (document["run"]["detail"], document["run"]["notes"]) == ("why", ["a note"])


def test_a_failure_without_an_exception_shows_its_text() -> None:
    one = problem(text="all that was printed")
    document = summary(report(Failure(case("a::a", one), one, fingerprint="v1:1")))
    assert document["failures"][0]["message"] == "all that was printed"
    assert document["failures"][0]["exception"] is None


def test_long_messages_are_cut() -> None:
    document = summary(report(failure("a::a", None, raised("E", "x" * 10_000))))
    assert len(document["failures"][0]["message"]) == MAX_MESSAGE


def test_an_unknown_place_is_null_and_no_empty_text() -> None:
    one = case(None, problem(raised("", "x")), outcome=Outcome.ERROR)
    document = summary(report(Failure(one, one.problems[0], fingerprint="v1:1")))
    assert (document["failures"][0]["nodeid"], document["failures"][0]["exception"]) == (None, None)


def test_times_are_rfc_3339_in_utc() -> None:
    assert timestamp(datetime(2026, 1, 2, 3, 4, 5, 678_900, tzinfo=UTC)) == "2026-01-02T03:04:05.678Z"
