"""YAML text to plain values: what is taken, what is refused and where."""

import math
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.errors import ConfigurationError
from triage.yamlfile import MAX_BYTES, MAX_DEPTH, MAX_NODES, parse_yaml, read_yaml

LAUGHS = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
HOSTILE = {
    "alias bomb": (LAUGHS, "1:4", "anchor or alias"),
    "alias of nothing": ("a: *b\n", "1:4", "anchor or alias"),
    "anchored key": ("&a key: 1\n", "1:1", "anchor"),
    "alias as a key": ("a: 1\n? *a\n: 2\n", "2:3", "not a name"),
    "merge key": ("a:\n  <<: {b: 1}\n", "2:3", "merge key"),
    "recursion": ("a: &a\n  - *a\n", "1:4", "anchor or alias"),
    "python object": ("a: !!python/object/apply:os.system [ls]\n", "1:4", "tag"),
    "own tag": ("a: !secret x\n", "1:4", "tag"),
    "tagged key": ("!!int 1: x\n", "1:1", "tag"),
    "binary": ("a: !!binary aGk=\n", "1:4", "tag"),
    "duplicate": ("a: 1\nb: 2\na: 3\n", "3:1", "'a' a second time"),
    "duplicate, nested": ("a:\n  - {b: 1, b: 2}\n", "2:12", "'b' a second time"),
    "list as a key": ("? [a]\n: 1\n", "1:3", "not a name"),
    "second document": ("a: 1\n---\nb: 2\n", "2:1", "second document"),
    "not a number": ("a: .nan\n", "1:4", "not finite"),
    "infinity": ("a: -.INF\n", "1:4", "not finite"),
    "overflow": ("a: 1e999\n", "1:4", "not finite"),
    "long number": (f"a: {'9' * 5000}\n", "1:4", "too long"),
    "deep flow": ("[" * 200 + "]" * 200, "1:42", "deeper"),
    "deep block": ("\n".join("  " * n + "a:" for n in range(60)), "42:83", "deeper"),
    "deep and endless": ("[" * 100_000, "1:42", "deeper"),
    "tab": ("a:\n\tb: 1\n", "2:1", "not valid YAML"),
    "unclosed": ("a: [1, 2\n", "2:1", "not valid YAML"),
    "colon in a scalar": ("a: b: c\n", "1:5", "not valid YAML"),
    "control character": ("a: \x07\n", "file.yaml", "not valid YAML"),
    "unknown directive": ("%YAML 9.9\n---\na: 1\n", "1:1", "not valid YAML"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_refused_with_its_place(name: str) -> None:
    text, place, what = HOSTILE[name]
    with pytest.raises(ConfigurationError) as refused:
        parse_yaml(text, "file.yaml")
    assert refused.value.where in (f"file.yaml:{place}", place)
    assert what in refused.value.what


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('a: "\\d+"\n', "single quotes"),
        ("a:\n\tb: 1\n", "spaces instead of tabs"),
        ("-\ta: 1\n \tb: 2\n", "spaces instead of tabs"),
        ("a: no such: thing\n", "holds a colon"),
        ("a: *.py\n", "begins with & or *"),
        ("a: @app\n", "begins with @"),
        ("a: 'left\n", "not closed"),
        ("a: [1, 2\nb: 3\n", "not closed"),
    ],
)
def test_the_usual_slips_get_advice(text: str, hint: str) -> None:
    with pytest.raises(ConfigurationError, match="not valid YAML") as refused:
        parse_yaml(text, "file.yaml")
    assert hint in (refused.value.hint or "")


def test_too_many_values_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="more values"):
        parse_yaml("[" + "a," * MAX_NODES + "]", "file.yaml")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"),
        ("on", "on"),
        ("yes", "yes"),
        ("12:30", "12:30"),
        ("2026-11-21", "2026-11-21"),
        ("1_000", "1_000"),
        ("010", 10),
        ("0o17", 15),
        ("0xff", 255),
        ("-1", -1),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("'12'", "12"),
        ('"true"', "true"),
        ("! 12", "12"),
        ("=", "="),
    ],
)
def test_scalars_follow_the_core_schema_of_yaml_1_2(text: str, value: object) -> None:
    found = parse_yaml(f"a: {text}\n", "file.yaml").data["a"]
    assert (found, type(found)) == (value, type(value))


def test_keys_are_text_whatever_they_look_like() -> None:
    assert parse_yaml("on: 1\n1: 2\nnull: 3\n", "file.yaml").data == {"on": 1, "1": 2, "null": 3}


def test_an_empty_file_is_nothing() -> None:
    assert parse_yaml("", "file.yaml").data is None
    assert parse_yaml("# a comment\n", "file.yaml").data is None


def test_nesting_is_taken_up_to_the_limit() -> None:
    data = parse_yaml("[" * MAX_DEPTH + "]" * MAX_DEPTH, "file.yaml").data
    depth = 0
    while data:
        (data,), depth = data, depth + 1
    assert depth == MAX_DEPTH - 1


def test_every_value_knows_its_place() -> None:
    document = parse_yaml("a:\n  - b: 1\n    c: [x, y]\n", "file.yaml")
    assert document.where(("a",)) == "file.yaml:1:1"
    assert document.where(("a", 0, "c")) == "file.yaml:3:5"
    assert document.where(("a", 0, "c", 1)) == "file.yaml:3:12"


def test_what_has_no_place_gets_that_of_its_parent() -> None:
    document = parse_yaml("a:\n  - b: 1\n", "file.yaml")
    assert document.where(("a", 0, "missing", "deeper")) == document.where(("a", 0))
    assert parse_yaml("", "file.yaml").where(("a",)) == "file.yaml:1:1"


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert read_yaml(path).data == {"a": 1}


def test_what_is_not_utf_8_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_bytes(b"a: 1\nb: \xff\xfe\n")
    with pytest.raises(ConfigurationError, match="not UTF-8") as refused:
        read_yaml(path)
    assert refused.value.where == f"{path}:2"


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(ConfigurationError, match="too large"):
        read_yaml(path)


def test_what_cannot_be_read_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_yaml(tmp_path / "missing.yaml")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_yaml(tmp_path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    os.mkfifo(path)
    with pytest.raises(ConfigurationError, match="no regular file"):
        read_yaml(path)


_WORDS = st.sampled_from(
    [
        *("a", ": ", "- ", "\n", "  ", "&x", "*x", "!t ", "<<", "[", "]", "{", "}", ",", "?", "|", ">"),
        *("'", '"', "%", "---", "...", "#", "1e999", ".nan", "0x", "\t", "=", "!!int "),
        *("\ufeff", "\x00", "\ud800", "\u2028"),
    ]
)


@given(st.lists(_WORDS, max_size=40).map("".join) | st.text(max_size=200))
def test_any_text_gives_plain_values_or_a_configuration_error(text: str) -> None:
    said = data = None
    try:
        data = parse_yaml(text, "file.yaml").data
    except ConfigurationError as error:
        said = (error.where, error.what)
    assert all(said) if said else _is_plain(data)


@given(st.binary(max_size=200))
def test_any_bytes_give_plain_values_or_a_configuration_error(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes.yaml"
    path.write_bytes(raw)
    place = data = None
    try:
        data = read_yaml(path).data
    except ConfigurationError as error:
        place = error.where
    assert str(path) in place if place else _is_plain(data)


def _is_plain(value: object) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(one) for key, one in value.items())
    if isinstance(value, list):
        return all(_is_plain(one) for one in value)
    return (
        value is None or isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))
    )
