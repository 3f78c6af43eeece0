"""Every remedy does what the examples beside it say, once, and leaves alone what they say."""

import ast
import difflib
from collections.abc import Mapping
from pathlib import Path

import pytest

from triage.model.fix import Proposal, Target
from triage.remedies.edits import applied
from triage.remedies.example import Cured, Spot, Untouched
from triage.remedies.registry import IDS, KnownRemedy, proposals, remedy
from triage.rules.source import SourceTree


def _known(name: str) -> KnownRemedy:
    found = remedy(name)
    assert found is not None
    return found


CURED = [
    pytest.param(name, one, id=f"{name}-{number}")
    for name in IDS
    for number, one in enumerate(_known(name).cured)
]
UNTOUCHED = [
    pytest.param(name, one, id=f"{name}-{number}")
    for name in IDS
    for number, one in enumerate(_known(name).untouched)
]


def _tree(folder: Path, files: Mapping[str, str]) -> SourceTree:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8", newline="")
    return SourceTree(folder)


def _proposed(name: str, spot: Spot, tree: SourceTree) -> list[Proposal]:
    target = Target(
        spot.playbook,
        spot.file,
        spot.line,
        spot.symbol,
        spot.names,
        spot.tests,
        (),
        spot.change,
        spot.message,
    )
    return [one for one in proposals([name], target, tree) if isinstance(one, Proposal)]


def _line_after(before: str, after: str, line: int) -> int:
    """Where a line of the old text stands in the new one; a changed one where its change stands."""
    matcher = difflib.SequenceMatcher(None, before.splitlines(), after.splitlines(), autojunk=False)
    for _, start, stop, new_start, new_stop in matcher.get_opcodes():
        if start < line <= stop:
            return min(new_start + line - start, max(new_stop, 1))
    return line


@pytest.mark.parametrize("name", IDS)
def test_a_remedy_has_a_page_and_examples_of_both_kinds(name: str) -> None:
    known = _known(name)
    assert known.id == name
    assert known.page.strip()
    assert known.cured
    assert known.untouched


@pytest.mark.parametrize(("name", "example"), CURED)
def test_what_is_cured_becomes_what_the_example_says(name: str, example: Cured, tmp_path: Path) -> None:
    tree = _tree(tmp_path, example.before)
    proposal = _proposed(name, example.spot, tree)[example.choice]
    changed = applied(tree.files, proposal.edits)
    assert {file: data.decode() for file, data in changed.items()} == dict(example.after)
    assert proposal.label
    for data in changed.values():
        ast.parse(data)


@pytest.mark.parametrize(("name", "example"), CURED)
def test_a_second_time_nothing_is_changed(name: str, example: Cured, tmp_path: Path) -> None:
    first = _tree(tmp_path / "first", example.before)
    proposal = _proposed(name, example.spot, first)[example.choice]
    texts = {file: data.decode() for file, data in applied(first.files, proposal.edits).items()}
    second = _tree(tmp_path / "second", {**example.before, **texts})
    file = example.spot.file
    line = _line_after(example.before[file], texts.get(file, example.before[file]), example.spot.line)
    again = _proposed(name, _moved(example.spot, line), second)
    same = [one for one in again if one.reach == proposal.reach]
    assert [applied(second.files, one.edits) for one in same if applied(second.files, one.edits)] == []


def _moved(spot: Spot, line: int) -> Spot:
    return Spot(
        spot.file, line, spot.names, spot.tests, spot.playbook, spot.symbol, spot.change, spot.message
    )


@pytest.mark.parametrize(("name", "example"), UNTOUCHED)
def test_what_must_not_be_touched_is_left_alone(name: str, example: Untouched, tmp_path: Path) -> None:
    assert _proposed(name, example.spot, _tree(tmp_path, example.before)) == [], example.because


@pytest.mark.parametrize(("name", "example"), CURED)
def test_lines_keep_their_ends_and_their_indentation(name: str, example: Cured, tmp_path: Path) -> None:
    """The same with Windows' line ends: nothing else changes, and no end of line is of the other kind."""
    before = {file: text.replace("\n", "\r\n") for file, text in example.before.items()}
    tree = _tree(tmp_path, before)
    proposal = _proposed(name, example.spot, tree)[example.choice]
    changed = {file: data.decode() for file, data in applied(tree.files, proposal.edits).items()}
    assert changed == {file: text.replace("\n", "\r\n") for file, text in example.after.items()}
