"""What `push-context-in-fixture` makes of fixtures, and what it leaves alone."""

from triage.remedies.example import Cured, Spot, Untouched

_FILE = "tests/test_shop.py"
_BEFORE = """\
import pytest

from shop import create_app, db, lead


@pytest.fixture
def app():
    return create_app()


@pytest.fixture
def person(app) -> Person:
    person = Person(name="Ann")
    db.session.add(person)
    return person


def test_lead(app):
    assert lead() == 3
"""
_TABLES = """\
@pytest.fixture
def db(app):
    try:
        _db.create_all()
        yield _db
        _db.drop_all()
    finally:
        clean()
"""
_CASE = """\
class TestLead(unittest.TestCase):
    def setUp(self):
        self.app = create_app()

    def test_lead(self):
        assert lead() == 3
"""

CURED = (
    Cured(
        {_FILE: _BEFORE},
        Spot(_FILE, 19),
        {
            _FILE: _BEFORE.replace(
                "    return create_app()",
                "    app = create_app()\n    with app.app_context():\n        yield app",
            )
        },
    ),
    Cured(
        {_FILE: _BEFORE},
        Spot(_FILE, 14),
        {
            _FILE: _BEFORE.replace("db, lead\n", "db, lead\nfrom typing import Iterator\n")
            .replace("-> Person", "-> Iterator[Person]")
            .replace(
                "    db.session.add(person)\n    return person",
                "    with app.app_context():\n        db.session.add(person)\n        yield person",
            )
        },
    ),
    Cured(
        {_FILE: _TABLES},
        Spot(_FILE, 4),
        {
            _FILE: _TABLES.replace(
                "        _db.create_all()\n        yield _db\n        _db.drop_all()\n",
                "        with app.app_context():\n            _db.create_all()\n            yield _db\n"
                "            _db.drop_all()\n",
            )
        },
    ),
    Cured(
        {_FILE: _CASE},
        Spot(_FILE, 6),
        {
            _FILE: _CASE.replace(
                "create_app()\n",
                "create_app()\n        context = self.app.app_context()\n        context.push()\n"
                "        self.addCleanup(context.pop)\n",
            )
        },
    ),
)
UNTOUCHED = (
    Untouched(
        {_FILE: _BEFORE.replace("fixture\ndef app", 'fixture(scope="session")\ndef app')},
        Spot(_FILE, 19),
        "a context for the whole session is no test's own",
    ),
    Untouched(
        {_FILE: _CASE.replace("create_app()\n", "create_app()\n        self.app.app_context().push()\n")},
        Spot(_FILE, 7),
        "setUp pushes one already",
    ),
    Untouched(
        {"shop.py": "def lead():\n    return current_app.name\n"}, Spot("shop.py", 2), "it is the product's"
    ),
)
