"""Tests that lack a context, each in another way of writing; `# here` is where it is missing."""

from collections.abc import Mapping
from dataclasses import dataclass, field

AROUND, FIXTURE, AUTOUSE, REQUEST = (
    "push-context-around-call",
    "push-context-in-fixture",
    "autouse-app-context",
    "push-request-context",
)

COMMON: Mapping[str, str] = {
    "shop/__init__.py": """\
from flask import Blueprint, Flask, current_app, jsonify, request, url_for
from flask_sqlalchemy import SQLAlchemy

db, pages = SQLAlchemy(), Blueprint("pages", __name__)


class Person(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(20))


def create_app(settings=None):
    app = Flask(__name__)
    app.config.update(LEAD=3, SQLALCHEMY_DATABASE_URI="sqlite://")
    app.config.update(settings or {})
    db.init_app(app)
    app.add_url_rule("/lead", view_func=lambda: str(lead()))
    app.register_blueprint(pages)
    return app


@pages.route("/people", methods=["POST"])
def people():
    return jsonify(path=request.path, method=request.method)


def lead():
    return current_app.config["LEAD"]


def caller():
    return request.remote_addr or "nobody"


def address():
    return url_for("pages.people", _external=True)


def enrol(name):
    person = Person(name=name)
    db.session.add(person)
    db.session.commit()
    return person
""",
    "tests/conftest.py": """\
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
""",
}


@dataclass(frozen=True, slots=True)
class Shape:
    """`files` stand in a folder of the shape's own; one of them holds `# here`."""

    id: str
    remedy: str
    files: Mapping[str, str]
    choice: int = 0
    names: Mapping[str, str] = field(default_factory=dict)


def one(name: str, text: str, remedy: str = AROUND, choice: int = 0, **files: str) -> Shape:
    others = {f"{file}.py": content for file, content in files.items()}
    return Shape(name, remedy, {f"test_{name}.py": text, **others}, choice)


