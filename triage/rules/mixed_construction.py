"""A test stores objects through a factory's session and, by hand, through another one.

A factory_boy factory stores what it makes in the session that its Meta names. A test that calls
such a factory and adds an object of its own to a fixture's session works with two transactions:
neither sees what the other has not committed, an object of one cannot be added to the other, and
what the factory commits stays in the database after the test.

The line is that of the constructor call. Give the factory the fixture's session, and make every
object of a model that has a factory by its factory.

Known limits: the fixture must make its session in sight (`SessionLocal()`, `Session(...)`); silent
where the test suite anywhere hands a session to its factories (`_meta.sqlalchemy_session = ...`,
`configure(...)`, `registry.set(...)`).
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from triage.model.finding import Finding
from triage.rules.example import Invalid, Valid
from triage.rules.factories import Factory, FactoryIndex, factory_index
from triage.rules.fixtures import Fixture, FixtureIndex, fixture_index
from triage.rules.model_index import model_index
from triage.rules.models import ModelIndex
from triage.rules.objects import Built, stored_objects
from triage.rules.sessions import session_facts
from triage.rules.source import Module, SourceTree
from triage.rules.syntax import Function, arguments, calls_within, dotted, owner, string, terminal, within
from triage.rules.variables import bindings

ID = "mixed-construction"


@dataclass(frozen=True, slots=True)
class _Reader:
    models: ModelIndex
    factories: FactoryIndex
    fixtures: FixtureIndex
    makers: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Called:
    factory: Factory
    file: str
    line: int


def find(tree: SourceTree) -> Iterable[Finding]:
    factories = factory_index(tree)
    if not factories or not model_index(tree) or _is_handed_over(tree, factories):
        return
    makers = session_facts(tree).makers | {"Session", "SessionLocal"}
    reader = _Reader(model_index(tree), factories, fixture_index(tree), makers)
    for module in tree.modules(b".add(", b".add_all(", tests=True):
        for function in module.functions:
            if function.name.startswith("test"):
                yield from _findings(function, module, tree, reader)


def _findings(function: Function, module: Module, tree: SourceTree, reader: _Reader) -> Iterator[Finding]:
    closure = reader.fixtures.closure(arguments(function), module.path)
    called = list(_called(function, module, reader))
    for each in closure:
        source = tree.module(each.file)
        called += list(_called(each.node, source, reader)) if source is not None else []
    sessions = {each.name: each for each in closure}
    for built in stored_objects(function, module, reader.models) if called else ():
        fixture = sessions.get(built.session)
        made = _session_made(fixture, reader.makers) if fixture is not None else None
        if fixture is None or made is None:
            continue
        own = reader.factories.of(built.model, reader.models)
        mixed = next((each for each in called if _is_apart(each.factory, made)), None)
        if mixed is not None:
            yield _finding(function, module, built, own, mixed, (fixture.file, made.lineno))


def _finding(
    function: Function,
    module: Module,
    built: Built,
    own: Factory | None,
    called: _Called,
    session: tuple[str, int],
) -> Finding:
    factory = own or called.factory
    return Finding(
        ID,
        module.path,
        built.call.lineno,
        f"{built.model.name}(...) is added to {built.session}, "
        f"{called.factory.name}() stores in {called.factory.session}",
        symbol=function.name,
        subject={
            "function": function.name,
            "model": built.model.name,
            "table": built.model.table,
            "factory": factory.name,
        },
        related=(
            ("factory", called.file, called.line),
            ("factory session", called.factory.session_file, called.factory.session_line),
            ("fixture session", *session),
        ),
    )


def _called(function: Function, module: Module, reader: _Reader) -> Iterator[_Called]:
    for call in calls_within(function):
        factory = reader.factories.called(call, module)
        if factory is not None and factory.session:
            yield _Called(factory, module.path, call.lineno)


def _session_made(fixture: Fixture, makers: frozenset[str]) -> ast.Call | None:
    """The call that makes the one session that a fixture hands out."""
    made = {name: value for node in within(fixture.node) for name, value in bindings(node)}
    made |= {
        item.optional_vars.id: item.context_expr
        for node in within(fixture.node)
        if isinstance(node, ast.With)
        for item in node.items
        if isinstance(item.optional_vars, ast.Name)
    }
    given = [n.value for n in within(fixture.node) if isinstance(n, ast.Return | ast.Yield) and n.value]
    if len(given) != 1:
        return None
    value = made.get(given[0].id) if isinstance(given[0], ast.Name) else given[0]
    is_made = isinstance(value, ast.Call) and _maker(value) in makers
    return value if is_made and isinstance(value, ast.Call) else None


def _maker(call: ast.Call) -> str:
    """`SessionLocal` of `SessionLocal()`, `sessionmaker(...)()` and `SessionLocal.begin()`."""
    if isinstance(call.func, ast.Call):
        return "Session" if terminal(call.func) == "sessionmaker" else ""
    return terminal(owner(call)) if terminal(call) == "begin" else terminal(call)


def _is_apart(factory: Factory, made: ast.Call) -> bool:
    """Not when the fixture's session comes from what Meta names (a scoped session hands out one)."""
    return factory.session.rpartition(".")[2] != terminal(made) and dotted(made.func) != factory.session


