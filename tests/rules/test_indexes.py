"""Fixtures, factories, helpers that make objects, and lines by what stands there."""

from pathlib import Path

from tests.rules.trees import tree_of
from triage.rules.factories import factory_index
from triage.rules.fixtures import fixture_index
from triage.rules.makers import makers
from triage.rules.sessions import session_facts

CONFTEST = """\
import pytest

@pytest.fixture(scope="session", autouse=True)
def schema():
    yield

@pytest.fixture(name="db")
def make_db(schema):
    return object()
"""
UNIT = """\
import pytest

@pytest.fixture
async def db(app):
    yield 1

class TestIt:
    @pytest.fixture
    def own(self, db):
        return db

    def test_it(
        self,
        own,
    ):
        with own as it:
            result = make(
                it,
                User(
                    name="a",
                ),
            )
        assert result
"""
MODELS = """\
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker
class Base(DeclarativeBase): ...
class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
Maker = sessionmaker(expire_on_commit=False)
"""
HELPERS = """\
from factory.alchemy import SQLAlchemyModelFactory
from models import User
class BaseFactory(SQLAlchemyModelFactory):
    class Meta:
        abstract = True
        sqlalchemy_session = Sessions
        sqlalchemy_session_persistence = "commit"
class UserFactory(BaseFactory):
    class Meta:
        model = User
class OtherFactory(UserFactory):
    class Meta:
        sqlalchemy_session = None
class Plain(factory.Factory):
    class Meta:
        model = User
def save(row):
    session.add(row)
    session.commit()
    return row
def make_user():
    return save(User())
def make_named(name):
    user = make_user()
    user.name = name
    return user
def either():
    return User() if 1 else None
"""


def test_a_test_gets_the_nearest_fixture_of_a_name(tmp_path: Path) -> None:
    index = fixture_index(tree_of(tmp_path, {"tests/conftest.py": CONFTEST, "tests/unit/test_a.py": UNIT}))
    near, far = index.find("db", "tests/unit/test_a.py"), index.find("db", "tests/test_b.py")
    assert near is not None
    assert far is not None
    assert (near.file, near.line, near.yields) == ("tests/unit/test_a.py", 4, True)
    assert (far.file, far.line, far.yields) == ("tests/conftest.py", 8, False)
    assert index.find("db", "other/test_c.py") is None


def test_a_closure_holds_what_fixtures_ask_for_and_automatic_ones(tmp_path: Path) -> None:
    index = fixture_index(tree_of(tmp_path, {"tests/conftest.py": CONFTEST, "tests/unit/test_a.py": UNIT}))
    assert {each.name for each in index.closure(("own",), "tests/unit/test_a.py")} == {"own", "db", "schema"}
    assert {each.scope for each in index.closure((), "tests/test_b.py")} == {"session"}


def test_a_fixture_is_found_by_a_line_inside_it(tmp_path: Path) -> None:
    index = fixture_index(tree_of(tmp_path, {"tests/conftest.py": CONFTEST}))
    found = [index.at("tests/conftest.py", line) for line in (1, 3, 9)]
    assert [each and each.name for each in found] == [None, "schema", "db"]


def test_factories_inherit_their_meta(tmp_path: Path) -> None:
    index = factory_index(tree_of(tmp_path, {"models.py": MODELS, "tests/helpers.py": HELPERS}))
    found = {each.name: (each.model, each.session, each.session_line) for each in index.factories}
    assert found == {
        "BaseFactory": ("", "Sessions", 6),
        "UserFactory": ("User", "Sessions", 6),
        "OtherFactory": ("User", "", 13),
    }
    assert {each.persistence for each in index.factories} == {"commit"}


def test_helpers_that_return_a_model_are_known(tmp_path: Path) -> None:
    found = makers(tree_of(tmp_path, {"models.py": MODELS, "tests/helpers.py": HELPERS}))
    assert {name: model.name for name, model in found.items()} == {"make_user": "User", "make_named": "User"}


def test_what_is_known_of_sessions(tmp_path: Path) -> None:
    facts = session_facts(tree_of(tmp_path, {"models.py": MODELS, "tests/helpers.py": HELPERS}))
    assert facts.makers == {"Maker"}
    assert facts.keeps
    assert {"save", "make_user", "make_named"} <= facts.committers
    assert not facts.removed_with_context
