"""Texts compared: unified diffs, lines carried over, and changes taken out again."""

import difflib
from collections.abc import Iterator, Mapping, Sequence

from triage.model.plan import Site
from triage.remedies.source import UntouchableError, decoded

_Hunk = tuple[int, int, Sequence[str]]  # lines of the base from, to, and what stands there instead


def unified(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> str:
    """One diff of all changed files, as `git apply` and `patch -p1` read it; paths in their order."""
    return "".join(_one(path, before.get(path, b""), after[path]) for path in sorted(after))


def text_of(data: bytes) -> str:
    """The text of a source file; bytes that its encoding does not know are shown as they can be."""
    try:
        return decoded("", data)[2]
    except UntouchableError:
        return data.decode("utf-8", "surrogateescape")


def changed_lines(before: bytes, after: bytes) -> list[tuple[int, int]]:
    """For each change, its first and last line in the old text; an insertion stands at the line above it."""
    old, new = text_of(before).splitlines(), text_of(after).splitlines()
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    return [
        (start + 1, max(stop, start + 1)) if stop > start else (max(start, 1), max(start, 1))
        for tag, start, stop, _, _ in matcher.get_opcodes()
        if tag != "equal"
    ]


def sites_of(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> tuple[Site, ...]:
    """Where each change begins, in the old text."""
    return tuple(
        Site(path, first)
        for path in sorted(after)
        for first, _ in changed_lines(before.get(path, b""), after[path])
    )


def old_line(before: bytes, after: bytes, line: int) -> int:
    """Where a line of the new text stood in the old one; a new line where its change began."""
    old, new = text_of(before).splitlines(), text_of(after).splitlines()
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for tag, start, stop, new_start, new_stop in matcher.get_opcodes():
        if new_start < line <= new_stop:
            return start + line - new_start if tag == "equal" else min(start + 1, max(stop, 1))
    return line


def taken_out(base: bytes, without: bytes, last: bytes) -> bytes | None:
    """`last`, made from `base`, without the change that `base` has over `without`; None where both touch.

    All three must be in one encoding, or nothing is taken out.
    """
    try:
        texts = [data.decode("utf-8").splitlines(keepends=True) for data in (base, without, last)]
    except UnicodeDecodeError:
        return None
    common = texts[0]
    undone, later = list(_hunks(common, texts[1])), list(_hunks(common, texts[2]))
    if any(_touch(one, other) for one in undone for other in later):
        return None
    pieces: list[str] = []
    at = 0
    for start, stop, lines in sorted([*undone, *later], key=lambda hunk: hunk[:2]):
        pieces += [*common[at:start], *lines]
        at = stop
    return "".join([*pieces, *common[at:]]).encode()


def _one(path: str, before: bytes, after: bytes) -> str:
    old, new = before.decode("utf-8", "surrogateescape"), after.decode("utf-8", "surrogateescape")
    lines = difflib.unified_diff(_lines(old), _lines(new), f"a/{path}", f"b/{path}")
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def _lines(text: str) -> list[str]:
    r"""Split at `\n` alone, as diff and patch do."""
    return [f"{line}\n" for line in text.split("\n")[:-1]] + [line for line in text.split("\n")[-1:] if line]


def _hunks(old: Sequence[str], new: Sequence[str]) -> Iterator[_Hunk]:
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for tag, start, stop, new_start, new_stop in matcher.get_opcodes():
        if tag != "equal":
            yield start, stop, new[new_start:new_stop]


def _touch(one: _Hunk, other: _Hunk) -> bool:
    if one[:2] == other[:2]:
        return True
    return one[0] < other[1] and other[0] < one[1]
