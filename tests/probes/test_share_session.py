"""`share-session`: factories store in the test's session, where its hand-made objects are."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.probes.second import Seen, line_of, order, second_pass

MODELS = """
import sqlalchemy as sa
from sqlalchemy.orm import declarative_base, relationship, scoped_session, sessionmaker

Base = declarative_base()

class Workspace(Base):
    __tablename__ = "workspaces"
    id = sa.Column(sa.Integer, primary_key=True)
    name = sa.Column(sa.String(40), nullable=False)

class User(Base):
    __tablename__ = "users"
    id = sa.Column(sa.Integer, primary_key=True)
    name = sa.Column(sa.String(40), nullable=False)
    workspace_id = sa.Column(sa.ForeignKey("workspaces.id"), nullable=False)
    workspace = relationship(Workspace)

class Task(Base):
    __tablename__ = "tasks"
    id = sa.Column(sa.Integer, primary_key=True)
    title = sa.Column(sa.String(40), nullable=False)
    workspace_id = sa.Column(sa.ForeignKey("workspaces.id"), nullable=False)
    workspace = relationship(Workspace)
    user_id = sa.Column(sa.ForeignKey("users.id"))
    user = relationship(User)

def make(model, **values):
    return model(**values)  # in a helper
"""

FACTORIES = """
import factory
from sqlalchemy.orm import scoped_session, sessionmaker
from models import User, Workspace

FactorySession = scoped_session(sessionmaker())

class BaseFactory(factory.alchemy.SQLAlchemyModelFactory):
    class Meta:
        abstract = True
        {options}

class WorkspaceFactory(BaseFactory):
    class Meta:
        model = Workspace
    name = "w"

class UserFactory(BaseFactory):
    class Meta:
        model = User
    name = "u"
    workspace = factory.SubFactory(WorkspaceFactory)

class GivenFactory(BaseFactory):
    class Meta:
        model = Workspace
        sqlalchemy_get_or_create = ("name",)

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        return super()._create(model_class, *args, **kwargs)
"""

COMMITS = 'sqlalchemy_session = FactorySession\n        sqlalchemy_session_persistence = "commit"'
BY_FUNCTION = "sqlalchemy_session_factory = lambda: FactorySession"

CONFTEST = """
import pytest, sqlalchemy as sa
from sqlalchemy.orm import Session
from models import Base
from factories import FactorySession

@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    file = tmp_path_factory.mktemp("db") / "test.db"
    engine = sa.create_engine("sqlite:///%s" % file, connect_args={"timeout": 0.1})
    Base.metadata.create_all(engine)
    FactorySession.configure(bind=engine)
    yield engine
    engine.dispose()

@pytest.fixture(autouse=True)
def clean(engine):
    yield
    FactorySession.remove()
    with engine.begin() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(table.delete())

@pytest.fixture
def session(engine):
    with Session(engine) as session:
        yield session

@pytest.fixture(scope="module")
def long(engine):
    with Session(engine) as session:
        yield session

@pytest.fixture
def database(session):
    class Database: pass
    found = Database()
    found.session = session
    return found
"""

TESTS = """
import pytest
from sqlalchemy.orm import Session, object_session
from models import Task, User, Workspace, make
import models as m
from models import Task as Job
from factories import GivenFactory, UserFactory, WorkspaceFactory

def test_related(session):
    user = UserFactory()
    task = Task(title="a", user=user, workspace=user.workspace)  # related
    session.add(task)
    session.commit()

def test_id_of_a_pending_object(session):
    workspace = WorkspaceFactory()
    session.flush()
    task = m.Task(title="a", workspace_id=workspace.id)  # pending
    session.add(task)
    session.commit()
    assert task.workspace is workspace

def test_alias(session):
    workspace = WorkspaceFactory()
    task = Job(title="a", workspace=workspace)  # alias
    session.add(task)

def test_helper(session):
    workspace = WorkspaceFactory()
    session.add(make(Task, title="a", workspace=workspace))

def test_get_or_create(session):
    assert GivenFactory(name="n") is GivenFactory(name="n")
    session.add(Task(title="a", workspace=GivenFactory(name="n")))  # given

@pytest.mark.parametrize("number", [1, 2])
def test_wide(long, number):
    long.rollback()
    long.add(Task(title="a", workspace=WorkspaceFactory()))  # wide
    long.rollback()

def test_object_with_a_session(database):
    database.session.add(Task(title="a", workspace=WorkspaceFactory()))  # database

