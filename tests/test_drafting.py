"""A cluster of unknown failures becomes a playbook that works."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from triage.drafting import SCHEMA, Draft, draft
from triage.errors import UsageError
from triage.playbook.check import check_library
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


@pytest.fixture
def report(tmp_path: Path) -> Path:
    cases = "".join(
        f'<testcase classname="tests.test_a" name="{name}"><failure message="">{text}</failure></testcase>'
        for name, text in TEXTS.items()
    )
    path = tmp_path / "report.xml"
    path.write_text(f"<testsuite>{cases}</testsuite>", "utf-8")
    return path


@pytest.fixture
def tools(tmp_path: Path, report: Path) -> Iterator[Tools]:
    with Tools(Settings(tmp_path, playbooks=(tmp_path / "own",)), os.environ) as made:
        (tmp_path / "own").mkdir()
        classify_report(report, made)
        yield made


def cluster(tools: Tools, test: str) -> str:
    (stored,) = tools.store.reports()
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


def test_a_draft_passes_the_check_and_its_schema_lies_beside_it(tools: Tools) -> None:
    made = make(tools, "test_one")
    found = check_library(load_library(tools.settings.playbooks), datetime.now(UTC).date())
    assert [one for one in found.problems if one.playbook == made.id] == []
    names = sorted(one.name for one in made.examples)
    assert names == ["not-cluster-1.xml", "seen-1.xml", "seen-2.xml"]
    assert made.path.read_text("utf-8").startswith(f"# yaml-language-server: $schema={SCHEMA}\n")
    assert (made.path.parent / SCHEMA).is_file()


def test_where_the_words_say_little_the_place_is_asked_for(tools: Tools) -> None:
    text = make(tools, "test_total").path.read_text("utf-8")
    assert "exception: KeyError\n" in text
    assert "message: \"^'x'\"\n" in text


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
