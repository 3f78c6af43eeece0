"""Expressions and names made from failures that look alike."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import frame, raised
from triage.playbook.draft import deepest_file, exactly, expression, found_in_all, name_of
from triage.playbook.shapes import check_expression


@pytest.mark.parametrize(
    ("messages", "wanted"),
    [
        (["drawer 7 is kept by ann", "drawer 18 is kept by bob"], r"drawer \d[\d.,:]* is kept by [^\s'\"]+"),
        (["drawer 7 is locked"], r"drawer \d[\d.,:]* is locked"),
        (["HTTP 500 from billing"] * 9, r"HTTP \d[\d.,:]* from billing"),
        (["HTTP 500 from billing a", "HTTP 500 from billing b", "HTTP 500 from billing c"],
         r"HTTP 500 from billing [^\s'\"]+"),
        (["<Post 1> at 0x7fabc stays a draft"], r"<Post \d[\d.,:]*> at 0x[0-9a-fA-F]+ stays a draft"),
        (["the ledger 'a b' was closed", "the ledger 'c' was closed"], r"the ledger '[^\n]*' was closed"),
        (["is [a] (b) {c} allowed? no"], r"is \[a\] \(b\) \{c\} allowed\? no"),
        (["'x'"], None),
        (["no stock", "closed early"], None),
        ([], None),
    ],
)  # fmt: skip
def test_what_is_equal_stays_and_what_varies_is_left_open(messages: list[str], wanted: str | None) -> None:
    assert expression(messages) == wanted
    if wanted:
        check_expression(wanted, "here")


WORDS = st.lists(st.sampled_from(["ledger", "was", "closed", "17", "0x7f", "'a b'", "(x)", "[", "\\", "é"]))


@given(st.lists(WORDS.map(" ".join), min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_an_expression_is_found_in_all_that_it_was_made_of(messages: list[str]) -> None:
    made = expression(messages)
    assert made is None or found_in_all(made, messages)


def test_the_first_line_alone_is_asked_for() -> None:
    made = exactly("total (EUR)\nis missing")
    assert found_in_all(made, ["total (EUR) and more"])
    assert not found_in_all(made, ["a total (EUR)"])


def test_an_id_tells_the_exception_and_the_words_that_all_share() -> None:
    said = ["drawer 7 is locked by ann", "drawer 18 is locked by bob"]
    assert name_of("shop.DrawerLockedError", said, ()) == "drawer-locked"
    assert name_of("shop.DrawerLockedError", said, ("drawer-locked",)) == "drawer-locked-2"
    assert name_of("", ["??"], ()) == "unknown-failure"


def test_the_file_of_the_product_that_raised_all_is_named_and_no_other() -> None:
    here = raised("KeyError", "'x'", frame("tests/test_a.py", kind="test"), frame("app/shop.py"))
    there = raised("KeyError", "'x'", frame("app/stock.py"))
    assert deepest_file([here, here]) == "app/shop.py"
    assert deepest_file([here, there]) is None
    assert deepest_file([raised("KeyError", "'x'", frame("tests/test_a.py", kind="test"))]) is None
