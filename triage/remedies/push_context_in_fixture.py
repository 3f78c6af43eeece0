"""Keeps an application context pushed by the fixture that the test uses.

A fixture that yields or returns (its database, its application, its client) does so inside
`with app.app_context():`, so that the context stays until the test is over; `return` becomes `yield`.
In a `unittest` class `setUp` pushes one and has it popped as a clean-up.

Judge: every test that uses the fixture then has a context, also one that shows that the product forgets
to push its own; requests of a test client share `g` with the test.

Never touched: product code, fixtures of a wider scope than one test, fixtures that hand out in several
places, and fixtures that keep a context already.
"""

import ast
from collections.abc import Iterator

from triage.model.fix import Edit, Proposal, Reach, Refusal, Target
from triage.remedies.applications import app_fixtures, application, makes_app
from triage.remedies.blocks import indent, inserted, spot
from triage.remedies.context_fixture_examples import CURED, UNTOUCHED
from triage.remedies.contexts import (
    in_production,
    is_helper,
    leaving,
    refused,
    shares_header,
    used_in,
    wrapped,
)
from triage.remedies.imports import import_edits
from triage.remedies.needs import runs
from triage.remedies.scenes import Block, Scene, Step, family, first_line, pushes, scene_of, tested
from triage.rules.fixtures import Fixture, fixture_index
from triage.rules.source import SourceTree
from triage.rules.syntax import arguments, contains, last_line, terminal, within

ID = "push-context-in-fixture"
__all__ = ["CURED", "ID", "UNTOUCHED", "propose"]
_DATABASES = ("db", "database", "session", "db_session", "_db")


def propose(target: Target, tree: SourceTree) -> Iterator[Proposal | Refusal]:
    scene = scene_of(target, tree)
    reason = scene if isinstance(scene, str) else refused(scene) or _pushed(scene)
    if isinstance(scene, str) or reason:
        yield Refusal(ID, str(reason), target.file, target.line)
        return
    if scene.fixture is not None:
        yield _at_set_up(scene)
    elif scene.is_unittest:
        yield _in_set_up(scene)
    else:
        found = list(_of_tests(scene))
        yield from found
        if not found:
            yield Refusal(ID, "no fixture of these tests could keep a context", target.file, target.line)


def _pushed(scene: Scene) -> str:
    return "a context is pushed round this line already" if scene.pushed is not None else ""


def _judge(scene: Scene, fixture: str) -> str:
    return (
        f"{in_production(scene.target)}"
        f"whether every test that uses `{fixture}` should run inside a context: {used_in(scene.target)} may "
        "lack one in production, which none of these tests would show then; requests of a client share `g` "
        "with the test"
    )


# the line is the fixture's own


def _at_set_up(scene: Scene) -> Proposal | Refusal:
    fixture, out = scene.fixture, leaving(scene)
    if fixture is None or len(scene.functions) > 1 or len(out) != 1:
        return Refusal(ID, "it does not hand out in exactly one place", scene.source.file, scene.line)
    if out[0].lineno < scene.line:
        return Refusal(ID, "the fixture has handed out before this line", scene.source.file, scene.line)
    if fixture.scope != "function":
        return Refusal(ID, f"the fixture lives for a {fixture.scope}", scene.source.file, scene.line)
    step = next((s for s in scene.steps if _holds(s, out[0])), None)
    is_last = not isinstance(out[0], ast.Return) or out[0] is scene.functions[0].body[-1]
    if step is None or not is_last:
        return Refusal(ID, "what it hands out stands in another block", scene.source.file, scene.line)
    run = _until(step, out[0], runs(scene)[0])
    return _kept(scene, fixture, run, out[0])


def _holds(step: Step, out: ast.AST) -> bool:
    return any(contains(each, getattr(out, "lineno", 0)) for each in step.block[step.index :])


def _until(step: Step, out: ast.Return | ast.Yield, needed: list[Block]) -> Block:
    """From the statement that fails to the one that hands out, and to the last that needs a context."""
    rest = step.block[step.index :]
    last = needed[-1][-1]
    return [each for number, each in enumerate(rest) if each.lineno <= out.lineno or last in rest[number:]]


def _kept(scene: Scene, fixture: Fixture, run: Block, out: ast.Return | ast.Yield) -> Proposal | Refusal:
    """`run` inside a context that lasts until the test is over."""
    if shares_header(scene, run):
        return Refusal(ID, "the fixture is written on one line", scene.source.file, scene.line)
    edits: list[Edit] = []
    if isinstance(out, ast.Return) and run[0] == out and makes_app(out.value):
        edits = _named_first(scene, out)
    else:
        known = application(scene, first_line(run[0]))
        if isinstance(known, str):
            return Refusal(ID, known, scene.source.file, scene.line)
        edits = [*known.edits, *wrapped(scene.source, run, f"with {known.expression}.app_context():")]
        if isinstance(out, ast.Return):
            start = spot(scene.source, out)[0]
            edits.append(Edit(scene.source.file, start, start + len("return"), "yield"))
    if isinstance(out, ast.Return):
        edits += _annotated(scene, fixture)
    label = f"let the fixture `{fixture.name}` keep an application context pushed for the test"
    return Proposal(ID, label, tuple(edits), Reach.FIXTURE, _judge(scene, fixture.name))


def _named_first(scene: Scene, out: ast.Return) -> list[Edit]:
    """`return create_app()`: the application gets a name."""
    source = scene.source
    outer, (start, _) = indent(source, out.lineno), spot(source, out)
    end = spot(source, out)[1]
    lines = ("with app.app_context():", f"{source.unit}yield app")
    text = "".join(f"{source.newline}{outer}{line}" for line in lines)
    return [Edit(source.file, start, start + len("return"), "app ="), Edit(source.file, end, end, text)]


