"""The child's tests ask the observer themselves: what it gives are objects of their process."""

from pathlib import Path

import pytest

from tests.probes.second import Seen, second_pass

_MODELS = """
import factory
from sqlalchemy import Column, ForeignKey, Integer, String, create_engine
from sqlalchemy.orm import declarative_base, relationship, scoped_session, sessionmaker

Base = declarative_base()
engine = create_engine("sqlite://")
current = scoped_session(sessionmaker(engine))


class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)
    name = Column(String, nullable=False)
    nick = Column(String)


class Task(Base):
    __tablename__ = "tasks"
    id = Column(Integer, primary_key=True)
    title = Column(String, nullable=False)
    user_id = Column(ForeignKey("users.id"))
    user = relationship(User)

    def __init__(self, title, **named):
        self.title = title
        super().__init__(**named)


class UserFactory(factory.alchemy.SQLAlchemyModelFactory):
    class Meta:
        model = User
        sqlalchemy_session = current

    name = "Ann"


class TaskFactory(factory.alchemy.SQLAlchemyModelFactory):
    class Meta:
        model = Task
        sqlalchemy_session = current

    title = "write"
    user = factory.SubFactory(UserFactory)


Base.metadata.create_all(engine)
"""

_TESTS = """
import pickle
import sys

import pytest

from models import Task, TaskFactory, User, UserFactory, current


@pytest.fixture
def objects():
    return sys.modules["triage_observe"]._State.plugin._tools.use("sqlalchemy-objects")


@pytest.fixture
def made(objects):
    return User(name="Ann")


def here():
    return sys._getframe(1).f_lineno


def test_constructor(objects):
    user, line = User(name=None, nick="a"), here()
    found = objects.of(user)
    assert (found["cls"], found["by"]) == ("User", "constructor")
    assert (found["session"], found["factory"]) == (None, None)
    assert [(place["file"], place["line"]) for place in found["born"]] == [("test_objects.py", line)]
    assert found["kwargs"] == {"name": "None", "nick": "str"}
    assert found["given"] == {"name": True, "nick": False}


def test_positional_arguments_have_their_names(objects):
    assert objects.of(Task(None))["given"] == {"title": True}


def test_born_in_a_fixture(objects, made):
    assert objects.of(made)["born_in"]["fixture"] == "made"


def test_factory(objects):
    task = TaskFactory(title="read")
    found, inner = objects.of(task)["factory"], objects.of(task.user)["factory"]
    assert (found["name"], found["passed"]) == ("TaskFactory", ["title"])
    assert found["declared"] == ["title", "user"]
    assert (inner["name"], inner["outer"], inner["passed"]) == ("UserFactory", "TaskFactory", [])
    assert (inner["file"], inner["cls"]) == ("models.py", UserFactory)


def test_session_and_place_of_attaching(objects):
    user = User(name="Ann")
    current.add(user)
    found = objects.of(user)
    assert found["attached"]["src"] == "current.add(user)"
    assert found["session"] == objects.number(current())
    assert [one for one, _ in objects.objects_of(current())] == [user]


def test_sessions_know_their_registry(objects):
    session, line = current(), here()
    (found,) = [one for one in objects.sessions() if one["session"] is session]
    assert (found["registry"], found["made"]["line"]) == ("models.current", line)
    assert objects.made(found["n"]) == found["made"]


def test_cleared_after_birth(objects):
    user = User(name="Ann", nick="a")
    user.nick = None
    user.name = None
    cleared = objects.of(user)["cleared"]
    assert {name: place["src"] for name, place in cleared.items()} == {"name": "user.name = None"}
    user.name = "Eve"
    assert objects.of(user)["cleared"] == {}


def test_none_in_a_constructor_is_not_cleared(objects):
    assert objects.of(Task(None))["cleared"] == {}


def test_loaded_merged_unpickled(objects):
    current.add(User(id=1, name="Ann"))
    current.commit()
    current.remove()
    user = current.get(User, 1)
    assert objects.of(user)["by"] == "query"
    assert objects.of(current.merge(User(id=77, name="Eve")))["by"] == "merge"
    assert objects.of(pickle.loads(pickle.dumps(user)))["by"] == "unpickled"


def test_rolled_back(objects):
    user = User(name="Ann")
    current.add(user)
    current.flush()
    current.rollback()
    assert objects.of(user)["detached"]["place"]["src"] == "current.rollback()"


def test_what_is_no_model_is_unknown(objects):
    assert objects.of(object()) is None


@pytest.fixture(autouse=True)
def clean():
    yield
    current.remove()
"""

_SOURCES = {"models.py": _MODELS, "test_objects.py": _TESTS}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return second_pass(tmp_path_factory.mktemp("objects"), _SOURCES, observers=["sqlalchemy-objects"])


@pytest.mark.parametrize(
    "name", [line[4:].partition("(")[0] for line in _TESTS.splitlines() if "def test_" in line]
)
def test_the_observer_knows_births_and_sessions(name: str, seen: Seen) -> None:
    assert seen.messages(name) == []
    assert seen.outcome(name) == "passed"
    assert seen.errors() == []


def test_objects_are_not_kept_alive(tmp_path: Path) -> None:
    body = "import gc, weakref\nfrom models import User\n\ndef test_gone():\n"
    body += "    gone = weakref.ref(User(name='Ann'))\n    gc.collect()\n    assert gone() is None\n"
    sources = {"models.py": _MODELS, "test_gone.py": body}
    assert second_pass(tmp_path, sources, observers=["sqlalchemy-objects"]).outcome("test_gone") == "passed"
