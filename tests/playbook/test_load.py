"""Playbook files to values: layers, faults, what is remembered."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.builders import write_files
from triage.errors import ConfigurationError
from triage.model.terms import Applicability, Category, Level, Phase, Risk, Severity
from triage.playbook import cache
from triage.playbook.load import Library, load_library, load_playbook, outside
from triage.resources import data_folder

TEXT = """\
id: broken
title: Broken
status: experimental
category: product
severity: low
level: general
applies_to: {flask: ">=3"}
why: >-
  It broke
  twice.
symptoms:
  - exception: [ValueError, shop.NoStock]
    message: no (?P<value>\\w+)
    unless: nobody
    source: sell
    where: head
    raised_in: shop/*
    frames: [app/*]
    phase: [setup]
    facts: {sessions: 2}
    finding: mixed-construction
  - exception: KeyError
    exact: true
beats: [plain-assertion]
cascade: {of: [not-null], scope: session}
diagnose: {rules: [mixed-construction], site: constructor, explanation: "{value} broke.", latent: true}
remedies:
  - {use: mend-it, applicability: unsafe, note: with care}
plan:
  title: Mend it
  phase: 2
  effort_min: {base: 10, per_site: 5}
  steps: [look, mend]
  alternatives: [leave it]
  risk: medium
  mitigation: look twice
  rollback: revert it
  changes_schema: true
known_limits: [none]
references: [https://example.org/]
examples:
  match: [{from: a.xml, recorded_with: pytest 9}]
  no_match: [{from: b.xml, because: another}]
review_by: 2027-06-01
"""
OTHER = TEXT.replace("broken", "other").replace("title: Broken", "title: Other")


def _load(tmp_path: Path, **files: str) -> Library:
    folder = write_files(
        tmp_path / "own", {f"{name.replace('_', '-')}.yaml": text for name, text in files.items()}
    )
    return load_library([folder], tmp_path.parent / "memory")  # so that the shipped ones are read once


def test_every_key_arrives(tmp_path: Path) -> None:
    one, _ = load_playbook(write_files(tmp_path, {"broken.yaml": TEXT}) / "broken.yaml")
    assert (one.id, one.title, one.status, one.why) == ("broken", "Broken", "experimental", "It broke twice.")
    assert (one.category, one.severity, one.level) == (Category.PRODUCT, Severity.LOW, Level.GENERAL)
    first, second = one.symptoms
    assert (first.exception, first.message, first.unless) == (
        ("ValueError", "shop.NoStock"),
        r"no (?P<value>\w+)",
        "nobody",
    )
    assert (first.source, first.where, first.raised_in, first.frames) == (
        "sell",
        "head",
        ("shop/*",),
        ("app/*",),
    )
    assert (first.phase, first.fact, first.finding) == ((Phase.SETUP,), {"sessions": 2}, "mixed-construction")
    assert (second.exception, second.exact, second.where) == (("KeyError",), True, "any")
    assert (one.beats, one.cascade.of, one.cascade.scope) == (("plain-assertion",), ("not-null",), "session")
    assert (one.diagnose.rules, one.diagnose.site, one.diagnose.latent) == (
        ("mixed-construction",),
        "constructor",
        True,
    )
    assert one.remedies[0].applicability is Applicability.UNSAFE
    assert (one.plan.phase, one.plan.effort.base, one.plan.effort.per_site) == (2, 10, 5)
    assert (one.plan.risk, one.plan.steps, one.plan.changes_schema) == (Risk.MEDIUM, ("look", "mend"), True)
    assert (one.match_examples[0].source, one.no_match_examples[0].because) == ("a.xml", "another")
    assert (one.applies_to, one.review_by) == ({"flask": ">=3"}, "2027-06-01")


def test_the_shipped_playbooks_all_load() -> None:
    library = load_library()
    assert library.errors == ()
    assert library.notes == ()
    assert {path.stem for path in data_folder("playbooks").glob("*.yaml")} == set(library.playbooks)


def test_another_folder_adds_to_the_shipped_ones(tmp_path: Path) -> None:
    library = _load(tmp_path, broken=TEXT)
    assert {"broken", "not-null"} <= library.playbooks.keys()


def test_the_same_id_replaces_with_a_note(tmp_path: Path) -> None:
    library = _load(tmp_path, not_null=TEXT.replace("id: broken", "id: not-null"))
    assert library.playbooks["not-null"].title == "Broken"
    (note,) = library.notes
    assert note.startswith("playbook not-null: ")
    assert str(data_folder("playbooks") / "not-null.yaml") in note


def test_a_bad_file_is_reported_and_does_not_stop_the_others(tmp_path: Path) -> None:
    library = _load(tmp_path, broken=TEXT, worse=TEXT.replace("severity: low", "severty: low"))
    assert "broken" in library.playbooks
    (error,) = library.errors
    assert "unknown key 'severty'; did you mean 'severity'?" in error.what
    assert f"{tmp_path}/own/worse.yaml:5:1" in str(error)


def test_a_bad_file_does_not_take_the_shipped_one_away(tmp_path: Path) -> None:
    library = _load(tmp_path, not_null="id: [")
    assert library.playbooks["not-null"].path == data_folder("playbooks") / "not-null.yaml"
    assert len(library.errors) == 1


def test_an_expression_that_re2_does_not_take_is_named(tmp_path: Path) -> None:
    library = _load(tmp_path, broken=TEXT.replace("unless: nobody", "unless: (?=no)body"))
    (error,) = library.errors
    assert "look-ahead" in error.what
    assert "broken" not in library.playbooks


def test_the_id_must_be_the_name_of_the_file(tmp_path: Path) -> None:
    (error,) = _load(tmp_path, other=TEXT).errors
    assert error.what == "the id 'broken' differs from the file name"
    assert error.allowed == "a file named broken.yaml"


def test_an_id_a_second_time_in_a_folder_is_refused(tmp_path: Path) -> None:
    library = _load(tmp_path, broken=TEXT, broken2=TEXT.replace("title: Broken", "title: Again"))
    (error,) = library.errors
    assert error.what == "the id 'broken' a second time"
    assert library.playbooks["broken"].title == "Broken"


def test_a_folder_that_is_not_there_is_reported(tmp_path: Path) -> None:
    (error,) = load_library([tmp_path / "missing"]).errors
    assert error.where == str(tmp_path / "missing")


def test_the_fingerprint_names_the_content(tmp_path: Path) -> None:
    first, second = (
        load_library([write_files(tmp_path / one, {"broken.yaml": TEXT})], tmp_path.parent / "memory")
        for one in "ab"
    )
    changed = _load(tmp_path, broken=TEXT + "# changed\n")
    assert first.fingerprint == second.fingerprint
    assert len({first.fingerprint, changed.fingerprint, load_library().fingerprint}) == 3


@pytest.fixture
def another_process() -> None:
    cache.forget()


@pytest.mark.usefixtures("another_process")
def test_what_was_valid_is_remembered_by_content(tmp_path: Path) -> None:
    path = write_files(tmp_path, {"broken.yaml": TEXT}) / "broken.yaml"
    fresh = load_playbook(path, tmp_path / "cache")
    assert len(list((tmp_path / "cache").iterdir())) == 1
    cache.forget()
    assert load_playbook(path, tmp_path / "cache") == fresh
    path.write_text(TEXT.replace("title: Broken", "title: Mended"), "utf-8")
    assert load_playbook(path, tmp_path / "cache")[0].title == "Mended"


@pytest.mark.usefixtures("another_process")
def test_a_bad_file_is_never_remembered(tmp_path: Path) -> None:
    path = write_files(tmp_path, {"broken.yaml": "id: 5\n"}) / "broken.yaml"
    for _ in range(2):
        with pytest.raises(ConfigurationError):
            load_playbook(path, tmp_path / "cache")


@pytest.mark.usefixtures("another_process")
@pytest.mark.parametrize("damage", ["", "{", "[]", "5", "{}"])
def test_a_damaged_memory_is_made_anew(tmp_path: Path, damage: str) -> None:
    path = write_files(tmp_path, {"broken.yaml": TEXT}) / "broken.yaml"
    fresh = load_playbook(path, tmp_path / "cache")
    (entry,) = (tmp_path / "cache").iterdir()
    entry.write_text(damage, "utf-8")
    cache.forget()
    assert load_playbook(path, tmp_path / "cache") == fresh


@pytest.mark.usefixtures("another_process")
def test_a_memory_that_cannot_be_written_costs_nothing_else(tmp_path: Path) -> None:
    path = write_files(tmp_path, {"broken.yaml": TEXT, "cache": "a file"}) / "broken.yaml"
    assert load_playbook(path, tmp_path / "cache")[0].id == "broken"


def test_an_example_may_not_lie_outside_of_its_folder(tmp_path: Path) -> None:
    sources = [
        "../a.xml",
        "/etc/a.xml",
        "a/../../b.xml",
        r"..\a.xml",
        r"C:\a.xml",
        r"\\host\share\a.xml",
        "~/a.xml",
    ]
    files = {
        f"f{number}": TEXT.replace("from: a.xml", f"from: '{source}'")
        for number, source in enumerate(sources)
    }
    for error, source in zip(_load(tmp_path, **files).errors, sources, strict=True):
        assert error.what == f"the example {source!r} is outside of the playbook's folder"
        assert (error.where or "").endswith(".yaml:42:12")
        assert outside(source)


def test_an_example_in_a_folder_below_is_no_danger() -> None:
    assert not any(map(outside, ("a.xml", "examples/not-null/*.xml", "a..b/c.xml", "**/a.xml")))


