"""Pushes an application context round the statements that need one.

The statement that fails and what follows it, as far as it uses what was made there or calls the same
code, goes into `with app.app_context():`. The application is the one in reach: a parameter, a variable,
an attribute of the class, the project's fixture (the test asks for it), or the module's. Statements of
a fixture's set-up and clearing up are treated alike.

Judge: a test without a context may be right. Look who calls the same code in production (a command, a
job, a thread) and whether a context is pushed there; if not, the defect is in the product.

Never touched: product code, code that runs in a thread of its own, and a fixture that hands out rows,
which would outlive their session. Requests by a test client stay outside of the block where they can.
"""

import ast
from collections.abc import Iterator

from triage.model.fix import Edit, Proposal, Reach, Refusal, Target
from triage.remedies.applications import closure, is_seen
from triage.remedies.blocks import indent
from triage.remedies.context_examples import RUNS
from triage.remedies.contexts import (
    callers,
    hands_out_rows,
    in_production,
    is_helper,
    leaving,
    reach,
    refused,
    used_in,
    with_context,
)
from triage.remedies.example import Cured, Spot, Untouched
from triage.remedies.imports import import_edits
from triage.remedies.needs import is_yielding
from triage.remedies.scenes import Scene, first_line, pushes, scene_of
from triage.rules.fixtures import Fixture, fixture_index
from triage.rules.source import SourceTree
from triage.rules.syntax import within

ID = "push-context-around-call"
_LABEL = "push an application context round the statements that need one"


def propose(target: Target, tree: SourceTree) -> Iterator[Proposal | Refusal]:
    scene = scene_of(target, tree)
    if isinstance(scene, str):
        yield Refusal(ID, scene, target.file, target.line)
        return
    reason = refused(scene) or _unfit(scene)
    if reason:
        yield Refusal(ID, reason, target.file, target.line)
        return
    calls = list(callers(scene)) if is_helper(scene) else []
    bare = [each for each in calls if each.pushed is None]
    if calls and not bare:
        yield Refusal(ID, "a context is pushed where the tests call this", target.file, target.line)
        return
    found = list(_of_callers(scene, bare))
    own = with_context(scene, "app_context()")
    if not isinstance(own, str):
        here = Proposal(ID, _LABEL, own, reach(scene), _judge(target))
        found.insert(0 if not leaving(scene) else len(found), here)
    elif not found:
        yield Refusal(ID, own, target.file, target.line)
    yield from found
    yield from _asking(scene)


def _judge(target: Target) -> str:
    known = in_production(target)
    if "defect of the product" in known:
        return known.rstrip("; ")
    return (
        f"{known}whether {used_in(target)} has an application context where production calls it (a command, "
        "a job, a thread); if it has none there, the product has to push it and this change would hide that"
    )


def _unfit(scene: Scene) -> str:
    if scene.pushed is not None:
        return "a context is pushed round this line already"
    if is_yielding(scene.statement):
        return "what is yielded here needs the context as long as the test runs"
    last = max([each.lineno for each in leaving(scene)], default=0)
    is_set_up = not is_helper(scene) and not scene.is_test and (scene.line <= last or not last)
    if is_set_up and hands_out_rows(scene):
        return "objects of models are handed out here; they would outlive the block and its session"
    return ""


def _of_callers(scene: Scene, bare: list[Scene]) -> Iterator[Proposal]:
    edits: list[Edit] = []
    for caller in bare:
        found = with_context(caller, "app_context()")
        if isinstance(found, str):
            return
        edits += found
    if edits:
        label = f"push an application context where the tests call `{getattr(scene.outer, 'name', '')}`"
        yield Proposal(ID, label, tuple(dict.fromkeys(edits)), Reach.STATEMENT, _judge(scene.target))


def _asking(scene: Scene) -> Iterator[Proposal]:
    """The test uses the project's own fixture that keeps a context pushed."""
    if not scene.is_test or scene.outer is None or scene.is_unittest:
        return
    index = fixture_index(scene.tree)
    asked = closure(scene)
    file = scene.source.file
    known = [each for each in index.fixtures if is_seen(index, each, file) and each not in asked]
    good = [each for each in known if each.scope == "function" and _keeps_context(each)]
    for fixture in good[:1]:
        indented = indent(scene.source, scene.outer.lineno)
        at = scene.source.offset(first_line(scene.outer), 0)
        text = f'{indented}@pytest.mark.usefixtures("{fixture.name}"){scene.source.newline}'
        edits = (Edit(file, at, at, text), *import_edits(scene.source, "", "pytest"))
        label = f"let the test use the fixture `{fixture.name}`, which keeps an application context pushed"
        yield Proposal(ID, label, edits, Reach.TEST, _judge(scene.target))


def _keeps_context(fixture: Fixture) -> bool:
    blocks = [each for each in within(fixture.node) if isinstance(each, ast.stmt) and pushes(each)]
    return fixture.yields and any(is_yielding(each) for each in blocks)