def _annotated(scene: Scene, fixture: Fixture) -> list[Edit]:
    """A generator's annotation is that of an iterator."""
    returns = fixture.node.returns
    if returns is None or terminal(getattr(returns, "value", returns)) in (
        "Iterator",
        "Generator",
        "Iterable",
    ):
        return []
    kind = "AsyncIterator" if isinstance(fixture.node, ast.AsyncFunctionDef) else "Iterator"
    known = scene.module.imports.get(kind, ("typing", kind))[0]
    start, stop = spot(scene.source, returns)
    file = scene.source.file
    around = [Edit(file, start, start, f"{kind}["), Edit(file, stop, stop, "]")]
    return [*around, *import_edits(scene.source, known, kind)]


# the line is a test's


def _of_tests(scene: Scene) -> Iterator[Proposal]:
    names = [arguments(scene.outer)] if scene.outer and not is_helper(scene) else []
    files = [scene.source.file]
    for test in scene.target.tests:
        known = tested(scene.tree, test)
        if known is not None:
            names, files = [*names, arguments(known[1])], [known[0]]
    asked = fixture_index(scene.tree).closure(tuple(name for each in names for name in each), files[0])
    if any(_keeps_one(scene, each) for each in asked):
        return
    apps = {each.node for each in app_fixtures(scene.tree, files[0])}
    ranked = sorted((each for each in asked if _rank(each, apps) < _NONE), key=lambda each: _rank(each, apps))
    for fixture in ranked[:2]:
        found = _keeping(scene, fixture)
        if isinstance(found, Proposal):
            yield found


def _keeps_one(scene: Scene, fixture: Fixture) -> bool:
    """Whether the fixture hands out inside a context."""
    out = [each for each in within(fixture.node) if isinstance(each, ast.Yield)]
    inner = scene_of(scene.target, scene.tree, fixture.file, out[0].lineno) if out else ""
    by_hand = any(
        isinstance(e, ast.Call) and terminal(e) in ("push", "enter_context") for e in within(fixture.node)
    )
    return by_hand or (not isinstance(inner, str) and inner.pushed is not None)


_NONE = 3


def _rank(fixture: Fixture, apps: set[ast.FunctionDef | ast.AsyncFunctionDef]) -> int:
    """The database's first, then the application's own, then a client's."""
    if fixture.name in _DATABASES:
        return 0
    if fixture.node in apps:
        return 1
    made = any(
        isinstance(each, ast.Call) and terminal(each) == "test_client" for each in within(fixture.node)
    )
    return 2 if made else _NONE


def _keeping(scene: Scene, fixture: Fixture) -> Proposal | Refusal:
    out = [e for e in within(fixture.node) if isinstance(e, ast.Return | ast.Yield) and e.value]
    if len(out) != 1 or fixture.scope != "function":
        return Refusal(ID, "it does not hand out in exactly one place, for one test")
    inner = scene_of(scene.target, scene.tree, fixture.file, out[0].lineno)
    if isinstance(inner, str) or len(inner.functions) != 1:
        return Refusal(ID, inner if isinstance(inner, str) else "it hands out in an inner function")
    if isinstance(out[0], ast.Return) and out[0] is not fixture.node.body[-1]:
        return Refusal(ID, "it returns in the middle")
    return _kept(inner, fixture, [inner.statement], out[0])


# unittest


def _in_set_up(scene: Scene) -> Proposal | Refusal:
    """`setUp` pushes it and has it popped; the line is its own, or that of a test."""
    classes = family(scene.tree, scene.around) if scene.around is not None else []
    own = [
        (each, method)
        for each in classes
        for method in each.body
        if isinstance(method, ast.FunctionDef) and method.name == "setUp"
    ]
    if not own:
        return Refusal(ID, "the class has no setUp", scene.source.file, scene.line)
    if any(_pushes_here(each) for each in ast.walk(own[0][1])):
        return Refusal(ID, "setUp pushes a context already", scene.source.file, scene.line)
    if scene.outer is own[0][1]:
        return _pushed_in(scene, first_line(scene.statement) - 1)
    module = next((m for m in scene.tree.modules(tests=True) if own[0][0] in m.tree.body), scene.module)
    made = [each for each in own[0][1].body if any(makes_app(node) for node in ast.walk(each))]
    inner = scene_of(scene.target, scene.tree, module.path, (made or own[0][1].body)[-1].lineno)
    if isinstance(inner, str):
        return Refusal(ID, inner, module.path, own[0][1].lineno)
    return _pushed_in(inner, last_line(inner.statement))


def _pushes_here(node: ast.AST) -> bool:
    return pushes(node) or (isinstance(node, ast.Call) and terminal(node) in ("push", "enterContext"))


def _pushed_in(inner: Scene, after: int) -> Proposal | Refusal:
    """In new lines after this one."""
    source = inner.source
    known = application(inner, after + 1)
    if isinstance(known, str):
        return Refusal(ID, known, source.file, inner.line)
    lines = (f"context = {known.expression}.app_context()", "context.push()", "self.addCleanup(context.pop)")
    outer = indent(source, inner.statement.lineno)
    edits = (*known.edits, inserted(source, after, *(outer + line for line in lines)))
    return Proposal(
        ID, "let setUp push an application context for the test", edits, Reach.FIXTURE, _judge(inner, "setUp")
    )
