"""A session that a test or fixture closes too early is closed after the last use of its objects.

`session.close()`, `db.session.remove()`, `session.expunge(...)` or `context.pop()` moves: in a test to the
end of its block, in a fixture behind a `yield`, in a `setUp` to the clean-up of the test.

To judge: a test may close its session on purpose, to read its rows anew; what follows then has to be read
anew in another way (the second proposal: `expire_all()`). In product code a `close()` right before the object
is returned goes only where the session belongs to the application's context, which ends it anyway; everything
else there is left to a person: load what the caller needs before the session is closed.
"""

import ast
from collections.abc import Iterable

from triage.model.fix import Edit, Proposal, Reach, Refusal, Target
from triage.remedies.blocks import (
    Block,
    body_indent,
    first_line,
    following,
    indent,
    inserted,
    inserted_text,
    last_line,
    moved_text,
    own_lines,
    removed,
    shifted,
    siblings,
    spot,
)
from triage.remedies.cleanups import cleanup, into_teardown, teardown
from triage.remedies.endings import Ending, ending
from triage.remedies.example import Cured, Spot, Untouched
from triage.remedies.source import SourceFile, open_source
from triage.remedies.yielding import (
    called_directly,
    falls_through,
    is_last,
    returns,
    statement_of,
    yielding,
    yields,
)
from triage.rules.involved import SETUPS
from triage.rules.sessions import session_facts
from triage.rules.source import Module, SourceTree
from triage.rules.syntax import arguments, assigned, dotted, owner, terminal, text, within

ID = "keep-session-open-for-test"
_JUDGE = "`{what}` may stand there on purpose, so that what follows reads the rows anew."
_FRESH = frozenset({"close", "remove", "expunge_all"})


def propose(target: Target, tree: SourceTree) -> Iterable[Proposal | Refusal]:
    place = ending(target, tree)
    if place is None or place.block is not None or not isinstance(place.node, ast.Expr):
        return
    if _is_final(place) or place.function.name.lower().startswith("teardown"):
        return
    source = open_source(tree, place.module.path)
    own_lines(source, place.node)
    if place.fixture is not None:
        called = called_directly(tree, place.fixture)
        found = f"it is called as a function, too ({called})" if called else _in_fixture(source, place)
        yield _result(place, found, "closes behind its `yield`", Reach.FIXTURE)
    elif not place.module.is_test:
        yield _in_product(source, place, tree)
    elif place.function.name in SETUPS:
        yield _result(place, _in_setup(source, place), "closes after the test", Reach.FIXTURE)
    elif place.function.name.startswith("test"):
        yield from _in_test(source, place)
    else:
        yield _result(place, _dropped(source, place), "leaves the session to its caller", Reach.FIXTURE)


def _is_final(place: Ending) -> bool:
    """A `finally` that closes is a block; other remedies keep it open."""
    tries = (each for each in place.module.ancestors(place.node) if isinstance(each, ast.Try))
    return any(place.node in ast.walk(final) for each in tries for final in each.finalbody)


def _result(place: Ending, found: list[Edit] | str, does: str, reach: Reach) -> Proposal | Refusal:
    what, name = text(place.node), place.function.name
    if isinstance(found, str):
        return Refusal(ID, f"`{what}` in `{name}`: {found}", place.module.path, place.node.lineno)
    return Proposal(ID, f"`{name}` {does} (`{what}`)", tuple(found), reach, _JUDGE.format(what=what))


def _behind(source: SourceFile, node: ast.stmt, after: int, white: str) -> list[Edit]:
    """The statement's lines below line `after`, at this indentation."""
    old = indent(source, node.lineno)
    body = moved_text(source, first_line(node), last_line(node), old, white)
    return [removed(source, node), inserted_text(source, after, body)]


def _in_fixture(source: SourceFile, place: Ending) -> list[Edit] | str:
    module, function, node = place.module, place.function, place.node
    tail, white = following(module, node), indent(source, node.lineno)
    handed = yields(function)
    if handed:
        holder = next((each for each in tail if handed[0] in ast.walk(each)), None)
        if len(handed) > 1 or holder is None:
            return "its `yield` does not follow in the same block"
        return _behind(source, node, last_line(holder), white)
    found = returns(function)
    if not found:
        last = last_line(tail[-1]) if tail else last_line(node)
        return [inserted(source, last, f"{white}yield"), *_behind(source, node, last, white)]
    if falls_through(function.body):
        return "on one path the fixture hands out nothing"
    holders = [_holder(module, each, tail) for each in found]
    if (
        tail
        and all(each is tail[-1] for each in holders)
        and all(is_last(module, function, r) for r in found)
    ):
        return [*yielding(source, module, function), *_behind(source, node, last_line(tail[-1]), white)]
    return _out_of_block(source, place, found)


