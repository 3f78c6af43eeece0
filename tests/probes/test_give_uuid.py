"""Text for a UUID column becomes a UUID at the ordered line, and a UUID for a text column text."""

from collections.abc import Mapping
from pathlib import Path

from tests.probes.mapped_models import CONFTEST
from tests.probes.second import Seen, line_of, order, second_pass

MODELS = """
import uuid
from sqlalchemy import CHAR, Column, Integer, String, TypeDecorator, Uuid
from sqlalchemy.orm import declarative_base

Base = declarative_base()

class GUID(TypeDecorator):
    impl = CHAR(32)
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return None if value is None else value.hex

    def process_result_value(self, value, dialect):
        return None if value is None else uuid.UUID(value)

class Room(Base):
    __tablename__ = "rooms"
    id = Column(Uuid, primary_key=True, default=uuid.uuid4)
    code = Column(String(40))
    tag = Column(GUID)

def by_key(session, key):
    return session.get(Room, key)
"""
TESTS = """
import uuid
import factory
import pytest
from shop.models import Room, by_key

class RoomFactory(factory.Factory):
    class Meta:
        model = Room
    id = factory.LazyFunction(lambda: str(uuid.uuid4()))  # declared

@pytest.fixture
def room(session):
    room = Room(code="a", tag=uuid.uuid4())
    session.add(room)
    session.commit()
    return room

def test_filter(session, room):
    key = str(room.id)
    assert session.query(Room).filter(Room.id == key).one() is room  # filter

def test_helper(session, room):
    assert by_key(session, str(room.id)) is room  # helper

def test_decorated(session, room):
    assert session.query(Room).filter_by(tag=str(room.tag)).one() is room  # decorated

def test_constructor(session):
    room = Room(id=str(uuid.uuid4()))  # constructor
    session.add(room)
    session.commit()
    assert room.id

def test_text(session):
    session.add(Room(code=uuid.uuid4()))
    assert session.new
    session.commit()  # text

def test_assigned(session, room):
    room.code = uuid.uuid4()  # assigned
    session.commit()

def test_declared(session):
    session.add(RoomFactory())
    session.commit()

def test_nonsense(session, room):
    assert by_key(session, "no key at all") is None  # nonsense
"""
PROJECT: Mapping[str, str] = {
    "conftest.py": CONFTEST,
    "shop/__init__.py": "",
    "shop/models.py": MODELS,
    "test_it.py": TESTS,
}
SITES = ("filter", "helper", "decorated", "constructor", "text", "assigned", "declared", "nonsense")


def run(folder: Path, shift: int = 0) -> Seen:
    orders = [
        order(
            "give-uuid",
            "test_it.py",
            line_of(PROJECT, "test_it.py", f"# {site}") + shift,
            [f"test_it.py::test_{site}"],
            model="Room",
            column="id",
        )
        for site in SITES
    ]
    seen = second_pass(folder, PROJECT, "--tb=no", orders=orders)
    assert seen.errors() == []
    return seen


def test_the_line_that_gives_text_gives_a_uuid(tmp_path: Path) -> None:
    bare = second_pass(tmp_path, PROJECT, "--tb=no").records.outcomes()
    assert set(bare.values()) == {"failed"}
    seen = run(tmp_path)
    flipped = {name for name, outcome in seen.records.outcomes().items() if outcome == "passed"}
    assert flipped == {f"test_{site}" for site in SITES if site != "nonsense"}
    assert [one["text"] for one in seen.applied("test_filter")] == ["a UUID instead of text"]
    assert [one["text"] for one in seen.applied("test_text")] == ["text instead of a UUID"]
    assert seen.applied("test_nonsense") == []


def test_another_line_changes_nothing(tmp_path: Path) -> None:
    seen = run(tmp_path, shift=-1)
    assert set(seen.records.outcomes().values()) == {"failed"}
    assert seen.applied() == []
