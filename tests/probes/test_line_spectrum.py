"""Which lines each test executes, as a second pass over small projects sees them."""

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.probes.second import Seen, line_of, second_pass

HAS_MONITORING = sys.version_info >= (3, 12)
SHOP = """\
import threading


def price(kind):
    if kind == "book":
        return 5  # book
    return 9  # other


def count(until):
    for number in range(until):
        yield number  # counted


def in_thread():
    thread = threading.Thread(target=price, args=("book",))
    thread.start()
    thread.join()


def make():
    return price("pen")  # made
"""
SOURCES = {
    "app/__init__.py": "",
    "app/shop.py": SHOP,
    "conftest.py": """\
import pytest

from app.shop import make, price


@pytest.fixture(scope="session")
def stock():
    return [make()]


@pytest.fixture(scope="module")
def shelf(stock):
    yield list(stock)  # shelved


@pytest.fixture
def book():
    return price("book")  # bought
""",
    "tests/test_shop.py": """\
import pytest

from app import shop


def test_book():
    assert shop.price("book") == 5


def test_other():
    assert shop.price("pen") == 5


def test_again():
    assert shop.price("book") == 5


def test_fixture(book):
    assert book == 5


def test_first(shelf):
    assert shelf == [9]


def test_second(shelf):
    assert shelf == [9]


def test_by_name(request):
    assert request.getfixturevalue("stock") == [9]


def test_thread():
    shop.in_thread()


def test_generator():
    counted = shop.count(2)
    assert list(counted) == [0, 1]


def test_nothing():
    pass
""",
}


def spectra(seen: Seen) -> dict[str, dict[str, Any]]:
    return {one["id"].rpartition("::")[2]: one for one in seen.records.of("spectrum")}


def lines(record: dict[str, Any], file: str = "app/shop.py") -> set[int]:
    return {line for first, last in record["files"].get(file, []) for line in range(first, last + 1)}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return second_pass(tmp_path_factory.mktemp("spectrum"), SOURCES, observers=["line-spectrum"])


def at(text: str, file: str = "app/shop.py") -> int:
    return line_of(SOURCES, file, text)


def test_each_test_has_its_own_lines_however_often_they_ran_before(seen: Seen) -> None:
    found = spectra(seen)
    head, book, other = at("if kind"), at("# book"), at("# other")
    assert lines(found["test_book"]) == lines(found["test_again"]) == {head, book}
    assert lines(found["test_other"]) == {head, other}
    assert lines(found["test_nothing"]) == set()
    assert seen.errors() == []


def test_nothing_changes_what_the_tests_do(seen: Seen) -> None:
    outcomes = seen.records.outcomes()
    assert [name for name, outcome in outcomes.items() if outcome != "passed"] == ["test_other"]
    assert len(outcomes) == len(spectra(seen))


def test_lines_are_ranges_without_gaps_between_neighbours(seen: Seen) -> None:
    assert spectra(seen)["test_book"]["files"]["app/shop.py"] == [[at("if kind"), at("# book")]]


def test_code_of_tests_is_there_and_marked(seen: Seen) -> None:
    record = spectra(seen)["test_book"]
    assert "tests/test_shop.py" in record["tests"]
    assert "app/shop.py" not in record["tests"]
    assert lines(record, "tests/test_shop.py") == {
        line_of(SOURCES, "tests/test_shop.py", "def test_book") + 1
    }


def test_a_tests_own_fixture_counts(seen: Seen) -> None:
    record = spectra(seen)["test_fixture"]
    assert lines(record) == {at("if kind"), at("# book")}
    assert at("# bought", "conftest.py") in lines(record, "conftest.py")


def test_a_wider_fixture_counts_for_every_test_that_uses_it(seen: Seen) -> None:
    found = spectra(seen)
    made = {at("# made"), at("if kind"), at("# other")}
    assert lines(found["test_first"]) == lines(found["test_second"]) == made
    assert at("# shelved", "conftest.py") in lines(found["test_second"], "conftest.py")
    assert lines(found["test_by_name"]) == made


def test_threads_and_generators_count(seen: Seen) -> None:
    found = spectra(seen)
    assert {at("# book"), at("thread.join")} <= lines(found["test_thread"])
    assert at("# counted") in lines(found["test_generator"])


BUSY = {
    "tool.py": "def used():\n    return 1\n",
    "conftest.py": """\
import sys

TAKEN = []


def mine(frame, event, argument):
    TAKEN.append(event)


def pytest_sessionstart():
    sys.settrace(mine)
""",
    "test_a.py": """\
import sys

from conftest import TAKEN
from tool import used


def test_a():
    assert used() == 1
    assert sys.gettrace().__name__ == "mine"
    assert TAKEN
""",
}


def test_a_tracer_of_the_project_stays_and_is_named_where_there_is_room_for_one(tmp_path: Path) -> None:
    seen = second_pass(tmp_path, BUSY, observers=["line-spectrum"])
    assert seen.outcome("test_a") == "passed"
    assert seen.errors() == []
    if HAS_MONITORING:
        assert lines(spectra(seen)["test_a"], "tool.py") == {2}
    else:
        assert spectra(seen) == {}
        assert "conftest.mine" in seen.records.one("spectrum_error")["text"]


def test_a_test_that_sets_a_tracer_itself_keeps_it_and_the_next_test_is_seen(tmp_path: Path) -> None:
    text = """\
import sys
from tool import used

def test_a():
    sys.settrace(lambda *_: None)
    used()
    sys.settrace(None)

def test_b():
    assert used() == 1
"""
    seen = second_pass(tmp_path, {"tool.py": BUSY["tool.py"], "test_a.py": text}, observers=["line-spectrum"])
    assert seen.outcome("test_a") == "passed"
    assert lines(spectra(seen)["test_b"], "tool.py") == {2}


def test_recursion_to_the_limit_fails_alone(tmp_path: Path) -> None:
    text = """\
from tool import used

def deep():
    return deep()

def test_a():
    deep()

def test_b():
    assert used() == 1
"""
    seen = second_pass(tmp_path, {"tool.py": BUSY["tool.py"], "test_a.py": text}, observers=["line-spectrum"])
    assert seen.outcome("test_a") == "failed"
    assert seen.messages("test_a")[0].startswith("RecursionError")
    assert 4 in lines(spectra(seen)["test_a"], "test_a.py")
    assert lines(spectra(seen)["test_b"], "tool.py") == {2}


def test_unittest_and_module_fixtures_of_the_xunit_style_count(tmp_path: Path) -> None:
    text = """\
import unittest
from tool import used

def setup_module():
    used()

class TestA(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.value = 1  # class

    def test_a(self):
        pass

    def test_b(self):
        assert self.value == 1
"""
    sources = {"tool.py": BUSY["tool.py"], "test_a.py": text}
    found = spectra(second_pass(tmp_path, sources, observers=["line-spectrum"]))
    for name in ("test_a", "test_b"):
        assert lines(found[name], "tool.py") == {2}
        assert line_of(sources, "test_a.py", "# class") in lines(found[name], "test_a.py")
