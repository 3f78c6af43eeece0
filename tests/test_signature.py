"""Signatures hold what failures of one kind share, and nothing that varies."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.model.case import Frame
from triage.signature import fingerprint, signature

SERVICE = Frame("app/service.py", 10, "book")


def said(message: str, type_: str = "ValueError") -> str:
    return signature(type_, message, ())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("<Post at 0x7f52e0>", "<Post at 0x55cb03621f97>"),
        ("id 3f2504e0-4f89-11d3-9a0c-0305e82c3301", "id 00000000-ffff-11d3-9a0c-0305e82c33ff"),
        ("at 2026-01-31 23:59:59.123456", "at 2025-12-01 00:00:00.5"),
        ("at 2026-01-31T23:59:59Z", "at 2025-12-01T00:00:00+02:00"),
        ("datetime.datetime(2026, 1, 1, 5)", "datetime.datetime(2026, 1, 1, 5, 7, 9, 123)"),
        ("took 0.52s of 30 s", "took 12.07s of 5 s"),
        ("port 5432 refused", "port 43210 refused"),
        ("in /tmp/pytest-of-me/pytest-3/x.db", "in /tmp/pytest-of-ci/pytest-41/y0.db"),
        ("open /home/a/work/x.py failed", "open /builds/ci/9/x.py failed"),
        ("hash 9e107d9d372bb682", "hash e4d909c290d0fb1c"),
        ("<Post 1> is gone", "<Post 22> is gone"),
        ("'a b' != 'c d'", "'x y z' != 'q r'"),
        ("mail u1@example.org", "mail other.person@test.example"),
        ("x\n[SQL: INSERT a]\n[parameters: (1, 2)]", "x\n[SQL: INSERT b]\n[parameters: (None,)]"),
        (
            "gone (Background on this error at: https://sqlalche.me/e/20/bhk3)",
            "gone (Background on this error at: x)",
        ),
        ("already attached to session '2' (this is '1')", "already attached to session '14' (this is '3')"),
    ],
)
def test_what_varies_between_runs_is_taken_out(one: str, other: str) -> None:
    assert said(one) == said(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("NOT NULL constraint failed: users.email", "NOT NULL constraint failed: users.name"),
        ("'Post' object has no attribute 'author'", "'Post' object has no attribute 'title'"),
        ("don't do it", "don't say it"),
        ("Instance <Tenant at 0x1>", "Instance <Service at 0x1>"),
    ],
)
def test_names_of_things_are_kept(one: str, other: str) -> None:
    assert said(one) != said(other)


def test_an_assertion_is_about_its_place_and_shape_not_its_values() -> None:
    assert said("assert 'Ann' == 'Bob'\n - Bob\n + Ann", "AssertionError") == said(
        "assert 'Eve' == 'Joe'\n - Joe\n + Eve", "AssertionError"
    )


def test_the_test_that_met_a_defect_does_not_count_but_the_code_that_has_it_does() -> None:
    one = signature("KeyError", "'k'", [Frame("tests/test_a.py", 3, "test_a", "test"), SERVICE])
    two = signature("KeyError", "'k'", [Frame("tests/test_b.py", 9, "test_b", "test"), SERVICE])
    three = signature("KeyError", "'k'", [Frame("app/other.py", 10, "book")])
    assert one == two == "KeyError: 'k' | app/service.py:book"
    assert one != three


def test_without_code_of_its_own_the_file_of_the_test_tells_failures_apart() -> None:
    frames = [Frame("tests/test_a.py", 3, "test_a", "test"), Frame("/lib/x.py", 1, "f", "library")]
    assert signature("KeyError", "", frames) == "KeyError | tests/test_a.py"
    helper = [*frames, Frame("tests/helpers.py", 3, "make_user", "test")]
    assert signature("KeyError", "", helper) == "KeyError | tests/helpers.py:make_user"


def test_an_unknown_exception_has_a_signature_too() -> None:
    assert signature("", "segmentation fault at 0x0", ()) == "unknown: segmentation fault at <address>"


@given(st.text(), st.text(st.characters(codec=None), max_size=3000))
def test_any_failure_has_one_line_and_a_versioned_fingerprint(type_: str, message: str) -> None:
    text = signature(type_.replace("\n", ""), message, [SERVICE])
    assert "\n" not in text
    assert re.fullmatch(r"v1:[0-9a-f]{16}", fingerprint(text))
    assert fingerprint(text) == fingerprint(signature(type_.replace("\n", ""), message, [SERVICE]))


@pytest.mark.parametrize(
    "hostile", ["'", '"', "a.", "1,", "0x", "a-", "/tmp", "(", "aaaa@", "datetime.", "[SQL:", "\n"]
)
def test_hostile_repetition_costs_no_more_than_its_length(hostile: str) -> None:
    assert len(said(hostile * 200_000)) < 2_000
