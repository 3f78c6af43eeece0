"""Lets factories store their objects in the session of the test.

The fixture (or setUp) that opens the session hands it to the factories: `Registry.registry.set(session)` of
their scoped session, which is made where there is none; at the end the registry is emptied. Factories
flush instead of committing. First proposal: the fixture is rolled back after each test, too, in the way of
the project's own good fixture where it has one, else with a connection, an outer transaction and savepoints.
Then the hand-over alone. Where no factory is in play but a test adds one object to two sessions, the adding
to the session that is used for nothing else goes.

A person judges: which session is the right one, and whether anything relied on what factories committed.
Never touched: asynchronous sessions, `expire_on_commit`, models.
"""

import ast
from collections.abc import Iterable, Iterator

from triage.model.fix import Edit, Proposal, Reach, Refusal, Target
from triage.remedies.example import Cured, Spot, Untouched
from triage.remedies.factory_registry import Handover, commits, filled, flush_edits, handover
from triage.remedies.fixture_lines import narrowed
from triage.remedies.imports import import_edits
from triage.remedies.module_paths import import_path, knows
from triage.remedies.one_session import one_session
from triage.remedies.own_transaction import Rebuilt
from triage.remedies.session_fixtures import handed, rolled_back
from triage.remedies.session_places import SessionPlace, session_place
from triage.remedies.session_samples import FACTORIES, FIXTURE, TEST, project
from triage.remedies.shared_sessions import shared_session
from triage.remedies.source import open_source
from triage.remedies.spans import changed, code
from triage.rules.factories import factory_index
from triage.rules.source import SourceTree
from triage.rules.syntax import dotted

ID = "factory-uses-test-session"
WHICH = "is this the session that the tests look into, and does nothing rely on rows of another?"
GONE = "what tests and factories commit is gone after each test: does no test live on rows of an earlier one?"


def propose(target: Target, tree: SourceTree) -> Iterable[Proposal | Refusal]:
    single = one_session(ID, target, tree)
    if single is not None:
        yield single
        return
    if not factory_index(tree):
        yield Refusal(ID, "the project has no factory that stores", target.file, target.line)
        return
    place = session_place(target, tree)
    if place is None:
        yield _named_session(tree) or Refusal(
            ID, "no fixture or setUp opens the session of this test in sight", target.file, target.line
        )
        return
    if place.is_async:
        reason = "factories do not store through an asynchronous session"
        yield Refusal(ID, reason, place.file, place.opening.lineno)
        return
    yield from _proposals(place, tree)


def _proposals(place: SessionPlace, tree: SourceTree) -> Iterator[Proposal | Refusal]:
    given = handover(tree, place)
    if given.why_not:
        shared = _shared_session(place, tree)
        yield shared or Refusal(ID, given.why_not, place.file, place.opening.lineno)
        return
    flush = flush_edits(tree)
    whole = rolled_back(place, given, tree)
    if whole.why_not:
        yield Refusal(
            ID, f"no transaction is put round it: {whole.why_not}", place.file, place.opening.lineno
        )
    yield from whole_proposals(ID, place, whole, given, flush)
    if whole.edits and commits(tree):
        yield from whole_proposals(ID, place, whole, given, ())
    edits = (*handed(place, given, tree), *flush)
    if edits:
        name = _name(place)
        label = (
            f"{name} hands its session to the factories, which flush"
            if given.names
            else "factories flush what they make"
        )
        yield Proposal(ID, label, tuple(dict.fromkeys(edits)), Reach.SUITE, judge=WHICH)


def whole_proposals(
    remedy: str, place: SessionPlace, whole: Rebuilt, given: Handover, flush: tuple[Edit, ...]
) -> Iterator[Proposal]:
    """The rolled-back fixture with the hand-over; in its way of making edits the same for every remedy."""
    if not whole.edits:
        return
    label = f"{_name(place)} rolls back what a test stored"
    label += f", as {whole.imitated} does" if whole.imitated else ""
    if given.names:
        label += ", and factories store in its session" + (", without committing" if flush else "")
    reach = Reach.SUITE if flush or given.names else Reach.FIXTURE
    judge = f"{GONE} {WHICH[0].upper()}{WHICH[1:]}" if given.names else GONE
    edits = tuple(dict.fromkeys((*whole.edits, *flush)))
    yield Proposal(
        remedy, label, edits, reach, judge=judge, rollback="revert the commit: no model or table is touched"
    )


def _name(place: SessionPlace) -> str:
    return f"fixture {place.fixture.name}" if place.fixture is not None else place.function.name


def _named_session(tree: SourceTree) -> Proposal | None:
    """Factories that name no session get the project's only one that is shared by name."""
    found = shared_session(tree)
    if found is None:
        return None
    shown, home = found
    edits = filled(tree, shown, home)
    judge = (
        f"do the tests look into `{shown}`, and is it rolled back or its tables emptied after each of them?"
    )
    label = f"factories that name no session store in `{shown}`"
    return Proposal(ID, label, edits, Reach.SUITE, judge=judge) if edits else None