def test_local(engine):
    with Session(engine) as mine:
        mine.add(Task(title="a", workspace=WorkspaceFactory()))  # local

@pytest.fixture
def store(engine):
    inner = Session(engine)
    yield lambda one: inner.add(one)
    inner.close()

def test_of_the_model(store):
    store(Task(title="first", workspace=Workspace(name="hand")))
    assert True
    store(Task(title="a", workspace=WorkspaceFactory()))  # second
"""

PLACES = {
    "test_related": "# related",
    "test_id_of_a_pending_object": "# pending",
    "test_alias": "# alias",
    "test_helper": "# in a helper",
    "test_get_or_create": "# given",
    "test_wide[1]": "# wide",
    "test_wide[2]": "# wide",
    "test_object_with_a_session": "# database",
    "test_local": "# local",
    "test_of_the_model": "# second",
}


def project(options: str, tests: str = TESTS) -> Mapping[str, str]:
    return {
        "models.py": MODELS,
        "factories.py": FACTORIES.replace("{options}", options),
        "conftest.py": CONFTEST,
        "test_it.py": tests,
    }


def shared(folder: Path, options: str, above: int = 0) -> Seen:
    sources, orders = project(options), []
    for name, text in PLACES.items():
        file = "models.py" if "helper" in text else "test_it.py"
        line = line_of(sources, file, text) - above
        orders.append(order("share-session", file, line, [f"test_it.py::{name}"], model="Task"))
    return second_pass(folder, sources, "--tb=no", orders=orders)


@pytest.fixture(scope="module", params=[COMMITS, BY_FUNCTION], ids=["commits", "by function"])
def right(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return shared(tmp_path_factory.mktemp("right"), request.param)


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return shared(tmp_path_factory.mktemp("beside"), COMMITS, above=1)


@pytest.mark.parametrize("name", PLACES)
def test_factories_store_in_the_session_of_the_test(right: Seen, name: str) -> None:
    assert right.outcome(name) == "passed", right.messages(name)
    (applied,) = right.applied(name)
    assert applied["text"].endswith("Factory stores in the session of the test")


@pytest.mark.parametrize("name", PLACES)
def test_nothing_changes_with_the_order_a_line_above(beside: Seen, name: str) -> None:
    assert (beside.outcome(name), beside.applied(name)) == ("failed", [])


def test_nothing_goes_wrong_inside(right: Seen, beside: Seen) -> None:
    assert (right.errors(), beside.errors()) == ([], [])


MORE = """
import pytest
from sqlalchemy.orm import Session, object_session
from models import Task, User, Workspace
from factories import FactorySession, UserFactory, WorkspaceFactory

@pytest.fixture
def another(engine):
    with Session(engine) as another:
        yield another

def test_named(another, session):
    session.add(Task(title="a", workspace=WorkspaceFactory()))  # named

def test_named_otherwise(another, session):
    session.add(Task(title="a", workspace=WorkspaceFactory()))  # otherwise

def test_own():
    task = Task(title="a", workspace=WorkspaceFactory())  # own
    FactorySession.add(task)
    FactorySession.flush()
    assert object_session(task) is FactorySession()

def test_before_the_line(session):
    assert object_session(WorkspaceFactory()) is session
    assert False
    Task()  # never

def test_others(session):
    assert object_session(WorkspaceFactory()) is FactorySession()
"""


def test_the_named_fixture_says_which_session(tmp_path: Path) -> None:
    sources = project(COMMITS, MORE)
    fixtures = {"named": "session", "otherwise": "another", "own": "", "never": "session"}
    tests = ["test_named", "test_named_otherwise", "test_own", "test_before_the_line"]
    orders = [
        order(
            "share-session",
            "test_it.py",
            line_of(sources, "test_it.py", "# " + text),
            [f"test_it.py::{test}"],
            model="Task",
            **({"fixture": fixture} if fixture else {}),
        )
        for test, (text, fixture) in zip(tests, fixtures.items(), strict=True)
    ]
    seen = second_pass(tmp_path, sources, "--tb=no", orders=orders)
    assert seen.errors() == []
    assert [seen.outcome(test) for test in tests] == ["passed", "failed", "passed", "failed"]
    assert seen.outcome("test_others") == "passed"  # an order holds for its tests only
    assert [len(seen.applied(test)) for test in tests] == [1, 1, 0, 0]
