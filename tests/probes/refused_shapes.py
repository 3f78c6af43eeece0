"""Part of the project of `refused_rows`: models of other shapes, whose rows need a closer look."""

SHAPES = """\
import uuid
import factory
from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, String, UniqueConstraint, Uuid
from sqlalchemy.orm import declarative_base, relationship

Base = declarative_base()

class Shelf(Base):
    __tablename__ = "shelves"
    id = Column(Uuid, primary_key=True, default=uuid.uuid4)
    label = Column(String(20), unique=True, default="none")  # same for all

class Book(Base):
    __tablename__ = "books"
    __table_args__ = (UniqueConstraint("shelf_id", "place"),)
    id = Column(Integer, primary_key=True)
    place = Column(Integer, CheckConstraint("place > 0"))
    shelf_id = Column(Uuid, ForeignKey("shelves.id"), nullable=False)
    shelf = relationship(Shelf)
    owner_id = Column(Uuid)

    def __init__(self, shelf=None, place=1, **more):
        self.shelf = shelf
        self.place = place
        super().__init__(**more)

class Person(Base):
    __tablename__ = "persons"
    id = Column(Integer, primary_key=True)
    kind = Column(String(10))
    __mapper_args__ = {"polymorphic_on": kind, "polymorphic_identity": "person"}

class Doctor(Person):
    licence = Column(String(10), unique=True)
    __mapper_args__ = {"polymorphic_identity": "doctor"}

class Patient(Person):
    __tablename__ = "patients"
    id = Column(Integer, ForeignKey("persons.id"), primary_key=True)
    ward = Column(String(10), nullable=False)
    __mapper_args__ = {"polymorphic_identity": "patient"}

class ShelfFactory(factory.Factory):
    class Meta:
        model = Shelf
    class Params:
        shared = factory.Trait(
            id=factory.LazyFunction(uuid.uuid4),
            label="shared",  # trait
        )
    label = factory.Sequence(str)

class LooseFactory(factory.Factory):
    class Meta:
        model = Book
    shelf_id = factory.LazyFunction(uuid.uuid4)
    shelf = None  # no shelf of factory

class KeyFactory(factory.Factory):
    class Meta:
        model = Shelf
    id = factory.LazyFunction(lambda: str(uuid.uuid4()))  # text of factory
"""

SHAPE_TESTS = """\
import uuid
import pytest
from sqlalchemy import create_engine, event
from sqlalchemy.orm import Session
from shapes import Base, Book, Doctor, KeyFactory, LooseFactory, Patient, Shelf, ShelfFactory

@pytest.fixture
def session():
    engine = create_engine("sqlite://")
    event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA foreign_keys=ON"))
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        yield session

@pytest.fixture
def shelf(session):
    shelf = Shelf(label="a")
    session.add(shelf)
    session.commit()
    return shelf

def test_constructor_sets_none(session):
    session.add(Book(place=2))  # without a shelf
    session.commit()

def test_key_from_flush(session, shelf):
    session.add_all([Book(shelf, 1), Book(shelf, 2)])
    session.flush()
    session.add(Book(shelf, 2))  # same place
    session.commit()

def test_check_of_column(session, shelf):
    book = Book(shelf)
    session.add(book)
    session.commit()
    book.place = 0  # below
    session.commit()

def test_delete_by_uuid(session, shelf):
    session.add(Book(shelf))
    session.commit()
    session.delete(shelf)  # still used
    session.commit()

def test_bulk_objects(session, shelf):
    session.bulk_save_objects([
        Patient(ward="a"),
        Patient(),  # bulk object
    ])

def test_one_default_for_all(session):
    session.add_all([Shelf(), Shelf()])
    session.commit()

def test_siblings_of_one_table(session):
    session.add_all([Patient(ward="a"), Doctor(licence="1")])
    session.flush()
    session.add(Doctor(licence="1"))  # second doctor
    session.commit()

def test_trait(session):
    session.add_all(ShelfFactory.build_batch(2, shared=True))
    session.commit()

def test_declared_none(session):
    session.add(LooseFactory())
    session.commit()

def test_text_assigned(session, shelf):
    book = Book(shelf)
    session.add(book)
    session.commit()
    book.owner_id = "me"  # text assigned
    session.commit()

def test_text_of_factory(session):
    session.add(KeyFactory())
    session.commit()
"""
