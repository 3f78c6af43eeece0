"""The shipped playbooks against the failures that were recorded for them."""

import re
from pathlib import Path

import pytest

from tests.builders import playbook, write_files
from triage.errors import TriageError
from triage.model.playbook import Example, Playbook, Symptom
from triage.playbook.examples import ExampleResult, failures_of, run_examples
from triage.playbook.load import load_library
from triage.playbook.match import Matcher
from triage.resources import data_folder

LIBRARY = load_library()
MATCHER = Matcher(LIBRARY.playbooks.values())
RESULTS = [one for each in LIBRARY.playbooks.values() for one in run_examples(each, MATCHER)]
EXAMPLES = data_folder("playbooks") / "examples"
MAX_BYTES = 8_000
FOREIGN_PATH = re.compile(r"(?<![\w./])/(?!project/)\w+/[\w./-]*(?:\.py|packages)\b")

MAIN = (
    *("flask-app-context", "detached-instance", "not-null", "session-mixing", "pending-rollback"),
    *("foreign-key-violation", "unique-violation", "evaluated-default", "missing-foreign-key"),
    *("missing-relationship", "uuid-type-mismatch", "mock-assertion", "status-code-assertion"),
    "plain-assertion",
)


BY_TEXT = [known for known in LIBRARY.playbooks.values() if known.symptoms]


def _of(known: Playbook) -> list[ExampleResult]:
    return [one for one in RESULTS if one.playbook == known.id]


@pytest.mark.parametrize("known", BY_TEXT, ids=lambda one: one.id)
def test_the_library_does_with_each_example_what_its_playbook_wants(known: Playbook) -> None:
    wrong = {one.file.name: one.error or one.primary for one in _of(known) if not one.holds}
    assert wrong == {}


@pytest.mark.parametrize("known", BY_TEXT, ids=lambda one: one.id)
def test_no_example_ends_in_a_tie(known: Playbook) -> None:
    tied = {one.file.name: lost for one in _of(known) for lost in one.also if lost.reason.startswith("a tie")}
    assert tied == {}


@pytest.mark.parametrize("known", BY_TEXT, ids=lambda one: one.id)
def test_every_playbook_has_a_match_and_a_neighbour(known: Playbook) -> None:
    of_it = _of(known)
    assert len([one for one in of_it if one.is_match]) >= (2 if known.id in MAIN else 1)
    assert [one for one in of_it if not one.is_match]


def test_only_two_playbooks_are_told_by_running_a_test_again_alone() -> None:
    without = {known.id for known in LIBRARY.playbooks.values() if not known.symptoms}
    assert without == {"order-dependent", "flaky"}


@pytest.mark.parametrize("known", BY_TEXT, ids=lambda one: one.id)
def test_every_playbook_has_an_example_that_was_recorded(known: Playbook) -> None:
    files = [one.file for each in known.match_examples for one in failures_of(known, each)]
    assert [path for path in files if "recorded-with" in path.read_text("utf-8")]


def test_every_recorded_file_belongs_to_a_playbook() -> None:
    used = {one.file.resolve() for one in RESULTS}
    assert {path.resolve() for path in EXAMPLES.rglob("*.xml")} == used


@pytest.mark.parametrize("folder", sorted(EXAMPLES.iterdir()), ids=lambda one: one.name)
def test_recorded_files_are_small_and_free_of_the_machine(folder: Path) -> None:
    for path in folder.glob("*.xml"):
        text = path.read_text("utf-8")
        assert len(text.encode()) <= MAX_BYTES, path
        assert FOREIGN_PATH.findall(text) == [], path
        assert "hostname=" not in text, path


def _playbook(folder: Path, *sources: str, **more: object) -> Playbook:
    matches = tuple(Example(one) for one in sources)
    one = playbook("known", Symptom(exception=("ValueError",)), match_examples=matches)
    return Playbook(
        **{**{name: getattr(one, name) for name in one.__slots__}, "path": folder / "known.yaml", **more}
    )


def _report(body: str, properties: str = "") -> str:
    return (
        '<testsuites><testsuite><testcase classname="test_a" name="test_a" file="test_a.py" line="0">'
        f"{properties}{body}</testcase></testsuite></testsuites>"
    )


FAILURE = '<failure message="ValueError: no">E   ValueError: no</failure>'


def test_a_glob_stands_for_all_its_files(tmp_path: Path) -> None:
    write_files(tmp_path, {"ex/a.xml": _report(FAILURE), "ex/b.xml": _report(FAILURE)})
    one = _playbook(tmp_path, "ex/*.xml")
    assert [each.file.name for each in run_examples(one, Matcher([one]))] == ["a.xml", "b.xml"]


def test_what_only_a_run_knows_comes_from_properties(tmp_path: Path) -> None:
    properties = (
        '<properties><property name="triage.findings" value="one two"/>'
        '<property name="triage.sessions" value="2"/></properties>'
    )
    write_files(tmp_path, {"with.xml": _report(FAILURE, properties), "without.xml": _report(FAILURE)})
    symptom = Symptom(exception=("ValueError",), finding="two", fact={"sessions": 2})
    one = _playbook(tmp_path, "*.xml", symptoms=(symptom,))
    held = {each.file.name: each.holds for each in run_examples(one, Matcher([one]))}
    assert held == {"with.xml": True, "without.xml": False}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "no such example"),
        ({"a.xml": _report("")}, "the example shows no failure"),
        ({"a.xml": "<testsuites><testsuite>"}, "not well-formed XML: no element found"),
        ({"a.xml": "no XML"}, "not well-formed XML: syntax error"),
    ],
)
def test_an_example_that_cannot_be_used_is_an_error_of_its_own(
    tmp_path: Path, files: dict[str, str], said: str
) -> None:
    one = _playbook(write_files(tmp_path, files), "a.xml")
    (result,) = run_examples(one, Matcher([one]))
    assert not result.holds
    assert result.error == said
    with pytest.raises(TriageError):
        list(failures_of(one, one.match_examples[0]))
