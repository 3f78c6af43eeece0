"""Gives code that needs a request a made-up one, round the statements that need it.

The statement that fails and what uses its results goes into `with app.test_request_context():`. Where
the test pushes an application context only, that becomes a request's. A view that is called directly gets the
path and the method of its route.

Judge: the made-up request has no data, no headers and no user; a view is better called through
`app.test_client()`, which runs its hooks. Code that production calls outside of requests is a defect of the
product.

Never touched: product code, code that runs in a thread of its own, and lines inside a request's context.
"""

import ast
from collections.abc import Iterator

from triage.model.fix import Edit, Proposal, Refusal, Target
from triage.remedies.blocks import spot
from triage.remedies.contexts import (
    callers,
    in_production,
    is_helper,
    leaving,
    reach,
    refused,
    used_in,
    with_context,
)
from triage.remedies.example import Cured, Spot, Untouched
from triage.remedies.scenes import Scene, scene_of
from triage.rules.source import SourceTree
from triage.rules.syntax import Function, keyword, owner, string, terminal

ID = "push-request-context"
_LABEL = "push a request context round the statements that need one"


def propose(target: Target, tree: SourceTree) -> Iterator[Proposal | Refusal]:
    scene = scene_of(target, tree)
    reason = scene if isinstance(scene, str) else refused(scene)
    if isinstance(scene, str) or reason:
        yield Refusal(ID, reason, target.file, target.line)
        return
    pushed = _pushed(scene)
    if pushed is not None:
        yield _instead(scene, pushed)
    else:
        yield from _around(scene)


def _around(scene: Scene) -> Iterator[Proposal | Refusal]:
    calls = list(callers(scene)) if is_helper(scene) else []
    if calls and not any(_at_call(each) for each in calls):
        yield Refusal(
            ID, "no request can be pushed where the tests call this", scene.target.file, scene.target.line
        )
        return
    own = with_context(scene, _call(scene))
    elsewhere = _of_callers(scene) if is_helper(scene) else None
    here = own if isinstance(own, str) else Proposal(ID, _LABEL, own, reach(scene), _judge(scene))
    if elsewhere is not None and (leaving(scene) or isinstance(here, str)):
        yield elsewhere
    if not isinstance(here, str):
        yield here
    elif elsewhere is None:
        yield Refusal(ID, here, scene.target.file, scene.target.line)


def _of_callers(scene: Scene) -> Proposal | None:
    found = [_at_call(each) for each in callers(scene)]
    edits = [edit for each in found for edit in each]
    if not edits or not all(found):
        return None
    return Proposal(ID, _LABEL, tuple(dict.fromkeys(edits)), reach(scene), _judge(scene))


def _at_call(caller: Scene) -> tuple[Edit, ...]:
    pushed = _pushed(caller)
    if pushed is not None:
        instead = _instead(caller, pushed)
        return instead.edits if isinstance(instead, Proposal) else ()
    found = with_context(caller, _call(caller))
    return () if isinstance(found, str) else found


def _judge(scene: Scene) -> str:
    return (
        f"{in_production(scene.target, is_request=True)}"
        f"whether {used_in(scene.target)} is called inside a request in production, and whether the "
        "made-up request has what it reads (path, method, data, headers, signed-in user); a view is "
        "better sent a request by `app.test_client()`"
    )


def _pushed(scene: Scene) -> ast.Call | None:
    """The call of the `with` round the line that pushes a context."""
    if scene.pushed is None:
        return None
    calls = [item.context_expr for item in scene.pushed.items]
    return next(
        (each for each in calls if isinstance(each, ast.Call) and terminal(each).endswith("_context")), None
    )


def _instead(scene: Scene, call: ast.Call) -> Proposal | Refusal:
    """A request's context is an application's, too."""
    target, holder = scene.target, owner(call)
    if terminal(call) != "app_context" or holder is None:
        return Refusal(ID, "a request is pushed round this line already", target.file, target.line)
    start, stop = spot(scene.source, holder)[1], spot(scene.source, call)[1]
    edit: Edit = scene.source.change(start, stop, f".{_call(scene)}")
    label = "push a request's context where only the application's was pushed"
    return Proposal(ID, label, (edit,), reach(scene), _judge(scene))


# path and method of a view


def _call(scene: Scene) -> str:
    """With the route of the view that is called, where it has no variable parts."""
    names = [terminal(each) for each in ast.walk(scene.statement) if isinstance(each, ast.Call)]
    for name in names:
        views = [
            (module, function)
            for module in scene.tree.modules(name.encode(), tests=False)
            for function in module.functions
            if function.name == name
        ]
        routes = [found for _, view in views if (found := _route(view)) is not None]
        if len(routes) == 1:
            return f"test_request_context({routes[0]})"
    return "test_request_context()"


def _route(view: Function) -> str | None:
    for each in view.decorator_list:
        path = string(each.args[0]) if isinstance(each, ast.Call) and each.args else None
        if not isinstance(each, ast.Call) or path is None or not path.startswith("/") or "<" in path:
            continue
        verb = terminal(each).upper() if terminal(each) in ("post", "put", "patch", "delete") else ""
        methods = keyword(each, "methods")
        given = (
            [string(item) or "" for item in methods.elts] if isinstance(methods, ast.List | ast.Tuple) else []
        )
        verb = verb or (given[0].upper() if given and "GET" not in given else "")
        return f'"{path}", method="{verb}"' if verb else f'"{path}"'
    return None


_FILE = "tests/test_shop.py"
_ONLY = "def test_it(app):\n    with app.app_context() as context:\n        assert address()\n"
_CALLED = """\
def who():
    return caller()


def test_it(app):
    found = who()
    assert found == "nobody"
"""
_PRODUCT = """\
@pages.route("/people", methods=["POST"])
def people():
    return request.path
"""

CURED = (
    Cured({_FILE: _ONLY}, Spot(_FILE, 3), {_FILE: _ONLY.replace("app_context()", "test_request_context()")}),
    Cured(
        {_FILE: _CALLED},
        Spot(_FILE, 2, tests=(f"{_FILE}::test_it",)),
        {
            _FILE: _CALLED.replace(
                '    found = who()\n    assert found == "nobody"',
                "    with app.test_request_context():\n        found = who()\n"
                '        assert found == "nobody"',
            )
        },
    ),
    Cured(
        {"shop.py": _PRODUCT, _FILE: "def test_it(client):\n    assert people()\n"},
        Spot(_FILE, 2),
        {
            _FILE: "def test_it(client):\n"
            '    with client.application.test_request_context("/people", method="POST"):\n'
            "        assert people()\n"
        },
    ),
)
UNTOUCHED = (
    Untouched(
        {_FILE: _ONLY.replace("app_context()", "test_request_context()")},
        Spot(_FILE, 3),
        "a request is there",
    ),
    Untouched({"shop.py": _PRODUCT}, Spot("shop.py", 3), "it is the product's"),
    Untouched(
        {_FILE: "def test_it(): assert caller()\n"}, Spot(_FILE, 1), "the body has no lines of its own"
    ),
)
