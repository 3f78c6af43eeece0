"""A new user's way through the commands."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import PROJECTS, ROOT, Answer, Triage, call

pytestmark = pytest.mark.e2e


def test_a_run_leaves_the_projects_as_they_were(fleet: Answer) -> None:
    assert fleet.status == 1
    known = ["git", "status", "--porcelain", "--ignored", "--", "projects"]
    assert subprocess.run(known, cwd=ROOT, capture_output=True, text=True, check=True).stdout == ""


def test_report_knows_every_project(fleet: Answer, triage: Triage) -> None:
    document = triage("report", "--json").json
    assert {one["name"] for one in document["projects"]} >= set(PROJECTS)
    assert document["totals"]["failed"] + document["totals"]["errors"] == 83


def test_report_in_markdown_names_every_project(fleet: Answer, triage: Triage) -> None:
    text = triage("report", "--markdown").out
    assert all(name.replace("_", "\\_") in text for name in PROJECTS)


def test_plan_is_markdown_and_json(fleet: Answer, triage: Triage) -> None:
    text = triage("plan", str(ROOT / "projects" / "tithi_fixture")).out
    assert "## Phase 1" in text
    assert "## Phase 4" in text
    document = triage("plan", "tithi_fixture", "--json").json
    assert document["plan"]["effort_min"] > 0


def test_commands_of_the_plan_run_as_they_stand(fleet: Answer, triage: Triage) -> None:
    document = triage("plan", "blog_fixture", "--json").json
    command = document["plan"]["phases"][0]["tasks"][0]["verify"][0]
    done = subprocess.run(
        command + " -p no:cacheprovider",
        shell=True,
        cwd=ROOT / "projects" / "blog_fixture",
        env={"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "10 failed" in done.stdout, done.stdout + done.stderr


def test_history_lists_the_run(fleet: Answer, triage: Triage) -> None:
    document = triage("history", "atom_fixture", "--json").json
    assert document["runs"][0]["counts"]["failed"] == 32


def test_second_night_says_that_nothing_is_new(fleet: Answer, triage: Triage) -> None:
    first = triage("nightly", "--jobs", "2", "--json")
    assert first.status == 1, first.err
    second = triage("nightly", "--jobs", "2")
    assert second.status == 0, second.err
    assert "nothing is new since the night before" in second.out


def test_one_broken_project_does_not_stop_the_others(fleet: Answer, workspace: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(ROOT / "projects" / "blog_fixture", broken)
    (broken / "triage.yaml").write_text(
        "name: broken\nenvironment: {requirements: [requirements.txt]}\n", "utf-8"
    )
    (broken / "requirements.txt").write_text("no-such-distribution-at-all==9.9\n", "utf-8")
    answer = call("run", str(broken), str(ROOT / "projects" / "blog_fixture"), "--json", cwd=workspace)
    assert answer.status == 4
    runs = {one["project"]["name"]: one["run"]["status"] for one in json.loads(answer.out)["projects"]}
    assert runs == {"broken": "not_started", "blog_fixture": "completed"}
    assert "no-such-distribution-at-all" in answer.err
    assert "Traceback" not in answer.err


def test_classify_sorts_a_report_made_elsewhere(fleet: Answer, workspace: Path, triage: Triage) -> None:
    report = workspace / ".triage" / "runs" / "tithi_fixture" / "latest" / "junit.xml"
    document = triage("classify", str(report), "--json").json
    patterns = {one["playbook"]: one["count"] for one in document["reports"][0]["patterns"]}
    assert patterns["detached-instance"] == 24
    assert patterns["flask-app-context"] == 8
    assert sum(patterns.values()) == 41
