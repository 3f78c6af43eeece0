"""Texts compared: diffs that tools can apply, lines carried over, changes taken out again."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.fixing.diffs import changed_lines, old_line, sites_of, taken_out, unified
from triage.model.plan import Site

LINES = st.lists(st.sampled_from(["a", "b", "c", "x = 1", "", "\tif y:", "ä"]), max_size=12)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"one\ntwo\nthree\n", b"one\n2\nthree\n"),
        (b"one\ntwo", b"one\ntwo\nthree"),
        (b"one\r\ntwo\r\n", b"one\r\n2\r\n"),
        (b"\xef\xbb\xbfone\n", b"\xef\xbb\xbftwo\n"),
        (
            "# -*- coding: latin-1 -*-\nä\n".encode("latin-1"),
            "# -*- coding: latin-1 -*-\nö\n".encode("latin-1"),
        ),
        (b"a\x0cb\nc\n", b"a\x0cb\nd\n"),
    ],
)
def test_git_applies_the_diff(before: bytes, after: bytes, tmp_path: Path) -> None:
    (tmp_path / "m.py").write_bytes(before)
    diff = unified({"m.py": before}, {"m.py": after})
    (tmp_path / "d.diff").write_bytes(diff.encode("utf-8", "surrogateescape"))
    subprocess.run(["git", "apply", "--whitespace=nowarn", "d.diff"], cwd=tmp_path, check=True)
    assert (tmp_path / "m.py").read_bytes() == after


def test_a_change_and_an_insertion_have_their_lines_in_the_old_text() -> None:
    before, after = b"a\nb\nc\nd\n", b"a\nB\nc\nnew\nd\n"
    assert changed_lines(before, after) == [(2, 2), (3, 3)]
    assert sites_of({"m.py": before}, {"m.py": after}) == (Site("m.py", 2), Site("m.py", 3))


@given(LINES, LINES)
def test_a_line_that_stayed_is_found_where_it_stood(before: list[str], after: list[str]) -> None:
    old, new = "\n".join(before).encode(), "\n".join(after).encode()
    for number in range(1, len(after) + 1):
        found = old_line(old, new, number)
        assert found >= 1
        assert found <= max(len(before), number)


@given(LINES, LINES, LINES)
def test_a_change_at_the_head_is_taken_out_from_under_one_at_the_end(
    head: list[str], body: list[str], tail: list[str]
) -> None:
    def text(*parts: list[str]) -> bytes:
        return "".join(f"{line}\n" for part in parts for line in part).encode()

    fence = [f"fence {n}" for n in range(4)]
    base = text(["changed"], fence, body)
    last = text(["changed"], fence, body, tail)
    assert taken_out(base, text(head, fence, body), last) == text(head, fence, body, tail)


def test_a_change_of_the_same_lines_is_not_taken_out() -> None:
    assert taken_out(b"a\nB\nc\n", b"a\nb\nc\n", b"a\nBB\nc\n") is None


def test_bytes_of_another_encoding_are_left_alone() -> None:
    assert taken_out(b"\xe4\n", b"a\n", b"\xe4\nb\n") is None
