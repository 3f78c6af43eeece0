"""A fixture returns an ORM object whose session is closed by then.

A fixture that builds an object inside `with app.app_context():`, commits and returns it hands
out an object without a session: the block's end removes the session, and the commit has expired
every attribute. The next read raises DetachedInstanceError, in the test or in another fixture.
Yield the object inside the block instead, so that the block stays open while the test runs.

The line is that of the `with` statement, or of the call that closes or removes the session.
Functions of test files that do the same and are used by tests are found, too.

Known limits: the object must be committed after it is made or queried (else it stays readable),
in the function itself or through a function or method of the project that commits. Silent where
the object is refreshed, expunged or made transient after that, and in a project that sets
`expire_on_commit=False` anywhere.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from triage.model.finding import Finding
from triage.rules.example import Invalid, Valid
from triage.rules.factories import FactoryIndex, factory_index
from triage.rules.fixtures import fixture_index
from triage.rules.makers import makers
from triage.rules.model_index import model_index
from triage.rules.models import ModelIndex
from triage.rules.sessions import End, SessionFacts, ends, return_follows, session_facts
from triage.rules.source import Module, SourceTree
from triage.rules.syntax import Function, calls_within, terminal, within
from triage.rules.variables import Makers, bindings, is_collection, made_by

ID = "fixture-returns-orm-object"
_KEEPING = frozenset({"refresh", "expunge", "make_transient"})


@dataclass(frozen=True, slots=True)
class _Born:
    variable: str
    model: str
    line: int
    stored: bool


@dataclass(frozen=True, slots=True)
class _Reader:
    models: ModelIndex
    factories: FactoryIndex
    facts: SessionFacts
    fixtures: frozenset[Function]
    makers: Makers


def find(tree: SourceTree) -> Iterable[Finding]:
    models = model_index(tree)
    facts = session_facts(tree) if models else None
    if facts is None or facts.keeps:
        return
    fixtures = fixture_index(tree).nodes
    reader = _Reader(models, factory_index(tree), facts, fixtures, makers(tree))
    for module in tree.modules(b"with ", b".close(", b".remove(", b".pop(", tests=True):
        for function in module.functions:
            found = list(_findings(function, module, reader)) if not function.name.startswith("test") else []
            if found and (function in fixtures or tree.count_in_tests(function.name) > 1):
                yield from found


def _findings(function: Function, module: Module, reader: _Reader) -> Iterator[Finding]:
    closed = list(ends(function, module, reader.facts))
    if not closed:
        return
    born = list(_born(function, module, reader))
    for statement in within(function):
        if isinstance(statement, ast.Return | ast.Yield) and statement.value is not None:
            for each in _handed_out(statement.value, born, statement.lineno):
                end = next((e for e in closed if _loses(e, each, statement, function, module, reader)), None)
                if end is not None:
                    yield _finding(function, module, each, statement.lineno, end, reader)


def _loses(
    end: End,
    born: _Born,
    statement: ast.Return | ast.Yield,
    function: Function,
    module: Module,
    reader: _Reader,
) -> bool:
    if not end.first <= born.line <= end.last or not return_follows(end, statement, module):
        return False
    last = min(end.last, statement.lineno) if isinstance(statement, ast.Return) else end.last
    calls = [each for each in calls_within(function) if born.line <= each.lineno <= max(last, end.last)]
    commits = [each.lineno for each in calls if _commits(each, reader)]
    if not (commits or born.stored):
        return False
    since = max(commits, default=born.line)
    return not any(terminal(each) in _KEEPING and each.lineno >= since for each in calls)


def _commits(call: ast.Call, reader: _Reader) -> bool:
    return terminal(call) == "commit" or terminal(call) in reader.facts.committers


def _born(function: Function, module: Module, reader: _Reader) -> Iterator[_Born]:
    for statement in within(function):
        for name, value in bindings(statement):
            values = [value, *value.elts] if isinstance(value, ast.List | ast.Tuple) else [value]
            values += [value.elt] if isinstance(value, ast.ListComp) else []
            for each in values:
                made = _made(each, module, reader)
                if made is not None:
                    yield _Born(name, made[0], each.lineno, made[1])
                    break


def _made(value: ast.expr, module: Module, reader: _Reader) -> tuple[str, bool] | None:
    """The model's name, and whether making it has committed it."""
    model = made_by(value, module, reader.models, reader.makers) or is_collection(
        value, module, reader.models
    )
    if model is not None:
        return model.name, False
    factory = reader.factories.called(value, module) if isinstance(value, ast.Call) else None
    if factory is not None and factory.model:
        return factory.model, factory.persistence == "commit"
    return None


def _handed_out(value: ast.expr, born: list[_Born], line: int) -> Iterator[_Born]:
    """Objects that the value itself is, or holds as elements; `tenant.id` holds none."""
    pending, names = [value], []
    while pending:
        each = pending.pop()
        if isinstance(each, ast.Name):
            names.append(each.id)
        elif isinstance(each, ast.Tuple | ast.List):
            pending.extend(each.elts)
        elif isinstance(each, ast.Dict):
            pending.extend(each.values)
        elif isinstance(each, ast.Call) and terminal(each) in ("dict", "SimpleNamespace"):
            pending.extend(keyword.value for keyword in each.keywords)
    for name in reversed(names):
        known = [each for each in born if each.variable == name and each.line <= line]
        yield from known[-1:]


def _finding(
    function: Function, module: Module, born: _Born, line: int, end: End, reader: _Reader
) -> Finding:
    subject = {"variable": born.variable, "model": born.model}
    outer = next((each for each in module.ancestors(function) if each in reader.fixtures), None)
    if function in reader.fixtures:
        subject["fixture"] = function.name
    else:
        subject["function"] = function.name
    if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef):
        subject["fixture"] = outer.name
    return Finding(
        ID,
        module.path,
        end.line,
        f"{function.name} hands out {born.variable} ({born.model}) after its session ended: {end.what}",
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


VALID: tuple[Valid, ...] = (
    Valid(_case(_WITH + _MAKE + "        yield t\n"), "the block stays open"),
    Valid(_case(_WITH + _MAKE + "        return t.id\n"), "a value, no object"),
    Valid(_case(_WITH + _MAKE + "        db.session.refresh(t)\n        return t\n"), "loaded"),
    Valid(_case(_WITH + "        t = Tenant()\n        return t\n"), "never had a session"),
    Valid(_case("    if app:\n" + _MAKE + "        return t\n"), "no block"),
    Valid(_case("    try:\n" + _MAKE + "        yield t\n    finally:\n        db.session.remove()\n")),
)
INVALID: tuple[Invalid, ...] = (
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
