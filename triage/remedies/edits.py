"""Edits of several remedies to one file's bytes: all of them, or the ones that do not clash."""

from collections.abc import Iterable, Mapping, Sequence

from triage.model.fix import Edit
from triage.remedies.source import decoded, encoded


def clashes(one: Edit, other: Edit) -> bool:
    """Whether two edits change the same characters, or their order at one place matters."""
    if one == other or one.file != other.file:
        return False
    if one.start == one.stop == other.start == other.stop:
        return not _any_order(one.text, other.text)
    if one.start == one.stop or other.start == other.stop:
        inserted, wide = (one, other) if one.start == one.stop else (other, one)
        return wide.start < inserted.start < wide.stop
    return one.start < other.stop and other.start < one.stop


def _any_order(one: str, other: str) -> bool:
    """Whole lines beside whole lines, and further elements of one list; not an indentation beside a line."""
    lines = one.endswith("\n") and other.endswith("\n")
    return lines or (one.lstrip().startswith(",") and other.lstrip().startswith(","))


def compatible(edits: Sequence[Edit], others: Iterable[Edit]) -> bool:
    return not any(clashes(one, other) for other in others for one in edits)


def applied(files: Mapping[str, bytes], edits: Iterable[Edit]) -> dict[str, bytes]:
    """The changed files only; equal edits count once, insertions at one place stand in their order.

    Raises:
        ValueError: two edits clash.
        UntouchableError: a file cannot hold its new text.
    """
    by_file: dict[str, list[Edit]] = {}
    for edit in dict.fromkeys(edits):
        by_file.setdefault(edit.file, []).append(edit)
    changed = {file: _rewritten(file, files[file], found) for file, found in by_file.items()}
    return {file: data for file, data in changed.items() if data != files[file]}


def _rewritten(file: str, data: bytes, edits: list[Edit]) -> bytes:
    encoding, mark, text = decoded(file, data)
    pieces, at = [], 0
    for edit in sorted(edits, key=lambda one: (one.start, one.stop)):
        if edit.start < at:
            raise ValueError(f"edits clash in {file} at character {edit.start}")
        pieces += [text[at : edit.start], edit.text]
        at = edit.stop
    return encoded(file, "".join([*pieces, text[at:]]), encoding, mark=mark)
