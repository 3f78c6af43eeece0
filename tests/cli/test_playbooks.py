"""`triage playbooks check`, `list`, `show`, `schema`, and the layers that they see."""

import json
from pathlib import Path

import pytest

from tests.builders import write_files
from tests.cli.conftest import Triage
from tests.playbook.checking import REPORT

PLAYBOOK = """\
id: ours
title: Nothing is left
status: experimental
category: product
severity: low
level: specific
why: It was sold.
symptoms:
  - exception: ValueError
    message: no (?P<value>\\w+) left
plan:
  title: Buy more
  phase: 2
  effort_min: {base: 10}
  steps: [buy]
  risk: low
  mitigation: count
  rollback: sell
examples:
  match: [{from: left.xml}]
"""
LEFT = REPORT.format("ValueError: no stock left")


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two small playbooks in the place of the shipped ones, without a fault."""
    folder = tmp_path / "shipped"
    kept = PLAYBOOK.replace("left.xml", "kept.xml").replace("left", "kept")
    write_files(
        folder,
        {"left.xml": LEFT, "kept.xml": REPORT.format("ValueError: no stock kept")}
        | {f"{one}.yaml": kept.replace("id: ours", f"id: {one}") for one in ("kept",)}
        | {"lost.yaml": PLAYBOOK.replace("id: ours", "id: lost")},
    )
    for module in ("load", "checks.together"):
        monkeypatch.setattr(f"triage.playbook.{module}.data_folder", lambda _: folder)
    monkeypatch.setattr("triage.resources.data_folder", lambda _: folder)
    return folder


@pytest.fixture
def team(tmp_path: Path, shipped: Path) -> Path:
    """A workspace with playbooks of its own, and a project with others."""
    root = tmp_path / "work"
    return write_files(
        root,
        {
            "triage.yaml": "projects: [shop]\nplaybooks: [ours]\n",
            "ours/lost.yaml": PLAYBOOK.replace("id: ours", "id: lost")
            .replace("no (", "no own (")
            .replace("left.xml", "own.xml"),
            "ours/own.xml": REPORT.format("ValueError: no own stock left"),
            "shop/triage.yaml": "name: shop\nplaybooks: [mine]\n",
            "shop/test_a.py": "def test_a(): pass\n",
            "shop/mine/mine.yaml": PLAYBOOK.replace("id: ours", "id: mine")
            .replace("no (", "no more (")
            .replace("left.xml", "mine.xml"),
            "shop/mine/mine.xml": REPORT.format("ValueError: no more stock left"),
        },
    )


def test_a_library_without_a_fault(shipped: Path, tmp_path: Path, triage: Triage) -> None:
    answer = triage("playbooks", "check", cwd=tmp_path)
    assert (answer.status, answer.out) == (0, "")
    assert "2 playbooks, 0 problems, 0 notes" in answer.err


def test_a_fault_says_where_what_is_allowed_and_what_next(
    shipped: Path, tmp_path: Path, triage: Triage
) -> None:
    files = {
        "own/ours.yaml": PLAYBOOK.replace("no (?P<value>\\w+) left", "No Stock").replace(
            "left.xml", "own.xml"
        ),
        "own/own.xml": REPORT.format("ValueError: no stock sold"),
        "own/bad.yaml": PLAYBOOK.replace("risk: low", "rsik: low"),
    }
    write_files(tmp_path, files)
    answer = triage("playbooks", "check", "own", cwd=tmp_path)
    assert answer.status == 1
    assert "own/bad.yaml:16:3: unknown-key: unknown key 'rsik'; did you mean 'risk'?\n" in answer.out
    assert "own/ours.yaml:20:12: example: own.xml does not match: no playbook has it\n" in answer.out
    assert "\n  next:    symptom 1 wanted message No Stock; seen: no stock sold" in answer.out
    document = triage("playbooks", "check", "own", "--json", cwd=tmp_path).json
    found = {one["kind"]: one for one in document["problems"]}
    assert (found["unknown-key"]["file"], found["unknown-key"]["line"]) == ("own/bad.yaml", 16)
    assert [one["kind"] for one in document["notes"]] == ["unproven"]
    assert "note: own/ours.yaml:10:5: unproven: symptom 1: no match example holds its message" in answer.err
    assert "3 playbooks, 3 problems, 1 note\n" in answer.err
    alone = triage("playbooks", "check", "own/ours.yaml", cwd=tmp_path)
    assert (alone.status, "bad.yaml" in alone.out) == (1, False)


def test_notes_on_shipped_playbooks_are_told_only_when_asked_for(
    shipped: Path, tmp_path: Path, triage: Triage
) -> None:
    text = (shipped / "kept.yaml").read_text("utf-8").replace("title: Nothing is kept", "title: To be named")
    write_files(shipped, {"kept.yaml": text})
    quiet = triage("playbooks", "check", cwd=tmp_path)
    assert (quiet.status, "To be named" in quiet.err) == (0, False)
    assert "2 playbooks, 0 problems, 0 notes (and 1 on shipped playbooks" in quiet.err
    said = "shipped/kept.yaml:2:1: placeholder: title is not written yet"
    for asked in (("-v", "playbooks", "check"), ("playbooks", "check", "shipped/kept.yaml")):
        assert f"note: {said}" in triage(*asked, cwd=tmp_path).err


def test_each_file_that_was_asked_for_is_read_or_it_is_said(
    shipped: Path, tmp_path: Path, triage: Triage
) -> None:
    folder = write_files(tmp_path / "a: b", {".hidden.yaml": PLAYBOOK, "empty.yaml": "", "open.yaml": "a: ["})
    (folder / "wide.yaml").write_bytes(b"\xff\xfe\x00abc")
    (folder / "latin.yaml").write_bytes(b"id: latin\ntitle: caf\xe9\n")
    write_files(tmp_path, {"one/ours.yaml": PLAYBOOK, "two/ours.yaml": PLAYBOOK})
    names = ("wide", "latin", "empty", "open", ".hidden")
    files = [f"a: b/{name}.yaml" for name in names]
    answer = triage("playbooks", "check", *files, "one/ours.yaml", "two/ours.yaml", "--json", cwd=tmp_path)
    found = {one["file"]: (one["line"], one["column"], one["message"]) for one in answer.json["problems"]}
    assert answer.status == 1
    assert found["a: b/wide.yaml"] == (1, None, "is not UTF-8")
    assert found["a: b/latin.yaml"] == (2, None, "is not UTF-8")
    assert found["a: b/empty.yaml"] == (1, 1, "the file is empty")
    assert found["a: b/open.yaml"][2].startswith("not valid YAML")
    assert found["a: b/.hidden.yaml"] == (None, None, "hidden files are not read")
    assert found["one/ours.yaml"][2] == "not checked: another file of this name replaces it"
    assert (
        "a: b/latin.yaml:2: file: is not UTF-8\n" in triage("playbooks", "check", files[1], cwd=tmp_path).out
    )


def test_names_that_nothing_has_are_faults(shipped: Path, tmp_path: Path, triage: Triage) -> None:
    probe = "diagnose: {probe: flask-contxt, intervention: share-session}"
    text = PLAYBOOK.replace("plan:", f"{probe}\nremedies: [{{use: nothing, applicability: safe}}]\nplan:")
    write_files(tmp_path, {"own/ours.yaml": text})
    found = triage("playbooks", "check", "own", "--json", cwd=tmp_path).json["problems"]
    assert {(one["kind"], one["message"], one["line"]) for one in found if one["kind"] == "reference"} == {
        ("reference", "no probe 'flask-contxt'", 11),
        ("reference", "no remedy 'nothing' that can be applied", 12),
    }


def test_a_file_is_told_what_it_does_to_the_others(shipped: Path, tmp_path: Path, triage: Triage) -> None:
    thief = PLAYBOOK.replace("level: specific", "level: specific\nbeats: [lost]").replace(
        "left.xml", "own.xml"
    )
    write_files(tmp_path / "own", {"ours.yaml": thief, "own.xml": REPORT.format("ValueError: no own left")})
    answer = triage("playbooks", "check", "own/ours.yaml", "--overlaps", cwd=tmp_path)
    assert answer.status == 1
    told = "own/ours.yaml:9:1: example: it takes what lost is about (2 of the examples, such as left.xml)"
    assert f"{told}, because of its `beats`; lost is left with nothing to win\n" in answer.out
    assert "shipped/lost.yaml" not in answer.out
    (row,) = (line.split() for line in answer.out.splitlines() if line.startswith("ours "))
    assert row == ["ours", "lost", "2", "ours", "beats", "it", "left.xml"]
    (overlap,) = triage("playbooks", "check", "own/ours.yaml", "--json", cwd=tmp_path).json["overlaps"]
    assert (overlap["winner"], overlap["loser"], overlap["failures"]) == ("ours", "lost", 2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("check", "gone.yaml"), "no such file"),
        (("check", "a.txt"), "no playbook file"),
        (("check", "empty"), "no playbook in this folder"),
        (("check", "--project", "nobody"), "no such project"),
        (("list", "--project", "empty"), "this folder is no project"),
    ],
)
def test_wrong_usage(
    shipped: Path, tmp_path: Path, triage: Triage, arguments: tuple[str, ...], said: str
) -> None:
    write_files(tmp_path, {"a.txt": "", "empty/x.txt": ""})
    answer = triage("playbooks", *arguments, cwd=tmp_path)
    assert (answer.status, answer.out) == (2, "")
    assert said in answer.err


def test_the_layers_are_listed(team: Path, triage: Triage) -> None:
    for name in ("shop", "./shop"):
        answer = triage("playbooks", "list", "--project", name, "--json", cwd=team)
        layers = {one["id"]: one["layer"] for one in answer.json["playbooks"]}
        assert layers == {"kept": "shipped", "lost": "team", "mine": "project"}
        assert "note: playbook lost: " in answer.err
    assert triage("playbooks", "list", cwd=team).out.splitlines()[0].split()[4] == "layer"
    assert "no own (" in triage("playbooks", "show", "lost", cwd=team).out
    assert "no more (" in triage("playbooks", "show", "mine", "--project", "shop", cwd=team).out
    assert triage("playbooks", "show", "mine", cwd=team).status == 2


def test_the_check_sees_the_layers(team: Path, triage: Triage) -> None:
    assert "2 playbooks, 0 problems" in triage("playbooks", "check", cwd=team).err
    answer = triage("playbooks", "check", "--project", "shop", cwd=team)
    assert (answer.status, answer.out) == (0, "")
    assert "note: playbook lost: " in answer.err
    assert "3 playbooks, 0 problems" in answer.err


def test_folders_of_the_environment(
    shipped: Path, tmp_path: Path, triage: Triage, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(tmp_path / "more", {"ours.yaml": PLAYBOOK})
    monkeypatch.setenv("TRIAGE_PLAYBOOKS", f"{tmp_path}/more:gone")
    answer = triage("playbooks", "list", cwd=tmp_path)
    assert answer.status == 0
    assert "ours" in answer.out
    assert "warning: left out: gone: no such playbook folder" in answer.err


def test_what_was_replaced_or_left_out_is_said_and_the_others_work(team: Path, triage: Triage) -> None:
    write_files(team, {"ours/bad.yaml": "id: [", "ours/slow.yaml": PLAYBOOK.replace("no (", "(a+)+(")})
    (team / "report.xml").write_text(REPORT.format("ValueError: no own stock left"), "utf-8")
    answer = triage("classify", "report.xml", cwd=team)
    assert "note: playbook lost: " in answer.err
    assert "bad.yaml:2:1: not valid YAML" in answer.err
    assert "slow.yaml:10:5: the expression is exponential" in answer.err
    assert "lost" in answer.out
    answer = triage("playbooks", "explain", "test_a", "--report", "report.xml", cwd=team)
    assert (answer.status, "note: playbook lost: " in answer.err) == (0, True)


def test_the_schema_is_printed_for_editors(tmp_path: Path, triage: Triage) -> None:
    answer = triage("playbooks", "schema", cwd=tmp_path)
    assert answer.status == 0
    assert "symptoms" in json.loads(answer.out)["properties"]