def _out_of_block(source: SourceFile, place: Ending, found: list[ast.Return]) -> list[Edit] | str:
    """It closes inside a block, and the `return` stands below: that moves into the block, too."""
    module, node = place.module, place.node
    block = module.parents.get(node)
    if not isinstance(block, Block) or following(module, node):
        return "the `return` does not follow in the same block"
    tail = following(module, block)
    if (
        not tail
        or len(found) != 1
        or found[0] is not tail[-1]
        or not is_last(module, place.function, found[0])
    ):
        return "the `return` does not follow in the same block"
    inner, outer = body_indent(source, block), indent(source, block.lineno)
    shift = shifted(source, last_line(block) + 1, last_line(tail[-1]), outer, inner)
    return [
        *shift,
        *yielding(source, module, place.function),
        *_behind(source, node, last_line(tail[-1]), inner),
    ]


def _holder(module: Module, node: ast.AST, tail: list[ast.stmt]) -> ast.stmt | None:
    statement = statement_of(module, node)
    return next((each for each in (statement, *module.ancestors(statement)) if each in tail), None)


def _in_test(source: SourceFile, place: Ending) -> Iterable[Proposal | Refusal]:
    module, node = place.module, place.node
    parent, tail = module.parents.get(node), following(module, node)
    if not (parent is place.function or isinstance(parent, Block)):
        yield _result(place, "it stands in a branch or a loop of the test", "", Reach.TEST)
    elif not tail:
        yield _result(place, "nothing follows in its block", "", Reach.TEST)
    else:
        last = tail[-2] if isinstance(tail[-1], ast.Return | ast.Raise) and len(tail) > 1 else tail[-1]
        edits = _behind(source, node, last_line(last), indent(source, node.lineno))
        yield _result(place, edits, "closes after the last use", Reach.TEST)
        yield from _fresh(source, place)


def _fresh(source: SourceFile, place: Ending) -> Iterable[Proposal]:
    """The rows are read anew, and the objects keep their session."""
    call = place.call
    if call is None or terminal(call) not in _FRESH or call.args or not isinstance(place.node, ast.Expr):
        return
    if "session" not in dotted(owner(call)).lower():
        return
    fresh = f"{text(owner(call))}.expire_all()"
    start, stop = spot(source, place.node.value)
    label = f"`{place.function.name}` reads its rows anew without closing the session (`{fresh}`)"
    judge = f"`{text(call)}` also ends the transaction: check that nothing was left to roll back."
    yield Proposal(ID, label, (source.change(start, stop, fresh),), Reach.STATEMENT, judge)


def _in_setup(source: SourceFile, place: Ending) -> list[Edit] | str:
    call, function = place.call, place.function
    if call is None or place.module.parents.get(place.node) is not function:
        return "it is no plain statement of the method"
    root = dotted(call.func).partition(".")[0]
    is_local = root in _locals(place) or not root
    if not is_local and (teardown(place.module, function) or function.name.startswith("setup_")):
        edit = into_teardown(source, place.module, function, text(place.node), is_first=True)
        return [removed(source, place.node), edit] if edit is not None else "the class cannot be read"
    value = place.node.value if isinstance(place.node, ast.Expr) else call
    line = cleanup(function, call, is_awaited=isinstance(value, ast.Await))
    if line is None:
        return "only this method knows the session"
    return [source.change(*spot(source, value), line)]


def _locals(place: Ending) -> set[str]:
    found = {name for node in within(place.function) for name, _ in assigned(node)}
    return found | set(arguments(place.function)[1:])


def _dropped(source: SourceFile, place: Ending) -> list[Edit] | str:
    """A helper of the tests closes a session that is not its own."""
    call = place.call
    root = dotted(owner(call)).partition(".")[0] if call is not None else ""
    own = {name for node in within(place.function) for name, _ in assigned(node)}
    if not root or root in own or siblings(place.module, place.node) == [place.node]:
        return "the session is the helper's own; let it take the session of the test"
    return [removed(source, place.node)]