def test_a_costly_expression_cannot_be_loaded(tmp_path: Path) -> None:
    said = {
        "(a+)+$": "exponential",
        r"\pL{1000}": "too large",
        r"(a)\1": "a back-reference",
        "x" * 2_001: "2,001 characters",
    }
    files = {
        f"f{number}": TEXT.replace("unless: nobody", f"unless: '{one}'") for number, one in enumerate(said)
    }
    library = _load(tmp_path, **files, other=OTHER)
    for error, words in zip(library.errors, said.values(), strict=True):
        assert words in error.what
        assert (error.where or "").endswith(".yaml:14:5")
    assert "other" in library.playbooks


def test_the_expressions_of_all_extra_folders_have_one_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_files(tmp_path / "own", {"broken.yaml": TEXT, "other.yaml": OTHER}) / "broken.yaml"
    cache = tmp_path / "cache"
    alone = load_playbook(path, cache)[0]
    monkeypatch.setattr("triage.playbook.load.MAX_SIZE", 40)
    for folder in (None, cache):  # what is remembered knows its size
        library = load_library([tmp_path / "own"], folder)
        assert library.playbooks["broken"] == alone
        (error,) = library.errors
        assert "too large together" in error.what
        assert "not-null" in library.playbooks


def test_a_folder_holds_so_many_playbooks_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = len(load_library().playbooks)
    monkeypatch.setattr("triage.playbook.load.MAX_FILES", shipped)
    files = {f"a{number}.yaml": "id: 5" for number in range(shipped)}
    library = load_library(
        [write_files(tmp_path, {**files, "other.yaml": OTHER})], tmp_path.parent / "memory"
    )
    assert "other" not in library.playbooks
    assert f"{shipped + 1} playbooks in one folder" in library.errors[0].what