_CONFTEST = """\
import pytest

from shop import create_app, db


@pytest.fixture
def app():
    app = create_app()
    yield app
    db.session.remove()
    db.drop_all()


@pytest.fixture
def session(app):
    with app.app_context():
        yield db.session
"""
_TEST = """\
from shop import db, lead


def test_lead(client):
    value = lead()
    assert value == 3


class TestCount:
    def count(self):
        return db.session.query(db.Person).count()

    def test_count(self, app):
        assert self.count() == 0
"""
_LEAD = """\
from shop import db, lead


def test_lead(client, app):
    with app.app_context():
        value = lead()
        assert value == 3


class TestCount:
"""
_CASE = """\
import unittest


class TestLead(unittest.TestCase):
    def setUp(self):
        self.app = create_app()

    def test_lead(self):
        for days in (1, 2):
            found = later(
                days
            )
        self.client.get("/")
        self.assertEqual(found, '''5
''')
"""
_SHOP = "from shop import create_app, lead\n\n\ndef test_other():\n    create_app({'LEAD': 5})\n\n\n"
_FILE = "tests/test_shop.py"
_FILES = {
    "tests/conftest.py": _CONFTEST,
    _FILE: _TEST,
    "shop.py": "def lead():\n    return current_app.config['LEAD']\n",
}

_MAKER = """\
import pytest

from shop import Person, db


@pytest.fixture
def person_in(app):
    def make(name):
        person = Person(name=name)
        db.session.add(person)
        return person

    return make
"""
_MADE = """\
def test_made(person_in):
    assert person_in("Ann").name == "Ann"
"""
CURED = (
    *RUNS,
    Cured(
        {
            "tests/conftest.py": _CONFTEST,
            "tests/units/conftest.py": _MAKER,
            "tests/units/test_made.py": _MADE,
            "shop.py": "class Person(db.Model):\n    id = db.Column(db.Integer, primary_key=True)\n",
        },
        Spot("tests/units/conftest.py", 10, tests=("tests/units/test_made.py::test_made",)),
        {
            "tests/units/test_made.py": """\
def test_made(person_in, app):
    with app.app_context():
        assert person_in("Ann").name == "Ann"
"""
        },
    ),
    Cured(
        _FILES,
        Spot(_FILE, 5),
        {_FILE: _TEST.replace(_TEST[: _TEST.index("    def count")], _LEAD)},
    ),
    Cured(
        _FILES,
        Spot(_FILE, 5),
        {
            _FILE: _TEST.replace(
                "from shop import db, lead\n", "from shop import db, lead\nimport pytest\n"
            ).replace("def test_lead", '@pytest.mark.usefixtures("session")\ndef test_lead')
        },
        choice=1,
    ),
    Cured(
        _FILES,
        Spot(_FILE, 11, tests=(f"{_FILE}::TestCount::test_count",)),
        {
            _FILE: _TEST.replace(
                "        assert self.count()",
                "        with app.app_context():\n            assert self.count()",
            )
        },
    ),
    Cured(
        _FILES,
        Spot("tests/conftest.py", 10),
        {
            "tests/conftest.py": _CONFTEST.replace(
                "    db.session.remove()\n    db.drop_all()\n",
                "    with app.app_context():\n        db.session.remove()\n        db.drop_all()\n",
            )
        },
    ),
    Cured(
        {"test_case.py": _CASE},
        Spot("test_case.py", 10),
        {
            "test_case.py": """\
import unittest


class TestLead(unittest.TestCase):
    def setUp(self):
        self.app = create_app()

    def test_lead(self):
        with self.app.app_context():
            for days in (1, 2):
                found = later(
                    days
                )
            self.client.get("/")
            self.assertEqual(found, '''5
''')
"""
        },
    ),
    Cured(
        {_FILE: _SHOP + "def test_lead():\n    assert lead() == 5\n"},
        Spot(_FILE, 9),
        {
            _FILE: _SHOP
            + "def test_lead():\n    with create_app({'LEAD': 5}).app_context():\n"
            + "        assert lead() == 5\n"
        },
    ),
)
UNTOUCHED = (
    Untouched(_FILES, Spot("shop.py", 2), "the product has to have a context there"),
    Untouched(
        {_FILE: "def test_it(app):\n    with app.app_context():\n        assert lead() == 3\n"},
        Spot(_FILE, 3),
        "a context is pushed already",
    ),
    Untouched(
        {_FILE: "def test_it(app):\n    assert pool.submit(lead).result() == 3\n"},
        Spot(_FILE, 2),
        "no context follows into a thread",
    ),
    Untouched(
        {_FILE: "def test_it():\n    a, b = create_app(1), create_app(2)\n    assert lead() == 3\n"},
        Spot(_FILE, 3),
        "no application is in reach by a name",
    ),
    Untouched(
        {_FILE: "def test_it():\n    a = create_app(1)\n    b = create_app(2)\n    assert lead() == 3\n"},
        Spot(_FILE, 4),
        "it cannot be told which application is meant",
    ),
)
