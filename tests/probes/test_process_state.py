"""What tests leave behind is told with its exact name, and its place by `trace-state`."""

from pathlib import Path
from typing import Any

import pytest

from tests.probes.second import Order, Seen, line_of, order, second_pass
from triage.probes.leftovers import Leftover, left_of

CONFTEST = """
import pytest

@pytest.fixture(scope="session")
def app():
    from flask import Flask
    app = Flask("shop")
    app.config["MODE"] = "plain"
    return app

@pytest.fixture(scope="session")
def engine():
    from sqlalchemy import create_engine
    from sqlalchemy.pool import StaticPool
    from shop.models import Base, Item
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(Item.__table__.insert().values(name="of the session"))
    return engine
"""
CACHE = """
STORE = {}
LIMIT = 1000
NAMES = ["a"]

class Cache:
    size = 10
    def __init__(self):
        self.kept = {}

    def put(self, key):
        self.kept[key] = 1  # the object's

cache = Cache()

def remember(key, value):
    STORE[key] = value  # the store's

def price():
    return 3
"""
MODELS = """
from sqlalchemy import Column, Integer, String
from sqlalchemy.orm import declarative_base

Base = declarative_base()

class Item(Base):
    __tablename__ = "items"
    id = Column(Integer, primary_key=True)
    name = Column(String(20))
"""
LEAVING = """
import functools, locale, logging, os, sys, threading, time, warnings
import pytest
from shop import cache
from shop.cache import Cache, remember

def test_variable():
    os.environ["SHOP_MODE"] = "cheap"  # variable

def test_entry():
    remember("a", 1)

def test_constant():
    cache.LIMIT += 1
    cache.LIMIT += 1

def test_list():
    cache.NAMES.append("b")  # list

def test_class_attribute():
    Cache.size = 0  # class

def test_object():
    cache.cache.put("x")

def test_function():
    cache.price = lambda: 4  # function

def test_new_name():
    cache.ADDED = True

def test_removed_name():
    del cache.ADDED

def test_folder(tmp_path):
    os.chdir(tmp_path)  # folder

def test_path():
    sys.path.append("/somewhere")

def test_level():
    logging.getLogger().setLevel(logging.CRITICAL)  # level

def test_filters():
    pass

def test_thread():
    threading.Thread(target=time.sleep, args=(60,), name="sleeper", daemon=True).start()  # thread

def test_config(app):
    app.config["MODE"] = "changed"  # config

def test_context(app):
    app.app_context().push()  # context

def test_request(app):
    app.test_request_context().push()

def test_nothing(app):
    remember("a", 1)
"""
CLEAN = """
import os
from shop import cache
import pytest

@pytest.fixture(scope="module")
def filled():
    cache.STORE["of the module"] = 1
    yield
    cache.STORE.clear()

def test_uses_what_is_wider(filled):
    assert cache.STORE

def test_patches(monkeypatch, filled):
    monkeypatch.setattr(cache, "price", lambda: 5)
    monkeypatch.setitem(cache.STORE, "a", 2)
    monkeypatch.setenv("SHOP_MODE", "x")
    assert cache.price() == 5

def test_puts_back(filled):
    cache.LIMIT = 5
    cache.LIMIT = 1000

def test_fails(filled):
    assert cache.LIMIT == 1

def test_module_ends(filled):
    assert cache.STORE
    cache.STORE.clear()
"""
SOURCES = {
    "shop/__init__.py": "",
    "shop/cache.py": CACHE,
    "shop/models.py": MODELS,
    "tests/conftest.py": CONFTEST,
    "tests/test_leaving.py": LEAVING,
}
FILE = "tests/test_leaving.py"


def left(seen: Seen) -> dict[str, list[Leftover]]:
    found = left_of(seen.records.of("left"))
    return {test.rpartition("::")[2]: list(changes) for test, changes in found.items()}


@pytest.fixture(scope="module")
def leaving(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    folder = tmp_path_factory.mktemp("leaving")
    return second_pass(folder, SOURCES, observers=["process-state"])


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("test_variable", Leftover("environment", "SHOP_MODE", "", "'cheap'")),
        ("test_entry", Leftover("module", "shop.cache.STORE", "{}", "{'a': 1}")),
        ("test_constant", Leftover("module", "shop.cache.LIMIT", "1000", "1002")),
        ("test_list", Leftover("module", "shop.cache.NAMES", "['a']", "['a', 'b']")),
        ("test_class_attribute", Leftover("class", "shop.cache.Cache.size", "10", "0")),
        ("test_object", Leftover("module", "shop.cache.cache.kept", "{}", "{'x': 1}")),
        (
            "test_function",
            Leftover(
                "module", "shop.cache.price", "<function price>", "<function test_function.<locals>.<lambda>>"
            ),
        ),
        ("test_new_name", Leftover("module", "shop.cache.ADDED", "", "True")),
        ("test_removed_name", Leftover("module", "shop.cache.ADDED", "True", "")),
        ("test_level", Leftover("logging", "root.level", "WARNING", "CRITICAL")),
        ("test_thread", Leftover("threads", "sleeper", "", "running (daemon)")),
        ("test_config", Leftover("config", "MODE", "'plain'", "'changed'")),
        ("test_context", Leftover("context", "flask.app_context", "", "pushed for 'shop'")),
    ],
)
def test_what_is_left_is_told_by_name(leaving: Seen, test: str, expected: Leftover) -> None:
    assert left(leaving)[test] == [expected]


