"""Breakages of functions, of what is called at import, and of attributes, in real children."""

from pathlib import Path

import pytest

from tests.probes.breakages import broken, mutants
from tests.probes.second import Seen, second_pass

SHOP = """\
# -*- coding: latin-1 -*-
import functools
import threading

LIMIT = 3
SEEN = []
POUND = "\u00a3"


class Refused(Exception):
    pass


def price(kind, *, rebate=0):
    if kind == "boat":
        raise Refused(kind)
    return 5 - rebate


def make():
    return price(
        "book",
        rebate=1,  # a remark
    )


def counter():
    number = 0

    def step():
        nonlocal number
        number += 1
        return number

    return step


def numbers():
    yield 1
    yield from [2]


async def later():
    return 7


@functools.lru_cache(maxsize=None)
def cached():
    return "kept"


def note(value):
    SEEN.append(value)


def drain(values):
    while values:
        values.pop()
    return "done"


class Box:
    size = 2

    @property
    def label(self):
        return f"{POUND}{self.size}"

    @staticmethod
    def make():
        return Box()

    def __len__(self):
        return self.size


def in_thread():
    found = []
    one = threading.Thread(target=lambda: found.append(price("book")))
    one.start()
    one.join()
    return found
"""
TESTS = """\
import asyncio

import pytest

from app.shop import *
from app.shop import LIMIT, SEEN, Refused

step = counter()


@pytest.fixture
def made():
    return make()


def test_price():
    assert price("book") == 5


def test_refused():
    with pytest.raises(Refused):
        price("boat")


def test_keyword():
    assert make() == 4


def test_closure_from_before():
    assert step() == 1


def test_generator():
    assert list(numbers()) == [1, 2]


def test_coroutine():
    assert asyncio.run(later()) == 7


def test_cached():
    assert cached() == "kept"


def test_cached_again():
    assert cached() == "kept"


def test_call():
    note(3)
    assert SEEN == [3]


def test_drain():
    assert drain([1, 2]) == "done"


def test_property():
    assert Box.make().label == "\u00a32"


def test_special_method():
    assert len(Box()) == 2


def test_fixture(made):
    assert made == 4


def test_thread():
    assert in_thread() == [5]


def test_constant():
    assert LIMIT == 3


def test_untouched():
    assert price("book") == 5
    assert make() == 4
"""
SOURCES = {"app/__init__.py": "", "tests/__init__.py": "", "tests/test_shop.py": TESTS}
FILE = "app/shop.py"
BROKEN = {
    "test_price": "another value returned in price",
    "test_refused": "nothing raised in price",
    "test_keyword": "another `rebate` passed in make",
    "test_closure_from_before": "another value assigned in counter.step",
    "test_generator": "another value yielded in numbers",
    "test_coroutine": "another value returned in later",
    "test_call": "`append` not called in note",
    "test_property": "another value returned in Box.label",
    "test_special_method": "another value returned in Box.__len__",
    "test_thread": "another value returned in price",
}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "project" / "app").mkdir(parents=True)
    (folder / "project" / FILE).write_bytes(SHOP.encode("latin-1"))
    known = {FILE: SHOP.replace("latin-1", "utf-8", 1)}
    tests = {what: [id_of(name) for name, each in BROKEN.items() if each == what] for what in BROKEN.values()}
    orders = [broken(known, FILE, what, each) for what, each in tests.items()]
    orders += [
        broken(known, FILE, "another value returned in make", [id_of("test_fixture")], "setup"),
        broken(known, FILE, "another value for LIMIT", [id_of("test_constant")], "process"),
        broken(known, FILE, "`pop` not called in drain", [id_of("test_drain")]),
        broken(known, FILE, "another value returned in cached", [id_of("test_cached_again")]),
    ]
    return second_pass(folder, SOURCES, orders=orders)


def id_of(name: str) -> str:
    return f"tests/test_shop.py::{name}"


@pytest.mark.parametrize("name", [*BROKEN, "test_fixture", "test_constant"])
def test_the_test_fails_with_its_own_breakage_that_took_effect(seen: Seen, name: str) -> None:
    assert (seen.outcome(name), len(seen.applied(name))) == ("failed", 1)
    assert "NameError" not in " ".join(seen.messages(name))


def test_every_other_test_passes_meanwhile(seen: Seen) -> None:
    assert seen.outcome("test_untouched") == "passed"
    assert seen.applied("test_untouched") == []
    assert seen.errors() == []


def test_a_breakage_of_what_does_not_run_is_not_told(seen: Seen) -> None:
    assert (seen.outcome("test_cached_again"), seen.applied("test_cached_again")) == ("passed", [])


