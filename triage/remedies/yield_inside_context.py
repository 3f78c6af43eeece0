"""A fixture yields inside its block, so that the block stays open while the test runs.

A fixture that makes an object inside `with app.app_context():` or `with Session(engine) as session:` and
returns it hands out an object whose session the block's end has closed. With `yield` instead of `return` the
block ends after the test. A `return` or `yield` below the block moves into it; a `finally` that closes counts
as a block.

It changes test support only, and nothing about what is tested. To judge, where it says so: a block that
commits at its end then does so after the test, a fixture of a module or of a whole run keeps one session for
many tests, and whatever else the block holds (a patch, a request) lasts as long. It never touches a fixture
that yields inside the block, one whose function is called directly, or one that on some path hands out
nothing.
"""

import ast
from collections.abc import Iterable, Iterator

from triage.model.fix import Edit, Proposal, Reach, Refusal, Target
from triage.model.terms import Applicability
from triage.remedies.blocks import (
    Block,
    body_indent,
    following,
    indent,
    inserted,
    last_line,
    own_lines,
    shifted,
)
from triage.remedies.endings import Ending, ending, opens_session
from triage.remedies.example import Cured, Spot, Untouched
from triage.remedies.refusals import is_session
from triage.remedies.source import SourceFile, open_source
from triage.remedies.yielding import (
    called_directly,
    falls_through,
    returns,
    statement_of,
    yielding,
    yields,
)
from triage.rules.fixtures import Fixture
from triage.rules.sessions import session_facts
from triage.rules.source import Module, SourceTree
from triage.rules.syntax import terminal, text, within

ID = "yield-inside-context"
_LONG = frozenset({"module", "package", "session"})
_SESSION_WORDS = ("session", "app_context", "begin", "maker", "closing", "uow", "unit_of_work")


def propose(target: Target, tree: SourceTree) -> Iterable[Proposal | Refusal]:
    place = ending(target, tree)
    if place is None or place.fixture is None:
        return
    block = _block(place)
    if block is None:
        return
    called = called_directly(tree, place.fixture)
    if called:
        reason = f"`{place.function.name}` is a fixture and is called as a function, too ({called})"
        yield Refusal(ID, reason, place.module.path, place.function.lineno)
        return
    source = open_source(tree, place.module.path)
    edits = _edits(source, place.module, place.fixture, block)
    if isinstance(edits, str):
        yield Refusal(ID, f"`{place.fixture.name}`: {edits}", place.module.path, block.lineno)
    else:
        yield _proposal(place.fixture, block, edits, tree)


def _block(place: Ending) -> ast.stmt | None:
    """The `with`, the `try` whose `finally` closes, or the function that only drops a session."""
    if place.block is not None:
        return place.block
    for each in place.module.ancestors(place.node):
        if isinstance(each, ast.Try) and any(place.node in ast.walk(final) for final in each.finalbody):
            return each
        if each is place.function:
            break
    return place.function if opens_session(place.node) else None


def _edits(source: SourceFile, module: Module, fixture: Fixture, block: ast.stmt) -> list[Edit] | str:
    if fixture.yields:
        return _moved_yield(source, module, fixture, block)
    handed = returns(fixture.node)
    if not handed:
        return _added_yield(source, module, fixture, block)
    if falls_through(fixture.node.body):
        return "on one path it hands out nothing"
    outside = [each for each in handed if not _is_below(module, each, block) and each.lineno > block.lineno]
    edits = list(yielding(source, module, fixture.node))
    if not outside:
        return edits
    tail = following(module, block)
    if not isinstance(block, Block) or not tail or any(not _is_in(module, each, tail) for each in outside):
        return "it hands out its value at a place that cannot move into the block"
    return [*_into(source, block, tail), *edits]


def _moved_yield(source: SourceFile, module: Module, fixture: Fixture, block: ast.stmt) -> list[Edit] | str:
    """The statements below the block, as far as the one that yields, move into it."""
    handed = yields(fixture.node)
    if any(_is_below(module, each, block) for each in handed) or block is fixture.node:
        return "it yields inside the block already"
    tail = following(module, block)
    if len(handed) != 1 or not isinstance(block, Block) or not _is_in(module, handed[0], tail):
        return "its `yield` cannot move into the block"
    holder = next(each for each in tail if handed[0] in ast.walk(each))
    return _into(source, block, tail[: tail.index(holder) + 1])


