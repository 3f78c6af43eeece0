"""The project that the examples of the remedies for sessions share."""

MODELS = """\
from sqlalchemy import Column, ForeignKey, Integer, String, create_engine
from sqlalchemy.orm import declarative_base, relationship, sessionmaker

Base = declarative_base()
engine = create_engine("postgresql:///shop")
SessionLocal = sessionmaker(bind=engine)


class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)


class Task(Base):
    __tablename__ = "tasks"
    id = Column(Integer, primary_key=True)
    title = Column(String, nullable=False)
    state = Column(String, default="open")
    user_id = Column(ForeignKey("users.id"), nullable=False)
    user = relationship("User")
"""
FACTORIES = """\
import factory
from factory.alchemy import SQLAlchemyModelFactory
from sqlalchemy.orm import scoped_session, sessionmaker

from shop import Task, User, engine

FactorySession = scoped_session(sessionmaker(bind=engine))


class BaseFactory(SQLAlchemyModelFactory):
    class Meta:
        abstract = True
        sqlalchemy_session = FactorySession
        sqlalchemy_session_persistence = "commit"


class UserFactory(BaseFactory):
    class Meta:
        model = User


class TaskFactory(BaseFactory):
    class Meta:
        model = Task

    title = "write"
    user = factory.SubFactory(UserFactory)
"""
FIXTURE = """\
import pytest

from shop import SessionLocal


@pytest.fixture(scope="module")
def db():
    session = SessionLocal()
    yield session
    session.close()
"""
ROLLED_BACK = """\
import pytest

from shop import SessionLocal, engine


@pytest.fixture
def db():
    connection = engine.connect()
    transaction = connection.begin()
    session = SessionLocal(bind=connection, join_transaction_mode="create_savepoint")
    yield session
    session.close()
    transaction.rollback()
    connection.close()
"""
TEST = """\
from factories import UserFactory
from shop import Task


def test_it(db):
    user = UserFactory()
    task = Task(title="x", user_id=user.id)
    db.add(task)
    db.commit()
    assert task.user is user
"""


def project(fixture: str = FIXTURE, test: str = TEST, factories: str = FACTORIES) -> dict[str, str]:
    return {"shop.py": MODELS, "factories.py": factories, "conftest.py": fixture, "test_it.py": test}
