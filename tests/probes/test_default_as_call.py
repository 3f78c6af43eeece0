"""A default that was computed at import becomes a call, at its own line only."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.probes.mapped_models import CONFTEST
from tests.probes.second import Order, line_of, order, second_pass

MODELS = """
import datetime as dt
import uuid
from sqlalchemy import JSON, Column, DateTime, ForeignKey, Integer, String, Uuid
from sqlalchemy.orm import declarative_base, relationship

Base = declarative_base()
NOW = dt.datetime.now()

class Stamped:
    made = Column(DateTime, default=dt.datetime.utcnow())  # naive

class Note(Stamped, Base):
    __tablename__ = "notes"
    id = Column(Integer, primary_key=True)
    zoned = Column(DateTime(timezone=True), default=dt.datetime.now(dt.timezone.utc))  # zoned
    named = Column(DateTime, default=NOW)  # named
    key = Column(Uuid, default=uuid.uuid4())  # uuid
    code = Column(String(40), default=str(uuid.uuid4()))  # code
    tags = Column(JSON, default=[])  # shared
    changed = Column(DateTime, onupdate=dt.datetime.utcnow())  # update
"""
TESTS = """
import datetime as dt
import time
import pytest
from shop.models import Note

@pytest.fixture
def notes(session):
    first = Note()
    session.add(first)
    session.flush()
    time.sleep(0.001)
    second = Note()
    session.add(second)
    session.flush()
    return first, second

@pytest.mark.parametrize("name", ["made", "zoned", "named", "key", "code"])
def test_differs(notes, name):
    first, second = (getattr(note, name) for note in notes)
    assert first != second and type(first) is type(second)

def test_kind(session):
    before = dt.datetime.now(dt.timezone.utc)
    note = Note()
    session.add(note)
    session.flush()
    after = dt.datetime.now(dt.timezone.utc)
    assert before <= note.zoned <= after
    assert before <= note.made.replace(tzinfo=dt.timezone.utc) <= after

def test_shared(notes):
    first, second = notes
    first.tags.append("x")
    assert second.tags == []

def test_updated(session, notes):
    for note in notes:
        note.code = "new"
        session.flush()
        time.sleep(0.001)
    assert notes[0].changed != notes[1].changed
"""
PROJECT: Mapping[str, str] = {
    "conftest.py": CONFTEST,
    "shop/__init__.py": "",
    "shop/models.py": MODELS,
    "test_it.py": TESTS,
}
COLUMNS = {
    "made": "# naive",
    "zoned": "# zoned",
    "named": "# named",
    "key": "# uuid",
    "code": "# code",
    "tags": "# shared",
    "changed": "# update",
}


def at(text: str, column: str, shift: int = 0) -> Order:
    line = line_of(PROJECT, "shop/models.py", text) + shift
    return order("default-as-call", "shop/models.py", line, model="Note", column=column)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    return second_pass(tmp_path_factory.mktemp("bare"), PROJECT, "--tb=no").records.outcomes()


def test_every_kind_of_value_is_made_anew(tmp_path: Path, bare: Mapping[str, str]) -> None:
    assert set(bare.values()) == {"failed"}
    seen = second_pass(
        tmp_path, PROJECT, "--tb=no", orders=[at(text, name) for name, text in COLUMNS.items()]
    )
    assert seen.errors() == []
    assert set(seen.records.outcomes().values()) == {"passed"}
    told = {one["text"] for one in seen.applied("test_kind")}
    assert "default of Stamped.made is called for each row" in told
    assert "onupdate of Note.changed is called for each row" in told


def test_another_line_or_column_changes_nothing(tmp_path: Path, bare: Mapping[str, str]) -> None:
    orders = [at("# naive", "made", shift=1), at("# naive", "zoned"), at("class Note", "tags")]
    seen = second_pass(tmp_path, PROJECT, "--tb=no", orders=orders)
    assert seen.errors() == []
    assert seen.records.outcomes() == bare
    assert seen.applied() == []


def test_one_order_mends_what_its_own_column_broke(tmp_path: Path, bare: Mapping[str, str]) -> None:
    ordered = {**at("# uuid", "key"), "tests": ["test_it.py::test_differs[key]"]}
    seen = second_pass(tmp_path, PROJECT, "--tb=no", orders=[ordered])
    flipped = {name for name, outcome in seen.records.outcomes().items() if outcome != bare[name]}
    assert flipped == {"test_differs[key]"}
    assert [one["id"] for one in seen.applied()] == ["test_it.py::test_differs[key]"]
