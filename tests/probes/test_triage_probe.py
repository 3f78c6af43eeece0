"""What the plugin writes of the tests of a real pytest run."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.probes.children import Records, start
from tests.probes.samples import EVIDENCE, LOGIC, OUTCOMES, SHOP, SHOP_OUTCOMES

OWN = "tests/test_evidence.py"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Records:
    return start(tmp_path_factory.mktemp("shop"), SHOP, "--junitxml=../out/junit.xml").records()


def line_of(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


def head(shop: Records, name: str) -> dict[str, Any]:
    found: dict[str, Any] = shop.fail(name)["chain"][0]
    return found


def test_session_comes_first_and_end_last(shop: Records) -> None:
    session = shop.all[0]
    assert session["t"] == "session"
    assert (session["schema"], session["w"]) == (1, None)
    assert session["root"] == session["cwd"] == str(shop.folder / "project")
    assert session["python"] == ".".join(map(str, sys.version_info[:3]))
    assert session["pytest"] == session["packages"]["pytest"] == pytest.__version__
    assert "sqlalchemy" in session["packages"]
    assert shop.all[-1] == {"t": "end", "exit": 1}
    assert shop.of("probe_error") == []


def test_every_collected_test_starts_and_ends_once_in_order(shop: Records) -> None:
    collected = shop.one("collected")
    assert collected["n"] == len(collected["ids"]) > len(SHOP_OUTCOMES)
    assert [record["id"] for record in shop.of("start")] == collected["ids"]
    assert [record["id"] for record in shop.of("done")] == collected["ids"]


def test_outcomes_are_those_of_the_body(shop: Records) -> None:
    found = shop.outcomes()
    assert {name: found.get(name) for name in SHOP_OUTCOMES} == SHOP_OUTCOMES
    assert all(0 <= record["d"] < 60 for record in shop.of("done"))


def test_a_test_that_fails_in_body_and_teardown_has_two_records(shop: Records) -> None:
    records = shop.fails("test_fails_and_leaves_badly")
    assert [(one["when"], one["chain"][0]["type"], one["in_fixture"]) for one in records] == [
        ("call", "AssertionError", []),
        ("teardown", "RuntimeError", ["leaving"]),
    ]
    assert records[0]["chain"][0]["msg"].startswith("body\nassert 1 == 2")


def test_frames_begin_at_the_test_and_show_columns_in_characters(shop: Records) -> None:
    test, logic = head(shop, "test_fails")["frames"]
    assert test["src"] == 'é = "é"; price(None)'
    assert (test["file"], test["func"], test["kind"]) == ("tests/test_outcomes.py", "test_fails", "test")
    assert test["line"] == line_of(OUTCOMES, "price(None)")
    assert (test["col"], test["indent"]) == ([13, 24], 4)
    assert logic | {"col": None} == {
        "file": "shop/logic.py",
        "line": line_of(LOGIC, "cents"),
        "func": "price",
        "kind": "project",
        "mod": "shop.logic",
        "src": "return item.cents",
        "col": None,
        "indent": 4,
    }
    start_column, end_column = (column - logic["indent"] for column in logic["col"])
    assert logic["src"][start_column:end_column] == "item.cents"


def test_fixtures_stand_in_the_order_of_set_up_with_their_sites(shop: Records) -> None:
    record = shop.fail("test_setup_fails")
    assert record["when"] == "setup"
    assert record["in_fixture"] == ["service"]
    assert [(one["name"], one["scope"], one["args"], one["gen"]) for one in record["fixtures"]] == [
        ("app", "function", [], True),
        ("tenant", "function", ["app"], False),
        ("service", "function", ["app", "tenant"], False),
    ]
    site = record["fixtures"][1]["def"]
    assert site == {"file": "tests/conftest.py", "line": 9, "func": "tenant", "kind": "test"}
    assert record["test"]["line"] == line_of(OUTCOMES, "def test_setup_fails")
    assert [frame["func"] for frame in record["chain"][0]["frames"]] == ["service"]


def test_a_cached_fixture_error_is_the_same_exception_for_each_test(shop: Records) -> None:
    first, again = shop.fail("test_shared_first"), shop.fail("test_shared_again")
    assert first["chain"][0]["oid"] == again["chain"][0]["oid"]
    assert first["in_fixture"] == again["in_fixture"] == ["shared"]
    assert first["fixtures"][0]["scope"] == "module"


def test_failures_without_an_exception_of_the_project_say_why(shop: Records) -> None:
    assert "fixture 'nowhere' not found" in head(shop, "test_fixture_unknown")["msg"]
    strict = shop.fail("test_xpasses_strictly")
    assert strict["chain"] == []
    assert "XPASS(strict)" in strict["text"]


def test_parameters_and_unittest_cases_are_named(shop: Records) -> None:
    assert shop.fail("test_awkward[a::b]")["param"] == "a::b"
    frames = head(shop, "TestUnit::test_unit")["frames"]
    assert (frames[0]["func"], frames[-1]["kind"]) == ("test_unit", "library")
    assert shop.fail("TestPlain::test_method")["test"]["func"] == "test_method"


def test_warnings_have_their_place_and_test(shop: Records) -> None:
    (record,) = [record for record in shop.of("warn") if record["msg"] == "careful"]
    assert record | {"id": ""} == {
        "t": "warn",
        "category": "DeprecationWarning",
        "msg": "careful",
        "file": "tests/test_outcomes.py",
        "line": line_of(OUTCOMES, "careful"),
        "id": "",
        "when": "runtest",
    }
    assert record["id"].endswith("::test_warns")


def test_the_chain_follows_causes_and_contexts_that_are_not_suppressed(shop: Records) -> None:
    caused, hidden = shop.fail("test_caused")["chain"], shop.fail("test_context_hidden")["chain"]
    assert [(one["type"], one["via"]) for one in caused] == [
        ("test_evidence.Derived", "raised"),
        ("KeyError", "cause"),
    ]
    assert caused[0]["mro"] == [
        "test_evidence.Base",
        "KeyError",
        "LookupError",
        "Exception",
        "BaseException",
    ]
    assert [one["via"] for one in shop.fail("test_in_context")["chain"]] == ["raised", "context"]
    assert [one["msg"] for one in hidden] == ["alone"]
    assert [one["msg"] for one in shop.fail("test_chain_in_a_ring")["chain"]] == ["one", "two"]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python has no exception groups")
def test_members_of_a_group_follow_it(shop: Records) -> None:
    chain = shop.fail("test_group")["chain"]
    assert [(one["type"], one["via"]) for one in chain] == [
        ("ExceptionGroup", "raised"),
        ("ValueError", "group"),
        ("KeyError", "group"),
    ]


def test_hostile_exceptions_are_recorded(shop: Records) -> None:
    assert head(shop, "test_broken_str")["msg"] == "<Broken whose __str__ raised ValueError>"
    assert head(shop, "test_surrogate")["msg"] == "lone \ud800 surrogate"
    long = head(shop, "test_long_message")["msg"]
    assert long.startswith("x" * 16000 + "[... 34000 more")
    deep = head(shop, "test_recursion")
    assert deep["type"] == "RecursionError"
    assert len(deep["frames"]) == 60
    assert deep["elided"] > 100


def test_functions_that_a_test_replaced_are_not_used(shop: Records) -> None:
    found = head(shop, "test_replaced_functions")
    assert found["msg"] == "replaced all"
    assert found["frames"][0]["line"] == line_of(EVIDENCE, "replaced all")
    assert 'raise ValueError("replaced all")' in found["frames"][0]["src"]


def test_kinds_of_places(shop: Records) -> None:
    helper = shop.fail("test_helper")
    assert [(frame["file"], frame["kind"]) for frame in helper["chain"][0]["frames"]] == [
        (OWN, "test"),
        ("tests/helpers.py", "test"),
    ]
    assert "tenant" in [fixture["name"] for fixture in helper["fixtures"]]  # by getfixturevalue
    made = head(shop, "test_generated_code")["frames"][-1]
    assert (made["file"], made["kind"]) == ("<made>", "generated")


def test_a_database_failure_has_its_cause_and_every_session(shop: Records) -> None:
    record = shop.fail("test_first_breaks")
    assert [(one["type"], one["via"]) for one in record["chain"]] == [
        ("sqlalchemy.exc.IntegrityError", "raised"),
        ("sqlite3.IntegrityError", "cause"),
    ]
    assert {frame["kind"] for frame in record["chain"][0]["frames"]} >= {"test", "library"}
    (session,) = record["facts"]["sessions"]
    assert (session["failing"], session["active"], session["registry"]) == (True, False, False)
    assert shop.fail("test_no_database_error")["facts"] == {}


def test_a_pending_rollback_follows_the_exception_that_broke_the_session(shop: Records) -> None:
    root, after = head(shop, "test_first_breaks"), head(shop, "test_then_pending")
    assert after["type"] == "sqlalchemy.exc.PendingRollbackError"
    assert after["follows"] == root["oid"] != after["oid"]
    assert "follows" not in root


def test_a_scoped_session_is_named_and_its_objects_counted(shop: Records) -> None:
    sessions = shop.fail("test_registry")["facts"]["sessions"]
    (scoped,) = [session for session in sessions if session["registry"] == "shop.models.Session"]
    assert scoped["failing"]
    assert [session["failing"] for session in sessions].count(True) == 1
    assert set(scoped["holds"]) <= {"shop.models.Item"}


@pytest.mark.skipif(importlib.util.find_spec("xdist") is None, reason="pytest-xdist is not installed")
def test_workers_write_files_of_their_own(tmp_path: Path) -> None:
    found = start(
        tmp_path, SHOP, "-p", "xdist", "-n2", "--deselect=tests/test_evidence.py::test_surrogate"
    ).records()
    sessions = {record["w"] for record in found.of("session")}
    assert sessions == {None, "gw0", "gw1"}
    assert [bool(record.get("ids")) for record in found.of("collected")] == [True, False]
    assert {name: found.outcomes().get(name) for name in SHOP_OUTCOMES} == SHOP_OUTCOMES