def _is_handed_over(tree: SourceTree, factories: FactoryIndex) -> bool:
    names = {each.session.rpartition(".")[2] for each in factories.factories if each.session}
    for module in tree.modules(b"sqlalchemy_session", b".configure(", b"registry", tests=True):
        for node in module.all(ast.Attribute):
            if node.attr == "sqlalchemy_session" and isinstance(node.ctx, ast.Store):
                return True
            configured = node.attr in ("configure", "registry") and terminal(node.value) in names
            if configured:
                return True
        for call in module.all(ast.Call):
            if terminal(call) == "setattr" and "sqlalchemy_session" in map(string, call.args):
                return True
    return False


_MODELS = """\
from sqlalchemy import Column, Integer, create_engine
from sqlalchemy.orm import declarative_base, scoped_session, sessionmaker
Base = declarative_base()
engine = create_engine('sqlite://')
SessionLocal = sessionmaker(bind=engine)
class User(Base):
    __tablename__ = 'users'
    id = Column(Integer, primary_key=True)
class Task(Base):
    __tablename__ = 'tasks'
    id = Column(Integer, primary_key=True)
"""
_FACTORIES = """\
from factory.alchemy import SQLAlchemyModelFactory
from sqlalchemy.orm import scoped_session, sessionmaker
from m import User, engine
FactorySession = scoped_session(sessionmaker(bind=engine))
class BaseFactory(SQLAlchemyModelFactory):
    class Meta:
        abstract = True
        sqlalchemy_session = FactorySession
class UserFactory(BaseFactory):
    class Meta:
        model = User
"""
_FIXTURE = """\
import pytest
from m import SessionLocal
@pytest.fixture
def db():
    session = SessionLocal()
    yield session
    session.close()
"""
_TEST = "from m import Task, User\nfrom tests.factories import UserFactory\n"


def _case(test: str, fixture: str = _FIXTURE) -> dict[str, str]:
    return {
        "m.py": _MODELS,
        "tests/factories.py": _FACTORIES,
        "tests/conftest.py": fixture,
        "tests/test_t.py": _TEST + test,
    }


_MIXED = "def test_it(db):\n    user = UserFactory()\n    task = Task()\n    db.add(task)\n"

VALID: tuple[Valid, ...] = (
    Valid(_case("def test_it(db):\n    user = UserFactory()\n    assert user.id\n"), "only the factory"),
    Valid(_case("def test_it(db):\n    db.add(Task())\n"), "only by hand"),
    Valid(
        _case("def test_it(db):\n    user = UserFactory.build()\n    db.add(Task())\n"), "built, not stored"
    ),
    Valid(_case("def test_it(db):\n    UserFactory()\n    assert Task().id is None\n"), "never stored"),
    Valid(
        _case(_MIXED, _FIXTURE.replace("SessionLocal()", "FactorySession()")),
        "the factory's own session",
    ),
    Valid(
        _case(
            _MIXED,
            _FIXTURE.replace("    yield", "    UserFactory._meta.sqlalchemy_session = session\n    yield"),
        ),
        "handed over",
    ),
)
INVALID: tuple[Invalid, ...] = (
    Invalid(
        _case(_MIXED),
        (("tests/test_t.py", 5),),
        {"function": "test_it", "model": "Task", "table": "tasks", "factory": "UserFactory"},
    ),
    Invalid(
        _case("def test_it(db, user):\n    db.add_all([\n        User(),\n    ])\n")
        | {
            "tests/conftest.py": _FIXTURE
            + "from tests.factories import UserFactory\n"
            + "@pytest.fixture\ndef user():\n    return UserFactory()\n"
        },
        (("tests/test_t.py", 5),),
        {"function": "test_it", "model": "User", "table": "users", "factory": "UserFactory"},
    ),
)