def test_the_folder_and_the_path_are_watched(leaving: Seen) -> None:
    found = left(leaving)
    (folder,) = found["test_folder"]
    assert (folder.kind, folder.name) == ("cwd", "cwd")
    assert folder.before.endswith("project")
    (path,) = found["test_path"]
    assert (path.kind, path.name) == ("environment", "sys.path")


def test_a_request_context_counts(leaving: Seen) -> None:
    (found,) = left(leaving)["test_request"]
    assert (found.kind, found.after) == ("context", "pushed for 'shop'")


def test_who_leaves_nothing_is_not_told(leaving: Seen) -> None:
    assert {"test_nothing", "test_filters"}.isdisjoint(left(leaving))
    assert leaving.errors() == []
    assert set(leaving.records.outcomes().values()) == {"passed"}


def test_what_is_put_back_or_made_by_wider_fixtures_is_not_left(tmp_path: Path) -> None:
    sources = {**SOURCES, "tests/test_leaving.py": CLEAN}
    seen = second_pass(tmp_path, sources, observers=["process-state"])
    assert left(seen) == {
        "test_module_ends": [Leftover("module", "shop.cache.STORE", "{'of the module': 1}", "{}")]
    }
    assert seen.errors() == []
    assert seen.outcome("test_fails") == "failed"


# rows

ROWS = """
import pytest
from sqlalchemy.orm import Session
from shop.models import Item

def add(session, name):
    session.add(Item(name=name))
    session.commit()  # helper

def test_row(engine):
    with Session(engine) as session:
        add(session, "a")

def test_several(engine):
    with Session(engine) as session:
        session.add_all([Item(name="b"), Item(name="c"), Item(name="d")])
        session.flush()  # several
        session.commit()

def test_core(engine):
    with engine.begin() as connection:
        connection.execute(Item.__table__.insert(), [{"name": "e"}, {"name": "f"}])  # core

def test_rolled_back(engine):
    with Session(engine) as session:
        session.add(Item(name="gone"))
        session.flush()
        session.rollback()

def test_savepoint(engine):
    with Session(engine) as session:
        session.add(Item(name="kept"))
        session.flush()  # kept
        inner = session.begin_nested()
        session.add(Item(name="gone"))
        session.flush()
        inner.rollback()
        session.commit()

def test_outer_transaction(engine):
    connection = engine.connect()
    outer = connection.begin()
    with Session(bind=connection, join_transaction_mode="rollback_only") as session:
        add(session, "outer")
    outer.rollback()
    connection.close()

def test_savepoint_without_transaction(engine):
    connection = engine.connect()
    outer = connection.begin()
    with Session(bind=connection, join_transaction_mode="create_savepoint") as session:
        session.add(Item(name="stays"))
        session.flush()  # sqlite3 has begun nothing
        session.commit()
    outer.rollback()
    connection.close()

def test_removes(engine):
    with Session(engine) as session:
        item = Item(name="short")
        session.add(item)
        session.commit()
        session.delete(item)
        session.commit()

def test_own_database(tmp_path):
    from sqlalchemy import create_engine
    from shop.models import Base
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        add(session, "own")

def test_counts(engine):
    with Session(engine) as session:
        assert session.query(Item).count() == 9
"""


def test_committed_rows_are_told_with_table_count_and_line(tmp_path: Path) -> None:
    sources = {**SOURCES, "tests/test_leaving.py": ROWS}
    seen = second_pass(tmp_path, sources, observers=["process-state"])
    assert seen.errors() == []
    assert set(seen.records.outcomes().values()) == {"passed"}

    def row(count: str, mark: str) -> list[Leftover]:
        return [Leftover("database", "items", "", count, FILE, line_of(sources, FILE, "# " + mark))]

    assert left(seen) == {
        "test_row": row("1 row", "helper"),
        "test_several": row("3 rows", "several"),
        "test_core": row("2 rows", "core"),
        "test_savepoint": row("1 row", "kept"),
        "test_savepoint_without_transaction": row("1 row", "sqlite3 has begun nothing"),
    }


