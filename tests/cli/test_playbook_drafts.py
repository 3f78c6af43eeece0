"""`playbooks draft`, `playbooks docs` and what a file changes over the history, by the command line."""

from pathlib import Path

import pytest

from tests.cli.conftest import Triage

TEXTS = {
    "test_one": "E   shop.Locked: drawer 7 is locked since 2026-01-02",
    "test_two": "E   shop.Locked: drawer 18 is locked since 2026-03-04",
    "test_sum": "E   assert 1 == 2",
}


@pytest.fixture
def workspace(tmp_path: Path, triage: Triage) -> Path:
    cases = "".join(
        f'<testcase classname="tests.test_a" name="{name}"><failure message="">{text}</failure></testcase>'
        for name, text in TEXTS.items()
    )
    (tmp_path / "report.xml").write_text(f"<testsuite>{cases}</testsuite>", "utf-8")
    assert triage("classify", "report.xml", cwd=tmp_path).status == 1
    return tmp_path


def cluster(workspace: Path, triage: Triage) -> str:
    (report,) = triage("classify", "--json", "report.xml", cwd=workspace).json["reports"]
    return str(report["clusters"][0]["fingerprint"])


def test_a_cluster_becomes_a_playbook_that_classify_uses(workspace: Path, triage: Triage) -> None:
    made = triage("playbooks", "draft", cluster(workspace, triage), cwd=workspace)
    assert made.status == 0, made.err
    assert "locked-drawer-since gains" in made.out
    assert "put `playbooks: [playbooks]`" in made.err
    (workspace / "triage.yaml").write_text("playbooks: [playbooks]\n", "utf-8")
    (report,) = triage("classify", "--json", "report.xml", cwd=workspace).json["reports"]
    assert [one["playbook"] for one in report["failures"]] == ["locked-drawer-since"] * 2 + [
        "plain-assertion"
    ]
    assert triage("playbooks", "check", "playbooks", cwd=workspace).status == 0


def test_a_draft_as_json_is_one_document_and_a_second_one_is_refused(workspace: Path, triage: Triage) -> None:
    name = cluster(workspace, triage)
    document = triage(
        "playbooks", "draft", name, "--id", "mine", "--into", "own", "--json", cwd=workspace
    ).json
    assert (document["id"], document["file"], document["left_out"]) == ("mine", "own/mine.yaml", 0)
    assert document["history"]["changes"][0]["after"] == "mine"
    again = triage("playbooks", "draft", name, "--into", "own", cwd=workspace)
    assert (again.status, again.out) == (2, "")
    assert "already known by mine" in again.err


def test_it_says_for_whom_the_folder_is_in_force(workspace: Path, triage: Triage) -> None:
    name = cluster(workspace, triage)
    (workspace / "shop").mkdir()
    (workspace / "shop" / "triage.yaml").write_text("name: shop\nplaybooks: [known]\n", "utf-8")
    of_project = triage("playbooks", "draft", name, "--into", "shop/known", cwd=workspace)
    assert "shop/known is in force for the project in" in of_project.err
    assert "put `playbooks:" not in of_project.err
    (workspace / "triage.yaml").write_text("playbooks: [own]\n", "utf-8")
    (workspace / "own").mkdir()
    deep = triage("playbooks", "draft", name, "--into", "deep/pages", cwd=workspace)
    assert "put `playbooks: [own, deep/pages]` into" in deep.err
    text = (workspace / "deep" / "pages" / "locked-drawer-since.yaml").read_text("utf-8")
    assert "# Check it: triage playbooks check deep/pages/locked-drawer-since.yaml\n" in text


def test_a_check_shows_what_a_file_changes_over_the_history(workspace: Path, triage: Triage) -> None:
    triage("playbooks", "draft", cluster(workspace, triage), "--id", "mine", cwd=workspace)
    checked = triage("playbooks", "check", "playbooks/mine.yaml", "--history", "--json", cwd=workspace).json
    (change,) = checked["history"]["changes"]
    assert (change["before"], change["after"], checked["history"]["days"]) == (None, "mine", 90)
    everything = triage("playbooks", "check", "--history", cwd=workspace)
    assert "not-null" in everything.out.partition("no failure of the last 90 days")[2]


def test_pages_are_written_and_drift_is_an_error(workspace: Path, triage: Triage) -> None:
    assert triage("playbooks", "docs", "pages", "--check", cwd=workspace).status == 1
    assert triage("playbooks", "docs", "pages", cwd=workspace).status == 0
    assert triage("playbooks", "docs", "pages", "--check", cwd=workspace).status == 0
    (workspace / "pages" / "not-null.md").write_text("old", "utf-8")
    stale = triage("playbooks", "docs", "pages", "--check", cwd=workspace)
    assert (stale.status, stale.out) == (1, "pages/not-null.md: differs\n")
    assert triage("playbooks", "docs", "report.xml", cwd=workspace).status == 2