def _in_product(source: SourceFile, place: Ending, tree: SourceTree) -> Proposal | Refusal:
    call, tail = place.call, following(place.module, place.node)
    is_shared = call is not None and session_facts(tree).removed_with_context
    root = dotted(owner(call)).partition(".")[0] if call is not None else ""
    own = {name for node in within(place.function) for name, _ in assigned(node)}
    handed = tail[0] if tail and isinstance(tail[0], ast.Return) else None
    if not is_shared or not root or root in own or handed is None or handed.value is None:
        reason = (
            "product code ends the session; load what the caller needs before that, or let the caller end it"
        )
        return Refusal(ID, reason, place.module.path, place.node.lineno)
    judge = (
        "Product code: the session now lives until its application context ends."
        f" Check that `{place.function.name}` is not called in a loop or a job that runs"
        " for long, where the session has to be given back early."
    )
    label = f"`{place.function.name}` leaves its session to the application context (`{text(call)}`)"
    return Proposal(ID, label, (removed(source, place.node),), Reach.PRODUCT, judge)


_AT = "tests/test_shop.py"
_M = "import pytest\nfrom shop import Session, Tenant, db\n\n\n"
_FIX = _M + "@pytest.fixture\ndef tenant(session):\n    tenant = session.get(Tenant, 1)\n"
_TEST = _M + "def test_it(session):\n    tenant = session.get(Tenant, 1)\n"
_CASE = _M + "class TestIt(TestCase):\n    def setUp(self):\n        self.tenant = Tenant()\n"


def _cured(head: str, before: str, after: str, choice: int = 0) -> Cured:
    return Cured({_AT: head + before}, Spot(_AT, head.count("\n") + 1), {_AT: head + after}, choice)


CURED: tuple[Cured, ...] = (
    _cured(
        _FIX,
        "    session.close()  # done\n    return tenant\n",
        "    yield tenant\n    session.close()  # done\n",
    ),
    _cured(
        _FIX,
        "    session.close()\n    yield tenant\n    db.drop_all()\n",
        "    yield tenant\n    session.close()\n    db.drop_all()\n",
    ),
    _cured(
        _TEST,
        "    session.close()\n    assert tenant.orders == []\n    assert tenant.name\n",
        "    assert tenant.orders == []\n    assert tenant.name\n    session.close()\n",
    ),
    _cured(
        _TEST,
        "    session.close()\n    assert tenant.orders == []\n",
        "    session.expire_all()\n    assert tenant.orders == []\n",
        1,
    ),
    _cured(
        _CASE,
        "        db.session.remove()\n\n    def tearDown(self):\n        db.drop_all()\n",
        "\n    def tearDown(self):\n        db.session.remove()\n        db.drop_all()\n",
    ),
    _cured(
        _CASE,
        "        db.session.remove()\n        self.x = 1\n",
        "        self.addCleanup(db.session.remove)\n        self.x = 1\n",
    ),
    _cured(
        _CASE.replace("(TestCase)", "").replace("setUp", "setup_method"),
        "        db.session.remove()\n\n    def test_it(self):\n        assert self.tenant.name\n",
        "\n    def teardown_method(self):\n        db.session.remove()\n"
        "\n    def test_it(self):\n        assert self.tenant.name\n",
    ),
    _cured(
        _M + "def find(session):\n    tenant = session.get(Tenant, 1)\n",
        "    session.close()\n    return tenant\n",
        "    return tenant\n",
    ),
    Cured(
        {
            "shop.py": "from flask_sqlalchemy import SQLAlchemy\ndb = SQLAlchemy()\n\n\ndef make():\n"
            "    tenant = Tenant()\n    db.session.remove()\n    return tenant\n"
        },
        Spot("shop.py", 7),
        {
            "shop.py": "from flask_sqlalchemy import SQLAlchemy\ndb = SQLAlchemy()\n\n\ndef make():\n"
            "    tenant = Tenant()\n    return tenant\n"
        },
    ),
)


def _untouched(head: str, body: str, because: str, file: str = _AT) -> Untouched:
    return Untouched({file: head + body}, Spot(file, head.count("\n") + 1), because)


UNTOUCHED: tuple[Untouched, ...] = (
    _untouched(
        "def find(engine):\n    s = Session(engine)\n    found = s.get(Tenant, 1)\n",
        "    s.close()\n    return found\n",
        "product code that owns its session",
        "shop.py",
    ),
    _untouched(_TEST, "    session.close()\n", "nothing follows"),
    _untouched(
        _TEST + "    if tenant:\n",
        "        session.close()\n    assert tenant.name\n",
        "closed in a branch only",
    ),
    _untouched(
        _M + "def find(engine):\n    s = Session(engine)\n    found = s.get(Tenant, 1)\n",
        "    s.close()\n    return found\n",
        "the helper's own session would be lost with it",
    ),
)
