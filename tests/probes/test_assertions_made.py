"""What tests asserted and executed, as the observer saw it."""

from pathlib import Path
from typing import Any

import pytest

from tests.probes.second import Seen, line_of, second_pass

SOURCES = {
    "app/__init__.py": "",
    "tests/__init__.py": "",
    "app/shop.py": """\
def price(kind):
    if kind == "boat":
        raise ValueError(kind)  # refused
    return 5  # sold


def open_shop():
    return {}  # opened
""",
    "tests/helpers.py": """\
def is_five(value):
    assert value == 5
""",
    "tests/test_shop.py": """\
import unittest
from unittest import mock

import pytest

from app.shop import open_shop, price
from tests.helpers import is_five


@pytest.fixture
def shop():
    return open_shop()


def test_plain(shop):
    assert price("book") == 5  # plain
    if price("pen") == 0:
        assert False


def test_over_lines():
    assert (
        price("book")
        == 5
    )


def test_raises():
    with pytest.raises(ValueError, match="boat"):  # raises
        price("boat")


def test_by_a_helper():
    is_five(price("book"))


def test_mock():
    seen = mock.Mock()
    seen(price("book"))
    seen.assert_called_once_with(5)


def test_true():
    price("book")
    assert True


def test_constants():
    price("book")
    total = 1 + 1
    assert total == 2


def test_nothing():
    price("book")


def test_raises_by_itself():
    with pytest.raises(ValueError):
        raise ValueError


def test_changed_later():
    total = 1
    total += price("book")
    assert total == 6


@pytest.mark.parametrize("value", [5])
def test_parametrized(value):
    assert value == 5


def test_fails():
    assert price("book") == 6


class Shop(unittest.TestCase):
    def test_method(self):
        self.assertEqual(price("book"), 5)
        with self.assertRaises(ValueError):
            price("boat")
""",
}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return second_pass(tmp_path_factory.mktemp("shop"), SOURCES, observers=["assertions-made"])


def facts(seen: Seen, name: str) -> dict[str, Any]:
    found: dict[str, Any] = seen.observed(name)["facts"]
    return found


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("test_plain", 1),
        ("test_over_lines", 1),
        ("test_raises", 1),
        ("test_by_a_helper", 1),
        ("test_mock", 1),
        ("test_true", 0),
        ("test_constants", 0),
        ("test_nothing", 0),
        ("test_raises_by_itself", 0),
        ("test_changed_later", 1),
        ("test_parametrized[5]", 1),
        ("test_method", 2),
    ],
)
def test_assertions_that_could_fail_and_were_executed_are_counted(seen: Seen, name: str, count: int) -> None:
    assert facts(seen, name)["assertions"] == count


def test_their_lines_are_told(seen: Seen) -> None:
    assert facts(seen, "test_plain")["lines"] == {
        "tests/test_shop.py": [line_of(SOURCES, "tests/test_shop.py", "# plain")]
    }
    assert facts(seen, "test_by_a_helper")["lines"] == {"tests/helpers.py": [2]}


def test_lines_of_the_product_are_told_phase_by_phase(seen: Seen) -> None:
    found = facts(seen, "test_plain")
    assert found["setup"] == {"app/shop.py": [[8, 8]]}
    assert found["call"] == {"app/shop.py": [[2, 2], [4, 4]]}
    assert facts(seen, "test_raises")["call"] == {"app/shop.py": [[2, 3]]}


def test_outcomes_stay_and_nothing_goes_wrong_inside(seen: Seen) -> None:
    outcomes = seen.records.outcomes()
    assert [test for test, outcome in outcomes.items() if outcome != "passed"] == ["test_fails"]
    assert seen.errors() == []


def test_a_tracer_of_the_project_gets_its_place_back(tmp_path: Path) -> None:
    sources = {
        "conftest.py": """\
import sys


def mine(frame, event, argument):
    return None


def pytest_configure():
    sys.settrace(mine)


def pytest_unconfigure():
    open("left.txt", "w").write(str(sys.gettrace() is mine))
    sys.settrace(None)
""",
        "test_a.py": "def test_a():\n    value = [1]\n    assert value.pop() == 1\n",
    }
    seen = second_pass(tmp_path, sources, observers=["assertions-made"])
    assert facts(seen, "test_a")["assertions"] == 1
    assert (tmp_path / "project" / "left.txt").read_text() == "True"
