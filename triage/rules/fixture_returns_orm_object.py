"""A fixture or function hands out an ORM object whose session is closed by then.

A fixture that builds an object inside `with app.app_context():`, commits and returns it hands
out an object without a session: the block's end removes the session, and the commit has expired
every attribute. The next read raises DetachedInstanceError, in the test or in another fixture.
Yield the object inside the block instead, so that the block stays open while the test runs.

The line is that of the `with` statement, or of the call that closes or removes the session.
Helpers of the tests, `setUp` methods that keep such an object as `self.x`, and functions of the
product that return one are found, too. In a product that is often right (nobody touches what is
not loaded), so a finding there means something only together with a DetachedInstanceError.

Known limits: the object must be committed after it is made or queried (else it stays readable),
in the function itself or through a function or method of the project that commits, or it must be
queried, of a model with relationships, and without loading options. Silent where the object is
refreshed, expunged or made transient after that, and in a project that sets
`expire_on_commit=False` anywhere.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from triage.model.finding import Finding
from triage.rules.example import Invalid, Valid
from triage.rules.factories import factory_index
from triage.rules.fixtures import fixture_index
from triage.rules.handing import Births, Born, Statement
from triage.rules.involved import SETUPS
from triage.rules.makers import makers
from triage.rules.model_index import model_index
from triage.rules.sessions import End, SessionFacts, commit_lines, ends, return_follows, session_facts
from triage.rules.source import Module, SourceTree
from triage.rules.syntax import Function, calls_within, terminal, within

ID = "fixture-returns-orm-object"
_KEEPING = frozenset({"refresh", "expunge", "make_transient"})
_IN_TESTS = (b"with ", b".close(", b".remove(", b".pop(")
_IN_PRODUCT = (b"ession", b"maker", b"app_context(")


@dataclass(frozen=True, slots=True)
class _Reader:
    births: Births
    facts: SessionFacts
    fixtures: frozenset[Function]


def find(tree: SourceTree) -> Iterable[Finding]:
    models = model_index(tree)
    facts = session_facts(tree) if models else None
    if facts is None or facts.keeps:
        return
    fixtures = fixture_index(tree).nodes
    reader = _Reader(Births(models, factory_index(tree), makers(tree)), facts, fixtures)
    for module in tree.modules(*_IN_TESTS, tests=True):
        for function in module.functions:
            found = list(_findings(function, module, reader)) if not function.name.startswith("test") else []
            is_run = function in fixtures or function.name in SETUPS
            if found and (is_run or tree.count_in_tests(function.name) > 1):
                yield from found
    for module in tree.modules(*_IN_PRODUCT, tests=False):
        for function in module.functions:
            yield from _findings(function, module, reader)


def _findings(function: Function, module: Module, reader: _Reader) -> Iterator[Finding]:
    closed = list(ends(function, module, reader.facts))
    if not closed:
        return
    keeps_own = module.is_test and (function in reader.fixtures or function.name in SETUPS)
    for statement, each in reader.births.handed_out(function, module, attributes=keeps_own):
        end = next((e for e in closed if _loses(e, each, statement, function, module, reader)), None)
        if end is not None:
            yield _finding(function, module, each, statement.lineno, end, reader)


def _loses(
    end: End, born: Born, statement: Statement, function: Function, module: Module, reader: _Reader
) -> bool:
    if not end.first <= born.line <= end.last or not _outlives(end, statement, function, module):
        return False
    calls = [each for each in calls_within(function) if born.line <= each.lineno <= end.last]
    commits = commit_lines(function, born.line, end.last, reader.facts)
    if not (commits or born.stored or born.lazy):
        return False
    since = max(commits, default=born.line)
    keeping = _KEEPING | {"expunge_all"} if end.is_block else _KEEPING
    return not any(terminal(each) in keeping and each.lineno >= since for each in calls)


def _outlives(end: End, statement: Statement, function: Function, module: Module) -> bool:
    if not isinstance(statement, ast.Assign):
        return return_follows(end, statement, module)
    waits = (each.lineno for each in within(function) if isinstance(each, ast.Yield))
    return not any(end.first <= line <= end.after for line in waits)


def _finding(function: Function, module: Module, born: Born, line: int, end: End, reader: _Reader) -> Finding:
    subject = {"variable": born.variable, "model": born.model} if born.variable else {"model": born.model}
    outer = next((each for each in module.ancestors(function) if each in reader.fixtures), None)
    if function in reader.fixtures:
        subject["fixture"] = function.name
    else:
        subject["function"] = function.name
    if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef):
        subject["fixture"] = outer.name
    what = f"{born.variable} ({born.model})" if born.variable else f"rows of {born.model}"
    return Finding(
        ID,
        module.path,
        end.line,
        f"{function.name} hands out {what} after its session ended: {end.what}",
        symbol=function.name,
        subject=subject,
        related=(("return", module.path, line), ("born", module.path, born.line)),
    )


_MODELS = """\
from flask_sqlalchemy import SQLAlchemy
db = SQLAlchemy()
class Tenant(db.Model):
    id = db.Column(db.Integer, primary_key=True)
"""
_HEAD = "import pytest\nfrom m import Tenant, db\n@pytest.fixture\ndef tenant(app):\n"
_MAKE = "        t = Tenant()\n        db.session.add(t)\n        db.session.commit()\n"
_WITH = "    with app.app_context():\n"


def _case(body: str) -> dict[str, str]:
    return {"m.py": _MODELS, "tests/conftest.py": _HEAD + body}


_SHOP = """\
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, sessionmaker
class Base(DeclarativeBase): ...
class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    lines: Mapped[list["Line"]] = relationship()
class Line(Base):
    __tablename__ = "lines"
    id: Mapped[int] = mapped_column(primary_key=True)
