"""`triage run`, `report`, `plan`, `history` and `nightly` over one workspace, one after the other."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders import write_files
from tests.cli.conftest import Answer, Triage, project
from triage.schema import first_problem

pytestmark = pytest.mark.children

COMMAND = [sys.executable, "-P", "-m", "triage"]
JUNK_DATABASE = "SQLite format 3\0" + "junk" * 2000


@pytest.fixture(scope="module")
def ran(workspace: Path) -> Answer:
    """The whole fleet once, as a user's process."""
    done = subprocess.run(
        [*COMMAND, "run", "--all", "--json"], cwd=workspace, capture_output=True, text=True, check=False
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def test_a_fleet_gives_one_document_and_status_one(ran: Answer) -> None:
    assert ran.status == 1, ran.err
    assert [one["project"]["name"] for one in ran.json["projects"]] == ["good", "bad"]
    assert all(first_problem(one, "summary") is None for one in ran.json["projects"])
    assert "bad  running tests" in ran.err
    assert "##[" not in ran.out
    assert "##[error]" in ran.json["projects"][1]["failures"][0]["message"]


def test_a_project_without_failures_is_ok(ran: Answer, workspace: Path, triage: Triage) -> None:
    answer = triage("run", "good", "--json", cwd=workspace)
    assert answer.status == 0
    assert answer.json["project"]["name"] == "good"
    assert first_problem(answer.json, "summary") is None


def test_quiet_says_only_what_was_asked_for(ran: Answer, workspace: Path, triage: Triage) -> None:
    answer = triage("--quiet", "run", "good", cwd=workspace)
    assert answer.err == ""
    assert answer.out.splitlines()[1].startswith("good")


def test_a_gate_that_does_not_hold_is_status_one_without_a_failing_test(
    ran: Answer, tmp_path: Path, workspace: Path, triage: Triage
) -> None:
    root = project(tmp_path / "slow", more="targets: {duration_s: 0.001}\n")
    answer = triage("run", str(root), cwd=workspace)
    assert answer.status == 1
    assert "gate duration_s" in answer.out
    plan = triage("plan", "slow", cwd=workspace).out
    assert "these gates do not hold: duration_s." in plan


def test_failures_within_the_targets_still_are_failures(
    ran: Answer, tmp_path: Path, workspace: Path, triage: Triage
) -> None:
    root = project(tmp_path / "lax", "def test_a():\n    assert 0\n", more="targets: {pass_rate: 0}\n")
    assert triage("run", str(root), cwd=workspace).status == 1
    assert triage("report", "lax", cwd=workspace).status == 1


def test_a_project_that_cannot_run_is_status_four_and_the_others_run(
    ran: Answer, tmp_path: Path, workspace: Path, triage: Triage
) -> None:
    root = write_files(tmp_path / "none", {"triage.yaml": "environment: {use: nowhere}\n", "test_a.py": ""})
    answer = triage("run", str(root), "good", "nowhere", "--json", cwd=workspace)
    assert answer.status == 4
    assert [one["run"]["status"] for one in answer.json["projects"]] == ["not_started", "completed"]
    assert [one["project"] for one in answer.json["errors"]] == ["nowhere"]
    assert "there is no Python environment" in answer.err
    assert "no such project folder" in answer.err


def test_report_speaks_of_every_project(ran: Answer, workspace: Path, triage: Triage) -> None:
    answer = triage("report", "good", "bad", "--json", cwd=workspace)
    assert answer.status == 1
    assert first_problem(answer.json, "report") is None
    assert [one["name"] for one in answer.json["projects"]] == ["good", "bad"]
    assert triage("report", "good", cwd=workspace).status == 0
    assert "| bad |" in triage("report", "--markdown", cwd=workspace).out


def test_plan_is_markdown_or_one_document(ran: Answer, workspace: Path, triage: Triage) -> None:
    answer = triage("plan", "bad", "--json", cwd=workspace)
    assert answer.status == 0
    assert first_problem(answer.json, "plan") is None
    text = triage("plan", str(workspace / "bad"), cwd=workspace).out
    assert "# Plan for bad" in text
    assert "##[" not in text


def test_history_of_a_project_and_of_a_test(ran: Answer, workspace: Path, triage: Triage) -> None:
    assert triage("history", "bad", "--json", cwd=workspace).json["runs"][-1]["counts"]["failed"] == 1
    points = triage("history", "bad", "--test", "test_a.py::test_a", "--json", cwd=workspace).json["points"]
    assert points[-1]["outcome"] == "failed"
    unknown = triage("history", "bad", "--test", "test_a.py::nope", cwd=workspace)
    assert (unknown.status, "no run of this project has this test" in unknown.err) == (2, True)


@pytest.mark.parametrize("command", ["report", "plan", "history"])
def test_an_unknown_project_names_those_that_are_known(
    ran: Answer, workspace: Path, triage: Triage, command: str
) -> None:
    answer = triage(command, "nowhere", cwd=workspace)
    assert answer.status == 2
    assert "the history has no run of this project" in answer.err
    assert "good" in answer.err


def test_nightly_says_once_what_is_new_and_what_became_of_it(tmp_path: Path, triage: Triage) -> None:
    bad = "def test_a():\n    assert 0\n\ndef test_b():\n    assert 0\n"
    root = project(tmp_path / "shop", bad)
    told = json.dumps("import sys,pathlib; pathlib.Path('told').write_text(sys.argv[1])")
    write_files(
        tmp_path,
        {"triage.yaml": f"projects: [shop, gone]\nnotify:\n- command: [{sys.executable}, -c, {told}]\n"},
    )
    first = triage("nightly", "--json", cwd=tmp_path)
    assert first.status == 4  # one project is no folder
    assert first.json["totals"]["new"] == 2
    assert first.json["errors"][0]["project"].endswith("gone")
    assert first_problem(first.json, "report") is None
    assert Path((tmp_path / "told").read_text()).is_file()
    write_files(tmp_path, {"triage.yaml": "projects: [shop]\n"})
    second = triage("nightly", cwd=tmp_path)
    assert (second.status, "nothing is new since the night before" in second.out) == (0, True)
    write_files(root, {"test_a.py": "def test_a(): pass\n"})
    third = triage("nightly", "--json", cwd=tmp_path)
    changes = third.json["projects"][0]["changes"]
    assert (third.status, changes["fixed"], changes["gone"]) == (
        0,
        ["test_a.py::test_a"],
        ["test_a.py::test_b"],
    )


@pytest.mark.parametrize("command", [("run", "--all"), ("run", "a/shop", "b/shop"), ("nightly",)])
def test_projects_of_one_name_are_found_before_anything_runs(
    tmp_path: Path, triage: Triage, command: tuple[str, ...]
) -> None:
    project(tmp_path / "a" / "shop")
    project(tmp_path / "b" / "shop")
    write_files(tmp_path, {"triage.yaml": "projects: [a/shop, b/shop]\n"})
    answer = triage(*command, cwd=tmp_path)
    assert (answer.status, answer.out) == (2, "")
    assert "already belongs to" in answer.err
    assert not (tmp_path / ".triage" / "runs").exists()


def test_a_night_in_which_nothing_can_run_is_no_night(tmp_path: Path, triage: Triage) -> None:
    write_files(tmp_path, {"triage.yaml": "projects: [gone]\n"})
    answer = triage("nightly", cwd=tmp_path)
    assert answer.status == 2
    assert answer.out.splitlines()[1].split() == ["gone", "not", "a", "project", *["-"] * 7]
    assert "nothing is new" not in answer.out
    assert answer.err.count("gone") == 1
    assert not (tmp_path / ".triage" / "nightly").exists()
    assert triage("nightly", "--json", cwd=tmp_path).json["errors"][0]["project"].endswith("gone")


def test_what_is_no_project_or_was_not_started_has_a_row(
    ran: Answer, tmp_path: Path, workspace: Path, triage: Triage
) -> None:
    root = write_files(tmp_path / "none", {"triage.yaml": "environment: {use: nowhere}\n", "test_a.py": ""})
    answer = triage("run", "good", str(root), "gone", cwd=workspace)
    rows = [line.split() for line in answer.out.splitlines()[1:4]]
    assert [row[0] for row in rows] == ["good", "none", "gone"]
    assert rows[1][1:3] == ["not", "started"]
    assert rows[1][-4:-2] == ["-", "-"]
    assert rows[2][1:] == ["not", "a", "project", *["-"] * 8]


def test_nightly_refuses_an_unknown_verdict_and_an_empty_workspace(tmp_path: Path, triage: Triage) -> None:
    assert triage("nightly", cwd=tmp_path).status == 2
    write_files(tmp_path, {"triage.yaml": "projects: [shop]\n"})
    answer = triage("nightly", "--fail-on", "sometimes", cwd=tmp_path)
    assert (answer.status, "new, any, never" in answer.err) == (2, True)


def test_ctrl_c_ends_with_130_and_keeps_what_was_finished(tmp_path: Path) -> None:
    slow = (
        "import time, pathlib\n\ndef test_a(): pass\n\n"
        "def test_b():\n    pathlib.Path('begun').touch()\n    time.sleep(300)\n"
    )
    root = project(tmp_path / "slow", slow)
    child = subprocess.Popen([*COMMAND, "run", "slow"], cwd=tmp_path, stdout=-1, stderr=-1, text=True)
    while not (root / "begun").exists() and child.poll() is None:
        signal.sigtimedwait([], 0.05)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert child.returncode == 130, err
    assert "interrupted; what was finished is recorded" in err
    assert "Traceback" not in out + err
    summary = json.loads((tmp_path / ".triage/runs/slow/latest/summary.json").read_text())
    assert summary["run"]["status"] == "interrupted"
    assert summary["counts"]["passed"] == 1
    assert out.splitlines()[1].split()[:2] == ["slow", "interrupted"]
    assert ".triage/runs/slow/" in err


@pytest.mark.parametrize("command", [("run", "shop"), ("run", "--all", "--json"), ("nightly",)])
def test_nothing_is_run_where_the_history_is_no_database(
    tmp_path: Path, triage: Triage, command: tuple[str, ...]
) -> None:
    project(tmp_path / "shop")
    write_files(tmp_path, {"triage.yaml": "projects: [shop]\n", ".triage/triage.db": "junk"})
    answer = triage(*command, cwd=tmp_path)
    assert (answer.status, answer.out) == (4, "")
    assert "triage.db: this file is not a database" in answer.err
    assert not (tmp_path / ".triage" / "runs").exists()


def test_a_run_that_cannot_be_recorded_is_shown_all_the_same(tmp_path: Path, triage: Triage) -> None:
    project(tmp_path / "shop", "def test_a():\n    assert 1 == 2\n")
    write_files(tmp_path, {"triage.yaml": "projects: [shop]\n", ".triage/triage.db": JUNK_DATABASE})
    answer = triage("run", "shop", cwd=tmp_path)
    assert answer.status == 4
    assert answer.out.splitlines()[1].split()[:2] == ["shop", "failing"]
    assert "triage.db: this file is not a database" in answer.err
    assert triage("run", "shop", "--json", cwd=tmp_path).json["counts"]["failed"] == 1


def test_a_reader_that_is_gone_changes_no_status(ran: Answer, workspace: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*COMMAND, "report", "bad", "--json"], cwd=workspace, stdout=write, stderr=-1, text=True, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (1, "")


def test_json_is_whole_where_the_terminal_knows_ascii_only(ran: Answer, workspace: Path) -> None:
    env = {**os.environ, "PYTHONIOENCODING": "ascii", "NO_COLOR": "1"}
    done = subprocess.run(
        [*COMMAND, "plan", "bad", "--json"], cwd=workspace, env=env, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.decode("ascii"))


def test_causes_are_proven_where_it_is_asked_for(triage: Triage, tmp_path: Path) -> None:
    root = project(tmp_path / "shop", "def test_a(): assert 1 == 2\n")
    plain = triage("run", str(root), "--json", cwd=tmp_path)
    proven = triage("run", str(root), "--json", "--probe", "--reruns", "1", cwd=tmp_path)
    assert [one["repeats"] for one in json.loads(plain.out)["diagnoses"]] == [""]
    (cause,) = json.loads(proven.out)["diagnoses"]
    assert cause["repeats"].startswith("failed in 3 of 3 runs")


def test_a_count_of_reruns_is_a_whole_number_from_one(triage: Triage, tmp_path: Path) -> None:
    answer = triage("run", str(tmp_path), "--reruns", "0", cwd=tmp_path)
    assert answer.status == 2
    assert "--reruns" in answer.err
