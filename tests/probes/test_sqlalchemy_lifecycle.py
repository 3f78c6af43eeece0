from pathlib import Path

import pytest

from tests.probes.lifecycles import CAUSES, LIFECYCLES
from tests.probes.second import Seen, line_of, second_pass


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return second_pass(tmp_path_factory.mktemp("bare"), LIFECYCLES)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return second_pass(tmp_path_factory.mktemp("seen"), LIFECYCLES, observers=["sqlalchemy-lifecycle"])


def _line(file: str, text: str) -> int:
    return line_of(LIFECYCLES, file, text)


def _evidence(seen: Seen, name: str) -> dict[str, tuple[str, int]]:
    return {one["kind"]: (one["file"], one["line"]) for one in seen.observed(name)["evidence"]}


def test_the_observer_leaves_every_outcome_as_it_was(bare: Seen, seen: Seen) -> None:
    assert seen.errors() == []
    assert bare.records.outcomes() == seen.records.outcomes()
    assert set(seen.records.outcomes().values()) == {"failed", "error", "passed"}


@pytest.mark.parametrize(("name", "site"), CAUSES.items())
def test_the_cause_is_the_line_that_detached_the_object(name: str, site: tuple[str, str], seen: Seen) -> None:
    cause = seen.observed(name)["cause"]
    assert (cause["file"], cause["line"]) == (site[0], _line(*site))
    assert cause["symbol"]


def test_evidence_tells_the_whole_life(seen: Seen) -> None:
    assert _evidence(seen, "test_block") == {
        "born": ("tests/conftest.py", _line("tests/conftest.py", "# born")),
        "attached": ("tests/conftest.py", _line("tests/conftest.py", "# attached")),
        "detached": ("tests/conftest.py", _line("tests/conftest.py", "# block")),
        "touched": ("tests/test_shop.py", _line("tests/test_shop.py", "# touched")),
    }
    texts = {one["kind"]: one["text"] for one in seen.observed("test_block")["evidence"]}
    assert texts["detached"] == "with Session() as session:  # block"
    assert texts["touched"] == 'assert by_block.name == "Ann"  # touched'


def test_names_fill_a_sentence(seen: Seen) -> None:
    assert seen.observed("test_service")["names"] == {
        "model": "Tenant",
        "attribute": "id",
        "via": "with app.app_context(): end",
        "fixture": "tenant",
    }


@pytest.mark.parametrize(
    ("name", "via"),
    [
        ("test_block", "with Session() as session: end"),
        ("test_close", "Session.close()"),
        ("test_remove", "scoped_session.remove()"),
        ("test_expunge", "Session.expunge()"),
        ("test_expunge_all", "Session.expunge_all()"),
        ("test_collected", "session collected"),
        ("test_deleted", "scoped_session.commit()"),
        ("test_nested_blocks", "with Session() as inner: end"),
    ],
)
def test_via_says_what_own_code_wrote(name: str, via: str, seen: Seen) -> None:
    assert seen.observed(name)["names"]["via"] == via


def test_a_context_is_followed_down_to_the_session(seen: Seen) -> None:
    how = seen.observed("test_slug")["facts"]["how"]
    assert how.startswith("with app.app_context(): end > AppContext.pop() > scoped_session.remove()")


def test_an_object_may_be_touched_in_the_product(seen: Seen) -> None:
    assert _evidence(seen, "test_touched_by_product")["touched"] == (
        "shop/__init__.py",
        _line("shop/__init__.py", "# product touch"),
    )
    found = seen.observed("test_touched_by_product")
    assert (found["names"]["attribute"], found["facts"]["operation"]) == ("customer", "lazy load")


def test_an_object_of_a_query_is_born_where_it_was_loaded(seen: Seen) -> None:
    found = seen.observed("test_found_by_product")
    line = _line("shop/__init__.py", "filter_by(name=name)")
    assert _evidence(seen, "test_found_by_product")["born"] == ("shop/__init__.py", line)
    assert found["facts"]["born_by"] == "query"


def test_what_only_closes_for_its_caller_is_a_further_candidate(seen: Seen) -> None:
    line = _line("shop/__init__.py", "# product close")
    assert seen.observed("test_unit_of_work")["others"] == [
        {"file": "shop/__init__.py", "line": line, "symbol": "unit"}
    ]


def test_an_object_that_never_had_a_session_points_at_its_constructor(seen: Seen) -> None:
    found = seen.observed("test_never_attached")
    assert found["cause"]["line"] == _line("tests/test_shop.py", "# never attached")
    assert found["names"]["via"] == "never attached"
    assert "detached" not in _evidence(seen, "test_never_attached")


def test_a_passing_test_is_not_spoken_of(seen: Seen) -> None:
    assert seen.observations("test_passes") == []


def test_a_project_without_sqlalchemy_is_left_alone(tmp_path: Path) -> None:
    sources = {"test_plain.py": "def test_fails():\n    assert {}['a']\n"}
    seen = second_pass(tmp_path, sources, observers=["sqlalchemy-lifecycle"])
    assert (seen.errors(), seen.observations("test_fails")) == ([], [])
    assert seen.outcome("test_fails") == "failed"
