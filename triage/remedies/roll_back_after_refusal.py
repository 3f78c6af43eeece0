"""The session is rolled back once the refusal that a test expects has come.

After `with pytest.raises(IntegrityError): session.commit()` stands `session.rollback()`; in a test's own
`except IntegrityError:` the same. The session is named as the test names it.

Judge whether what the test stored before and did not commit may go with the rollback: where later lines need
it, commit it first.

Never touched: product code that goes on after a failure, a refusal that no test expects (its own cause comes
first), a block with a savepoint, which rolls itself back.
"""

import ast
from collections.abc import Iterable

from triage.model.fix import Edit, Proposal, Reach, Refusal, Target
from triage.remedies.blocks import following, indent, inserted, last_line, own_lines, spot
from triage.remedies.example import Cured, Spot, Untouched
from triage.remedies.refusals import (
    Expected,
    chosen,
    expected_refusals,
    function_at,
    function_of,
    in_savepoint,
    is_awaited,
    other_exceptions,
    rolls_back,
    session_of,
)
from triage.remedies.shared_sessions import known_in, shared_session
from triage.remedies.source import SourceFile, open_source
from triage.rules.source import Module, SourceTree
from triage.rules.syntax import Function

ID = "roll-back-after-refusal"


def propose(target: Target, tree: SourceTree) -> Iterable[Proposal | Refusal]:
    found = _expected(target, tree)
    if isinstance(found, Refusal):
        return [found]
    module, function, one = found
    source = open_source(tree, module.path)
    if _is_rolled_back(module, one):
        return []
    if in_savepoint(one):
        return [_refused(module, one, "the block has a savepoint or a session of its own, which rolls back")]
    session, known = session_of(one, function, module, tree), tuple[Edit, ...]()
    if not session:
        session, known = _shared(function, module, tree)
    if not session:
        return [_refused(module, one, "which session is to be rolled back cannot be told")]
    awaited = "await " if is_awaited(one) and isinstance(function, ast.AsyncFunctionDef) else ""
    return [
        Proposal(
            ID,
            f"{session} is rolled back after the refusal that {function.name} expects",
            (*_edits(source, one, f"{awaited}{session}.rollback()"), *known),
            Reach.STATEMENT,
            judge="whether what the test stored before and did not commit may go with the rollback",
            rollback="revert the commit",
        )
    ]


def _shared(function: Function, module: Module, tree: SourceTree) -> tuple[str, tuple[Edit, ...]]:
    """The product's only session that has a name, and its import: the test itself speaks of none."""
    found = shared_session(tree)
    known = known_in(tree, module.path, found[1], function) if found is not None else None
    return (found[0], known) if found is not None and known is not None else ("", ())


def _expected(target: Target, tree: SourceTree) -> tuple[Module, Function, Expected] | Refusal:
    """At the line; else, where that is a helper's or a factory's, the only one of the test that poisons."""
    module = tree.module(target.file)
    function = function_at(module, target.line) if module is not None and module.is_test else None
    one = chosen(function, target.line) if function is not None else None
    if module is not None and function is not None and one is not None:
        return module, function, one
    other = other_exceptions(function, target.line) if function is not None else ""
    if other:
        reason = f"the test expects {other}: the code that makes it of the refusal must roll back"
        return Refusal(ID, reason, target.file, target.line)
    for test in dict.fromkeys((target.names.get("poisoner", ""), *target.tests)):
        known = function_of(test, tree) if test else None
        found = list(expected_refusals(known[1])) if known is not None else []
        if known is not None and len(found) == 1:
            return *known, found[0]
    if not target.names.get("poisoner"):
        before = list(_before(target, tree))
        if before:
            return before[0] if len(before) == 1 else _many(before, target)
    reason = "no test expects this refusal: what was refused is the cause, or the product must roll back"
    return Refusal(ID, reason, target.file, target.line)


def _before(target: Target, tree: SourceTree) -> Iterable[tuple[Module, Function, Expected]]:
    """Refusals that tests above the first of these expect in its file, and that nothing rolls back.

    Where it is not known who left the session so: another file's tests seldom share it.
    """
    victims = [known for test in target.tests if (known := function_of(test, tree)) is not None]
    for module in {module.path: module for module, _ in victims}.values():
        first = min(function.lineno for each, function in victims if each is module)
        for function in module.functions:
            if function.name.startswith("test") and function.lineno < first:
                for one in expected_refusals(function):
                    if not _is_rolled_back(module, one) and not in_savepoint(one):
                        yield module, function, one


def _many(found: list[tuple[Module, Function, Expected]], target: Target) -> Refusal:
    names = ", ".join(dict.fromkeys(function.name for _, function, _ in found))
    return Refusal(ID, f"which of {names} leaves its session so is not known", target.file, target.line)


def _is_rolled_back(module: Module, one: Expected) -> bool:
    if one.handler is not None:
        return rolls_back(one.handler.body)
    return rolls_back(following(module, one.node)[:1])


def _edits(source: SourceFile, one: Expected, text: str) -> tuple[Edit, ...]:
    if one.handler is None:
        own_lines(source, one.node)
        return (inserted(source, last_line(one.node), indent(source, one.node.lineno) + text),)
    first = one.handler.body[0]
    if len(one.handler.body) == 1 and isinstance(first, ast.Pass):
        return (source.change(*spot(source, first), text),)
    own_lines(source, first)
    return (inserted(source, first.lineno - 1, indent(source, first.lineno) + text),)


def _refused(module: Module, one: Expected, reason: str) -> Refusal:
    return Refusal(ID, reason, module.path, one.node.lineno)


