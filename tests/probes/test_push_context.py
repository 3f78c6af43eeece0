"""A pushed context makes the failure go away at its own line, and at no other."""

from collections.abc import Mapping

import pytest

from tests.probes.contexts import NOWHERE, ODD, ODD_FILE, ODD_SITES, SHOP, SHOP_FILE
from tests.probes.second import Order, Seen, line_of, order, second_pass

pytest.importorskip("flask_sqlalchemy")
Folders = pytest.TempPathFactory
KINDS = {"application": "push-app-context", "request": "push-request-context"}
FAILING = [
    "test_plain",
    "test_session",
    "test_helper",
    "test_fixture",
    "test_request",
    "test_url",
    "test_not_asked",
    "test_client_only",
    "test_pool",
    "test_thread",
    "test_in_class",
]

# a tracer of another owner, as coverage's is up to Python 3.11, is there between the tests
TRACER = """\
import sys


def other(frame, event, argument):
    return None


def pytest_collection_finish(session):
    sys.settrace(other)


def pytest_sessionfinish(session):
    assert sys.gettrace() is other
    sys.settrace(None)


"""


@pytest.fixture(scope="module")
def orders(tmp_path_factory: Folders) -> list[Order]:
    """One for each failing test, at the line that its observation names."""
    seen = second_pass(tmp_path_factory.mktemp("watched"), SHOP, observers=["flask-context"])
    return [
        order(
            KINDS[one["facts"]["context"]],
            one["cause"]["file"],
            one["cause"]["line"],
            [one["id"]],
            **one["names"],
        )
        for one in seen.records.of("observed")
    ]


@pytest.fixture(scope="module")
def changed(tmp_path_factory: Folders, orders: list[Order]) -> Seen:
    return second_pass(tmp_path_factory.mktemp("changed"), SHOP, orders=orders)


@pytest.fixture(scope="module")
def odd(tmp_path_factory: Folders) -> Seen:
    return second_pass(tmp_path_factory.mktemp("odd"), ODD, orders=odd_orders(ODD))


def odd_orders(sources: Mapping[str, str]) -> list[Order]:
    return [
        order(
            KINDS["application"],
            ODD_FILE,
            line_of(sources, ODD_FILE, f"# {comment}"),
            [f"{ODD_FILE}::{test}" for test in tests],
        )
        for comment, tests in ODD_SITES.items()
    ]


@pytest.mark.parametrize("test", FAILING)
def test_the_failure_goes_away_at_its_line(changed: Seen, test: str) -> None:
    (applied,) = changed.applied(test)
    assert changed.outcome(test) == "passed"
    assert applied["text"].endswith(" context of `shop` pushed")


def test_nothing_else_changes(changed: Seen) -> None:
    assert (changed.outcome("test_passes"), changed.outcome("test_otherwise")) == ("passed", "failed")
    assert changed.errors() == []


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: Folders, orders: list[Order]) -> Seen:
    """One line too late; the right line for another test; the other kind of context."""
    changed: list[Order] = []
    for one in orders:
        (test,) = one["tests"]
        if test.endswith("::test_plain"):
            changed.append({**one, "tests": [f"{SHOP_FILE}::test_session"]})
        elif test.endswith("::test_request"):
            changed.append({**one, "kind": KINDS["application"]})
        else:
            changed.append({**one, "line": one["line"] + 1})
    return second_pass(tmp_path_factory.mktemp("wrong"), SHOP, orders=changed)


def test_at_the_line_after_it_nothing_goes_away(wrong: Seen) -> None:
    later = [test for test in FAILING if test not in ("test_plain", "test_request")]
    assert {wrong.outcome(test) for test in later} == {"failed", "error"}
    assert wrong.errors() == []


def test_for_another_test_nothing_goes_away(wrong: Seen) -> None:
    assert (wrong.outcome("test_plain"), wrong.applied("test_plain")) == ("failed", [])


def test_an_application_context_is_no_request_context(wrong: Seen) -> None:
    assert (wrong.outcome("test_request"), len(wrong.applied("test_request"))) == ("failed", 1)


def test_without_an_application_nothing_is_pushed(tmp_path_factory: Folders) -> None:
    line = line_of(NOWHERE, "test_lonely.py", "assert lead() == 3")
    one = order(KINDS["application"], "test_lonely.py", line, ["test_lonely.py::test_lead"])
    seen = second_pass(tmp_path_factory.mktemp("nowhere"), NOWHERE, orders=[one])
    assert (seen.outcome("test_lead"), seen.applied(), seen.errors()) == ("failed", [], [])


@pytest.mark.parametrize("test", [test for tests in ODD_SITES.values() for test in tests])
def test_the_context_lasts_as_long_as_the_frame(odd: Seen, test: str) -> None:
    assert odd.outcome(test) == "passed", odd.messages(test)
    assert len(odd.applied(test)) == 1


def test_nothing_goes_wrong_in_odd_places(odd: Seen) -> None:
    assert odd.errors() == []


def test_a_tracer_of_another_owner_comes_back(tmp_path_factory: Folders, odd: Seen) -> None:
    sources = {**ODD, "tests/conftest.py": TRACER + ODD["tests/conftest.py"]}
    seen = second_pass(tmp_path_factory.mktemp("traced"), sources, orders=odd_orders(sources))
    assert seen.records.outcomes() == odd.records.outcomes()
    assert "INTERNALERROR" not in seen.printed
    assert "AssertionError" not in seen.printed
    assert seen.errors() == []
