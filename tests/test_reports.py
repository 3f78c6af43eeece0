"""JUnit XML made elsewhere: sorted, stored, and said as one document."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from triage.errors import ReportError
from triage.reports import BATCH, classify_report, document_pieces
from triage.schema import first_problem
from triage.settings import Settings
from triage.tools import Tools


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tools]:
    """One for all: the playbooks are then read once."""
    with Tools(Settings(tmp_path_factory.mktemp("workspace")), {}) as made:
        yield made


def one(name: str, inner: str = "", classname: str = "tests.test_a") -> str:
    return f"<testcase classname='{classname}' name='{name}' time='0.1'>{inner}</testcase>"


def failed(name: str, message: str = "ValueError: no", classname: str = "tests.test_a") -> str:
    return one(
        name, f"<failure message='{message}'>tests/test_a.py:3: in f\nE   {message}</failure>", classname
    )


def write(path: Path, *cases: str, end: str = "</testsuite></testsuites>") -> Path:
    path.write_text(f"<testsuites><testsuite name='pytest'>{''.join(cases)}{end}", "utf-8")
    return path


def document(tools: Tools, *paths: Path) -> Any:
    return json.loads("".join(document_pieces([classify_report(path, tools) for path in paths], tools)))


def test_every_failure_is_in_the_document_once_with_its_playbook_or_cluster(
    tmp_path: Path, tools: Tools
) -> None:
    cases = [one("good"), failed("a"), failed("b"), failed("c", "KeyError: &apos;x&apos;")]
    said = document(tools, write(tmp_path / "a.xml", *cases))
    assert first_problem(said, "classify") is None
    report = said["reports"][0]
    assert (report["counts"]["total"], report["counts"]["failed"], report["error"]) == (4, 3, None)
    assert [(each["classname"], each["name"]) for each in report["failures"]] == [
        ("tests.test_a", "a"),
        ("tests.test_a", "b"),
        ("tests.test_a", "c"),
    ]
    assert all((each["playbook"] is None) != (each["cluster"] is None) for each in report["failures"])
    listed = [test for group in (*report["patterns"], *report["clusters"]) for test in group["tests"]]
    assert len(listed) == 3
    assert sum(group["count"] for group in (*report["patterns"], *report["clusters"])) == 3


def test_more_failures_than_one_batch_are_all_kept(tmp_path: Path, tools: Tools) -> None:
    cases = [failed(f"t{number}") for number in range(BATCH + 1)]
    assert len(document(tools, write(tmp_path / "a.xml", *cases))["reports"][0]["failures"]) == BATCH + 1


def test_words_that_vary_do_not_split_a_cluster(tmp_path: Path, tools: Tools) -> None:
    cases = [failed(f"t{n}", f"LookupError: no seat for gu{chr(97 + n)}st is free") for n in range(12)]
    report = document(tools, write(tmp_path / "a.xml", *cases))["reports"][0]
    (cluster,) = report["clusters"]
    assert (cluster["count"], len(cluster["tests"])) == (12, 12)
    assert "no seat for <*> is free" in cluster["signature"]
    assert {each["cluster"] for each in report["failures"]} == {cluster["fingerprint"]}
    (again,) = document(tools, write(tmp_path / "b.xml", cases[3]))["reports"][0]["clusters"]
    assert again["fingerprint"] == cluster["fingerprint"]


def test_a_report_that_was_cut_off_gives_what_came_before(tmp_path: Path, tools: Tools) -> None:
    path = write(tmp_path / "a.xml", failed("a"), one("b"), end="<testcase name='c'><fail")
    result = classify_report(path, tools)
    assert result.error
    assert "a.xml" in str(result.error)
    said = json.loads("".join(document_pieces([result], tools)))
    assert [each["name"] for each in said["reports"][0]["failures"]] == ["a"]
    assert said["reports"][0]["error"]
    assert first_problem(said, "classify") is None


@pytest.mark.parametrize(
    "text", ["", "no xml", "<html/>", "<!DOCTYPE a [<!ENTITY b 'c'>]><testsuites>&b;</testsuites>"]
)
def test_what_is_no_report_is_an_error_and_is_not_stored(tmp_path: Path, tools: Tools, text: str) -> None:
    path = tmp_path / "a.xml"
    path.write_text(text)
    stored = tools.store.reports()
    with pytest.raises(ReportError):
        classify_report(path, tools)
    assert tools.store.reports() == stored


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path, tools: Tools) -> None:
    with pytest.raises(ReportError, match=r"nowhere\.xml|cannot be read|no such"):
        classify_report(tmp_path / "nowhere.xml", tools)


def test_several_reports_and_none_are_one_document_each(tmp_path: Path, tools: Tools) -> None:
    said = document(tools, write(tmp_path / "a.xml", failed("a")), write(tmp_path / "b.xml", one("b")))
    assert [len(each["failures"]) for each in said["reports"]] == [1, 0]
    assert json.loads("".join(document_pieces([], tools)))["reports"] == []


def test_hostile_texts_come_back_as_they_were_but_visible(tmp_path: Path, tools: Tools) -> None:
    path = write(tmp_path / "a.xml", failed("é[&quot;\\]", "ValueError: &#x202E; &quot;\\ 😀"))
    failure = document(tools, path)["reports"][0]["failures"][0]
    assert failure["name"] == 'é["\\]'
    assert "#x202E" in failure["message"]
    assert "😀" in failure["message"]


def test_followers_name_their_root(tmp_path: Path, tools: Tools) -> None:
    said = "(sqlite3.IntegrityError) NOT NULL constraint failed: a.b"
    first = f"sqlalchemy.exc.IntegrityError: {said}"
    second = (
        "sqlalchemy.exc.PendingRollbackError: This Session&apos;s transaction has been rolled back due to a "
        f"previous exception during flush. Original exception was: {said}"
    )
    report = document(tools, write(tmp_path / "a.xml", failed("a", first), failed("b", second)))["reports"][0]
    by_name = {each["name"]: each for each in report["failures"]}
    assert by_name["b"]["playbook"] == "pending-rollback"
    assert by_name["b"]["root"] == "tests.test_a::a"