_HEAD = """\
import pytest
from sqlalchemy.exc import IntegrityError


"""
_SPOT = Spot("test_m.py", 8)


def _cured(body: str, after: str, line: int, names: dict[str, str] | None = None, more: str = "") -> Cured:
    others = {"shop/store.py": more} if more else {}
    test = _HEAD + body
    return Cured(
        {"test_m.py": test, **others}, Spot("test_m.py", line, names or {}), {"test_m.py": _HEAD + after}
    )


_PLAIN = """\
def test_unique(session):
    session.add(User(name="a"))
    with pytest.raises(IntegrityError):
        session.commit()
"""
_ONE_LINE = """\
class TestRoles:
    def test_twice(self, store):
        store.put(Role("admin"))
        with pytest.raises(Exception): store.commit()
"""
_STORE = """\
class Store:
    def commit(self):
        self.db.session.commit()
"""
_TRY = """\
def test_unique():
    try:
        db.session.add(User())
        db.session.flush()
    except IntegrityError:
        pass
    assert User.query.count() == 0
"""
_UNITTEST = """\
class UserTest(TestCase):
    def test_unique(self):
        self.session.add(User())
        self.assertRaises(IntegrityError, self.session.commit)
        self.assertEqual(self.session.query(User).count(), 0)
"""
_ASYNC = """\
async def test_unique(db):
    with pytest.raises(IntegrityError):
        db.add(User())
        await db.commit()  # refused
"""
_HELPER = """\
def test_unique(client):
    with pytest.raises(IntegrityError):
        make_user(name="a")
    assert db.session.get(User, 1)
"""
_SCOPED = """\
from shop.db import Session


def test_twice(engine):
    with pytest.raises(IntegrityError):
        order(None)


class TestOrders:
    def test_total(self, engine):
        assert Session.query(Order).one().total == 5
"""
_SERVICE = """\
from shop import services


def test_same(app):
    with app.app_context():
        with pytest.raises(IntegrityError):
            services.add("a")
        assert services.count() == 1
"""
_SHOP = {
    "shop/__init__.py": "db = SQLAlchemy()\n",
    "shop/services.py": "from shop import db\n\n\ndef add(name):\n    db.session.commit()\n",
}
_ABOVE = "test_m.py::TestOrders::test_total"
CURED = (
    Cured(
        {"test_m.py": _HEAD + _SERVICE, **_SHOP},
        Spot("shop/services.py", 5, {"poisoner": "test_m.py::test_same"}),
        {
            "test_m.py": _HEAD
            + _SERVICE.replace("services\n", "services, db\n", 1).replace(
                'add("a")\n', 'add("a")\n        db.session.rollback()\n'
            )
        },
    ),
    Cured(
        {"test_m.py": _HEAD + _SCOPED, "shop/orders.py": "def order(total):\n    Session.flush()\n"},
        Spot("shop/orders.py", 2, tests=(_ABOVE,)),
        {"test_m.py": _HEAD + _SCOPED.replace("(None)\n", "(None)\n    Session.rollback()\n")},
    ),
    _cured(_PLAIN, _PLAIN + "    session.rollback()\n", 8),
    _cured(_PLAIN, _PLAIN + "    session.rollback()\n", 6),
    _cured(
        _PLAIN + "    assert session.get(User, 1)\n",
        _PLAIN + "    session.rollback()\n    assert session.get(User, 1)\n",
        7,
    ),
    _cured(_ONE_LINE, _ONE_LINE + "        store.db.session.rollback()\n", 7, more=_STORE),
    _cured(_TRY, _TRY.replace("pass", "db.session.rollback()"), 8),
    _cured(
        _TRY.replace("pass", "seen = True"),
        _TRY.replace("pass", "db.session.rollback()\n        seen = True"),
        7,
    ),
    _cured(
        _UNITTEST,
        _UNITTEST.replace(
            "self.session.commit)\n", "self.session.commit)\n        self.session.rollback()\n"
        ),
        8,
    ),
    _cured(_ASYNC, _ASYNC + "    await db.rollback()\n", 8),
    _cured(_HELPER, _HELPER.replace('"a")\n', '"a")\n    db.session.rollback()\n'), 7),
    Cured(
        {"test_m.py": _HEAD + _PLAIN, "conftest.py": "def make():\n    return User()\n"},
        Spot("conftest.py", 2, {"poisoner": "test_m.py::test_unique"}),
        {"test_m.py": _HEAD + _PLAIN + "    session.rollback()\n"},
    ),
)
UNTOUCHED = (
    Untouched({"test_m.py": _HEAD + _PLAIN + "    session.rollback()\n"}, _SPOT, "rolled back already"),
    Untouched(
        {"test_m.py": _HEAD + "def test_user(session):\n    session.add(User())\n    session.commit()\n"},
        Spot("test_m.py", 7),
        "nothing expects the refusal",
    ),
    Untouched(
        {
            "shop/api.py": "def save(session):\n    try:\n        session.commit()\n"
            "    except IntegrityError:\n        pass\n"
        },
        Spot("shop/api.py", 3),
        "product code",
    ),
    Untouched(
        {
            "test_m.py": _HEAD
            + _PLAIN.replace("session.commit()", "with session.begin_nested():\n            x()")
        },
        _SPOT,
        "a savepoint",
    ),
    Untouched(
        {
            "test_m.py": _HEAD
            + _PLAIN.replace("(IntegrityError)", "(Duplicate)").replace("session.commit", "users.make")
        },
        _SPOT,
        "the product makes another exception of the refusal",
    ),
)
