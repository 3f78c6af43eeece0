"""The fixture that makes the application yields it inside a context, and the inner block goes.

Where many fixtures make objects in blocks of their own (`with app.app_context():`), one context that stays
open for the whole test serves them all. An inner block has a session of its own and would still close it at
its end, so the block of the fixture that let its object go is removed in the same step.

To judge: every test that asks for the application then runs inside a context, so product code that needs one
and does not push it (a command, a job) passes its tests and fails in use. It never touches a fixture that is
used without the application's fixture, or a block that opens more than a context.
"""

from collections.abc import Iterable

from triage.model.fix import Edit, Proposal, Reach, Refusal, Target
from triage.remedies.blocks import unwrapped
from triage.remedies.contexts_open import app_edits, app_fixture, is_context, opens_context
from triage.remedies.endings import Ending, ending
from triage.remedies.example import Cured, Spot, Untouched
from triage.remedies.source import open_source
from triage.remedies.yielding import called_directly
from triage.rules.fixtures import Fixture
from triage.rules.source import SourceTree
from triage.rules.syntax import terminal

ID = "fixture-yields-app-inside-context"
_JUDGE = (
    "Every test with `{name}` then runs inside a context:"
    " product code that lacks one of its own is not noticed."
)
_REQUESTS = frozenset({"test_client", "test_request_context"})
_ALONE = "The fixture then shares the session of `{name}`, and works only where that holds a context."


def propose(target: Target, tree: SourceTree) -> Iterable[Proposal | Refusal]:
    place = ending(target, tree)
    if place is not None and not place.module.is_test and place.fixture is None:
        return
    file = place.module.path if place is not None else target.file
    app = app_fixture(target, tree, place.function if place is not None else None, file)
    if app is None or (place is not None and place.fixture == app):
        return
    module = tree.module(app.file)
    if module is None or called_directly(tree, app):
        return
    outer = app_edits(open_source(tree, app.file), module, app)
    inner = _inner(place, tree)
    if inner and place is not None and (outer or opens_context(app.node)):
        yield _proposal(app, [*outer, *inner], place.function.name, alone=not outer)
    elif outer and not inner and _may_help(place):
        yield _proposal(app, outer, "", alone=False)


def _inner(place: Ending | None, tree: SourceTree) -> list[Edit]:
    """The block of a fixture or helper; a test's own block stands for itself."""
    if place is None or place.block is None or not is_context(place.block):
        return []
    if place.fixture is None and place.function.name.startswith("test"):
        return []
    return unwrapped(open_source(tree, place.module.path), place.block)


def _may_help(place: Ending | None) -> bool:
    """A request takes over a context that is open; a block or a call that closes would close as before."""
    if place is None or place.block is None:
        return place is None or place.call is None
    return any(terminal(item.context_expr) in _REQUESTS for item in place.block.items)


def _proposal(app: Fixture, edits: list[Edit], inner: str, *, alone: bool) -> Proposal:
    gone = f"the block in `{inner}` goes" if inner else ""
    outer = f"fixture `{app.name}` yields inside a context"
    label = (
        f"{gone}, `{app.name}` holds a context"
        if alone
        else ", ".join(each for each in (outer, gone) if each)
    )
    reach = Reach.FIXTURE if alone else Reach.SUITE if app.file.endswith("conftest.py") else Reach.MODULE
    return Proposal(ID, label, tuple(edits), reach, (_ALONE if alone else _JUDGE).format(name=app.name))


_AT = "tests/conftest.py"
_M = "import pytest\nfrom shop import Tenant, create_app, db\n\n\n"
_APP = _M + "@pytest.fixture\ndef app():\n"
_TENANT = "\n\n@pytest.fixture\ndef tenant(app):\n"
_BLOCK = (
    "    with app.app_context():\n        # the only one\n        tenant = Tenant(\n"
    "            name='Ann',\n        )\n"
    "        db.session.commit()\n        return tenant\n"
)
_FLAT = (
    "    # the only one\n    tenant = Tenant(\n        name='Ann',\n    )\n"
    "    db.session.commit()\n    return tenant\n"
)


def _cured(before: str, after: str) -> Cured:
    text = _APP + before + _TENANT + _BLOCK
    line = text[: text.index("# the only one")].count("\n")
    return Cured({_AT: text}, Spot(_AT, line, {"fixture": "tenant"}), {_AT: _APP + after + _TENANT + _FLAT})


CURED: tuple[Cured, ...] = (
    _cured(
        "    application = create_app()\n    return application\n",
        "    application = create_app()\n    with application.app_context():\n        yield application\n",
    ),
    _cured(
        "    return create_app({'TESTING': True})\n",
        "    app = create_app({'TESTING': True})\n    with app.app_context():\n        yield app\n",
    ),
    _cured(
        "    a = create_app()\n    with a.app_context():\n        db.create_all()\n"
        "    yield a\n    db.drop()\n",
        "    a = create_app()\n    with a.app_context():\n        db.create_all()\n"
        "        yield a\n    db.drop()\n",
    ),
    _cured(
        "    a = create_app()\n    try:\n        yield a\n    finally:\n        a.stop()\n",
        "    a = create_app()\n    try:\n        with a.app_context():\n            yield a\n"
        "    finally:\n        a.stop()\n",
    ),
    _cured(
        "    a = create_app()\n    with a.app_context():\n        yield a\n",
        "    a = create_app()\n    with a.app_context():\n        yield a\n",
    ),
)
_OTHER = _BLOCK.replace("with app.app_context()", "with Session() as session")
UNTOUCHED: tuple[Untouched, ...] = (
    Untouched(
        {_AT: _APP + "    a = create_app()\n    with a.app_context():\n        yield a\n" + _TENANT + _OTHER},
        Spot(_AT, 14),
        "the block opens a session of its own",
    ),
    Untouched(
        {_AT: _M + _BLOCK.replace("    with", "def x(app):\n    with", 1)}, Spot(_AT, 6), "no such fixture"
    ),
)
