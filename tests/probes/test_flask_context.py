"""What a second pass sees of a missing application or request context."""

from typing import Any

import pytest

from tests.probes.contexts import CLASS_FILE, NOWHERE, SHOP, SHOP_FILE
from tests.probes.second import Seen, line_of, second_pass

pytest.importorskip("flask_sqlalchemy")
Folders = pytest.TempPathFactory


@pytest.fixture(scope="module")
def seen(tmp_path_factory: Folders) -> Seen:
    return second_pass(tmp_path_factory.mktemp("seen"), SHOP, observers=["flask-context"])


def site(file: str, text: str, symbol: str) -> dict[str, Any]:
    return {"file": file, "line": line_of(SHOP, file, text), "symbol": symbol}


def lines_of(function: str) -> int:
    """Of the line after `def function(...):`."""
    return line_of(SHOP, SHOP_FILE, f"def {function}(") + 1


def of_kind(observed: dict[str, Any], kind: str) -> list[tuple[str, int, str]]:
    return [(one["file"], one["line"], one["text"]) for one in observed["evidence"] if one["kind"] == kind]


def test_nothing_changes_under_watch(seen: Seen, tmp_path_factory: Folders) -> None:
    plain = second_pass(tmp_path_factory.mktemp("plain"), SHOP)
    assert seen.records.outcomes() == plain.records.outcomes()
    assert plain.messages("test_plain") == seen.messages("test_plain")
    assert seen.errors() == []


@pytest.mark.parametrize(
    ("test", "line", "symbol", "context"),
    [
        ("test_plain", lines_of("test_plain") + 1, "test_plain", "application"),
        ("test_session", lines_of("test_session"), "test_session", "application"),
        ("test_fixture", lines_of("configured"), "configured", "application"),
        ("test_request", lines_of("test_request"), "test_request", "request"),
        ("test_url", lines_of("test_url") + 1, "test_url", "request"),
        ("test_not_asked", lines_of("test_not_asked"), "test_not_asked", "application"),
        ("test_client_only", lines_of("test_client_only") + 1, "test_client_only", "application"),
        ("test_thread", lines_of("work") + 1, "work", "application"),
    ],
)
def test_the_cause_is_the_innermost_line_of_the_tests(
    seen: Seen, test: str, line: int, symbol: str, context: str
) -> None:
    observed = seen.observed(test)
    assert observed["cause"] == {"file": SHOP_FILE, "line": line, "symbol": symbol}
    assert observed["facts"]["context"] == context
    assert "impossible" not in observed


def test_a_helper_among_the_tests_is_the_cause_and_its_caller_the_next_candidate(seen: Seen) -> None:
    observed = seen.observed("test_helper")
    assert observed["cause"] == site("tests/helpers.py", "return 2 * lead()", "doubled")
    assert observed["others"] == [site(SHOP_FILE, "assert doubled() == 6", "test_helper")]


def test_a_set_up_of_a_class_is_the_cause(seen: Seen) -> None:
    observed = seen.observed("test_in_class")
    assert observed["cause"] == site(CLASS_FILE, "db.session.query(Person)", "setUp")
    assert "function" not in observed["names"]


def test_in_a_pool_the_job_is_the_cause_and_its_start_a_candidate(seen: Seen) -> None:
    observed = seen.observed("test_pool")
    started = site("shop.py", "pool.submit(lead)", "in_background")
    assert observed["cause"] == site("shop.py", 'current_app.config["LEAD"]', "lead")
    assert observed["others"] == [started]
    assert of_kind(observed, "thread") == [("shop.py", started["line"], "return pool.submit(lead).result()")]


def test_a_thread_names_the_line_that_started_it(seen: Seen) -> None:
    observed = seen.observed("test_thread")
    assert observed["others"] == [site(SHOP_FILE, "thread.start()", "test_thread")]
    assert observed["facts"]["in_thread"] is True


def test_the_call_that_needed_it_is_named(seen: Seen) -> None:
    observed = seen.observed("test_plain")
    needed = site("shop.py", 'current_app.config["LEAD"]', "lead")
    assert of_kind(observed, "needed") == [("shop.py", needed["line"], 'return current_app.config["LEAD"]')]
    assert observed["facts"]["product"] == needed
    assert observed["names"] == {"function": "lead", "fixture": "app", "asked": "yes", "app": "shop"}


def test_the_application_and_its_fixture_are_named(seen: Seen) -> None:
    observed = seen.observed("test_plain")
    made = line_of(SHOP, "shop.py", "app = Flask(__name__)")
    assert of_kind(observed, "application") == [("shop.py", made, "app = Flask(__name__)")]
    line = line_of(SHOP, "tests/conftest.py", "def app():") - 1
    text = "fixture `app` is the application: in the test's closure"
    assert of_kind(observed, "fixture")[0] == ("tests/conftest.py", line, text)


def test_contexts_that_came_and_went_are_told_with_their_lines(seen: Seen) -> None:
    line = line_of(SHOP, "tests/conftest.py", "with app.app_context():")
    in_fixture = "application context of `shop` pushed in fixture `app` and popped here"
    assert of_kind(seen.observed("test_plain"), "context") == [("tests/conftest.py", line, in_fixture)]
    newest = of_kind(seen.observed("test_client_only"), "context")[0]
    text = "request context of `shop` pushed and popped here"
    assert newest == (SHOP_FILE, lines_of("test_client_only"), text)


def test_a_fixture_that_the_test_does_not_ask_for_is_named_as_such(seen: Seen) -> None:
    observed = seen.observed("test_not_asked")
    assert observed["names"] == {"function": "lead", "fixture": "app", "asked": "no"}
    assert of_kind(observed, "application") == []
    assert [text.rpartition(": ")[2] for _, _, text in of_kind(observed, "fixture")] == [
        "not asked for by this test",
        "not asked for by this test",
    ]


def test_other_errors_and_passing_tests_are_left_alone(seen: Seen) -> None:
    assert seen.observations("test_passes") == seen.observations("test_otherwise") == []


def test_without_any_application_it_says_so(tmp_path_factory: Folders) -> None:
    seen = second_pass(tmp_path_factory.mktemp("nowhere"), NOWHERE, observers=["flask-context"])
    observed = seen.observed("test_lead")
    assert "no Flask application is alive" in observed["impossible"]
    assert observed["names"] == {"function": "lead"}
    assert seen.errors() == []


def test_a_project_without_flask_is_left_alone(tmp_path_factory: Folders) -> None:
    sources = {
        "test_a.py": "def test_a():\n    raise RuntimeError('Working outside of application context')\n"
    }
    seen = second_pass(tmp_path_factory.mktemp("bare"), sources, observers=["flask-context"])
    assert (seen.outcome("test_a"), seen.errors()) == ("failed", [])
