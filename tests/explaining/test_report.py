"""Failures of JUnit XML files, explained clause by clause."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from triage.errors import ReportError, UsageError
from triage.explaining.report import explain_in_report
from triage.render.explanation import lines
from triage.settings import Settings
from triage.tools import Tools

NOT_NULL = (
    "E   sqlalchemy.exc.IntegrityError: (sqlite3.IntegrityError) NOT NULL constraint failed: users.email"
)
PENDING = (
    "E   sqlalchemy.exc.PendingRollbackError: This Session's transaction has been rolled back due to a "
    "previous exception during flush. Original exception was: (sqlite3.IntegrityError) NOT NULL constraint "
    "failed: users.email"
)
FAILURE = '<failure message="">{text}</failure>'
CASE = f'<testcase classname="tests.test_shop.TestShop" name="{{name}}">{FAILURE}</testcase>'


@pytest.fixture
def tools(tmp_path: Path) -> Iterator[Tools]:
    with Tools(Settings(tmp_path), os.environ) as made:
        yield made


@pytest.fixture
def report(tmp_path: Path) -> Path:
    texts = {"test_email": NOT_NULL, "test_next": PENDING, "test_odd": "E   LookupError: no such drawer"}
    cases = "".join(CASE.format(name=name, text=text) for name, text in texts.items())
    path = tmp_path / "report.xml"
    path.write_text(f"<testsuite>{cases}<testcase name='test_good'/></testsuite>", "utf-8")
    return path


def test_the_winner_and_a_loser_are_explained_clause_by_clause(tools: Tools, report: Path) -> None:
    document = explain_in_report("test_email", report, tools, "unique-violation")
    assert document["nodeid"] == "tests.test_shop.TestShop::test_email"
    assert document["failure"]["playbook"] == "not-null"
    assert document["failure"]["match"]["captures"] == {"table": "users", "column": "email"}
    assert document["asked"]["verdict"] == "does not match"
    first = document["asked"]["symptoms"][0]["conditions"]
    verdicts = {one["condition"]: one["verdict"] for one in first}
    assert (verdicts["exception"], verdicts["message"]) == ("held", "missed")
    said = lines(document)
    assert f"  failed at call in {report}" in said
    assert not any(line.startswith("cause") for line in said), (
        "nothing was run, so nothing is said of a cause"
    )


def test_a_failure_that_follows_names_its_root_in_the_file(tools: Tools, report: Path) -> None:
    document = explain_in_report("tests.test_shop.TestShop.test_next", report, tools)
    assert document["failure"]["playbook"] == "pending-rollback"
    assert document["failure"]["root"] == "tests.test_shop.TestShop::test_email"


def test_an_unknown_failure_shows_its_cluster(tools: Tools, report: Path) -> None:
    failure = explain_in_report("test_odd", report, tools)["failure"]
    assert failure["playbook"] is None
    assert failure["cluster"]


@pytest.mark.parametrize(
    ("given", "what", "next_"),
    [
        ("test_emial", "no test of", "triage playbooks explain tests.test_shop.TestShop::test_email"),
        ("zzz", "no test of", "triage classify --json"),
        ("test_", "3 tests of", "give more of the node id"),
    ],
)
def test_a_test_that_is_not_one_is_refused_with_a_way_on(
    tools: Tools, report: Path, given: str, what: str, next_: str
) -> None:
    with pytest.raises(UsageError) as caught:
        explain_in_report(given, report, tools)
    assert caught.value.what.startswith(what)
    assert (caught.value.hint or "").startswith(next_)


def test_a_broken_file_is_explained_as_far_as_it_goes(tools: Tools, report: Path) -> None:
    report.write_text(report.read_text("utf-8").replace("</testsuite>", "<oops"), "utf-8")
    assert explain_in_report("test_email", report, tools)["failure"]["playbook"] == "not-null"
    with pytest.raises(ReportError):
        explain_in_report("test_beyond", report, tools)


@pytest.mark.parametrize(
    ("given", "outcome"),
    [
        ("tests/test_shop.py::TestShop::test_email", "failed"),
        ("test_shop.py::TestShop::test_email", "failed"),
        ("test_good", "passed"),
    ],
)
def test_the_id_that_pytest_prints_means_the_test_and_one_that_passed_too(
    tools: Tools, report: Path, given: str, outcome: str
) -> None:
    document = explain_in_report(given, report, tools)
    assert (document["outcome"], document["failure"] is None) == (outcome, outcome == "passed")
    assert document["nodeid"].endswith(given.rpartition("::")[2])
    assert (f"  it passed in {report}" in lines(document)) is (outcome == "passed")
