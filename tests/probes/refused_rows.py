"""A project whose tests store rows that the database refuses, each in a way of its own."""

from tests.probes.refused_sessions import FACTORIES, FAILING, MIXED, PASSING, TENANT_TESTS, TENANTS, UNSEEN
from tests.probes.refused_shapes import SHAPE_TESTS, SHAPES

_SHOP = """\
from datetime import date
from sqlalchemy import (CheckConstraint, Column, Date, ForeignKey, Integer, Numeric, String, UniqueConstraint,
                        create_engine, event)
from sqlalchemy.orm import declarative_base, relationship

Base = declarative_base()

class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)
    email = Column(String(120), nullable=False)
    name = Column(String(80), nullable=False, default="Nobody")
    age = Column(Integer)

class Invoice(Base):
    __tablename__ = "invoices"
    __table_args__ = (CheckConstraint("amount >= 0", name="amount_positive"),)
    id = Column(Integer, primary_key=True)
    user_id = Column(Integer, ForeignKey("users.id"), nullable=False)
    number = Column(String(20), nullable=False, unique=True)
    amount = Column(Numeric(10, 2, asdecimal=False), nullable=False)
    due_on = Column("due", Date, nullable=False)
    user = relationship(User)

class Country(Base):
    __tablename__ = "countries"
    code = Column(String(2), primary_key=True)

class City(Base):
    __tablename__ = "cities"
    __table_args__ = (UniqueConstraint("country_code", "name"),)
    id = Column(Integer, primary_key=True)
    name = Column(String(80), nullable=False)
    country_code = Column(String(2), ForeignKey("countries.code"))

class Album(Base):
    __tablename__ = "albums"
    id = Column(Integer, primary_key=True)
    tracks = relationship("Track", back_populates="album")

class Track(Base):
    __tablename__ = "tracks"
    id = Column(Integer, primary_key=True)
    album_id = Column(ForeignKey("albums.id", deferrable=True, initially="DEFERRED"), nullable=False)
    album = relationship(Album, back_populates="tracks")

class Visit(Base):
    __tablename__ = "visits"
    id = Column(Integer, primary_key=True)
    user_id = Column(ForeignKey("users.id"), nullable=False)
    city_id = Column(ForeignKey("cities.id"), nullable=False)

def engine_with_keys():
    engine = create_engine("sqlite://")
    event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA foreign_keys=ON"))
    Base.metadata.create_all(engine)
    return engine

def register(session, name):
    user = User(name=name)  # production
    session.add(user)
    session.commit()
    return user
"""

_CONFTEST = """\
import pytest
from sqlalchemy.orm import Session
from shop import engine_with_keys

@pytest.fixture
def session():
    session = Session(engine_with_keys())
    yield session
    session.rollback()
    session.close()
"""

_HELPERS = """\
from shop import User

def make_user(name, **kw):
    return User(name=name, **kw)  # helper
"""

_USERS = """\
from datetime import date
from sqlalchemy import insert
from helpers import make_user
from shop import Invoice, User, Visit, register

def test_two_missing(session):
    session.add(User(email="a@x", name="Ann"))
    session.flush()
    session.add(Invoice(user_id=1, number="1"))  # two
    session.commit()

def test_two_parents_missing(session):
    session.add(Visit())  # two parents
    session.commit()

def test_literal_none(session):
    session.add(User(email=None, name="Ann"))  # literal
    session.commit()  # literal flush

def test_omitted(session):
    user = User(name="Ann")  # omitted
    session.add(user)
    session.commit()

def test_helper(session):
    session.add(make_user(name="Ann"))  # caller
    session.commit()

def test_second_of_many(session):
    session.add_all([
        User(email="a@x", name="a"),
        User(name="b"),  # second
        User(email="c@x", name="c"),
    ])
    session.commit()

def test_cleared(session):
    user = User(email="a@x", name="Ann")  # with email
    session.add(user)
    user.email = None  # cleared
    session.commit()

def test_cleared_after_commit(session):
    user = User(email="a@x", name="Ann")
    session.add(user)
    session.commit()
    user.email = None  # cleared later
    session.commit()

def test_core(session):
    session.execute(insert(User.__table__).values(name="Ann"))  # core

def test_production(session):
    register(session, "Ann")

def test_unsaved_parent(session):
    user = User(email="a@x", name="Ann")  # parent
    session.add(user)
    session.add(Invoice(user_id=user.id, number="1", amount=1, due_on=date(2025, 1, 1)))  # child
    session.commit()

def test_expected(session):
    import pytest, sqlalchemy
    session.add(User(name="Ann"))
    with pytest.raises(sqlalchemy.exc.IntegrityError):
        session.commit()
"""

