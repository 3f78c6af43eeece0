"""A cluster of unknown failures becomes a playbook that works."""

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from triage.drafting import Draft, draft
from triage.errors import UsageError
from triage.playbook.check import check_library
from triage.playbook.drafted_files import SCHEMA
from triage.playbook.load import load_library
from triage.reports import classify_report
from triage.schema import first_problem
from triage.settings import Settings
from triage.tools import Tools

TEXTS = {
    "test_one": "app/shop.py:7: in sell\n    check()\nE   shop.Locked: drawer 7 is locked since 2026-01-02",
    "test_two": "app/shop.py:7: in sell\n    check()\nE   shop.Locked: drawer 18 is locked since 2026-03-04",
    "test_key": "E   shop.Locked: no such key",
    "test_total": "app/sum.py:3: in total\n    row['x']\nE   KeyError: 'x'",
    "test_sum": "E   assert 1 == 2",
}


BESIDE = {  # pairs of clusters that the class and the first words do not tell apart
    "test_here": "app/shop.py:7: in sell\n    check()\nE   shop.Shut: the shop is closed today",
    "test_there": "app/bank.py:7: in pay\n    check()\nE   shop.Shut: the shop is closed today",
    "test_name": "app/x.py:7: in f\n    a()\nE   shop.Many: several errors\nE     first: name is missing",
    "test_age": "app/x.py:7: in f\n    a()\nE   shop.Many: several errors\nE     first: age is too low",
    "test_quiet": "app/x.py:7: in f\n    check()\nE   shop.Quiet",
    "test_loud": "app/x.py:7: in f\n    check()\nE   shop.Quiet: this one speaks",
    "test_short": "app/x.py:7: in f\n    check()\nE   shop.Key: no such key",
    "test_shorter": "app/x.py:7: in f\n    check()\nE   shop.Key: no such key in it",
    "test_local": "tests/a.py:7: in f\n    check()\nE   a.make.<locals>.Boom: boiler pressure went up",
    "test_words": "it broke for some reason 17",
}


def write(report: Path, texts: Mapping[str, str]) -> None:
    cases = "".join(
        f'<testcase classname="tests.test_a" name="{name}"><failure>{escape(text)}</failure></testcase>'
        for name, text in texts.items()
    )
    report.write_text(f"<testsuite>{cases}</testsuite>", "utf-8")


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "report.xml"
    write(path, TEXTS)
    return path


@pytest.fixture
def tools(tmp_path: Path, report: Path) -> Iterator[Tools]:
    with Tools(Settings(tmp_path, playbooks=(tmp_path / "own",)), os.environ) as made:
        (tmp_path / "own").mkdir()
        classify_report(report, made)
        yield made


def cluster(tools: Tools, test: str) -> str:
    stored, *_ = tools.store.reports()
    found = {one.name: one.fingerprint for one in tools.store.report(stored.id).failures()}
    assert found[test]
    return str(found[test])


def make(tools: Tools, test: str, **more: str) -> Draft:
    return draft(cluster(tools, test), tools.settings.workspace / "own", tools, name=more.get("name"))


def test_a_draft_knows_its_cluster_and_nothing_else(tools: Tools, report: Path) -> None:
    made = make(tools, "test_one")
    assert (made.id, made.failures, made.left_out) == ("locked-drawer-since", 2, 0)
    assert made.moves.document()["changes"][0]["count"] == 2
    with Tools(tools.settings, os.environ) as after:
        stored = classify_report(report, after).stored
        verdicts = {one.name: one.playbook for one in after.store.report(stored.id).failures()}
    assert verdicts == {
        "test_one": made.id,
        "test_two": made.id,
        "test_key": None,
        "test_total": None,
        "test_sum": "plain-assertion",
    }


def test_its_examples_and_its_schema_lie_beside_it(tools: Tools) -> None:
    made = make(tools, "test_one")
    names = sorted(one.name for one in made.examples)
    assert names == ["not-cluster-1.xml", "seen-1.xml", "seen-2.xml"]
    assert made.path.read_text("utf-8").startswith(f"# yaml-language-server: $schema={SCHEMA}\n")
    assert (made.path.parent / SCHEMA).is_file()


def test_where_the_words_say_little_the_place_is_asked_for(tools: Tools) -> None:
    text = make(tools, "test_total").path.read_text("utf-8")
    assert "exception: KeyError\n" in text
    assert "message: \"^'x'$\"\n" in text
    assert 'frames: "app/sum.py"\n' in text


@pytest.mark.parametrize(("given", "what"), [("v9:nothing", "no such cluster"), ("", "no such cluster")])
def test_a_cluster_that_is_none_is_refused_with_those_that_are(tools: Tools, given: str, what: str) -> None:
    with pytest.raises(UsageError) as caught:
        draft(given, tools.settings.workspace / "own", tools)
    assert caught.value.what == what
    assert cluster(tools, "test_one") in (caught.value.allowed or "")