class Log(Base):
    __tablename__ = "logs"
    id: Mapped[int] = mapped_column(primary_key=True)
"""
_REPOSITORY = (
    "from m import Line, Log, Order, Session, select\nclass Repository:\n"
    "    def __init__(self, engine):\n        self.maker = sessionmaker(engine)\n"
    "    def get(self, key):\n        with self.maker() as s:\n"
)
_GET = "def get(engine, key):\n    with Session(engine) as s:\n"
_IMPORT = "from m import Line, Log, Order, Session, select\n"


def _product(body: str, head: str = _IMPORT + _GET) -> dict[str, str]:
    return {"m.py": _SHOP, "repo.py": head + body}


def _setup(body: str) -> dict[str, str]:
    head = _IMPORT + "class TestIt:\n    def setUp(self):\n        with Session(engine) as s:\n"
    return {"m.py": _SHOP, "test_m.py": head + body}


VALID: tuple[Valid, ...] = (
    Valid(_product("        return s.get(Order, key).id\n"), "a value"),
    Valid(_product("        return s.scalars(select(Order.id)).all()\n"), "values of a column"),
    Valid(_product("        return to_dict(s.get(Order, key))\n"), "made into something else"),
    Valid(_product("        order = s.get(Order, key)\n        return order.to_dict()\n"), "likewise"),
    Valid(_product("        return s.get(Log, key)\n"), "nothing of it loads on first use"),
    Valid(_product("        return s.get(Order, key, options=[selectinload(Order.lines)])\n"), "loaded"),
    Valid(_product("        return s.query(Order).options(joinedload(Order.lines)).first()\n"), "loaded"),
    Valid(_product("        o = s.get(Order, 1)\n        s.expunge_all()\n        return o\n"), "let go"),
    Valid(_product("        yield s.get(Order, key)\n"), "the block stays open"),
    Valid(
        {"m.py": _SHOP + "make = sessionmaker(expire_on_commit=False)\n"}
        | {"r.py": _IMPORT + _GET + "        o = Order()\n        s.commit()\n        return o\n"},
        "objects outlive the session on purpose",
    ),
    Valid(_setup("            self.key = Order().id\n            s.commit()\n"), "a value"),
    Valid(_case(_WITH + _MAKE + "        yield t\n"), "the block stays open"),
    Valid(_case(_WITH + _MAKE + "        return t.id\n"), "a value, no object"),
    Valid(_case(_WITH + _MAKE + "        db.session.refresh(t)\n        return t\n"), "loaded"),
    Valid(_case(_WITH + "        t = Tenant()\n        return t\n"), "never had a session"),
    Valid(_case("    if app:\n" + _MAKE + "        return t\n"), "no block"),
    Valid(_case("    try:\n" + _MAKE + "        yield t\n    finally:\n        db.session.remove()\n")),
)
INVALID: tuple[Invalid, ...] = (
    Invalid(
        _product("        return s.get(Order, key)\n"),
        (("repo.py", 3),),
        {"function": "get", "model": "Order"},
    ),
    Invalid(_product("        return s.query(Line).filter_by(id=key).first()\n"), (("repo.py", 3),)),
    Invalid(_product("        return list(s.scalars(select(Order)))\n"), (("repo.py", 3),)),
    Invalid(_product("        o = Log()\n        s.commit()\n        return o\n"), (("repo.py", 3),)),
    Invalid(_product("            return s.scalars(select(Order)).all()\n", _REPOSITORY), (("repo.py", 6),)),
    Invalid(
        _product(
            "def get(maker):\n    with maker.begin() as s:\n        o = Log()\n        s.add(o)\n"
            "    return o\n",
            _IMPORT,
        ),
        (("repo.py", 3),),
    ),
    Invalid(
        _product(
            "def get(engine):\n    s = Session(engine)\n    try:\n        return s.get(Order, 1)\n"
            "    finally:\n        s.close()\n",
            _IMPORT,
        ),
        (("repo.py", 7),),
    ),
    Invalid(
        _setup("            self.order = Order()\n            s.add(self.order)\n            s.commit()\n"),
        (("test_m.py", 4),),
        {"function": "setUp", "variable": "self.order", "model": "Order"},
    ),
    Invalid(
        _setup("            o = Order()\n            s.commit()\n            self.order = o\n"),
        (("test_m.py", 4),),
    ),
    Invalid(
        _case(_WITH + _MAKE + "        return t\n"),
        (("tests/conftest.py", 5),),
        {"fixture": "tenant", "variable": "t", "model": "Tenant"},
    ),
    Invalid(_case(_WITH + _MAKE + "    return {'tenant': t}\n"), (("tests/conftest.py", 5),)),
    Invalid(_case(_WITH + _MAKE + "    yield t\n"), (("tests/conftest.py", 5),)),
    Invalid(
        _case("    try:\n" + _MAKE + "        return t\n    finally:\n        db.session.close()\n"),
        (("tests/conftest.py", 11),),
    ),
    Invalid(
        {
            "m.py": _MODELS,
            "tests/test_t.py": "from m import Tenant, db\ndef make(app):\n"
            + _WITH
            + _MAKE
            + "        return t, 1\ndef test_it(app):\n    make(app)\n",
        },
        (("tests/test_t.py", 3),),
        {"function": "make", "variable": "t", "model": "Tenant"},
    ),
)