SHAPES = (
    one(
        "plain",
        """\
from shop import Person, db, lead


def test_it(app):
    expected = 3
    assert lead() == expected  # here
    assert (
        db.session.query(Person).count()
        == 0
    )
    assert expected
""",
    ),
    one(
        "not_asked",
        """\
import pytest

from shop import lead


@pytest.mark.parametrize(("days", "expected"), [(1, 4), (2, 5)])
def test_it(days, expected):
    found = lead() + days  # here
    text = f'''
{found}
'''
    assert text == f"\\n{expected}\\n"
""",
    ),
    one(
        "in_class",
        """\
from unittest import mock

from shop import lead


class TestIt:
    @mock.patch("shop.jsonify")
    def test_it(
        self,
        jsonify,
        tmp_path,
    ):
        assert jsonify is not None
        value = lead()  # here

        assert value == 3
""",
    ),
    one(
        "client_only",
        """\
from shop import Person, db, enrol


def test_it(client):
    enrol("Ann")  # here
    assert client.get("/lead").data == b"3"
    assert db.session.query(Person).count() == 1
""",
    ),
    one(
        "own_client",
        """\
import pytest

from shop import create_app, lead


@pytest.fixture
def web():
    other = create_app({"LEAD": 8})
    return other.test_client()


def test_it(web):
    for _ in range(2):
        value = lead()  # here
        assert value == 8
    assert value
""",
    ),
    one(
        "unittest_case",
        """\
import unittest

from shop import create_app, db, enrol


class Base(unittest.TestCase):
    def setUp(self):
        self.app = create_app()
        self.client = self.app.test_client()


class TestIt(Base):
    def test_it(self):
        with self.app.app_context():
            db.create_all()
        person = enrol("Ann")  # here
        self.assertEqual(person.name, "Ann")
""",
    ),
    one(
        "unittest_client",
        """\
import unittest

from shop import create_app, lead


class TestIt(unittest.TestCase):
    def setUp(self):
        self.client = create_app().test_client()

    def test_it(self):
        with self.assertRaises(ZeroDivisionError):
            1 / (lead() - 3)  # here
""",
    ),
    one(
        "unittest_set_up",
        """\
import unittest

from shop import create_app, db, enrol


class TestIt(unittest.TestCase):
    def setUp(self):
        self.app = create_app()
        db.create_all()  # here
        self.person = enrol("Ann")

    def test_it(self):
        self.assertEqual(self.person.name, "Ann")
""",
        FIXTURE,
    ),
    one(
        "tear_down",
        """\
import unittest

from shop import create_app, db


class TestIt(unittest.TestCase):
    def setUp(self):
        self.app = create_app()

    def tearDown(self):
        db.session.remove()  # here
        db.drop_all()

    def test_it(self):
        assert self.app is not None
""",
    ),
    one(
        "factory_without_fixture",
        """\
from shop import create_app, lead


def test_other():
    app = create_app({"LEAD": 5})
    assert app.config["LEAD"] == 5


def test_it():
    application = create_app({"LEAD": 9})
    assert lead() == 9  # here
    assert application.name == "shop"
""",
    ),
    one(
        "module_application",
        """\
from shop import create_app, lead

flask_app = create_app({"LEAD": 7})


def doubled():
    return 2 * lead()  # here


def test_it():
    assert doubled() == 14
""",
        choice=1,
    ),
    one(
        "of_literals",
        """\
from unittest import TestCase

from helpers_of_literals import lead_of_the_shop

from shop import create_app


class TestIt(TestCase):
    def test_other(self):
        made = create_app({"TESTING": True})
        assert made.testing

    def test_it(self):
        assert lead_of_the_shop() == 3
""",
        helpers_of_literals="""\
from shop import lead


def lead_of_the_shop():
    value = lead()  # here
    return value
""",
    ),
    one(
        "nested_helpers",
        """\
from shop import enrol


def person():
    return enrol("Ann")  # here


def names():
    return [person().name]


def test_it(app):
    found = names()
    assert found == ["Ann"]
""",
    ),
    one(
        "set_up_of_fixture",
        """\
import pytest

from shop import create_app, db


@pytest.fixture(scope="session")
def application(tmp_path_factory):
    made = create_app({"SQLALCHEMY_DATABASE_URI": f"sqlite:///{tmp_path_factory.mktemp('x')}/x.db"})
    db.create_all()  # here
    yield made
    db.session.remove()
    db.drop_all()


def test_it(application):
    assert application.name == "shop"
""",
    ),
    one(
        "finalizer",
        """\
import pytest

from shop import create_app, db


@pytest.fixture
def app(request):
    app = create_app()

    def tear_down():
        engine = db.engine  # here
        engine.dispose()

    request.addfinalizer(tear_down)
    return app


def test_it(app):
    assert app.name == "shop"
""",
    ),
    one(
        "rows_of_fixture",
        """\
import pytest

from shop import enrol


@pytest.fixture
def ann(app):
    person = enrol("Ann")  # here
    return person


def test_it(ann):
    assert ann.name == "Ann"
""",
        FIXTURE,
    ),
    one(
        "yielded_rows",
        """\
from typing import Iterator

import pytest

from shop import Person, db, enrol


@pytest.fixture
def ann(app) -> Iterator[Person]:
    person = enrol("Ann")  # here
    yield person
    db.session.delete(person)
    db.session.commit()


def test_it(ann):
    assert ann.name == "Ann"
""",
        FIXTURE,
    ),
    one(
        "client_fixture",
        """\
import pytest
from flask import Flask

from shop import create_app, lead


@pytest.fixture
def flask_app() -> Flask:
    return create_app({"LEAD": 4})


class TestIt:
    def test_it(self, flask_app):
        assert lead() == 4  # here
""",
        FIXTURE,
    ),
    one(
        "own_good_fixture",
        """\
import pytest

from shop import db, enrol


@pytest.fixture
def session(app):
    with app.app_context():
        yield db.session


@pytest.mark.parametrize("name", ["Ann"])
def test_it(name):
    assert enrol(name).name == name  # here
""",
        choice=1,
    ),
    one(
        "module_wide",
        """\
'''Tests of the shop.'''

from shop import lead

EXPECTED = 3


def test_it():
    assert lead() == EXPECTED  # here


class TestMore:
    def test_more(self):
        assert lead() == EXPECTED
""",
        AUTOUSE,
    ),
    one(
        "several_applications",
        """\
from shop import create_app, lead


def test_it():
    app = create_app({"LEAD": 1})
    other = create_app({"LEAD": 2})
    assert lead() == 1  # here
    assert other.config["LEAD"] == 2
""",
    ),
    one(
        "branches",
        """\
import shop


def test_it(app, monkeypatch):
    if app.config["LEAD"]:
        try:
            value = shop.lead()  # here
        finally:
            monkeypatch.undo()
    assert value == 3; assert shop.lead() == value
""",
    ),
    one(
        "tabs",
        "from shop import lead\n\n\ndef test_it(\n\tapp,\n):\n\tvalue = lead()  # here\n"
        "\n\tassert (\n\t\tvalue == 3\n\t)\n",
    ),
    one(
        "request_of_helper",
        """\
from shop import caller


def test_it(client):
    found = caller()  # here
    assert found == "nobody"
""",
        REQUEST,
    ),
    one(
        "application_only",
        """\
from shop import address


def test_it(app):
    with app.app_context():
        found = address()  # here
        assert found == "http://localhost/people"
""",
        REQUEST,
    ),
    one(
        "view",
        """\
from shop import people


class TestIt:
    def test_it(self, app):
        with app.app_context():
            assert app.name
        answer = people()  # here
        assert answer.get_json() == {"path": "/people", "method": "POST"}
""",
        REQUEST,
    ),
    one(
        "async_like",
        """\
import asyncio
from shop import lead


def test_it(app):
    async def main():
        await asyncio.sleep(0)
        return lead()  # here

    assert asyncio.run(main()) == 3
""",
    ),
    one(
        "kwonly",
        """\
from shop import lead


def test_it(*, tmp_path):
    assert lead() == 3  # here
""",
    ),
    one(
        "try_except",
        """\
import pytest
from shop import lead


def test_it(client):
    try:
        value = lead()  # here
    except KeyError:
        pytest.fail("no")
    client.get("/lead")
    assert value == 3
""",
    ),
    one(
        "db_fixture_for_test",
        """\
import pytest
from shop import create_app, db as _db, Person, enrol


@pytest.fixture
def db(app):
    with app.app_context():
        _db.create_all()

    yield _db

    with app.app_context():
        _db.drop_all()


def test_it(db):
    person = Person(name="Ann")
    db.session.add(person)  # here
    db.session.commit()
    assert person.id
""",
        FIXTURE,
    ),
    one(
        "db_fixture_for_test_around",
        """\
import pytest
from shop import create_app, db as _db, Person, enrol


@pytest.fixture
def db(app):
    return _db


def test_it(db):
    person = Person(name="Ann")
    db.session.add(person)  # here
    db.session.commit()
    assert person.id
""",
    ),
    one(
        "setup_class",
        """\
import unittest
from shop import create_app, lead


class TestIt(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.application = create_app()
        cls.value = lead()  # here

    def test_it(self):
        self.assertEqual(self.value, 3)
""",
    ),
    one(
        "thread_in_test",
        """\
import threading
from shop import lead


def test_it(app):
    found = []

    def work():
        found.append(lead())  # here

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [3]
""",
    ),
    one(
        "helper_with_app_param",
        """\
from shop import lead, create_app


def check(application, wanted):
    assert lead() == wanted  # here


def test_it():
    app = create_app()
    check(app, 3)
""",
    ),
    one(
        "nested_fixture_return",
        """\
import pytest
from shop import lead


@pytest.fixture
def make(app):
    def build():
        return lead() + 1  # here

    return build


def test_it(make):
    assert make() == 4
""",
    ),
    one(
        "name_taken",
        """\
import shop as app


def test_it(client):
    assert app.lead() == 3  # here
""",
    ),
    one(
        "parametrized_app",
        """\
import pytest
from shop import lead, create_app

@pytest.mark.parametrize("app", [create_app({"LEAD": 1}), create_app({"LEAD": 2})])
def test_it(app):
    assert lead() == app.config["LEAD"]  # here
""",
    ),
    one(
        "flask_testing_like",
        """\
import unittest
from shop import create_app, db, enrol

class TestCase(unittest.TestCase):
    def create_app(self):
        raise NotImplementedError
    def run(self, result=None):
        self.app = self.create_app()
        self.client = self.app.test_client()
        return super().run(result)

class TestIt(TestCase):
    def create_app(self):
        return create_app({"LEAD": 5})
    def setUp(self):
        db.create_all()  # here
    def tearDown(self):
        db.session.remove()
        db.drop_all()
    def test_it(self):
        assert self.app
""",
        FIXTURE,
    ),
    one(
        "request_in_helper",
        """\
from shop import caller

def who():
    return caller()  # here

def test_it(app):
    with app.app_context():
        assert who() == "nobody"
""",
        REQUEST,
    ),
    one(
        "request_fixture",
        """\
import pytest
from shop import caller

@pytest.fixture
def who(app):
    yield caller()  # here

def test_it(who):
    assert who == "nobody"
""",
        REQUEST,
    ),
)
