"""Recorded runs of tiny projects, explained without running anything."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.builders import write_files
from triage.errors import UsageError
from triage.explaining.run import explain_test
from triage.pipeline import run_project
from triage.render.explanation import lines
from triage.settings import Settings
from triage.stages.discover import load_project
from triage.tools import Tools

pytestmark = pytest.mark.children

HEAD = f"environment: {{use: {sys.prefix}}}\ntest: {{env: {{PYTEST_DISABLE_PLUGIN_AUTOLOAD: '1'}}}}\n"
TESTS = """\
import sqlite3

import pytest


class PendingRollbackError(Exception):
    __module__ = "sqlalchemy.exc"  # the real one costs seconds to import


@pytest.fixture
def database():
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE items (name TEXT NOT NULL)")
    yield database
    database.close()


def test_good(database):
    database.execute("INSERT INTO items VALUES ('a')")


def test_without_name(database):
    database.execute("INSERT INTO items VALUES (NULL)")


def test_after_it():
    raise PendingRollbackError(
        "This Session's transaction has been rolled back due to a previous exception during flush. "
        "Original exception was: NOT NULL constraint failed: items.name"
    )


@pytest.mark.parametrize("word", ["one", "two"])
def test_word(word):
    raise LookupError("strange word")


@pytest.mark.skip
def test_left_out():
    pass
"""
FAILING = """    database.execute("INSERT INTO items VALUES (NULL)")"""
OTHER = """\
def test_left():
    raise OverflowError("too much")


def test_word_alone():
    pass