def _shared_session(place: SessionPlace, tree: SourceTree) -> Proposal | None:
    """Factories on Flask-SQLAlchemy's `db.session`: the fixture hands out that one, not a second."""
    names = {(one.session, one.session_file) for one in factory_index(tree).factories if one.session}
    if len(names) != 1:
        return None
    shown, file = names.pop()
    root = shown.partition(".")[0]
    if not shown.endswith(".session") or place.fixture is None or dotted(place.call.func) == shown:
        return None
    source = open_source(tree, place.file)
    is_block = isinstance(place.opening, ast.With)
    edits = [changed(source, place.call, f"{shown}()" if is_block else shown)]
    if not knows(tree, place.file, root):
        module = tree.module(file)
        origin, inner = module.imports.get(root, ("", "")) if module is not None else ("", "")
        if origin.startswith(".") or not origin:
            origin, inner = import_path(tree, file, place.file), root
        edits += import_edits(source, origin, inner)
    edits += [*narrowed(place, tree), *flush_edits(tree)]
    label = (
        f"{_name(place)} hands out `{shown}`, in which the factories store, not {code(source, place.call)}"
    )
    judge = f"does the application's context stay open while `{shown}` is used? {WHICH[0].upper()}{WHICH[1:]}"
    return Proposal(ID, label, tuple(dict.fromkeys(edits)), Reach.SUITE, judge=judge)


_HANDED = """\
import pytest

from shop import SessionLocal, engine
from factories import FactorySession


@pytest.fixture
def db():
    FactorySession.remove()
    connection = engine.connect()
    transaction = connection.begin()
    session = SessionLocal(bind=connection, join_transaction_mode="create_savepoint")
    FactorySession.registry.set(session)
    yield session
    FactorySession.remove()
    session.close()
    transaction.rollback()
    connection.close()
"""
_FLUSH = FACTORIES.replace('"commit"', '"flush"')
_SPOT = Spot("test_it.py", 7, {"model": "Task", "fixture": "db"}, playbook="session-mixing")
_TWO_SESSIONS = """\
from shop import SessionLocal, User


def test_it(db):
    user = User()
    other = SessionLocal()
    other.add(user)
    db.add(user)
    db.commit()
"""
_ASYNC = """\
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from shop import engine


@pytest.fixture
async def db():
    async with AsyncSession(engine) as session:
        yield session
"""
_METHODS = """\
import unittest

from factories import UserFactory
from shop import SessionLocal, Task


class TaskTest(unittest.TestCase):
    def setUp(self):
        self.db = SessionLocal()

    def tearDown(self):
        self.db.close()

    def test_it(self):
        user = UserFactory()
        self.db.add(Task(title="x", user_id=user.id))
        self.db.commit()
"""
_METHODS_AFTER = """\
import unittest

from factories import FactorySession, UserFactory
from shop import SessionLocal, Task, engine


class TaskTest(unittest.TestCase):
    def setUp(self):
        FactorySession.remove()
        self.connection = engine.connect()
        self.transaction = self.connection.begin()
        self.db = SessionLocal(bind=self.connection, join_transaction_mode="create_savepoint")
        FactorySession.registry.set(self.db)

    def tearDown(self):
        FactorySession.remove()
        self.db.close()
        self.transaction.rollback()
        self.connection.close()

    def test_it(self):
        user = UserFactory()
        self.db.add(Task(title="x", user_id=user.id))
        self.db.commit()
"""

_FLASK = {
    "shop.py": "db = SQLAlchemy()\n\n\nclass User(db.Model):\n    id = db.Column(db.Integer)\n",
    "conftest.py": """\
import pytest

from shop import db


@pytest.fixture
def session(app):
    yield db.session
""",
    "factories.py": """\
from factory.alchemy import SQLAlchemyModelFactory

from shop import User


class UserFactory(SQLAlchemyModelFactory):
    class Meta:
        model = User
        sqlalchemy_session = None
""",
    "test_it.py": "from factories import UserFactory\n\n\ndef test_it(session):\n    UserFactory()\n",
}

CURED: tuple[Cured, ...] = (
    Cured(
        _FLASK,
        Spot("test_it.py", 5, message="No session provided.", playbook="session-mixing"),
        {
            "factories.py": _FLASK["factories.py"]
            .replace("import User\n", "import User, db\n")
            .replace("= None", "= db.session"),
        },
    ),
    Cured(
        {**project(), "factories.py": FACTORIES.replace('"commit"', "None")},
        _SPOT,
        {"conftest.py": _HANDED, "factories.py": _FLUSH},
    ),
    Cured(project(), _SPOT, {"conftest.py": _HANDED, "factories.py": _FLUSH}),
    Cured(
        project(test=_METHODS),
        Spot("test_it.py", 16, {"model": "Task"}, playbook="session-mixing"),
        {
            "test_it.py": _METHODS_AFTER.replace(
                "FactorySession, UserFactory", "UserFactory, FactorySession"
            ),
            "factories.py": _FLUSH,
        },
    ),
    Cured(
        project(test=_TWO_SESSIONS),
        Spot("test_it.py", 8, {"model": "User"}, playbook="session-mixing"),
        {"test_it.py": _TWO_SESSIONS.replace("    other.add(user)\n", "")},
    ),
)
UNTOUCHED: tuple[Untouched, ...] = (
    Untouched({**project(_HANDED), "factories.py": _FLUSH}, _SPOT, "the factories have the session already"),
    Untouched(project(_ASYNC), _SPOT, "factories know no asynchronous session"),
    Untouched(
        {
            "shop.py": project()["shop.py"],
            "conftest.py": FIXTURE,
            "test_it.py": TEST.replace("factories", "shop"),
        },
        _SPOT,
        "no factory stores anything",
    ),
    Untouched(
        project(test=_TWO_SESSIONS.replace("add(user)\n", "add(user)\n    other.commit()\n", 1)),
        Spot("test_it.py", 9, {"model": "User"}, playbook="session-mixing"),
        "both sessions are used: which one is meant only a person knows",
    ),
)