def test_nothing_is_written_over_and_nothing_is_left_half(tools: Tools) -> None:
    made = make(tools, "test_one")
    before = made.path.read_bytes()
    with pytest.raises(UsageError, match="a playbook of this id is there"):
        make(tools, "test_key", name=made.id)
    assert made.path.read_bytes() == before
    with pytest.raises(UsageError, match="no playbook can be made"):
        make(tools, "test_key", name="Not An Id")
    assert not (made.path.parent / "examples" / "Not An Id").exists()


def test_the_schema_takes_what_was_written(tools: Tools) -> None:
    from triage.yamlfile import read_yaml  # noqa: PLC0415 - only here

    assert first_problem(read_yaml(make(tools, "test_one").path).data, "playbook") is None


def test_drafts_pass_the_check_and_know_their_own_cluster_where_others_look_alike(
    tools: Tools, tmp_path: Path
) -> None:
    write(tmp_path / "beside.xml", BESIDE)
    stored = classify_report(tmp_path / "beside.xml", tools).stored
    known = {one.name: one.fingerprint or "" for one in tools.store.report(stored.id).failures()}
    made = {name: draft(known[name], tmp_path / "own", tools) for name in BESIDE}
    assert {name: (one.left_out, dict(one.taken)) for name, one in made.items()} == dict.fromkeys(
        BESIDE, (0, {})
    )
    library = load_library(tools.settings.playbooks)
    problems = check_library(library, datetime.now(UTC).date()).problems
    drafts = {one.id for one in made.values()}
    faults = [one for one in problems if one.playbook in drafts and not one.is_note]
    assert faults == []
    with Tools(tools.settings, os.environ) as after:
        stored = classify_report(tmp_path / "beside.xml", after).stored
        verdicts = {one.name: one.playbook for one in after.store.report(stored.id).failures()}
    assert verdicts == {name: one.id for name, one in made.items()}


def test_what_cannot_be_told_apart_is_said(tools: Tools, report: Path) -> None:
    said = "E   shop.Shut: the shop is closed"
    write(report, {"test_one": said, "test_two": f"app/shop.py:7: in sell\n    check()\n{said}"})
    classify_report(report, tools)
    made = make(tools, "test_one")
    assert made.taken == {cluster(tools, "test_two"): 1}
    assert [one.stem for one in made.examples] == ["seen-1"], (
        "what it knows is no example of what it does not"
    )


def test_a_prefix_is_enough_with_its_version_or_without(tools: Tools) -> None:
    name = cluster(tools, "test_one")
    assert make(tools, "test_key").failures == 1
    for number, given in enumerate((name[:7], name[3:8])):
        assert draft(given, tools.settings.workspace / f"more-{number}", tools).cluster == name
    with pytest.raises(UsageError, match="clusters of unknown failures begin so"):
        draft("v2:", tools.settings.workspace / "own", tools)


def test_examples_hold_the_traceback_while_the_report_is_there(tools: Tools, report: Path) -> None:
    shown = next(one for one in make(tools, "test_one").examples if one.stem == "seen-1").read_text("utf-8")
    assert "app/shop.py:7: in sell" in shown
    report.unlink()
    shown = next(one for one in make(tools, "test_total").examples if one.stem == "seen-1").read_text("utf-8")
    assert "E   KeyError: 'x'" in shown
    assert "app/sum.py" not in shown


def test_what_a_playbook_knows_already_is_not_drafted_again(tools: Tools, report: Path) -> None:
    made = make(tools, "test_one")
    with (
        Tools(tools.settings, os.environ) as after,
        pytest.raises(UsageError, match=f"already known by {made.id}"),
    ):
        make(after, "test_one")
    with Tools(tools.settings, os.environ) as after:
        classify_report(report, after)
        with pytest.raises(UsageError, match=f"already known by {made.id}"):
            draft(made.cluster, made.path.parent, after)
    assert [one.name for one in made.path.parent.glob("*.yaml")] == [made.path.name]


def test_a_folder_that_cannot_be_is_refused_and_nothing_stays_behind(tools: Tools, report: Path) -> None:
    name, root = cluster(tools, "test_one"), tools.settings.workspace
    for place in (report, report / "below", Path("/dev/null/x"), root / ("x" * 300), Path("a\0b")):
        with pytest.raises(UsageError):
            draft(name, place, tools)
    folder = root / "half"
    folder.mkdir()
    (folder / "examples").write_text("no folder", "utf-8")
    with pytest.raises(UsageError, match="cannot be written"):
        draft(name, folder, tools)
    assert [one.name for one in folder.iterdir()] == ["examples"]


def test_failures_that_share_nothing_are_refused(tools: Tools, report: Path) -> None:
    write(report, {"test_a": "", "test_b": ""})
    classify_report(report, tools)
    with pytest.raises(UsageError, match="nothing in common"):
        make(tools, "test_a")