CLEANED = """
import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from shop.models import Base, Item

URL = "sqlite:///shop.db"

@pytest.fixture(autouse=True)
def clean(request):
    engine = create_engine(URL)
    if "keeps" not in request.node.name:
        Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    engine.dispose()

def use():
    engine = create_engine(URL)
    with Session(engine) as session:
        session.add(Item(name="a"))
        session.commit()  # commit
    engine.dispose()

def test_first():
    use()

def test_second():
    use()

def test_third_keeps():
    use()
"""


def test_a_database_in_a_file_outlives_its_engine_and_tables_that_are_dropped_do_not_count(
    tmp_path: Path,
) -> None:
    sources = {**SOURCES, "tests/test_leaving.py": CLEANED}
    seen = second_pass(tmp_path, sources, observers=["process-state"])
    line = line_of(sources, FILE, "# commit")
    assert left(seen) == {"test_second": [Leftover("database", "items", "", "1 row", FILE, line)]}
    assert seen.errors() == []


# trace-state

TRACED = [
    ("test_variable", "environment", "SHOP_MODE", FILE, "# variable"),
    ("test_entry", "module", "shop.cache.STORE", "shop/cache.py", "# the store's"),
    ("test_list", "module", "shop.cache.NAMES", FILE, "# list"),
    ("test_class_attribute", "class", "shop.cache.Cache.size", FILE, "# class"),
    ("test_object", "module", "shop.cache.cache.kept", "shop/cache.py", "# the object's"),
    ("test_function", "module", "shop.cache.price", FILE, "# function"),
    ("test_folder", "cwd", "cwd", FILE, "# folder"),
    ("test_level", "logging", "root.level", FILE, "# level"),
    ("test_thread", "threads", "sleeper", FILE, "# thread"),
    ("test_config", "config", "MODE", FILE, "# config"),
    ("test_context", "context", "flask.app_context", FILE, "# context"),
]


def traced(test: str, name: str, kind: str = "") -> Order:
    names = {"name": name, "kind": kind} if kind else {"name": name}
    return {**order("trace-state", FILE, 1, [f"{FILE}::{test}"]), "names": names}


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    orders = [traced(test, name, kind) for test, kind, name, *_ in TRACED]
    return second_pass(tmp_path_factory.mktemp("trace"), SOURCES, orders=orders)


