"""Expressions and names made from failures that look alike."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import frame, raised
from triage.playbook.draft import class_names, deepest_file, exactly, expression, found_in_all, symptoms
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
        (["[Errno 2] No such file or directory"], r"\[Errno 2\] No such file or directory"),
        (["token a8f5f167f44f4964 was refused"], r"token [^\s'\"]+ was refused"),
        (["two  spaces are kept"], r"two\s+spaces are kept"),
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


def test_a_short_message_is_asked_for_whole() -> None:
    made = exactly("total (EUR)")
    assert found_in_all(made, ["total (EUR)"])
    assert not found_in_all(made, ["a total (EUR)"])
    assert not found_in_all(made, ["total (EUR) and more"])
    assert found_in_all(exactly("total (EUR)\nis missing"), ["total (EUR)\nwas found"])


def test_conditions_go_from_words_to_places() -> None:
    here = raised("shop.Shut", "the shop is closed\nuntil monday", frame("app/shop.py"))
    found = list(symptoms([here]))
    assert found[0] == {"exception": "shop.Shut", "message": "the shop is closed"}
    said = [one.get("message") for one in found]
    assert said.index(r"the shop is closed\s+until monday") < said.index("the shop is closed", 1)
    assert {"exception": "shop.Shut", "frames": "app/shop.py", "message": "the shop is closed"} in found
    assert found[-1] == {"exception": "shop.Shut"}


@pytest.mark.parametrize(
    ("types", "wanted"),
    [
        (["shop.Shut"], ["shop.Shut"]),
        (["a.make.<locals>.Boom"], ["Boom"]),
        (["a.make.<locals>.ValueError"], []),
        (["Error[int]"], []),
        (["shop.Shut", "Shut"], ["shop.Shut", "Shut"]),
        ([""], []),
    ],
)
def test_only_names_that_a_symptom_can_ask_for_are_given(types: list[str], wanted: list[str]) -> None:
    assert class_names([raised(one, "") for one in types]) == wanted


def test_nothing_is_asked_for_where_nothing_is_said() -> None:
    assert list(symptoms([raised("ValueError", "")])) == []
    assert list(symptoms([raised("", "")])) == []
    assert next(symptoms([raised("shop.Shut", "")])) == {"exception": "shop.Shut", "unless": r"\S"}
    assert list(symptoms([raised("ValueError", "a"), raised("ValueError", "")])) == []


def test_the_file_of_the_product_that_raised_all_is_named_and_no_other() -> None:
    here = raised("KeyError", "'x'", frame("tests/test_a.py", kind="test"), frame("app/shop.py"))
    there = raised("KeyError", "'x'", frame("app/stock.py"))
    assert deepest_file([here, here]) == "app/shop.py"
    assert deepest_file([here, there]) is None
    assert deepest_file([raised("KeyError", "'x'", frame("tests/test_a.py", kind="test"))]) is None
