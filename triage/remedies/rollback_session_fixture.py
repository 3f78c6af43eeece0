"""Rolls the session of a test back at its end, so that nothing of it reaches the next.

The fixture takes the body of the project's own good fixture, where one opens a connection, begins a
transaction, binds a session to it and rolls back; else it gets one: connection, outer transaction and a
session with `join_transaction_mode="create_savepoint"`. It is made anew for each test. Factories are given
its session where they have one of their own. Last proposal: only a session of its own for each test.
A fixture that does all this on SQLite, where the driver begins too late for savepoints, gets a `BEGIN`.

A person judges whether a test lives on the rows of an earlier one. Never touched: asynchronous sessions,
sessions that stand on a connection of another fixture, `setUpClass`.
"""

from collections.abc import Iterable

from triage.model.fix import Edit, Proposal, Reach, Refusal, Target
from triage.remedies.example import Cured, Spot, Untouched
from triage.remedies.factory_registry import Handover, flush_edits, handover
from triage.remedies.factory_uses_test_session import GONE, whole_proposals
from triage.remedies.fixture_lines import narrowed
from triage.remedies.savepoints import begun_in_time
from triage.remedies.session_fixtures import rolled_back
from triage.remedies.session_places import SessionPlace, session_place
from triage.remedies.session_samples import FACTORIES, FIXTURE, ROLLED_BACK, project
from triage.remedies.shared_state import state_of
from triage.rules.factories import factory_index
from triage.rules.source import SourceTree

ID = "rollback-session-fixture"


def propose(target: Target, tree: SourceTree) -> Iterable[Proposal | Refusal]:
    state = state_of(target)
    if target.playbook == "order-dependent" and (state is None or state.kind != "database"):
        return
    place = session_place(target, tree)
    if place is None:
        if tree.is_test(target.file) and target.playbook != "unique-violation":  # others say more of that
            reason = "no fixture or setUp opens the session of this test in sight"
            yield Refusal(ID, reason, target.file, target.line)
        return
    late = begun_in_time(place, tree)
    if late:
        label = "sqlite3 begins with the outer transaction, which then takes its savepoints back"
        yield Proposal(ID, label, late, Reach.FIXTURE, judge=GONE)
    given = handover(tree, place) if factory_index(tree) and not place.is_async else Handover()
    whole = rolled_back(place, given, tree)
    if whole.why_not:
        yield Refusal(
            ID, f"no transaction is put round it: {whole.why_not}", place.file, place.opening.lineno
        )
    seen = set()
    flush = flush_edits(tree) if given.names else ()
    for each, built, flushing in (
        (given, whole, flush),
        (Handover(), rolled_back(place, Handover(), tree), ()),
    ):
        for one in whole_proposals(ID, place, built, each, flushing):
            if frozenset(one.edits) not in seen:
                seen.add(frozenset(one.edits))
                yield one
    edits = narrowed(place, tree)
    if edits and frozenset(edits) not in seen:
        yield _narrow(place, edits)


def _narrow(place: SessionPlace, edits: tuple[Edit, ...]) -> Proposal:
    name = place.fixture.name if place.fixture is not None else place.function.name
    return Proposal(ID, f"fixture {name} opens a session for each test", edits, Reach.FIXTURE, judge=GONE)


_GOOD = """\
import pytest
from sqlalchemy.orm import Session

from shop import engine


@pytest.fixture
def clean():
    connection = engine.connect()
    transaction = connection.begin()
    session = Session(bind=connection, join_transaction_mode="create_savepoint")
    try:
        yield session
    finally:
        session.close()
        transaction.rollback()
        connection.close()
"""
_LIKE_IT = """\
import pytest

from shop import SessionLocal, engine
from sqlalchemy.orm import Session
%s

@pytest.fixture
def db():
%s    connection = engine.connect()
    transaction = connection.begin()
    session = Session(bind=connection, join_transaction_mode="create_savepoint")
%s    try:
        yield session
    finally:
%s        session.close()
        transaction.rollback()
        connection.close()
"""
_ROWS = """\
from shop import User


def test_it(db):
    db.add(User(id=1))
    db.commit()
"""
_SPOT = Spot("test_it.py", 5, {"table": "users"}, ("test_it.py::test_it",), "unique-violation")
_PLAIN = {"shop.py": project()["shop.py"], "conftest.py": FIXTURE, "test_it.py": _ROWS}
_BOUND = FIXTURE.replace("db():", "db(connection):").replace(
    "SessionLocal()", "SessionLocal(bind=connection)"
)

CURED: tuple[Cured, ...] = (
    Cured(_PLAIN, _SPOT, {"conftest.py": ROLLED_BACK}),
    Cured(
        {**_PLAIN, "other/conftest.py": _GOOD},
        _SPOT,
        {"conftest.py": _LIKE_IT % ("", "", "", "")},
    ),
    Cured(
        {**project(test=_ROWS), "other/conftest.py": _GOOD},
        _SPOT,
        {
            "conftest.py": _LIKE_IT
            % (
                "from factories import FactorySession\n",
                "    FactorySession.remove()\n",
                "    FactorySession.registry.set(session)\n",
                "        FactorySession.remove()\n",
            ),
            "factories.py": FACTORIES.replace('"commit"', '"flush"'),
        },
    ),
)
_LATE = """\
import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session


@pytest.fixture
def db():
    with create_engine("sqlite://").connect() as connection:
        outer = connection.begin()
%s        with Session(connection, join_transaction_mode="create_savepoint") as session:
            yield session
        outer.rollback()
"""
_BEGUN = '        connection.exec_driver_sql("BEGIN")  # sqlite3 itself begins too late for savepoints\n'
CURED = (
    *CURED,
    Cured({"test_it.py": _ROWS, "conftest.py": _LATE % ""}, _SPOT, {"conftest.py": _LATE % _BEGUN}),
)
UNTOUCHED: tuple[Untouched, ...] = (
    Untouched({**_PLAIN, "conftest.py": ROLLED_BACK}, _SPOT, "it is rolled back already"),
    Untouched(
        {**_PLAIN, "conftest.py": _BOUND.replace('(scope="module")', "")},
        _SPOT,
        "the connection belongs to another fixture",
    ),
    Untouched({**_PLAIN, "test_it.py": _ROWS.replace("(db)", "()")}, _SPOT, "no fixture opens the session"),
)
