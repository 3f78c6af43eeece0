"""Small packages of models that each break in one way; one project of many of them needs one child."""

from collections.abc import Mapping

Sources = Mapping[str, str]

CONFTEST = """
import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from shop.models import Base

@pytest.fixture
def session():
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        yield session
    engine.dispose()
"""
CLASSIC = """
from sqlalchemy import Column, ForeignKey, Integer, String
from sqlalchemy.orm import declarative_base, relationship

Base = declarative_base()

class Owner(Base):
    __tablename__ = "owners"
    id = Column(Integer, primary_key=True)
    name = Column(String(20))
    pets = relationship("Pet")  # one way

class Pet(Base):
    __tablename__ = "pets"
    id = Column(Integer, primary_key=True)
    name = Column(String(20))
    owner_id = Column(Integer, ForeignKey("owners.id"))  # the key
"""
MAPPED = """
from typing import List, Optional
from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

class Base(DeclarativeBase):
    pass

class Owner(Base):
    __tablename__ = "owners"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[Optional[str]]
    pets: Mapped[List["Pet"]] = relationship()  # one way

class Pet(Base):
    __tablename__ = "pets"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[Optional[str]]
    owner_id: Mapped[Optional[int]] = mapped_column(ForeignKey("owners.id"))  # the key
"""
FLASK = """
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()
Base = db.Model

class Owner(db.Model):
    __tablename__ = "owners"
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(20))
    pets = db.relationship("Pet")  # one way

class Pet(db.Model):
    __tablename__ = "pets"
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(20))
    owner_id = db.Column(db.Integer, db.ForeignKey("owners.id"))  # the key
"""
STYLES = {"classic": CLASSIC, "mapped": MAPPED, "flask": FLASK}
LINKS = """
links = Table(
    "links",
    Base.metadata,
    Column("owner_id", ForeignKey("owners.id")),
    Column("pet_id", ForeignKey("pets.id")),
)
"""
DEFAULTS = """
import datetime as dt
import enum
import secrets
import uuid
from sqlalchemy import JSON, Column, Date, DateTime, Enum, ForeignKey, Integer, String, Uuid
from sqlalchemy.orm import declarative_base

Base = declarative_base()
NOW = dt.datetime.now()

class Size(enum.Enum):
    small = 1

class Stamped:
    made = Column(DateTime, default=dt.datetime.utcnow())  # naive

class Note(Stamped, Base):
    __tablename__ = "notes"
    id = Column(Integer, primary_key=True)
    zoned = Column(DateTime(timezone=True), default=dt.datetime.now(dt.timezone.utc))  # zoned
    named = Column(DateTime, default=NOW)  # named
    token = Column(
        String(40),
        unique=False,
        default=secrets.token_hex(10),
    )
    key = Column(Uuid, default=uuid.uuid4())  # uuid
    tags = Column(JSON, default=[])  # shared
    changed = Column(DateTime, onupdate=dt.datetime.utcnow())  # update
    epoch = Column(DateTime, default=dt.datetime(1970, 1, 1))
    called = Column(DateTime, default=dt.datetime.utcnow)
    size = Column(Enum(Size), default=Size.small)
    flag = Column(Integer, default=123456789)
    word = Column(String(40), default="abcdef0123456789abcd")

class Ticket(Base):
    __tablename__ = "tickets"
    id = Column(Integer, primary_key=True)
    code = Column(String(40), unique=True, default=str(uuid.uuid4()))  # code
"""
_THROUGH = CLASSIC.replace('"Pet")', '"Pet", secondary="links")')
THROUGH = (
    CLASSIC.replace("owner_id", "payer_id").replace("import Col", "import Table, Col")
    + '    keepers = relationship("Owner", secondary="links")\n'
    + LINKS
)
MANY = _THROUGH.replace("import Col", "import Table, Col") + LINKS


def package(name: str, models: str, tests: str) -> Sources:
    """A package with its own registry; its tests and classes have names of their own in the project."""
    sources = {
        "__init__.py": "",
        "models.py": models,
        "conftest.py": CONFTEST,
        f"test_{name}.py": tests,
    }
    return {
        f"{name}/{file}": text.replace("shop.", f"{name}.")
        .replace("Owner", f"Owner{suffix(name)}")
        .replace("Pet", f"Pet{suffix(name)}")
        for file, text in sources.items()
    }


def suffix(name: str) -> str:
    """What the names of a package's classes end with."""
    return name.title().replace("_", "")


def in_each_style(
    prefix: str, tests: str, *, keyed: bool = True, rename: tuple[str, str] = ("", "")
) -> Sources:
    """One package for each way to write models, named `prefix`_`style`."""
    packages = [
        package(f"{prefix}_{style}", (text if keyed else without_key(text)).replace(*rename), tests)
        for style, text in STYLES.items()
    ]
    return {file: text for each in packages for file, text in each.items()}


def without_key(models: str) -> str:
    for key in (', ForeignKey("owners.id")', ', db.ForeignKey("owners.id")', 'ForeignKey("owners.id")'):
        models = models.replace(key, "")
    return models
