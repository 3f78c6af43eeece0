"""Small Flask projects that lack a context in one way each; they run on Flask 1, 2 and 3."""

from collections.abc import Mapping

Sources = Mapping[str, str]

PRODUCT = """\
from concurrent.futures import ThreadPoolExecutor

from flask import Flask, current_app, request, url_for
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()


class Person(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(20))


def create_app():
    app = Flask(__name__)
    app.config.update(LEAD=3, SQLALCHEMY_DATABASE_URI="sqlite://", SQLALCHEMY_TRACK_MODIFICATIONS=False)
    db.init_app(app)

    @app.route("/people")
    def people():
        return str(lead())

    return app


def lead():
    return current_app.config["LEAD"]


def caller():
    return request.remote_addr or "nobody"


def address():
    return url_for("people")


def in_background():
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lead).result()
"""

CONFTEST = """\
import pytest

from shop import create_app, db


@pytest.fixture
def app():
    app = create_app()
    with app.app_context():
        db.create_all()
    return app


@pytest.fixture
def client(app):
    return app.test_client()
"""

HELPERS = """\
from shop import lead


def doubled():
    return 2 * lead()
"""

TESTS = """\
import threading

import pytest

from shop import Person, address, caller, create_app, db, in_background, lead
from tests.helpers import doubled


def test_plain(app):
    before = 1
    assert lead() == 3
    assert before == 1


def test_session(app):
    count = db.session.query(Person).count()
    assert count == 0


def test_helper(app):
    assert doubled() == 6


@pytest.fixture
def configured(app):
    value = lead()
    return value


def test_fixture(configured):
    assert configured == 3


def test_request(client):
    assert caller() == "nobody"


def test_url(app):
    with app.app_context():
        assert address() == "/people"


def test_not_asked():
    value = lead()
    assert value == 3


def test_client_only(client):
    assert client.get("/people").data == b"3"
    assert lead() == 3


def test_pool(app):
    assert in_background() == 3


def test_thread(app):
    failed = []

    def work():
        try:
            failed.append(lead())
        except RuntimeError as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if isinstance(failed[0], Exception):
        raise failed[0]
    assert failed == [3]


def test_passes(app):
    with app.app_context():
        assert lead() == 3


def test_otherwise(app):
    raise RuntimeError("Working late outside")
"""

UNITTEST = """\
import unittest

from shop import Person, create_app, db


class Case(unittest.TestCase):
    def setUp(self):
        self.app = create_app()
        self.people = db.session.query(Person)

    def test_in_class(self):
        assert self.people is not None
        assert self.app is not None
"""

SHOP: Sources = {
    "shop.py": PRODUCT,
    "tests/__init__.py": "",
    "tests/conftest.py": CONFTEST,
    "tests/helpers.py": HELPERS,
    "tests/test_shop.py": TESTS,
    "tests/test_class.py": UNITTEST,
}

ODD_TESTS = """\
import asyncio
import sys
import threading

import pytest
from flask import has_app_context

from shop import create_app, lead


@pytest.fixture(autouse=True)
def clean(app):
    assert not has_app_context()


def numbers():
    for _ in range(2):
        value = lead()  # generator
        yield value


def test_generator(app):
    assert sum(numbers()) == 6
    assert not has_app_context()


def test_left_open(app):
    test_left_open.running = numbers()
    assert next(test_left_open.running) == 3
    assert has_app_context()


def test_thrown(app):
    running = numbers()
    assert next(running) == 3
    with pytest.raises(KeyError):
        running.throw(KeyError("x"))
    assert not has_app_context()


async def nothing():
    await asyncio.sleep(0)
    return 0


async def asked():
    first = await nothing()
    first += lead()  # coroutine
    await asyncio.sleep(0)
    assert has_app_context()
    return first + lead() + (await nothing()) + (await nothing()) + lead()


async def main():
    found = await asked()
    assert not has_app_context()
    return found


def test_coroutine(app):
    assert asyncio.run(main()) == 9


def deep(count):
    value = lead()  # recursion
    if count:
        assert deep(count - 1) == 3
        assert has_app_context()
    return value


def test_recursion(app):
    assert deep(4) == 3
    assert not has_app_context()


@pytest.fixture
def held(app):
    value = lead()  # held
    yield value
    assert has_app_context()


def test_held(held):
    assert lead() == held


def raising():
    lead()  # raising
    raise KeyError


def test_raising(app):
    with pytest.raises(KeyError):
        raising()
    assert not has_app_context()


def test_comprehension(app):
    values = [lead() for _ in range(2)]  # comprehension
    assert values == [3, 3]


def test_argument(app):
    value = sum(
        [
            lead(),  # argument
        ]
    )
    assert value == 3


@pytest.fixture
def covering():
    contexts = []
    yield contexts
    assert has_app_context()
    contexts[0].pop()


def test_covered(covering, app):
    value = lead()  # covered
    covering.append(create_app().app_context())
    covering[0].push()


def test_thread(app):
    found = []

    def work():
        found.append(lead())  # thread
        found.append(has_app_context())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [3, True]
    assert not has_app_context()
"""

ODD: Sources = {
    "shop.py": PRODUCT,
    "tests/__init__.py": "",
    "tests/conftest.py": CONFTEST,
    "tests/test_odd.py": ODD_TESTS,
}
ODD_FILE = "tests/test_odd.py"
ODD_SITES = {  # comment of the line to its tests
    "generator": ("test_generator", "test_left_open", "test_thrown"),
    **{
        name: (f"test_{name}",)
        for name in (
            "coroutine",
            "recursion",
            "held",
            "raising",
            "comprehension",
            "argument",
            "covered",
            "thread",
        )
    },
}

NOWHERE: Sources = {
    "lonely.py": "from flask import current_app\n\n\ndef lead():\n    return current_app.config['LEAD']\n",
    "test_lonely.py": "from lonely import lead\n\n\ndef test_lead():\n    assert lead() == 3\n",
}

SHOP_FILE, CLASS_FILE = "tests/test_shop.py", "tests/test_class.py"