def test_a_loop_that_only_the_unbroken_line_ends_comes_to_an_end(seen: Seen) -> None:
    assert (seen.outcome("test_drain"), len(seen.applied("test_drain"))) == ("passed", 1)


def test_what_reaches_beyond_the_process_is_never_broken() -> None:
    source = """\
def clean(folder, sure):
    if not sure:
        return None
    shutil.rmtree(folder / "cache")


def erase(path):
    if path:
        os.remove(path)
"""
    assert mutants({"a.py": source}, "a.py") == []


MODELS = """\
import datetime

from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, String, UniqueConstraint, create_engine
from sqlalchemy.orm import declarative_base, relationship

Base = declarative_base()


class Dated(object):
    year = Column(Integer, default=lambda: datetime.date.today().year)


class Plan(Dated, Base):
    __tablename__ = "plans"
    __table_args__ = (CheckConstraint("seats > 0", name="has_seats"), UniqueConstraint("name", "seats"))

    id = Column(Integer, primary_key=True)
    name = Column(String(20), nullable=False)
    code = Column(String(20), unique=True)
    tier = Column(String(20), default="free")
    seats = Column(Integer, default=1)
    users = relationship("User", cascade="all, delete-orphan", order_by="User.id")


class User(Base):
    __tablename__ = "users"

    id = Column(Integer, primary_key=True)
    plan_id = Column(ForeignKey("plans.id"))


engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
"""
ORM_TESTS = """\
import datetime

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.models import Plan, User, engine


@pytest.fixture
def session():
    with Session(engine) as session:
        yield session


def save(session, **values):
    plan = Plan(**values)
    session.add(plan)
    session.flush()
    return plan


def test_name(session):
    assert save(session, name="A").name == "A"


def test_default(session):
    assert save(session, name="B").tier == "free"


def test_of_the_mixin(session):
    assert save(session, name="C").year == datetime.date.today().year


def test_computed(session):
    assert save(session, name="D").year == datetime.date.today().year


def test_users(session):
    plan = save(session, name="E", users=[User()])
    assert len(plan.users) == 1


def test_unique(session):
    save(session, name="F", code="f")
    with pytest.raises(IntegrityError):
        save(session, name="G", code="f")


def test_required(session):
    with pytest.raises(IntegrityError):
        save(session, name=None)


def test_check(session):
    with pytest.raises(IntegrityError):
        save(session, name="H", seats=0)


def test_untouched(session):
    plan = save(session, name="I", code="i")
    assert session.query(Plan).filter(Plan.name == "I").one() is plan
    assert (plan.name, plan.users) == ("I", [])
"""
ORM = {
    "app/__init__.py": "",
    "app/models.py": MODELS,
    "tests/__init__.py": "",
    "tests/test_shop.py": ORM_TESTS,
}
DECLARED = {
    "test_name": ("Plan.name gives another value", "call"),
    "test_default": ("another default for Plan.tier", "process"),
    "test_of_the_mixin": ("Dated.year gives another value", "call"),
    "test_computed": ("another value computed for Dated.year", "call"),
    "test_users": ("Plan.users gives another value", "call"),
    "test_unique": ("Plan.code need not be unique", "process"),
    "test_required": ("Plan.name may be missing", "process"),
    "test_check": ("CheckConstraint dropped from Plan", "process"),
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    orders = [
        broken(ORM, "app/models.py", what, [id_of(name)], when) for name, (what, when) in DECLARED.items()
    ]
    return second_pass(tmp_path_factory.mktemp("models"), ORM, orders=orders)


@pytest.mark.parametrize("name", DECLARED)
def test_what_a_model_declares_is_broken(models: Seen, name: str) -> None:
    assert (models.outcome(name), len(models.applied(name))) == ("failed", 1)


def test_the_same_model_is_whole_for_other_tests(models: Seen) -> None:
    assert models.outcome("test_untouched") == "passed"
    assert models.errors() == []


def test_an_attribute_that_is_not_there_is_left_alone(tmp_path: Path) -> None:
    tests = {"a.py": "class A:\n    pass\n", "test_a.py": "import a\n\ndef test_a():\n    assert a.A()\n"}
    orders = [
        broken(
            {"a.py": "class A:\n    one = make()\n"},
            "a.py",
            "A.one gives another value",
            ["test_a.py::test_a"],
        )
    ]
    seen = second_pass(tmp_path, tests, orders=orders)
    assert (seen.outcome("test_a"), seen.applied(), seen.errors()) == ("passed", [], [])
