"""Small projects whose tests store in two sessions, or leave rows and failed transactions behind."""

from collections.abc import Mapping
from dataclasses import dataclass

Sources = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Step:
    """`text` stands on the target's line only; `choice` counts the proposals from 0."""

    remedy: str
    file: str
    text: str
    choice: int = 0
    tests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shape:
    name: str
    files: Sources
    steps: tuple[Step, ...]
    failing: int
    passing: int


APP = """\
from sqlalchemy import Column, ForeignKey, Integer, String, create_engine
from sqlalchemy.orm import declarative_base, relationship, sessionmaker
from sqlalchemy.pool import StaticPool

Base = declarative_base()
engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
SessionLocal = sessionmaker(bind=engine)


class Owner(Base):
    __tablename__ = "owners"

    id = Column(Integer, primary_key=True)
    email = Column(String, nullable=False, unique=True)


class Pet(Base):
    __tablename__ = "pets"

    id = Column(Integer, primary_key=True)
    name = Column(String, nullable=False)
    colour = Column(String, nullable=False, default="grey")
    owner_id = Column(ForeignKey("owners.id"), nullable=False)

    owner = relationship("Owner", backref="pets")


Base.metadata.create_all(engine)
"""
ON_DISK = APP.replace(
    'create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})',
    'create_engine("sqlite:///pets.db", connect_args={"timeout": 0.2})',
).replace("Base.metadata.create_all", "Base.metadata.drop_all(engine)\nBase.metadata.create_all")
FACTORIES = """\
import factory
from factory.alchemy import SQLAlchemyModelFactory
from sqlalchemy.orm import scoped_session, sessionmaker

from app import Owner, Pet, engine

Registry = scoped_session(sessionmaker(bind=engine))


class Base(SQLAlchemyModelFactory):
    class Meta:
        abstract = True
        sqlalchemy_session = Registry
        sqlalchemy_session_persistence = "commit"


class OwnerFactory(Base):
    class Meta:
        model = Owner

    email = factory.Sequence(lambda n: f"owner{n}@example.com")


class PetFactory(Base):
    class Meta:
        model = Pet

    name = factory.Sequence(lambda n: f"pet {n}")
    owner = factory.SubFactory(OwnerFactory)
"""
FIXTURE = """\
import pytest

from app import SessionLocal


@pytest.fixture
def db():
    session = SessionLocal()
    yield session
    session.close()
"""
TESTS = """\
from app import Owner, Pet
from factories import OwnerFactory


def test_attached(db):
    owner = OwnerFactory(email="a@example.com")
    pet = Pet(name="Rex", owner=owner)
    db.add(pet)
    db.commit()
    assert pet.owner.email == "a@example.com"


def test_again(db):
    db.add(Owner(email="a@example.com"))
    db.commit()
    assert db.query(Owner).count() == 1
"""
USES = "factory-uses-test-session"
MODEL = "use-model-factory"
ROLLBACK = "rollback-session-fixture"
ATTACHED = "Pet(name="
MIXED = {"app.py": APP, "factories.py": FACTORIES, "conftest.py": FIXTURE, "test_pets.py": TESTS}


def mixed(**changed: str) -> dict[str, str]:
    """The plain project with other files; `conftest` stands for `conftest.py`."""
    return {**MIXED, **{f"{name}.py": text for name, text in changed.items()}}


def shape(name: str, files: Sources, *steps: Step, failing: int = 2, passing: int = 0) -> Shape:
    return Shape(name, files, steps or (Step(USES, "test_pets.py", ATTACHED),), failing, passing)


GOOD = """\
import pytest
from sqlalchemy.orm import Session

from app import engine


@pytest.fixture()
def clean_session():
    connection = engine.connect()
    transaction = connection.begin()
    connection.exec_driver_sql("BEGIN")
    with Session(bind=connection, join_transaction_mode="create_savepoint") as session:
        yield session
    transaction.rollback()
    connection.close()
"""
UNITTEST = """\
import unittest

from app import Owner, Pet, SessionLocal
from factories import OwnerFactory


class PetTest(unittest.TestCase):
    def setUp(self):
        self.session = SessionLocal()

    def test_attached(self):
        owner = OwnerFactory(email="a@example.com")
        pet = Pet(name="Rex", owner=owner)
        self.session.add(pet)
        self.session.commit()
        self.assertEqual(pet.owner.email, "a@example.com")

    def test_later(self):
        self.session.add(Owner(email="a@example.com"))
        self.session.commit()
        self.assertEqual(self.session.query(Owner).count(), 1)
"""
TEARDOWN = """
    def tearDown(self):
        self.session.close()
"""
FLASK = """\
from flask import Flask
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()


class Owner(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    email = db.Column(db.String, nullable=False, unique=True)


class Pet(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String, nullable=False)
    owner_id = db.Column(db.ForeignKey("owner.id"), nullable=False)
    owner = db.relationship("Owner", backref="pets")


def create_app():
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite://"
    db.init_app(app)
    return app
"""
FLASK_FIXTURES = """\
import pytest
from sqlalchemy.orm import Session

from app import create_app, db as database


@pytest.fixture
def app():
    app = create_app()
    with app.app_context():
        database.create_all()
        yield app
        database.drop_all()


@pytest.fixture
def session(app):
    session = Session(database.engine)
    yield session
    session.close()
"""
FLASK_FACTORIES = (
    FACTORIES.replace("from sqlalchemy.orm import scoped_session, sessionmaker\n", "")
    .replace("Owner, Pet, engine", "Owner, Pet, db")
    .replace("Registry = scoped_session(sessionmaker(bind=engine))\n", "")
    .replace("sqlalchemy_session = Registry", "sqlalchemy_session = db.session")
)
OLD_FIXTURE = FIXTURE.replace("@pytest.fixture\n", '@pytest.fixture(scope="module")\n')
ROWS = """\
import pytest
from sqlalchemy.exc import IntegrityError

from app import Owner


def test_refused(db):
    with pytest.raises(IntegrityError):
        db.add(Owner(email=None))
        db.flush()


def test_poisoned(db):
    db.add(Owner(email="b@example.com"))
    db.commit()
    assert db.query(Owner).count() == 1


def test_taken(db):
    db.add(Owner(email="b@example.com"))
    db.commit()
    assert db.query(Owner).count() == 1
"""
PLAIN = {"app.py": APP, "conftest.py": FIXTURE, "test_pets.py": ROWS}
NO_ID = """\
from app import Owner, Pet
from factories import OwnerFactory, PetFactory


def test_empty_key(db):
    owner = Owner(email="c@example.com")
    db.add(owner)
    pet = Pet(name="Rex", owner_id=owner.id)
    db.add(pet)
    db.commit()
    assert pet.owner is owner
    assert PetFactory(owner=owner).owner is owner


def test_no_such_row(db):
    pet = Pet(name="Tom", owner_id=None)
    db.add(pet)
    db.commit()
    assert pet.owner is not None
    assert OwnerFactory() is not pet.owner
"""
TO_FACTORY = (
    Step(USES, "test_pets.py", "owner_id=owner.id"),
    Step(MODEL, "test_pets.py", "owner_id=owner.id"),
    Step(MODEL, "test_pets.py", "owner_id=None"),
)
