"""The history sorted again: what other playbooks gain, lose and move."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.builders import playbook
from triage.model.playbook import Symptom
from triage.playbook.match import Matcher
from triage.render.replayed import lines
from triage.replaying import Moves, Past, compare, past_failures, since_recorded
from triage.reports import classify_report
from triage.settings import Settings
from triage.tools import Tools

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
TEXTS = {
    "test_email": "E   sqlite3.IntegrityError: NOT NULL constraint failed: users.email",
    "test_drawer": "E   shop.Locked: drawer 7 is locked",
    "test_other": "E   shop.Locked: drawer 8 is locked",
    "test_sum": "E   assert 1 == 2",
}


@pytest.fixture
def tools(tmp_path: Path) -> Iterator[Tools]:
    cases = "".join(
        f'<testcase classname="tests.test_a" name="{name}"><failure message="">{text}</failure></testcase>'
        for name, text in TEXTS.items()
    )
    report = tmp_path / "report.xml"
    report.write_text(f"<testsuite>{cases}</testsuite>", "utf-8")
    with Tools(Settings(tmp_path), os.environ) as made:
        classify_report(report, made)
        yield made


def past(tools: Tools) -> list[Past]:
    return list(past_failures(tools, LONG_AGO))


def test_every_stored_failure_of_a_report_is_there_with_its_verdict(tools: Tools) -> None:
    found = {one.test: one.playbook for one in past(tools)}
    assert found == {
        "tests.test_a::test_email": "not-null",
        "tests.test_a::test_drawer": None,
        "tests.test_a::test_other": None,
        "tests.test_a::test_sum": "plain-assertion",
    }


def test_what_is_older_is_left_out(tools: Tools) -> None:
    assert not list(past_failures(tools, datetime.now(UTC) + timedelta(days=1)))


def test_a_new_playbook_gains_unknown_failures_and_names_some(tools: Tools) -> None:
    known = [*tools.library().playbooks.values()]
    new = playbook("locked-drawer", Symptom(exception=("shop.Locked",), message=r"drawer (?P<drawer>\d+)"))
    moves = compare(past(tools), tools.matcher(), Matcher([*known, new]))
    (change,) = moves.document()["changes"]
    assert (change["before"], change["after"], change["count"]) == (None, "locked-drawer", 2)
    assert [one.rpartition("::")[2] for one in change["tests"]] == ["test_drawer", "test_other"]
    assert moves.failures == 4


def test_a_changed_playbook_shows_what_it_loses_and_what_moves(tools: Tools) -> None:
    known = dict(tools.library().playbooks)
    del known["not-null"]
    known["all-asserts"] = playbook("all-asserts", Symptom(exception=("AssertionError",)))
    changes = compare(past(tools), tools.matcher(), Matcher(known.values())).document()["changes"]
    assert {(one["before"], one["after"]) for one in changes} == {
        ("not-null", None),
        ("plain-assertion", "all-asserts"),
    }


def test_playbooks_that_nothing_was_sorted_into_are_named(tools: Tools) -> None:
    moves, unused = since_recorded(past(tools), tools.matcher())
    assert not moves.document()["changes"]
    assert "not-null" not in unused
    assert "unique-violation" in unused
    assert "flaky" not in unused, "no text tells it"


def test_a_test_counts_once_however_often_its_report_was_read(tools: Tools) -> None:
    report = tools.settings.workspace / "report.xml"
    report.write_text(report.read_text("utf-8").replace("drawer 7", "drawer 17"), "utf-8")
    classify_report(report, tools)
    classify_report(report, tools)
    found = past(tools)
    assert len(found) == len(TEXTS)
    assert {head.message for one in found if (head := one.problem.head)} >= {"drawer 17 is locked"}


def test_a_report_is_read_again_while_it_is_there_and_says_the_same(tools: Tools) -> None:
    report = tools.settings.workspace / "report.xml"
    text = report.read_text("utf-8")
    longer = text.replace("E   shop.Locked", "app/shop.py:7: in sell\n    check()\nE   shop.Locked")
    report.write_text(longer, "utf-8")

    def files(*, whole: bool = True) -> dict[str, list[str]]:
        return {
            one.test.rpartition("::")[2]: [frame.file for frame in one.problem.chain[0].frames]
            for one in past_failures(tools, LONG_AGO, whole=whole)
        }

    assert files()["test_drawer"] == ["app/shop.py"]
    assert files(whole=False)["test_drawer"] == []
    changed = longer.replace("drawer 7", "till 7").replace('name="test_email"', 'name="test_gone"')
    report.write_text(changed, "utf-8")
    assert files()["test_drawer"] == []
    assert files()["test_other"] == ["app/shop.py"]
    report.write_text(longer[: len(longer) // 2], "utf-8")
    assert set(files()) == set(TEXTS)


def test_more_tests_than_are_named_are_counted(tools: Tools) -> None:
    moves = Moves()
    (one, *_) = past(tools)
    for _ in range(7):
        moves.add(one, None, "new")
    assert lines({**moves.document(), "unused": []})[-1] == "    and 2 more"
