"""The check over a small project in real children: useful tests are told from useless ones."""

import os
import sys
from pathlib import Path

import pytest

from tests.builders import write_files
from triage.model.fix import Sabotage
from triage.reruns import ChildLaboratory, FirstRun
from triage.rules.lookup import Lookup
from triage.rules.source import SourceTree
from triage.sabotage.check import sabotage
from triage.settings import Settings
from triage.stages.discover import load_project
from triage.stages.parse import parse
from triage.stages.provision import provision
from triage.stages.run import RunOptions, run_tests
from triage.text import Masker
from triage.tools import Tools

pytestmark = pytest.mark.children

SHOP = """\
LIMITS = {"book": 3, "pen": 10}


class Refused(Exception):
    pass


class Order:
    def __init__(self, kind, count=1):
        self.kind, self.count, self.sent = kind, count, False

    @property
    def total(self):
        return price(self.kind) * self.count

    def send(self, post):
        post.deliver(self.kind, self.count)
        self.sent = True


def price(kind):
    if kind not in LIMITS:
        raise Refused(kind)
    return 5 if kind == "book" else 2
"""
USEFUL = """\
import unittest
from unittest import mock

import pytest

from app.shop import LIMITS, Order, Refused, price


def check(order, wanted):
    assert order.total == wanted


@pytest.fixture
def sent():
    order = Order("pen")
    order.send(mock.Mock())
    return order


def test_price():
    assert price("book") == 5


def test_refused():
    with pytest.raises(Refused):
        price("boat")


def test_helper():
    check(Order("pen", 3), 6)


def test_post():
    post = mock.Mock()
    Order("pen").send(post)
    post.deliver.assert_called_once_with("pen", 1)


def test_fixture(sent):
    assert sent.sent


def test_limits():
    assert LIMITS["book"] == 3


class Prices(unittest.TestCase):
    def test_refusal(self):
        with self.assertRaises(Refused):
            price("boat")
"""
USELESS = """\
from unittest import mock

import pytest

from app import shop


def test_true():
    shop.price("book")
    assert True


def test_constants():
    shop.price("book")
    total = 1 + 1
    assert total == 2


def test_swallowed():
    try:
        assert shop.price("book") == 5
    except Exception:
        pass


def test_swallowed_assertion():
    try:
        assert shop.price("book") == 5
    except AssertionError:
        pass


@mock.patch("app.shop.price", return_value=7)
def test_mocked(price):
    assert shop.price("book") == 7
    price.assert_called_once_with("book")


def test_mock_of_everything():
    order = mock.Mock(spec=shop.Order)
    order.total = 3
    order.send("x")
    order.send.assert_called_once_with("x")
    assert order.total == 3


def test_or_true():
    assert shop.price("book") == 5 or True


def test_raises_by_itself():
    shop.price("book")
    with pytest.raises(ValueError):
        raise ValueError


def test_something_else():
    shop.Order("book").total
    assert isinstance("x", str)


def test_any_exception():
    with pytest.raises(Exception):
        shop.price("boat").nothing
"""
SOURCES = {
    "app/__init__.py": "",
    "app/shop.py": SHOP,
    "tests/__init__.py": "",
    "tests/test_useful.py": USEFUL,
    "tests/test_useless.py": USELESS,
    "pytest.ini": "[pytest]\n",
    "triage.yaml": (
        f"name: shop\nenvironment: {{use: {sys.prefix}}}\nsource: [app]\n"
        "test: {arguments: [tests], env: {PYTEST_DISABLE_PLUGIN_AUTOLOAD: '1'}}\n"
    ),
}


def look(folder: Path) -> tuple[dict[str, Sabotage], int]:
    """What became of each passing test, by name, and the number of trials."""
    with Tools(Settings(folder / "workspace"), os.environ) as tools:
        project = load_project(write_files(folder / "project", SOURCES))
        environment = provision(project, tools.folders, tools.options)
        artifacts = run_tests(project, environment, folder / "run", options=RunOptions())
        masker = Masker.from_environment({})
        run = parse(artifacts, project.root, masker)
        tree = SourceTree(project.root, project.source, project.test.arguments)
        first = FirstRun(artifacts, {case.id: case for case in run.cases})
        matcher = tools.matcher(project)
        laboratory = ChildLaboratory(
            project, environment, folder / "run", first, matcher, Lookup(tree), masker
        )
        found, notes = sabotage(laboratory, laboratory.all_tests(), tree, {})
    assert notes == ()
    return dict(found.items()), laboratory.trials


@pytest.fixture(scope="module")
def looked(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Sabotage], int]:
    return look(tmp_path_factory.mktemp("sabotage"))


def test_every_useful_test_catches_a_defect(looked: tuple[dict[str, Sabotage], int]) -> None:
    useful = {test: one for test, one in looked[0].items() if "useful" in test}
    assert len(useful) == USEFUL.count("def test_")
    assert [f"{test}: {one.text}" for test, one in useful.items() if not one.caught] == []
    assert all(one.asserted and one.file == "app/shop.py" for one in useful.values())


def test_no_useless_test_does(looked: tuple[dict[str, Sabotage], int]) -> None:
    useless = {test: one for test, one in looked[0].items() if "useless" in test}
    assert len(useless) == USELESS.count("def test_")
    assert [f"{test}: {one.text}" for test, one in useless.items() if one.caught] == []


def test_it_takes_six_children_at_most(looked: tuple[dict[str, Sabotage], int]) -> None:
    assert looked[1] <= 6
