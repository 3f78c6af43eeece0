"""Sources of tiny projects whose failing tests are run again; `# cause` ends the lines that are to blame."""

from collections.abc import Mapping

Sources = Mapping[str, str]

MODELS = """\
from datetime import datetime

from sqlalchemy import Column, DateTime, ForeignKey, Integer, String, create_engine
from sqlalchemy.orm import Session, declarative_base, relationship

Base = declarative_base()
engine = create_engine("sqlite://")


class Customer(Base):
    __tablename__ = "customers"
    id = Column(Integer, primary_key=True)
    name = Column(String, nullable=False)
    orders = relationship("Order")


class Order(Base):
    __tablename__ = "orders"
    id = Column(Integer, primary_key=True)
    customer_id = Column(ForeignKey("customers.id"))
    made = Column(DateTime, default=datetime.now())  # cause: evaluated
"""
CONFTEST = """\
import pytest

from models import Base, Customer, Session, engine


@pytest.fixture
def session():
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        yield session
    Base.metadata.drop_all(engine)


@pytest.fixture
def customer(session):
    with Session(engine) as own:  # cause: detached
        found = Customer(name="Ann")
        own.add(found)
        own.commit()
    return found
"""
ROWS = """\
import asyncio
from time import sleep

from models import Customer, Order


def test_detached(customer):
    assert customer.orders == []


def test_without_name(session):
    session.add(Customer())  # cause: constructor
    session.flush()


def test_within_a_coroutine(session):
    async def work():
        await asyncio.sleep(0)
        session.add(Customer(id=7))  # cause: coroutine
        session.flush()

    asyncio.run(work())


def made(session):
    order = Order()
    session.add(order)
    session.flush()
    sleep(0.01)
    return order


def test_each_order_has_its_own_time(session):
    first, second = made(session), made(session)
    assert first.made != second.made


class Hostile:
    @property
    def __class__(self):
        raise RuntimeError("no class")

    def __repr__(self):
        raise RuntimeError("no words")

    def __getattr__(self, name):
        raise RuntimeError("no " + name)


def test_hostile(session):
    thing = Hostile()
    session.add(Customer())  # cause: hostile
    session.flush()
    assert thing is not None
"""
SITE = """\
import os

from flask import Flask, current_app

app = Flask(__name__)
app.config["LEAD"] = 3


def lead():
    return current_app.config["LEAD"]
"""
CALLS = """\
import pytest

from site_ import app as shop, lead


@pytest.fixture
def app():
    return shop


def test_context(app):
    assert lead() == 3  # cause: context
"""
SHOP: Sources = {
    "models.py": MODELS,
    "site_.py": SITE,
    "conftest.py": CONFTEST,
    "test_calls.py": CALLS,
    "test_rows.py": ROWS,
}
PAIR = """\
prices = {"tea": 2}


def test_dearer():
    prices["tea"] = 5  # cause: state


def test_price():
    assert prices["tea"] == 2
"""

# `{outside}` is a folder that is not the project's.
PLAIN = """\
from pathlib import Path

RUNS = Path({outside!r}) / "runs"


def test_sum():
    assert 1 + 1 == 3  # cause: sum


def test_now_and_then():
    RUNS.write_text(RUNS.read_text() + "x" if RUNS.exists() else "x")
    assert len(RUNS.read_text()) % 2 == 0


def test_good():
    assert True
"""
GREEN: Sources = {"test_a.py": "def test_good():\n    assert True\n"}
ENDS: Mapping[str, str] = {
    "crash": "import os\n\n\ndef test_last():\n    os._exit(3)\n",
    "hang": "import time\n\n\ndef test_last():\n    time.sleep(600)\n",
}
# In parallel the second comes while the first holds the lock; one after the other each has it alone.
LOCKS = """\
import os
from pathlib import Path
from time import monotonic, sleep

LOCK, REFUSED = Path({outside!r}) / "lock", Path({outside!r}) / "refused"
WAIT_S = 20 if "PYTEST_XDIST_WORKER" in os.environ else 0


def until(path):
    end = monotonic() + WAIT_S
    while not path.exists() and monotonic() < end:
        sleep(0.01)
"""
FIRST = """\


def test_first():
    from locks import LOCK, REFUSED, until

    REFUSED.unlink(missing_ok=True)
    with LOCK.open("x"):
        until(REFUSED)
    LOCK.unlink()
"""
SECOND = """\
from locks import LOCK, REFUSED, until


def test_second():
    until(LOCK)
    try:
        LOCK.open("x").close()
    except FileExistsError:
        REFUSED.touch()
        raise
    LOCK.unlink()
"""
# Observers list threads, and nobody else here.
BROKEN = """\
import threading


def listed():
    raise RuntimeError("no threads here")


threading.enumerate = listed
"""
