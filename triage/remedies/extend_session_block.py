"""The statements below a block that use the objects made in it move into it, or the block goes.

In a test, `with app.app_context():` or `with Session() as session:` ends before its objects are used: what
follows is indented into the block, as far as the last use. Where a context is open around it already, the
inner block goes instead. A helper of the tests that returns an object out of a block of its own loses that
block where its callers have a context, and they get one where they have none; a `setUp` ends its block with
the test.

To judge: what moves into a block runs in its session, and it hides a missing context in what the test calls.
It never touches product code, nor a helper whose session would be lost with its block.
"""

import ast
from collections.abc import Iterable, Iterator

from triage.model.fix import Edit, Proposal, Reach, Refusal, Target
from triage.remedies.blocks import (
    Block,
    body_indent,
    first_line,
    following,
    indent,
    inserted_text,
    last_line,
    line_end,
    moved_text,
    own_lines,
    shifted,
    unwrapped,
)
from triage.remedies.cleanups import cleanup, into_teardown
from triage.remedies.contexts_open import has_flask_plugin, head_text, in_context, is_context
from triage.remedies.endings import Ending, enclosing_function, ending
from triage.remedies.example import Cured, Spot, Untouched
from triage.remedies.helper_blocks import callers, lifted, wrapped_callers
from triage.remedies.source import SourceFile, open_source
from triage.remedies.uses import bound, used_through
from triage.rules.fixtures import fixture_index
from triage.rules.involved import SETUPS
from triage.rules.source import SourceTree
from triage.rules.syntax import arguments, terminal, text

ID = "extend-session-block"
_LONGER = "What moved in runs in the block's session; a missing context in what it calls is not noticed."
_MANY = 12  # callers; more of them are no small change
_OUTER = "The code then shares the session of the context around it."


def propose(target: Target, tree: SourceTree) -> Iterable[Proposal | Refusal]:
    place = ending(target, tree)
    if place is None or place.fixture is not None:
        return
    block = place.block
    if not place.module.is_test:
        if block is not None:
            reason = (
                "product code hands an object out of its session; load what the caller needs inside the block"
            )
            yield Refusal(ID, reason, place.module.path, block.lineno)
        return
    source = open_source(tree, place.module.path)
    if place.function.name.startswith("test"):
        yield from _in_test(source, place, tree)
    elif block is not None and place.function.name in SETUPS:
        yield from _in_setup(source, place, block)
    elif block is not None:
        yield from _in_helper(place, block, tree)


def _in_test(source: SourceFile, place: Ending, tree: SourceTree) -> Iterator[Proposal | Refusal]:
    block = place.block
    if block is None:
        yield from _into_try(source, place)
        return
    if is_context(block) and in_context(place.module, block, tree):
        name = place.function.name
        label = f"`with {head_text(source, block)}` in `{name}` goes: a context is open around it"
        yield Proposal(ID, label, tuple(unwrapped(source, block)), Reach.TEST, _OUTER)
    tail = following(place.module, block)
    count = used_through(tail, bound([block]))
    if not count:
        reason = "nothing below the block uses what was made in it"
        yield Refusal(ID, reason, place.module.path, block.lineno)
        return
    inner, outer = body_indent(source, block), indent(source, block.lineno)
    for number in dict.fromkeys((count, len(tail))):
        own_lines(source, *tail[:number])
        edits = shifted(source, last_line(block) + 1, last_line(tail[number - 1]), outer, inner)
        label = f"{_what(number)} of `{place.function.name}` moved into `with {head_text(source, block)}`"
        yield Proposal(ID, label, tuple(edits), Reach.TEST, _LONGER)


def _what(number: int) -> str:
    return "the next statement" if number == 1 else f"the next {number} statements"


def _into_try(source: SourceFile, place: Ending) -> Iterator[Proposal]:
    """A `finally` closes: what follows the `try` moves to the end of its body."""
    for each in place.module.ancestors(place.node):
        if isinstance(each, ast.Try) and any(place.node in ast.walk(final) for final in each.finalbody):
            tail = following(place.module, each)
            count = used_through(tail, bound(each.body))
            if not count or each.orelse:
                return
            own_lines(source, *tail)
            first, last = first_line(tail[0]), last_line(tail[count - 1])
            old, new = indent(source, each.lineno), body_indent(source, each)
            body = moved_text(source, first, last, old, new)
            gone = Edit(source.file, source.offset(first, 0), line_end(source, last), "")
            edits = (inserted_text(source, last_line(each.body[-1]), body), gone)
            yield Proposal(
                ID,
                f"{_what(count)} of `{place.function.name}` moved into the `try`",
                edits,
                Reach.TEST,
                _LONGER,
            )
            return


