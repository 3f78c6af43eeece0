import pytest

from tests.probes.lifecycles import CAUSES, LIFECYCLES
from tests.probes.second import Order, Seen, line_of, order, second_pass

MORE = {
    "test_one_of_two": ("tests/test_shop.py", "# the second"),
    "test_service": ("tests/test_web.py", "# service block"),
}
"""Tests that use two objects, each detached at a line of its own."""
WRONG = (
    ("tests/conftest.py", "# attached"),
    ("tests/test_web.py", "# touched in a fixture"),
    ("tests/test_shop.py", "def first():"),
)


def _node(name: str) -> str:
    file = "tests/test_web.py" if name in {"test_slug", "test_service", "test_in_another_context"} else ""
    cls = "TestShared::" if name in {"test_first", "test_second"} else ""
    return f"{file or 'tests/test_shop.py'}::{cls}{name}"


def _outcomes(seen: Seen) -> dict[str, str]:
    return {test.rpartition("::")[2]: str(outcome) for test, outcome in seen.records.outcomes().items()}


def _order(site: tuple[str, str], *names: str) -> Order:
    file, text = site
    line = line_of(LIFECYCLES, file, text)
    return order("keep-session-open", file, line, [_node(name) for name in names])


@pytest.fixture(scope="module")
def all_lines(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """Each test with the line that its observation names, and the second one of those that need two."""
    orders = [_order(site, name) for name, site in [*CAUSES.items(), *MORE.items()]]
    return second_pass(tmp_path_factory.mktemp("all"), LIFECYCLES, orders=orders)


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """Each test with lines that detach nothing, or not what it touches; `test_close` with its own as well."""
    orders = [_order(site, *CAUSES) for site in WRONG]
    orders.extend(_order(site, name) for name, site in MORE.items())
    orders.append(_order(CAUSES["test_close"], "test_close"))
    return second_pass(tmp_path_factory.mktemp("wrong"), LIFECYCLES, orders=orders)


@pytest.mark.parametrize("name", CAUSES)
def test_a_session_kept_at_the_right_line_makes_the_test_pass(name: str, all_lines: Seen) -> None:
    assert all_lines.messages(name) == []
    assert _outcomes(all_lines)[name] == "passed"
    assert all_lines.errors() == []


@pytest.mark.parametrize("name", sorted(CAUSES.keys() - MORE.keys()))
def test_what_was_kept_is_told_with_the_line(name: str, all_lines: Seen) -> None:
    (told,) = all_lines.applied(name)
    file, text = CAUSES[name]
    assert (told["kind"], told["file"]) == ("keep-session-open", file)
    assert told["line"] == line_of(LIFECYCLES, file, text)


def test_the_text_says_what_was_kept(all_lines: Seen) -> None:
    (told,) = all_lines.applied("test_slug")
    assert told["text"].endswith("stayed open for 1 objects (Tenant)")
    (told,) = all_lines.applied("test_collected")
    assert told["text"] == "the session made here was kept from being collected"


def test_a_test_without_an_order_fails_as_before(all_lines: Seen) -> None:
    assert all_lines.applied("test_never_attached") == []
    assert _outcomes(all_lines)["test_never_attached"] == "failed"


@pytest.mark.parametrize("name", [name for name in CAUSES if name != "test_close"])
def test_another_line_changes_nothing(name: str, wrong: Seen) -> None:
    assert _outcomes(wrong)[name] in {"failed", "error"}
    assert "DetachedInstanceError" in wrong.messages(name)[0] or name == "test_wrapped"
    assert wrong.errors() == []


def test_an_order_is_for_its_tests_alone(wrong: Seen) -> None:
    assert CAUSES["test_close"] == CAUSES["test_wrapped"]
    assert [_outcomes(wrong)[name] for name in ("test_close", "test_wrapped")] == ["passed", "failed"]


def test_only_what_took_effect_is_told(wrong: Seen) -> None:
    assert {one["id"] for one in wrong.applied()} == {_node("test_close"), _node("test_one_of_two")}
