"""`triage classify`, `init` and `playbooks`."""

from pathlib import Path

import pytest

from tests.builders import write_files
from tests.cli.conftest import Triage
from triage.schema import first_problem
from triage.stages.discover import load_project

CASE = "<testcase classname='tests.test_a' name='{}'>{}</testcase>"
BAD = CASE.format("bad", "<failure message='KeyError: ##[x]'>tests/test_a.py:3: KeyError</failure>")
PLAYBOOK = """\
id: ours
title: ours
status: experimental
category: test
severity: low
level: specific
why: so
symptoms: [{exception: KeyErorr}]
plan: {phase: 1, title: t, effort_min: {base: 1}, steps: [a], risk: low, mitigation: m, rollback: r}
"""


def xml(path: Path, *cases: str, end: str = "</testsuite>") -> Path:
    path.write_text("<testsuite>" + "".join(cases) + end)
    return path


def test_classify_is_one_document_with_every_report(tmp_path: Path, triage: Triage) -> None:
    xml(tmp_path / "a.xml", BAD)
    xml(tmp_path / "b.xml", CASE.format("good", ""))
    answer = triage("classify", "a.xml", "b.xml", "--json", cwd=tmp_path)
    assert answer.status == 1
    assert answer.err == f"workspace: {tmp_path} (history and environments in .triage)\n"
    assert first_problem(answer.json, "classify") is None
    assert "##[" not in answer.out
    assert "##[x]" in answer.json["reports"][0]["failures"][0]["message"]
    assert answer.json["errors"] == []
    again = triage("classify", "b.xml", cwd=tmp_path)
    assert (again.status, again.err) == (0, "")
    assert "1 failed" in triage("classify", "a.xml", cwd=tmp_path).out


def test_no_report_of_one_call_is_forgotten_for_the_others(tmp_path: Path, triage: Triage) -> None:
    names = [f"{number}.xml" for number in range(24)]
    for name in names:
        xml(tmp_path / name, BAD)
    reports = triage("classify", *names, "--json", cwd=tmp_path).json["reports"]
    assert [len(one["failures"]) for one in reports] == [1] * 24


def test_classify_says_what_it_could_read_and_where_it_could_not(tmp_path: Path, triage: Triage) -> None:
    xml(tmp_path / "a.xml", BAD, end="<testcase")
    xml(tmp_path / "b.xml", BAD)
    answer = triage("classify", "a.xml", "nowhere.xml", "b.xml", "--json", cwd=tmp_path)
    assert answer.status == 2
    assert [len(one["failures"]) for one in answer.json["reports"]] == [1, 1]
    assert "a.xml:1:" in answer.err
    assert "nowhere.xml" in answer.err
    assert answer.err.count("next: ") == 2
    (unread,) = answer.json["errors"]
    assert unread["file"] == "nowhere.xml"
    assert "No such file" in unread["message"]


@pytest.mark.parametrize(
    "files",
    [
        {"tests/test_a.py": "", "requirements.txt": ""},
        {"test_a.py": "", "pyproject.toml": '[project]\nname = "a"\nrequires-python = ">=3.11"\n'},
        {"pytest.ini": "[pytest]\ntestpaths = x\n", ".venv/bin/python": ""},
    ],
)
def test_init_writes_what_the_layout_says(tmp_path: Path, triage: Triage, files: dict[str, str]) -> None:
    root = write_files(tmp_path / "my shop", files)
    before = load_project(root)
    answer = triage("init", "my shop", cwd=tmp_path)
    assert answer.status == 0, answer.err
    assert "triage run 'my shop'" in answer.err
    after = load_project(root)
    assert after.explicit
    assert (after.name, after.environment, after.test) == (before.name, before.environment, before.test)


@pytest.mark.parametrize(
    ("files", "words"),
    [({"readme": ""}, "neither"), ({"tests/helper.py": ""}, "tests/ holds no file named test_*.py")],
)
def test_init_says_what_is_missing_without_sending_in_a_circle(
    tmp_path: Path, triage: Triage, files: dict[str, str], words: str
) -> None:
    write_files(tmp_path, files)
    answer = triage("init", cwd=tmp_path)
    assert (answer.status, answer.out) == (2, "")
    assert "nothing to write a project file from" in answer.err
    assert words in answer.err
    assert "triage init" not in answer.err


def test_playbooks_are_listed_and_shown(tmp_path: Path, triage: Triage) -> None:
    listed = triage("playbooks", "list", "--json", cwd=tmp_path).json["playbooks"]
    assert {"detached-instance", "not-null", "plain-assertion"} <= {one["id"] for one in listed}
    assert "detached-instance" in triage("playbooks", "list", cwd=tmp_path).out
    assert "id: not-null" in triage("playbooks", "show", "not-null", cwd=tmp_path).out


def test_an_unknown_playbook_gets_a_suggestion(tmp_path: Path, triage: Triage) -> None:
    answer = triage("playbooks", "show", "not-nul", cwd=tmp_path)
    assert (answer.status, answer.out) == (2, "")
    assert "triage playbooks show not-null" in answer.err


def test_a_broken_playbook_of_the_workspace_is_left_out_and_said(tmp_path: Path, triage: Triage) -> None:
    write_files(
        tmp_path,
        {
            "triage.yaml": "projects: [x]\nplaybooks: [ours]\n",
            "ours/ours.yaml": PLAYBOOK,
            "ours/bad.yaml": PLAYBOOK.replace("ours", "bad").replace("risk:", "rsik:"),
        },
    )
    answer = triage("playbooks", "list", "--json", cwd=tmp_path)
    assert answer.status == 0
    assert "ours" in {one["id"] for one in answer.json["playbooks"]}
    assert "bad.yaml" in answer.err
    assert "did you mean 'risk'" in answer.err


def test_classify_adds_several_files_up_and_reads_each_once(tmp_path: Path, triage: Triage) -> None:
    place = "shop/ovens/baking_of_bread.py:bake_everything_at_once_in_the_large_oven_of_the_house"
    message = "LookupError: " + " ".join(f"word{letter}" for letter in "abcdefghijklmnopqrstuvwxyz")
    file, _, function = place.partition(":")
    text = f"tests/test_a.py:3: in test_x\n    f()\n{file}:9: in {function}\nE   {message}"
    for name in ("a.xml", "b.xml"):
        xml(tmp_path / name, CASE.format(name, f"<failure message='{message}'>{text}</failure>"))
    given = ("a.xml", "b.xml", "./a.xml", str(tmp_path / "b.xml"))
    shown = triage("classify", *given, cwd=tmp_path)
    assert shown.err.count("given twice") == 2
    total = shown.out.partition("2 files: 2 tests, 2 failed, 0 errors\n")[2]
    assert total.count("LookupError: worda") == total.count(f"… | {place}") == 1
    document = triage("classify", "--json", *given, cwd=tmp_path).json
    assert first_problem(document, "classify") is None
    assert len(document["reports"]) == 2
    totals = document["totals"]
    assert [totals[name] for name in ("tests", "failed", "errors", "patterns")] == [2, 2, 0, []]
    assert [(one["count"], one["files"]) for one in totals["clusters"]] == [(2, 2)]
