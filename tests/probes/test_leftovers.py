"""Records of what tests left behind, hostile ones too, become values."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.probes.leftovers import Leftover, left_of, which_mattered
from triage.text import Masker

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8) | st.just("name"), inner, max_size=4)
    ),
    max_leaves=10,
)
changes = st.fixed_dictionaries(
    {"kind": st.sampled_from(["module", "database", "nonsense"]) | json_values},
    optional=dict.fromkeys(("name", "before", "after", "file", "line", "by"), json_values),
)
records = st.fixed_dictionaries(
    {},
    optional={
        "t": st.just("left"),
        "id": st.sampled_from(["t.py::a", "t.py::b"]) | json_values,
        "changes": st.lists(changes | json_values, max_size=5) | json_values,
    },
)


def change(name: str = "shop.STORE", kind: str = "module", **more: Any) -> dict[str, Any]:
    return {"kind": kind, "name": name, "before": "{}", "after": "{1}", "file": None, "line": None} | more


def record(*changes: Any, test: Any = "t.py::a") -> dict[str, Any]:
    return {"t": "left", "id": test, "changes": list(changes)}


def only(*records: Any) -> Leftover:
    (found,) = left_of(records)["t.py::a"]
    return found


def test_a_change_becomes_a_leftover() -> None:
    assert only(record(change())) == Leftover("module", "shop.STORE", "{}", "{1}")
    placed = only(record(change("items", "database", file="tests/t.py", line=7)))
    assert placed == Leftover("database", "items", "{}", "{1}", "tests/t.py", 7)


def test_the_line_of_the_test_is_kept_where_the_product_changed_it() -> None:
    by = {"file": "tests/t.py", "line": 7}
    placed = only(record(change(file="shop.py", line=3, by=by)))
    assert (placed.by_file, placed.by_line) == ("tests/t.py", 7)
    same = only(record(change(file="tests/t.py", line=7, by=by)))
    assert (same.by_file, same.by_line) == ("", 0)


def test_records_of_one_test_are_put_together() -> None:
    found = left_of([record(change("a")), record(change("b"), test="t.py::b"), record(change("c"))])
    names = {test: [one.name for one in changes] for test, changes in found.items()}
    assert names == {"t.py::a": ["a", "c"], "t.py::b": ["b"]}


@pytest.mark.parametrize("place_first", [True, False])
def test_the_same_change_with_and_without_its_place_is_one(place_first: bool) -> None:
    told = [record(change()), record(change(file="shop.py", line=3))]
    found = only(*(reversed(told) if place_first else told))
    assert (found.file, found.line) == ("shop.py", 3)


def test_rows_of_one_table_from_two_places_are_two() -> None:
    rows = [change("items", "database", file="t.py", line=line) for line in (3, 4)]
    assert [one.line for one in left_of([record(*rows)])["t.py::a"]] == [3, 4]


@given(st.lists(records | json_values, max_size=6))
@settings(deadline=None)
def test_hostile_records_never_raise_and_give_bounded_clean_values(told: list[Any]) -> None:
    found = left_of(told)
    for test, changes in found.items():
        assert test
        assert changes
        for one in changes:
            assert one.kind in {"module", "database"}
            assert one.name
            assert len(one.before) <= 120
            assert len(one.after) <= 120
            assert bool(one.file) == bool(one.line)
            assert json.dumps([one.name, one.before, one.after, one.file]).isprintable()


def test_invisible_characters_are_shown() -> None:
    found = only(record(change("a\x1b[2J", after="\u202ex", file="t\x00.py", line=1)))
    assert found == Leftover("module", "a#x1B[2J", "{}", "#x202Ex", "t#x00.py", 1)


def test_long_values_and_many_changes_are_cut() -> None:
    assert len(only(record(change(after="x" * 100_000))).after) <= 120
    many = [change(f"name_{number}") for number in range(1000)]
    assert len(left_of([record(*many[:500]), record(*many[500:])])["t.py::a"]) == 200


def test_secrets_are_masked_by_value_and_by_name() -> None:
    known = Masker(["hunter22hunter22"])
    by_value = left_of([record(change("MODE", "environment", after="'hunter22hunter22'"))], known)
    assert by_value["t.py::a"][0].after == "'***'"
    by_name = only(record(change("SHOP_API_TOKEN", "environment", before="", after="'abcdef123456'")))
    assert "abcdef" not in by_name.after
    url = only(record(change("DATABASE", "environment", after="'postgresql://me:s3cretword@host/x'")))
    assert "s3cretword" not in url.after


def test_what_the_failure_names_comes_first() -> None:
    mode, store, limit, rows, other = (
        Leftover("environment", "SHOP_MODE"),
        Leftover("module", "shop.cache.STORE"),
        Leftover("module", "shop.cache.LIMIT"),
        Leftover("database", "items"),
        Leftover("cwd", "cwd"),
    )
    involved = ["shop/cache.py", "    return STORE[key]", "UNIQUE constraint failed: items.name"]
    assert which_mattered([other, limit, mode, store, rows], involved) == (store, rows, limit, other, mode)


def test_a_name_inside_a_longer_word_does_not_count() -> None:
    one, other = Leftover("module", "shop.a.is"), Leftover("module", "shop.b.STORE")
    assert which_mattered([one, other], ["this is_not STORE"]) == (other, one)


@given(st.lists(st.text(max_size=20), max_size=5), st.lists(st.text(max_size=50), max_size=5))
def test_ordering_keeps_every_leftover(names: list[str], involved: list[str]) -> None:
    left = [Leftover("module", name) for name in names]
    assert sorted(which_mattered(left, involved), key=repr) == sorted(left, key=repr)
