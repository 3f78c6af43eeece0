"""The observer of refused statements, on projects that break in exactly one way each."""

from pathlib import Path
from typing import Any

import pytest

from tests.probes.refused_rows import SOURCES
from tests.probes.second import Seen, second_pass

_OBSERVER = "sqlalchemy-statements"
_TRACEBACKS = "--tb=native"  # the others cost pytest eight times the CPU time of the tests


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return second_pass(tmp_path_factory.mktemp("watched"), SOURCES, _TRACEBACKS, observers=[_OBSERVER])


def _cause(seen: Seen, name: str) -> tuple[str, int]:
    cause = seen.observed(name)["cause"]
    return cause["file"], cause["line"]


def _at(file: str, text: str) -> tuple[str, int]:
    """File and line of the only line whose comment is `text`."""
    lines = enumerate(SOURCES[file].splitlines(), 1)
    (line,) = [number for number, one in lines if one.endswith("# " + text)]
    return file, line


def _pieces(observed: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [piece for piece in observed["evidence"] if piece["kind"] == kind]


@pytest.mark.parametrize(
    ("test", "file", "text"),
    [
        ("test_two_missing", "test_users.py", "two"),
        ("test_two_parents_missing", "test_users.py", "two parents"),
        ("test_literal_none", "test_users.py", "literal"),
        ("test_omitted", "test_users.py", "omitted"),
        ("test_helper", "helpers.py", "helper"),
        ("test_second_of_many", "test_users.py", "second"),
        ("test_cleared", "test_users.py", "cleared"),
        ("test_cleared_after_commit", "test_users.py", "cleared later"),
        ("test_core", "test_users.py", "core"),
        ("test_production", "shop.py", "production"),
        ("test_unsaved_parent", "test_users.py", "child"),
    ],
)
def test_a_missing_value_is_traced_to_the_line_that_left_it_out(
    seen: Seen, test: str, file: str, text: str
) -> None:
    assert _cause(seen, test) == _at(file, text)
    assert seen.observed(test)["names"]["violation"] == "not-null"


def test_all_missing_columns_are_named_by_the_attributes_of_the_model(seen: Seen) -> None:
    names = seen.observed("test_two_missing")["names"]
    assert (names["model"], names["table"], names["verb"]) == ("Invoice", "invoices", "INSERT")
    assert (names["column"], names["columns"]) == ("amount", "amount,due_on")
    assert names["function"] == "test_two_missing"


def test_each_piece_of_evidence_has_its_line(seen: Seen) -> None:
    observed = seen.observed("test_literal_none")
    (constructor,), (column,) = _pieces(observed, "constructor"), _pieces(observed, "column")
    (flush,), (statement,) = _pieces(observed, "flush"), _pieces(observed, "statement")
    assert (constructor["file"], constructor["line"]) == _at("test_users.py", "literal")
    assert constructor["text"].endswith("given: email (None), name (str)")
    assert column["text"] == "email = Column(String(120), nullable=False)"
    assert (flush["file"], flush["line"]) == _at("test_users.py", "literal flush")
    assert statement["text"] == "INSERT INTO users without email"


def test_an_unsaved_parent_explains_the_missing_key(seen: Seen) -> None:
    observed = seen.observed("test_unsaved_parent")
    (near,) = _pieces(observed, "near")
    assert (near["file"], near["line"]) == _at("test_users.py", "parent")
    assert near["text"].startswith("user: User made by its constructor is pending, in session ")
    assert (observed["names"]["target"], observed["names"]["near"]) == ("users", "user")


def test_an_expected_refusal_is_no_observation(seen: Seen) -> None:
    assert seen.outcome("test_expected") == "passed"
    assert seen.observations("test_expected") == []


def test_the_line_that_cleared_a_value_is_shown_beside_the_constructor(seen: Seen) -> None:
    (cleared,) = _pieces(seen.observed("test_cleared"), "cleared")
    assert (cleared["file"], cleared["line"]) == _at("test_users.py", "cleared")


@pytest.mark.parametrize(
    ("test", "text", "violation", "columns", "value"),
    [
        ("test_unique", "twice", "unique", "number", "1"),
        ("test_unique_pair", "third city", "unique", "name,country_code", "Wien, at"),
        ("test_unique_after_update", "renumbered", "unique", "number", "1"),
        ("test_check", "negative", "check", "amount", "-1"),
        ("test_foreign_key", "nowhere", "foreign-key", "country_code", "xx"),
        ("test_core_foreign_key", "core key", "foreign-key", "country_code", "xx"),
        ("test_delete_parent", "deleted", "foreign-key", None, None),
        ("test_orphaned", "orphaned", "not-null", "album_id", None),
        ("test_relationship_cleared", "no album", "not-null", "album_id", None),
        ("test_bulk", "bulk", "not-null", "email", None),
        ("test_bulk_mappings", "mappings", "not-null", "email", None),
        ("test_text", "text", "not-null", "email", None),
        ("test_wrapped", "wrapped", "not-null", "email", None),
        ("test_deferred", "deferred", "foreign-key", None, None),
    ],
)
def test_a_refused_row_is_traced_to_the_line_that_made_it_so(
    seen: Seen, test: str, text: str, violation: str, columns: str | None, value: str | None
) -> None:
    names = seen.observed(test)["names"]
    assert _cause(seen, test) == _at("test_rows.py", text)
    assert (names["violation"], names.get("columns"), names.get("value")) == (violation, columns, value)


def test_sqlites_unnamed_foreign_key_is_looked_up(seen: Seen) -> None:
    names = seen.observed("test_foreign_key")["names"]
    assert (names["table"], names["column"], names["target"]) == ("cities", "country_code", "countries")
    assert seen.observed("test_delete_parent")["names"]["referrer"] == "invoices.user_id"


@pytest.mark.parametrize(
    ("test", "file", "text", "violation"),
    [
        ("test_constructor_sets_none", "test_shapes.py", "without a shelf", "not-null"),
        ("test_key_from_flush", "test_shapes.py", "same place", "unique"),
        ("test_check_of_column", "test_shapes.py", "below", "check"),
        ("test_delete_by_uuid", "test_shapes.py", "still used", "foreign-key"),
        ("test_bulk_objects", "test_shapes.py", "bulk object", "not-null"),
        ("test_one_default_for_all", "shapes.py", "same for all", "unique"),
        ("test_siblings_of_one_table", "test_shapes.py", "second doctor", "unique"),
        ("test_trait", "shapes.py", "trait", "unique"),
        ("test_declared_none", "shapes.py", "no shelf of factory", "not-null"),
        ("test_text_assigned", "test_shapes.py", "text assigned", "uuid"),
        ("test_text_of_factory", "shapes.py", "text of factory", "uuid"),
    ],
)
def test_models_of_other_shapes(seen: Seen, test: str, file: str, text: str, violation: str) -> None:
    assert _cause(seen, test) == _at(file, text)
    assert seen.observed(test)["names"]["violation"] == violation


def test_what_the_sentences_need_is_named(seen: Seen) -> None:
    deleted = seen.observed("test_delete_by_uuid")["names"]
    assert (deleted["deleted"], deleted["referrer"]) == ("shelves", "books.shelf_id")
    assert seen.observed("test_one_default_for_all")["names"]["default"] == "'none'"
    assert seen.observed("test_cleared_after_commit")["names"]["updated"] == "users"
    assert "updated" not in seen.observed("test_omitted")["names"]


def test_what_the_end_of_a_transaction_does_not_tell_is_said(seen: Seen) -> None:
    assert "names no row" in seen.observed("test_deferred")["impossible"]


@pytest.mark.parametrize(
    ("test", "file", "text"),
    [
        ("test_mixed", "test_mixed.py", "by hand"),
        ("test_attached", "test_mixed.py", "attached by hand"),
        ("test_attached_factory_made", "test_mixed.py", "factory alone"),
        ("test_attached_both_factory_made", "test_mixed.py", "second factory"),
    ],
)
def test_two_sessions_are_traced_to_the_object_that_did_not_come_from_the_factories(
    seen: Seen, test: str, file: str, text: str
) -> None:
    observed = seen.observed(test)
    assert _cause(seen, test) == _at(file, text)
    assert observed["facts"]["mixed"] is True
    assert observed["names"]["factory"] == "UserFactory"
    assert observed["names"]["fixture"] == "session"
    assert observed["names"]["registry"] == "factories.FactorySession"


def test_each_session_is_shown_with_its_owner(seen: Seen) -> None:
    observed = seen.observed("test_mixed")
    places = {(piece["file"], piece["line"]): piece["text"] for piece in _pieces(observed, "session")}
    assert "the value of fixture session" in places[_at("test_mixed.py", "made")]
    assert "of factories.FactorySession" in places[_at("test_mixed.py", "by factory")]
    (factory,) = _pieces(observed, "factory")
    assert (factory["file"], factory["line"]) == _at("test_mixed.py", "by factory")
    assert (observed["names"]["model"], observed["names"]["function"]) == ("Invoice", "test_mixed")


def test_a_missing_value_that_is_no_key_is_no_matter_of_sessions(seen: Seen) -> None:
    assert seen.observed("test_mixed_but_complete")["facts"]["mixed"] is False
    assert _cause(seen, "test_mixed_but_complete") == _at("test_mixed.py", "no amount")


def test_objects_of_one_session_are_not_mixed(seen: Seen) -> None:
    assert seen.observed("test_one_session")["facts"]["mixed"] is False
    assert _cause(seen, "test_one_session") == _at("test_mixed.py", "same session")


def test_a_factorys_value_is_the_factorys_unless_the_caller_passed_it(seen: Seen) -> None:
    assert _cause(seen, "test_constant") == _at("factories.py", "constant")
    assert _cause(seen, "test_passed") == _at("test_mixed.py", "passed")
    undeclared = seen.observed("test_undeclared")["cause"]
    assert (undeclared["file"], undeclared["symbol"]) == ("factories.py", "NamelessFactory")


@pytest.mark.parametrize(
    ("file", "root", "text", "flush"),
    [
        ("test_failing.py", "test_root", "root", "root flush"),
        ("test_passing.py", "test_required", "expected", "expected flush"),
        ("test_unseen.py", "test_broken_hook", "hook flush", "hook flush"),
    ],
)
def test_a_poisoned_session_is_traced_to_the_first_failing_flush(
    seen: Seen, file: str, root: str, text: str, flush: str
) -> None:
    observed = seen.observed(file.removesuffix(".py").replace("test_", "test_follows_"))
    assert (observed["cause"]["file"], observed["cause"]["line"]) == _at(file, text)
    assert observed["names"]["poisoner"] == observed["facts"]["poisoner"] == f"{file}::{root}"
    (poisoned,) = _pieces(observed, "poisoned")
    assert (poisoned["file"], poisoned["line"]) == _at(file, flush)


@pytest.mark.parametrize("test", ["query", "get", "insert", "badly", "other"])
def test_text_for_a_uuid_is_traced_to_the_test_that_gave_it(seen: Seen, test: str) -> None:
    name = {"badly": "test_badly_formed", "other": "test_other_way"}.get(test, "test_" + test)
    assert _cause(seen, name) == _at("test_tenants.py", test)
    assert seen.observed(name)["names"]["violation"] == "uuid"


def test_the_uuid_column_and_the_value_are_named(seen: Seen) -> None:
    for test, value in (("test_query", "not-a-key"), ("test_get", "not-a-key"), ("test_insert", "a-text")):
        names = seen.observed(test)["names"]
        assert (names["model"], names["column"], names["value"]) == ("Tenant", "id", value)


def test_the_outcomes_are_those_of_an_unwatched_run(seen: Seen, tmp_path: Path) -> None:
    plain = second_pass(tmp_path, SOURCES, _TRACEBACKS)
    assert seen.errors() == []
    assert len(plain.records.outcomes()) == 57
    assert seen.records.outcomes() == plain.records.outcomes()


def test_without_sqlalchemy_nothing_is_seen(tmp_path: Path) -> None:
    sources = {"test_plain.py": "def test_no():\n    assert 1 == 2\n"}
    plain = second_pass(tmp_path, sources, observers=[_OBSERVER])
    assert plain.outcome("test_no") == "failed"
    assert (plain.observations("test_no"), plain.errors()) == ([], [])