@pytest.fixture(scope="module")
def guessed(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    orders = [traced(test, name) for test, _, name, *_ in TRACED]
    return second_pass(tmp_path_factory.mktemp("guessed"), SOURCES, orders=orders)


@pytest.mark.parametrize(("test", "kind", "name", "file", "mark"), TRACED)
def test_the_line_that_changed_it_is_found(
    trace: Seen, test: str, kind: str, name: str, file: str, mark: str
) -> None:
    (found,) = left(trace)[test]
    assert (found.kind, found.name) == (kind, name)
    assert (found.file, found.line) == (file, line_of(SOURCES, file, mark))
    assert [one["kind"] for one in trace.applied(test)] == ["trace-state"]


def test_a_name_without_its_kind_is_found_too(trace: Seen, guessed: Seen) -> None:
    places = [
        {test: [(one.file, one.line) for one in found] for test, found in left(seen).items()}
        for seen in (trace, guessed)
    ]
    assert places[0] == places[1]
    assert guessed.errors() == []


def test_tracing_changes_no_outcome_and_tells_of_no_other_test(trace: Seen) -> None:
    assert set(trace.records.outcomes().values()) == {"passed"}
    assert set(left(trace)) == {test for test, *_ in TRACED}
    assert trace.errors() == []


BACK_AND_FORTH = """
import pytest
from shop import cache

@pytest.fixture
def maker(monkeypatch):
    monkeypatch.setitem(cache.STORE, "a", 0)
    yield
    cache.STORE["b"] = 2  # teardown

def test_goes_back():
    cache.STORE["a"] = 1
    cache.STORE.clear()
    cache.STORE.update(a=2)  # last
    list(map(str, [1, 2]))

def test_in_teardown(maker):
    cache.STORE["a"] = 5

def test_inside_a_generator():
    def each():
        yield 1
        cache.LIMIT = 5  # generator
        yield 2
    list(each())

def test_fails():
    cache.LIMIT = 6  # fails
    raise ValueError("x")

def test_only_here():
    pass
"""


def test_the_first_line_whose_change_stays_counts(tmp_path: Path) -> None:
    sources = {**SOURCES, "tests/test_leaving.py": BACK_AND_FORTH}
    orders = [
        traced("test_goes_back", "shop.cache.STORE"),
        traced("test_in_teardown", "shop.cache.STORE"),
        traced("test_inside_a_generator", "shop.cache.LIMIT"),
        traced("test_fails", "shop.cache.LIMIT"),
        traced("test_only_here", "shop.cache.LIMIT"),
    ]
    seen = second_pass(tmp_path, sources, orders=orders)
    lines = {test: [one.line for one in found] for test, found in left(seen).items()}
    assert lines == {
        "test_goes_back": [line_of(sources, FILE, "# last")],
        "test_in_teardown": [line_of(sources, FILE, "# teardown")],
        "test_inside_a_generator": [line_of(sources, FILE, "# generator")],
        "test_fails": [line_of(sources, FILE, "# fails")],
    }
    assert seen.errors() == []
    assert seen.outcome("test_fails") == "failed"


def test_both_at_once_give_one_leftover_with_its_place(tmp_path: Path) -> None:
    seen = second_pass(
        tmp_path,
        SOURCES,
        "-k",
        "test_entry",
        observers=["process-state"],
        orders=[traced("test_entry", "shop.cache.STORE")],
    )
    (found,) = left(seen)["test_entry"]
    assert (found.file, found.line) == ("shop/cache.py", line_of(SOURCES, "shop/cache.py", "# the store's"))


# hostile projects

NASTY = """
import collections, enum, functools
import pytest

class Sly:
    def __eq__(self, other): raise RuntimeError("eq")
    def __hash__(self): raise RuntimeError("hash")
    def __repr__(self): raise RuntimeError("repr")
    def __len__(self): raise RuntimeError("len")
    def __bool__(self): raise RuntimeError("bool")
    @property
    def __dict__(self): raise RuntimeError("dict")
    @property
    def __class__(self): raise RuntimeError("class")

class SlyDict(dict):
    def __iter__(self): raise RuntimeError("iter")
    def items(self): raise RuntimeError("items")
    def __len__(self): raise RuntimeError("len")
    def __eq__(self, other): raise RuntimeError("eq")

class Slots:
    __slots__ = ("x",)

class Meta(type):
    def __getattribute__(cls, name):
        if name in ("__dict__", "__module__", "size"): raise RuntimeError(name)
        return type.__getattribute__(cls, name)

class WithMeta(metaclass=Meta):
    size = 1

class Colour(enum.Enum):
    RED = 1

THINGS = [Sly(), SlyDict(a=Sly())]
sly, table, slots, number = Sly(), SlyDict(a=1), Slots(), float("nan")
ring = []
ring.append(ring)
many = dict.fromkeys(range(100000))
queue = collections.deque([1])
secret = "\\ud800"

@functools.lru_cache(maxsize=None)
def cached(x):
    return x

def test_first():
    table["b"] = 2
    queue.append(2)
    cached(1)
    many[-1] = 1

def test_second():
    global secret
    secret = "\\ud800" * 200
    type.__setattr__(WithMeta, "size", 2)
"""


def test_values_that_resist_are_not_asked(tmp_path: Path) -> None:
    seen = second_pass(tmp_path, {"tests/test_x.py": NASTY}, observers=["process-state"])
    assert seen.errors() == []
    assert set(seen.records.outcomes().values()) == {"passed"}
    found = {test: {one.name: one.after for one in changes} for test, changes in left(seen).items()}
    assert found["test_first"] == {
        "test_x.table": "{'a': 1, 'b': 2}",
        "test_x.queue": "[1, 2]",
        "test_x.cached": "1 cached",
        "test_x.many": "dict of 100001",
    }
    assert set(found["test_second"]) == {"test_x.secret", "test_x.WithMeta.size"}
    raw: list[dict[str, Any]] = [one for record in seen.records.of("left") for one in record["changes"]]
    assert all(len(one["after"]) <= 80 for one in raw)


def test_no_object_is_kept_alive(tmp_path: Path) -> None:
    source = """
import weakref
class Thing: pass
STORE = {}
HELD = None

def test_before():
    global HELD
    HELD = Thing()
    STORE["x"] = Thing()

def test_after():
    global HELD
    seen = [weakref.ref(HELD), weakref.ref(STORE["x"])]
    HELD = None
    STORE.clear()
    assert [one() for one in seen] == [None, None]
"""
    seen = second_pass(tmp_path, {"tests/test_x.py": source}, observers=["process-state"])
    assert seen.outcome("test_after") == "passed"
    assert seen.errors() == []


def test_a_project_without_flask_and_sqlalchemy_is_watched_too(tmp_path: Path) -> None:
    source = "import os\nSEEN = set()\ndef test_a():\n    SEEN.add(3)\n    os.environ['A_B'] = '1'\n"
    seen = second_pass(tmp_path, {"tests/test_x.py": source}, observers=["process-state"])
    assert [(one.name, one.after) for one in left(seen)["test_a"]] == [("A_B", "'1'"), ("test_x.SEEN", "{3}")]
    assert seen.errors() == []