def _added_yield(source: SourceFile, module: Module, fixture: Fixture, block: ast.stmt) -> list[Edit] | str:
    """A fixture that keeps its objects elsewhere (`self.x`, `request.cls.x`) waits inside the block."""
    if not isinstance(block, Block):
        return "it hands out nothing"
    tail = following(module, block)
    if module.parents[block] is not fixture.node or _keeps_nothing(fixture):
        return "it hands out nothing"
    edits = _into(source, block, tail) if tail else []
    last = last_line(tail[-1] if tail else block)
    return [*edits, inserted(source, last, f"{body_indent(source, block)}yield")]


def _keeps_nothing(fixture: Fixture) -> bool:
    stores = (each for each in within(fixture.node) if isinstance(each, ast.Assign))
    return not any(isinstance(target, ast.Attribute) for each in stores for target in each.targets)


def _into(source: SourceFile, block: ast.stmt, tail: list[ast.stmt]) -> list[Edit]:
    own_lines(source, *tail)
    inner, outer = body_indent(source, block), indent(source, block.lineno)
    return list(shifted(source, last_line(block) + 1, last_line(tail[-1]), outer, inner))


def _is_below(module: Module, node: ast.AST, block: ast.stmt) -> bool:
    """A `finally` is not below its own `try`."""
    inside = [node, *module.ancestors(node)]
    if block not in inside:
        return False
    finals = block.finalbody if isinstance(block, ast.Try) else []
    return not any(each in inside for each in finals)


def _is_in(module: Module, node: ast.AST, statements: list[ast.stmt]) -> bool:
    statement = statement_of(module, node)
    return any(each in statements for each in (statement, *module.ancestors(statement)))


def _proposal(fixture: Fixture, block: ast.stmt, edits: list[Edit], tree: SourceTree) -> Proposal:
    judge = " ".join(_judgements(fixture, block, tree))
    label = f"fixture `{fixture.name}` yields {_called(block)} for the test"
    applicability = Applicability.UNSAFE if judge else None
    return Proposal(ID, label, tuple(edits), Reach.FIXTURE, judge, applicability)


def _called(block: ast.stmt) -> str:
    if isinstance(block, Block):
        return f"inside `with {text(block.items[0].context_expr)}`, which stays open"
    return (
        "inside its `try`, whose session stays open"
        if isinstance(block, ast.Try)
        else "and keeps its session"
    )


def _judgements(fixture: Fixture, block: ast.stmt, tree: SourceTree) -> Iterable[str]:
    if fixture.scope in _LONG:
        yield f"One session (and its context) stays open for all tests of the {fixture.scope}."
    blocks = [each for each in ast.walk(block) if isinstance(each, Block)]
    calls = [item.context_expr for each in blocks for item in each.items]
    committers = session_facts(tree).committers
    if any(terminal(each) == "begin" or terminal(each) in committers for each in calls):
        yield "The block commits at its end, now after the test: no other session sees its rows meanwhile."
    if any(terminal(each) == "test_request_context" for each in calls):
        yield "The request's context stays open too: it can hide a missing one."
    other = [each for each in _others(blocks) if terminal(each) != "test_request_context"]
    if isinstance(block, Block) and other:
        yield f"`{text(other[0])}` stays in place until the test is over, too: may the test see it?"


def _others(blocks: list[ast.With | ast.AsyncWith]) -> Iterator[ast.expr]:
    """What is neither a session nor a context, by its words or by the name that it gets (`as session`)."""
    for item in (item for each in blocks for item in each.items):
        words = text(item.context_expr).lower()
        is_named = is_session(item.optional_vars) and "patch" not in words
        if not is_named and not any(word in words for word in _SESSION_WORDS):
            yield item.context_expr


_M = "import pytest\nfrom shop import Tenant, db\n\n\n"
_HEAD = _M + "@pytest.fixture\ndef tenant(app):\n"
_MAKE = "        tenant = Tenant(name='Ann')\n        db.session.add(tenant)\n        db.session.commit()\n"
_AT = "tests/conftest.py"