def _in_setup(source: SourceFile, place: Ending, block: Block) -> Iterator[Proposal | Refusal]:
    edits = _until_teardown(source, place, block)
    what = f"`with {head_text(source, block)}` in `{place.function.name}`"
    if edits is None:
        yield Refusal(ID, f"{what} cannot end in a clean-up", place.module.path, block.lineno)
    else:
        yield Proposal(ID, f"{what} ends with the test", tuple(edits), Reach.FIXTURE, _LONGER)


def _until_teardown(source: SourceFile, place: Ending, block: Block) -> list[Edit] | None:
    """`context = app.app_context()`, pushed here and popped in the clean-up; likewise a session."""
    item, function = block.items[0], place.function
    named = item.optional_vars
    pushes = is_context(block)
    if len(block.items) != 1 or not (pushes or isinstance(named, ast.Name)) or not arguments(function):
        return None
    if terminal(item.context_expr) == "begin":
        return None
    own = arguments(function)[0]
    by_cleanup = not function.name.startswith("setup_")
    name = text(named) if isinstance(named, ast.Name) else "context"
    name = name if by_cleanup else f"{own}.{name}"
    end = f"{name}.{'pop' if pushes else 'close'}"
    is_async = isinstance(block, ast.AsyncWith)
    call = ast.parse(f"{end}()", mode="eval").body
    line = cleanup(function, call, is_awaited=is_async) if by_cleanup and isinstance(call, ast.Call) else None
    later = None
    if not by_cleanup:
        if not pushes:
            return None
        later = into_teardown(source, place.module, function, f"{end}()", is_first=False)
    if line is None and later is None:
        return None
    white = indent(source, block.lineno)
    lines = [f"{name} = {head_text(source, block)}", f"{name}.push()" if pushes else "", line or ""]
    head, *body = unwrapped(source, block)
    start = "".join(f"{white}{each}{source.newline}" for each in lines if each)
    first = Edit(head.file, head.start, head.stop, start)
    return [first, *body, *([later] if later is not None else [])]


def _in_helper(place: Ending, block: Block, tree: SourceTree) -> Iterator[Proposal | Refusal]:
    outer = enclosing_function(place.module, place.function)
    name = place.function.name
    if outer is not None and outer in fixture_index(tree).nodes:
        edits = lifted(place, block, outer, tree)
        if edits is not None:
            label = f"the block of `{name}` moves round what fixture `{outer.name}` hands out"
            yield Proposal(ID, label, tuple(edits), Reach.FIXTURE, _LONGER)
            return
    if not is_context(block):
        reason = f"`{name}` opens a session of its own; let it take the session of the test"
        yield Refusal(ID, reason, place.module.path, block.lineno)
        return
    yield from _without_block(place, block, tree)


def _without_block(place: Ending, block: Block, tree: SourceTree) -> Iterator[Proposal]:
    """First what the text shows to hold: contexts of the callers, or new ones for those without."""
    name = place.function.name
    found = callers(place, tree)
    bare = [each for each in found if not each.is_covered]
    edits = tuple(unwrapped(open_source(tree, place.module.path), block))
    label = f"helper `{name}` works in the context of its callers"
    known = [Proposal(ID, label, edits, Reach.FIXTURE, _OUTER)]
    wrapped = wrapped_callers(place, block, bare, tree) if 0 < len(bare) <= _MANY else None
    if wrapped is not None:
        label += f"; {len(bare)} of them get one"
        known.append(Proposal(ID, label, tuple(wrapped), Reach.MODULE, _LONGER))
    is_likely = len(bare) < len(found) or has_flask_plugin(tree)
    yield from known if is_likely else known[::-1]


_AT = "tests/test_shop.py"
_M = "import pytest\nfrom shop import Session, Tenant, app, db, find\n\n\n"
_TEST = _M + "def test_it(app):\n    with app.app_context():\n        tenant = find(1)\n"
_NESTED = _M + "def test_it(app):\n    with app.app_context():\n        db.create_all()\n"
_LOAD = (
    _M + "def load(app, key):\n    with app.app_context():\n        return db.session.get(Tenant, key)\n\n\n"
)
_FLAT = _M + "def load(app, key):\n    return db.session.get(Tenant, key)\n\n\n"


def _cured(before: str, after: str, line: int = 6, choice: int = 0) -> Cured:
    return Cured({_AT: before}, Spot(_AT, line), {_AT: after}, choice)