def test_a_hostile_file_does_not_flood_the_screen(tmp_path: Path) -> None:
    keys = "".join(f"key{number}: 1\n" for number in range(500))
    (error,) = _load(tmp_path, broken=TEXT + keys).errors
    assert len(str(error).splitlines()) < 30
    assert "... and 480 more" in error.what


def test_every_key_is_described_for_editors() -> None:
    schema = json.loads((data_folder("schemas") / "playbook.schema.json").read_text("utf-8"))

    def bare(node: Any, path: str) -> Iterator[str]:
        for name, one in node.get("properties", {}).items():
            if not one.get("description"):
                yield f"{path}.{name}"
            yield from bare(one, f"{path}.{name}")
            yield from bare(one.get("items", {}), f"{path}.{name}")

    assert list(bare(schema, "")) == []


def test_every_key_is_in_the_reference() -> None:
    text = (data_folder("docs") / "reference" / "playbook-format.md").read_text("utf-8")
    schema = json.loads((data_folder("schemas") / "playbook.schema.json").read_text("utf-8"))

    def names(node: Any) -> Iterator[str]:
        for name, one in node.get("properties", {}).items():
            yield name
            yield from names(one)
            yield from names(one.get("items", {}))

    assert [name for name in names(schema) if f"`{name}`" not in text] == []


def test_the_example_of_the_reference_is_valid(tmp_path: Path) -> None:
    text = (data_folder("docs") / "reference" / "playbook-format.md").read_text("utf-8")
    example = text.partition("```yaml\n")[2].partition("```")[0]
    one, _ = load_playbook(write_files(tmp_path, {"stock-empty.yaml": example}) / "stock-empty.yaml")
    assert one.plan.steps == ("call `reserve` before `sell`", "where it refuses, answer 409")