"""


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tools]:
    folder = tmp_path_factory.mktemp("workspace")
    with Tools(Settings(folder, probe=False), os.environ) as made:
        for name, files in (
            ("shop", {"test_shop.py": TESTS}),
            ("blog", {"test_shop.py": OTHER, "test_blog.py": OTHER}),
        ):
            root = write_files(folder / name, {"triage.yaml": f"name: {name}\n{HEAD}", **files})
            run_project(load_project(root), made, lambda _: None)
        yield made


def refused(given: str, tools: Tools, **more: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        explain_test(given, tools, **more)
    return caught.value


def test_a_failure_names_its_playbook_clause_groups_and_cause(tools: Tools) -> None:
    found = explain_test("test_shop.py::test_without_name", tools, project="shop")
    failure = found["failure"]
    assert (found["project"]["name"], found["outcome"], failure["phase"]) == ("shop", "failed", "call")
    assert failure["playbook"] == failure["match"]["playbook"] == "not-null"
    assert failure["match"]["captures"] == {"table": "items", "column": "name"}
    assert failure["match"]["clause"].startswith("symptom 1: the exception raised is ")
    cause = found["diagnosis"]["cause"]
    assert (cause["file"], cause["line"]) == ("test_shop.py", TESTS.splitlines().index(FAILING) + 1)
    assert found["diagnosis"]["tried"] == []
    assert (found["asked"], found["notes"]) == (None, [])
    assert json.loads(json.dumps(found)) == found
    assert found["schema_version"]


def test_the_recorded_losers_have_their_reasons(tools: Tools) -> None:
    found = explain_test("test_without_name", tools)
    recorded = tools.store.latest("shop")
    assert recorded
    summary = json.loads(tools.store.summary("shop", recorded.id) or "")
    (entry,) = [one for one in summary["failures"] if one["nodeid"].endswith("test_without_name")]
    assert [one["playbook"] for one in found["failure"]["lost"]] == entry["also"]
    assert all(one["reason"] for one in found["failure"]["lost"])


def test_a_follower_names_its_root_and_its_diagnosis(tools: Tools) -> None:
    found = explain_test("test_after_it", tools)
    assert found["failure"]["playbook"] == "pending-rollback"
    assert found["failure"]["root"] == "test_shop.py::test_without_name"
    assert found["failure"]["root_reason"]
    assert "test_shop.py::test_after_it" in found["diagnosis"]["dependents"]


@pytest.mark.parametrize(
    ("playbook", "verdict", "held"),
    [("pending-rollback", "does not match", False), ("not-null", "won", True)],
)
def test_a_playbook_asked_for_is_told_clause_by_clause(
    tools: Tools, playbook: str, verdict: str, *, held: bool
) -> None:
    asked = explain_test("test_without_name", tools, playbook=playbook)["asked"]
    assert (asked["playbook"], asked["verdict"]) == (playbook, verdict)
    assert any(one["held"] for one in asked["symptoms"]) is held
    verdicts = {each["verdict"] for one in asked["symptoms"] for each in one["conditions"]}
    assert "missed" in verdicts
    assert all(each["wanted"] and each["seen"] for one in asked["symptoms"] for each in one["conditions"])


@pytest.mark.parametrize(
    ("given", "outcome"), [("test_shop.py::test_good", "passed"), ("left_out", "skipped")]
)
def test_a_test_that_did_not_fail_says_what_it_did(tools: Tools, given: str, outcome: str) -> None:
    found = explain_test(given, tools)
    assert (found["outcome"], found["failure"], found["diagnosis"]) == (outcome, None, None)


def test_what_fails_is_meant_before_what_passes(tools: Tools) -> None:
    assert explain_test("two]", tools)["nodeid"] == "test_shop.py::test_word[two]"
    assert explain_test("test_blog.py::test_left", tools)["failure"]["playbook"] is None


def test_a_part_that_fits_several_tests_is_refused_with_them(tools: Tools) -> None:
    error = refused("test_word[", tools)
    assert "2 tests of shop match" in error.what
    assert error.allowed == "test_shop.py::test_word[one], test_shop.py::test_word[two]"


def test_a_test_of_several_projects_asks_which(tools: Tools) -> None:
    error = refused("test_shop.py", tools)
    assert (error.what, error.allowed) == ("several projects have such a test", "blog, shop")
    assert error.hint == "add --project blog"
    assert "tests of blog match" not in refused("test_shop.py", tools, project="shop").what


def test_an_unknown_test_is_refused_with_the_nearest(tools: Tools) -> None:
    error = refused("test_shop.py::test_wthout_nam", tools)
    assert "test_shop.py::test_without_name" in str(error.allowed)
    assert error.hint == "triage playbooks explain test_shop.py::test_without_name"
    assert refused("", tools).what == "no test of the newest run has this node id"


def test_an_unknown_playbook_is_refused_with_the_nearest(tools: Tools) -> None:
    assert refused("test_without_name", tools, playbook="not-nul").hint == "--playbook not-null"


def test_without_a_run_there_is_nothing_to_explain(tmp_path: Path) -> None:
    with Tools(Settings(tmp_path), os.environ) as empty:
        assert refused("test_a", empty).hint == "triage run PROJECT"


def test_what_is_recorded_otherwise_now_is_noted(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    text = type(tools.store).summary

    def changed(store: Any, project: str, run_id: str) -> str:
        summary = json.loads(text(store, project, run_id) or "")
        for one in summary["failures"]:
            one["playbook"] = "timeout" if "without_name" in one["nodeid"] else one["playbook"]
        return json.dumps(summary)

    monkeypatch.setattr(type(tools.store), "summary", changed)
    found = explain_test("test_without_name", tools)
    assert (found["failure"]["playbook"], found["failure"]["match"]["playbook"]) == ("timeout", "not-null")
    assert found["notes"][0].startswith("recorded as timeout, by its facts it is not-null")


def test_what_was_unknown_then_and_is_known_now_says_both(
    tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = type(tools.store).summary

    def changed(store: Any, project: str, run_id: str) -> str:
        summary = json.loads(text(store, project, run_id) or "")
        for one in summary["failures"]:
            if "without_name" in one["nodeid"]:
                one |= {"playbook": None, "cluster": "v2:0123456789abcdef"}
        summary["clusters"] = [{"fingerprint": "v2:0123456789abcdef", "signature": "E: no"}]
        return json.dumps(summary)

    monkeypatch.setattr(type(tools.store), "summary", changed)
    said = lines(explain_test("test_without_name", tools))
    assert "playbook: none knew it when the run was recorded; cluster v2:0123456789abcdef: E: no" in said
    assert any(line.startswith("  by the playbooks in force it is not-null") for line in said)


def test_files_of_a_run_that_are_gone_are_named(tools: Tools, tmp_path: Path) -> None:
    workspace = tmp_path / "copy"
    shutil.copytree(tools.settings.workspace, workspace, symlinks=True)
    for folder in (workspace / ".triage" / "runs").glob("*/2*"):
        shutil.rmtree(folder)
    with Tools(Settings(workspace), os.environ) as copied:
        error = refused("test_without_name", copied)
        assert error.what == "the files of the newest run are gone"
        assert error.hint == f"triage run {tools.settings.workspace / 'shop'}"


def test_nothing_is_run_or_changed(tools: Tools) -> None:
    def state() -> dict[Path, float]:
        return {path: path.stat().st_mtime for path in tools.settings.workspace.rglob("*") if path.is_file()}

    before = {path: at for path, at in state().items() if "triage.db" not in path.name}
    explain_test("test_without_name", tools, playbook="not-null")
    assert {path: at for path, at in state().items() if "triage.db" not in path.name} == before
