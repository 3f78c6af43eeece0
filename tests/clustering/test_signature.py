"""Signatures hold what failures of one kind share, and nothing that varies."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.clustering.signature import WILD, fingerprint, joined, parts_of, signature
from triage.model.case import Frame

TEXT = st.text(st.sampled_from("a |:<*>\n'1"), max_size=12)
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
        ("mail 'it's mine' lost", "mail 'it's all yours' lost"),
        ("got b'\\x00\\x01'", "got b'abc'"),
        ('said "it\'s"', 'said "not this"'),
        ("from 10.0.0.1:80 to fe80::1ff:fe23:4567:890a", "from 192.168.100.7:8080 to 2001:db8:0:1:1:1:1:1"),
        ("id 3f2504e04f8911d39a0c0305e82c3301", "id 000000000fff11d39a0c0305e82c33ff"),
        ("'3f2504e04f8911d39a0c0305e82c3301' gone", "'a00000000fff11d39a0c0305e82c33ff' gone"),
        ("key dGhlIHF1aWNrIGJyb3duIGZveA==", "key aHVuZHJlZCBvZiBqdW1waW5nIA=="),
        ("token 'eyJhbGciOiJIUzI1NiIsInR5cCI'", "token 'eyKk2GciOaJSUzP9NiRtInQ4cCW'"),
        ("sqlite:////tmp/a/x.db is locked", "sqlite:////tmp/b/y.db is locked"),
        ("postgresql://me:x@db:5432/a", "postgresql://you@other/b"),
        (r"in C:\Users\me\a.txt", r"in D:\b.txt"),
        ("dir 'tmpab3x_9qz'", "dir 'tmp0000_abc'"),
        ("under pytest-of-ci/pytest-4/test_a0 gone", "under pytest-of-me/pytest-11/test_b1 gone"),
        ("keys {'b', 'a'}", "keys {'a', 'b'}"),
        ("got {'b': 1, 'a': 'x y'}", "got {'a': 'z z', 'b': 22}"),
        ("ids [1, 2, 3]", "ids [10, 20]"),
        ("at -5 degrees", "at 12 degrees"),
        ("id 7", "id 12345678901234567890"),
        ("<User 'ann'> is gone", "<User 'bob'> is gone"),
        ("User(id=1, name='x y', role='admin')", "User(id=21, name='z z', role='guest')"),
        ("invalid literal for int() with base 10: 'abc'", "invalid literal for int() with base 10: 'xyz'"),
        ("Key (email)=(a@b.c) already exists", "Key (email)=(it's me) already exists"),
        ("Failing row contains (1, null, a).", "Failing row contains (22, null, (b), c)."),
        ("Fri, 31 Jan 2026 10:00:00 GMT", "Mon, 01 Dec 2025 23:59:59 GMT"),
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
        ("KeyError: 'email'", "KeyError: 'title'"),
        ("missing {'email', 'name'}", "missing {'email', 'title'}"),
        ('relation "users" does not exist', 'relation "posts" does not exist'),
        ("<Blueprint 'admin'> is taken", "<Blueprint 'shop'> is taken"),
        ("<class 'app.A'> is no model", "<class 'app.B'> is no model"),
        ("no test_create_invoice_for_customer", "no test_create_voucher_for_customer"),
        ("Instance <Tenant at 0x1>", "Instance <Service at 0x1>"),
    ],
)
def test_names_of_things_are_kept(one: str, other: str) -> None:
    assert said(one) != said(other)


@given(TEXT, TEXT, st.sampled_from(["", "a.py:f", "a | b: c.py:f < d.py:g"]))
def test_a_signature_can_be_taken_apart_again(type_: str, message: str, place: str) -> None:
    file, _, function = place.rpartition(":")
    frames = [Frame(file, 1, function)] if place else []
    text = signature(type_, message, frames)
    parts = parts_of(text)
    assert joined(parts) == text
    assert bool(parts.places) == bool(place)
    assert parts.type
    assert WILD not in text


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
    assert re.fullmatch(r"v2:[0-9a-f]{16}", fingerprint(text))
    assert fingerprint(text) == fingerprint(signature(type_.replace("\n", ""), message, [SERVICE]))


@pytest.mark.parametrize(
    "hostile",
    [
        "'",
        '"',
        "a.",
        "1,",
        "0x",
        "a-",
        "/tmp",
        "(",
        "aaaa@",
        "datetime.",
        "[SQL:",
        "\n",
        "\\'",
        "'a'b",
        "a=(",
        "{",
        "{a, ",
        "#, ",
        "a@b",
        "0:",
        "Az0_",
        "tmp",
        "aaaaaaaaa0",
        "row contains (",
    ],
)
def test_hostile_repetition_costs_no_more_than_its_length(hostile: str) -> None:
    assert len(said(hostile * 200_000)) < 2_000