_ROWS = """\
from datetime import date
import pytest
from sqlalchemy import insert, text
from shop import Album, City, Country, Invoice, Track, User

@pytest.fixture
def user(session):
    user = User(email="a@x", name="Ann")
    session.add(user)
    session.commit()
    return user

def invoice(user, number, amount=1):
    return Invoice(user_id=user.id, number=number, amount=amount, due_on=date(2025, 1, 1))  # maker

def test_unique(session, user):
    session.add(invoice(user, "1"))
    session.commit()
    session.add(Invoice(user_id=user.id, number="1", amount=1, due_on=date(2025, 1, 1)))  # twice
    session.commit()  # unique flush

def test_unique_pair(session):
    session.add(Country(code="at"))
    session.flush()
    session.add_all([
        City(name="Wien", country_code="at"),  # first city
        City(name="Graz", country_code="at"),  # second city
        City(name="Wien", country_code="at"),  # third city
    ])
    session.commit()

def test_unique_after_update(session, user):
    one, two = invoice(user, "1"), invoice(user, "2")
    session.add_all([one, two])
    session.commit()
    two.number = "1"  # renumbered
    session.commit()

def test_check(session, user):
    session.add_all([
        Invoice(user_id=user.id, number="1", amount=1, due_on=date(2025, 1, 1)),
        Invoice(user_id=user.id, number="2", amount=-1, due_on=date(2025, 1, 1)),  # negative
    ])
    session.commit()

def test_foreign_key(session):
    session.add(Country(code="at"))
    session.flush()
    session.add_all([
        City(name="Wien", country_code="at"),
        City(name="Atlantis", country_code="xx"),  # nowhere
    ])
    session.commit()

def test_delete_parent(session, user):
    session.add(Invoice(user=user, number="1", amount=1, due_on=date(2025, 1, 1)))
    session.commit()
    session.delete(user)  # deleted
    session.commit()

def test_core_foreign_key(session):
    session.execute(insert(City.__table__).values(name="Atlantis", country_code="xx"))  # core key

def test_text(session):
    session.execute(text("INSERT INTO users (name) VALUES ('Ann')"))  # text

def test_orphaned(session):
    album = Album(tracks=[Track()])
    session.add(album)
    session.commit()
    session.delete(album)  # orphaned
    session.commit()

def test_relationship_cleared(session):
    track = Track(album=Album())
    session.add(track)
    session.commit()
    track.album = None  # no album
    session.commit()

def test_bulk(session):
    session.execute(insert(User), [{"email": "a@x"}, {"email": None}])  # bulk

def test_bulk_mappings(session):
    session.bulk_insert_mappings(User, [{"email": "a@x"}, {"email": None}])  # mappings

def test_deferred(session):
    session.add(Track(album_id=99))
    session.flush()
    session.commit()  # deferred

def test_wrapped(session):
    session.add(User(name="Ann"))  # wrapped
    try:
        session.commit()
    except Exception as error:
        raise RuntimeError("not stored") from error
"""

SOURCES = {
    "shop.py": _SHOP,
    "conftest.py": _CONFTEST,
    "helpers.py": _HELPERS,
    "factories.py": FACTORIES,
    "tenants.py": TENANTS,
    "test_users.py": _USERS,
    "test_rows.py": _ROWS,
    "test_mixed.py": MIXED,
    "test_failing.py": FAILING,
    "test_passing.py": PASSING,
    "test_unseen.py": UNSEEN,
    "test_tenants.py": TENANT_TESTS,
    "shapes.py": SHAPES,
    "test_shapes.py": SHAPE_TESTS,
}