CURED: tuple[Cured, ...] = (
    _cured(
        _TEST + "    # now\n    assert tenant.name\n    key = 1\n    assert key\n",
        _TEST + "        # now\n        assert tenant.name\n    key = 1\n    assert key\n",
    ),
    _cured(
        _TEST + "    orders = tenant.orders\n    text = '''\n  a'''\n    assert [o.name for o in orders]\n",
        _TEST + "        orders = tenant.orders\n        text = '''\n  a'''\n"
        "        assert [o.name for o in orders]\n",
    ),
    _cured(
        _TEST + "    assert tenant.name\n    assert True is True\n",
        _TEST + "        assert tenant.name\n        assert True is True\n",
        choice=1,
    ),
    _cured(
        _NESTED + "        with app.app_context():\n            user = find(1)\n        assert user.name\n",
        _NESTED + "        user = find(1)\n        assert user.name\n",
        8,
    ),
    _cured(
        _M + "def test_it():\n    s = Session()\n    try:\n        t = s.get(Tenant, 1)\n"
        "    finally:\n        s.close()\n"
        "    assert t.orders == []\n",
        _M + "def test_it():\n    s = Session()\n    try:\n        t = s.get(Tenant, 1)\n"
        "        assert t.orders == []\n"
        "    finally:\n        s.close()\n",
        10,
    ),
    _cured(
        _LOAD + "def test_it(app):\n    tenant = load(app, 1)\n    assert tenant.name\n",
        _FLAT + "def test_it(app):\n    with app.app_context():\n        tenant = load(app, 1)\n"
        "        assert tenant.name\n",
    ),
    _cured(
        _LOAD + "def test_it(app):\n    with app.app_context():\n        assert load(app, 1).name\n",
        _FLAT + "def test_it(app):\n    with app.app_context():\n        assert load(app, 1).name\n",
    ),
    _cured(
        _LOAD + "@pytest.fixture\ndef one(app):\n    return load(app, 1)\n",
        _FLAT + "@pytest.fixture\ndef one(app):\n    with app.app_context():\n        yield load(app, 1)\n",
    ),
    _cured(
        _M + "@pytest.fixture\ndef make(app):\n    def build():\n        with app.app_context():\n"
        "            return find(1)\n\n    return build\n",
        _M + "@pytest.fixture\ndef make(app):\n    def build():\n        return find(1)\n\n"
        "    with app.app_context():\n        yield build\n",
        8,
    ),
    _cured(
        _M + "class TestIt(TestCase):\n    def setUp(self):\n        with app.app_context():\n"
        "            self.tenant = find(1)\n",
        _M + "class TestIt(TestCase):\n    def setUp(self):\n        context = app.app_context()\n"
        "        context.push()\n        self.addCleanup(context.pop)\n        self.tenant = find(1)\n",
        7,
    ),
    _cured(
        _M + "class TestIt:\n    def setup_method(self):\n        with app.app_context():\n"
        "            self.tenant = find(1)\n\n    def test_it(self):\n        assert self.tenant.name\n",
        _M + "class TestIt:\n    def setup_method(self):\n        self.context = app.app_context()\n"
        "        self.context.push()\n        self.tenant = find(1)\n\n"
        "    def teardown_method(self):\n        self.context.pop()\n\n"
        "    def test_it(self):\n        assert self.tenant.name\n",
        7,
    ),
    _cured(
        _M + "class TestIt(TestCase):\n    def setUp(self):\n        with Session() as session:\n"
        "            self.tenant = session.get(Tenant, 1)\n",
        _M + "class TestIt(TestCase):\n    def setUp(self):\n        session = Session()\n"
        "        self.addCleanup(session.close)\n        self.tenant = session.get(Tenant, 1)\n",
        7,
    ),
)
UNTOUCHED: tuple[Untouched, ...] = (
    Untouched({_AT: _TEST + "    assert app\n"}, Spot(_AT, 6), "nothing below uses what was made"),
    Untouched({"shop.py": _LOAD}, Spot("shop.py", 6), "product code"),
    Untouched(
        {
            _AT: _LOAD.replace("app.app_context()", "Session() as s")
            + "def test_it():\n    assert load(None, 1)\n"
        },
        Spot(_AT, 6),
        "the session would be lost with the block",
    ),
    Untouched(
        {_AT: _M + "@pytest.fixture\ndef one(app):\n    with app.app_context():\n        return find(1)\n"},
        Spot(_AT, 7),
        "a fixture, which yields",
    ),
)