def _cured(before: str, after: str, line: int, names: dict[str, str] | None = None) -> Cured:
    return Cured({_AT: before}, Spot(_AT, line, names or {"fixture": "tenant"}), {_AT: after})


def _plain(before: str, after: str) -> Cured:
    head = _HEAD + "    with app.app_context():\n" + _MAKE
    return _cured(head + before, head + after, 7)


_TYPED = "import pytest\nfrom typing import Any\n\nfrom shop import Session, Tenant\n\n\n"
_OPEN = "    with Session() as session:\n        tenant = Tenant()\n"
CURED: tuple[Cured, ...] = (
    _plain("        return tenant  # the one\n", "        yield tenant  # the one\n"),
    _plain("        return tenant, {'a': [tenant]}\n", "        yield tenant, {'a': [tenant]}\n"),
    _plain("    return tenant\n", "        yield tenant\n"),
    _plain(
        "    # as it is\n    note = '''\n    x'''\n    return tenant, note\n",
        "        # as it is\n        note = '''\n    x'''\n        yield tenant, note\n",
    ),
    _plain(
        "        if app.debug:\n            return tenant\n        else:\n            return None\n",
        "        if app.debug:\n            yield tenant\n        else:\n            yield None\n",
    ),
    _plain(
        "        if app.debug: return None\n        return tenant\n",
        "        if app.debug:\n            yield None\n            return\n        yield tenant\n",
    ),
    _plain(
        "    yield tenant\n    with app.app_context():\n        db.drop_all()\n",
        "        yield tenant\n    with app.app_context():\n        db.drop_all()\n",
    ),
    _cured(
        _TYPED + "@pytest.fixture\ndef tenant() -> Tenant:\n" + _OPEN + "        return tenant\n",
        _TYPED.replace("Any", "Any, Iterator")
        + "@pytest.fixture\ndef tenant() -> Iterator[Tenant]:\n"
        + _OPEN
        + "        yield tenant\n",
        9,
    ),
    _cured(
        _HEAD + "    session = app.session()\n    try:\n        return session.get(Tenant, 1)\n"
        "    finally:\n        session.close()\n",
        _HEAD + "    session = app.session()\n    try:\n        yield session.get(Tenant, 1)\n"
        "    finally:\n        session.close()\n",
        11,
    ),
    _cured(
        _M + "class TestIt:\n    @pytest.fixture(autouse=True)\n    def setup(self, app):\n"
        "        with app.app_context():\n            self.tenant = Tenant()\n"
        "            db.session.commit()\n",
        _M + "class TestIt:\n    @pytest.fixture(autouse=True)\n    def setup(self, app):\n"
        "        with app.app_context():\n            self.tenant = Tenant()\n"
        "            db.session.commit()\n"
        "            yield\n",
        8,
        {"fixture": "setup"},
    ),
    _cured(
        "from collections.abc import Mapping\n\n" + _M + "@pytest.fixture\nasync def tenant() -> Tenant:\n"
        "    async with Session() as s:\n        return await s.get(Tenant, 1)\n",
        "from collections.abc import Mapping, AsyncIterator\n\n"
        + _M
        + "@pytest.fixture\nasync def tenant() -> AsyncIterator[Tenant]:\n"
        "    async with Session() as s:\n        yield await s.get(Tenant, 1)\n",
        9,
    ),
)


def _untouched(body: str, because: str, line: int = 7) -> Untouched:
    return Untouched({_AT: _HEAD + "    with app.app_context():\n" + body}, Spot(_AT, line), because)


UNTOUCHED: tuple[Untouched, ...] = (
    _untouched(_MAKE + "        yield tenant\n", "it yields inside the block"),
    _untouched(_MAKE + "        return tenant\n\n\nx = tenant(None)\n", "called as a function"),
    _untouched("        if app.debug:\n            return Tenant()\n", "one path hands out nothing"),
    Untouched(
        {_AT: _M + "def make(app):\n    with app.app_context():\n        return Tenant()\n"},
        Spot(_AT, 6),
        "no fixture",
    ),
    _untouched("        db.create_all()\n", "it hands out nothing"),
)
