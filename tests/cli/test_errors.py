"""Wrong usage, broken files and bugs: one clear message, the published status, nothing half-written."""

import errno
import os
from pathlib import Path

import pytest

from tests.builders import write_files
from tests.cli.conftest import Triage, project


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run",), "no project given"),
        (("run", "nowhere"), "no such project folder"),
        (("run", "empty"), "neither a project file nor tests"),
        (("run", "typo"), "did you mean 'targets'"),
        (("run", "--all"), "the workspace names no project"),
        (("run", "shop", "--jobs", "0"), "--jobs"),
        (("--workspace", "nowhere", "run", "shop"), "no such workspace folder"),
        (("report", "--json", "--markdown"), "exclude one another"),
        (("plan", "shop"), "nothing was run yet"),
        (("classify", "nowhere.xml"), "nowhere.xml"),
        (("playbooks", "check", "nowhere.yaml"), "no such file"),
        (("playbooks", "check", "shop/test_a.py"), "no playbook file"),
        (("nonsense",), "No such command"),
        (("init", "shop"), "there is a project file already"),
        (("init", "nowhere"), "no such project folder"),
    ],
)
def test_wrong_usage_is_status_two_and_says_what(
    tmp_path: Path, triage: Triage, arguments: tuple[str, ...], words: str
) -> None:
    project(tmp_path / "shop")
    (tmp_path / "empty").mkdir()
    write_files(tmp_path / "typo", {"triage.yaml": "name: typo\ntarget: {}\n"})
    answer = triage(*arguments, cwd=tmp_path)
    assert (answer.status, answer.out) == (2, "")
    assert words in answer.err
    assert not (tmp_path / ".triage" / "runs").exists()


@pytest.mark.parametrize("text", ["projects: [a\n", "projects: 3\n", "projects: [a]\nprojcts: [b]\n"])
def test_a_broken_workspace_file_says_where(tmp_path: Path, triage: Triage, text: str) -> None:
    write_files(tmp_path, {"triage.yaml": text})
    answer = triage("run", "--all", cwd=tmp_path)
    assert answer.status == 2
    assert "triage.yaml:" in answer.err
    assert "next: " in answer.err
    assert "docs/reference/workspace-file.md" in answer.err


@pytest.mark.parametrize(
    ("name", "value"), [("TRIAGE_JOBS", "many"), ("TRIAGE_OFFLINE", "perhaps"), ("TRIAGE_FAIL_ON", "x")]
)
def test_a_variable_that_is_not_valid_is_named(
    tmp_path: Path, triage: Triage, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    answer = triage("run", "nowhere", cwd=tmp_path)
    assert (answer.status, name in answer.err) == (2, True)


@pytest.mark.parametrize("value", ["foo", "sqlite://", "sqlite:///:memory:", "mysql://u:secret@h/d", "://"])
def test_what_is_no_database_url_is_refused_and_makes_no_file(
    tmp_path: Path, triage: Triage, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    project(tmp_path / "shop")
    monkeypatch.setenv("TRIAGE_DATABASE_URL", value)
    answer = triage("run", "shop", cwd=tmp_path)
    assert answer.status == 2
    assert "TRIAGE_DATABASE_URL: not a database URL" in answer.err
    assert "sqlite:///path" in answer.err
    assert "secret" not in answer.err
    assert [path.name for path in tmp_path.iterdir()] == ["shop"]


def test_a_path_is_named_once(tmp_path: Path, triage: Triage) -> None:
    assert triage("run", "nope", cwd=tmp_path).err.startswith(f"error: {tmp_path}/nope: no such project")
    write_files(tmp_path / "typo", {"triage.yaml": "name: [\n"})
    answer = triage("run", "typo", cwd=tmp_path)
    assert answer.err.startswith(f"error: {tmp_path}/typo/triage.yaml:2:1: not valid YAML")
    assert "next: " in answer.err


def test_a_bug_is_status_three_with_a_log_and_no_traceback(
    tmp_path: Path, triage: Triage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("by \x1b[31mzero")

    monkeypatch.setattr("triage.stages.discover.discover", broken)
    answer = triage("run", "shop", "--json", cwd=tmp_path)
    assert (answer.status, answer.out) == (3, "")
    assert "a bug in triage: ZeroDivisionError: by zero" in answer.err
    log = Path(answer.err.partition("log: ")[2].strip())
    assert "ZeroDivisionError" in log.read_text()
    log.unlink()


def test_a_disk_that_refuses_is_no_bug(
    tmp_path: Path, triage: Triage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/full/place")

    monkeypatch.setattr("triage.stages.discover.discover", full)
    answer = triage("run", "shop", cwd=tmp_path)
    assert (answer.status, answer.err) == (4, "error: /full/place: No space left on device\n")


def test_ctrl_c_in_any_command_is_130(
    tmp_path: Path, triage: Triage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("triage.settings.load_settings", stop)
    answer = triage("report", cwd=tmp_path)
    assert (answer.status, "interrupted" in answer.err) == (130, True)


def test_messages_hold_nothing_that_acts_on_a_terminal_or_a_ci_log(tmp_path: Path, triage: Triage) -> None:
    answer = triage("run", "\x1b[2Jx\n::error::y", cwd=tmp_path)
    assert answer.status == 2
    assert "\x1b" not in answer.err
    assert "\n::error::" not in answer.err


def test_report_of_an_empty_history_is_no_failure(tmp_path: Path, triage: Triage) -> None:
    answer = triage("report", cwd=tmp_path)
    assert (answer.status, answer.out) == (0, "nothing was run yet: triage run PROJECT\n")
    assert triage("report", "--json", cwd=tmp_path).json["projects"] == []


def test_version_and_help(tmp_path: Path, triage: Triage) -> None:
    assert triage("--version", cwd=tmp_path).out.startswith("triage ")
    assert "nightly" in triage("--help", cwd=tmp_path).out
