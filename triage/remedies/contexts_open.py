"""Application contexts: the fixture that makes the application, and where a context is open already."""

import ast
from collections.abc import Iterable, Iterator

from triage.model.fix import Edit, Target
from triage.remedies.blocks import (
    Block,
    body_indent,
    first_line,
    following,
    indent,
    last_line,
    own_lines,
    shifted,
    siblings,
    spot,
)
from triage.remedies.endings import enclosing_class, enclosing_function, test_functions
from triage.remedies.source import SourceFile
from triage.remedies.yielding import returns, statement_of, yielding, yields
from triage.rules.fixtures import Fixture, FixtureIndex, fixture_index
from triage.rules.involved import SETUPS
from triage.rules.source import Module, SourceTree
from triage.rules.syntax import (
    Function,
    arguments,
    calls_within,
    dotted,
    owner,
    string,
    terminal,
    within,
)

_APPS = ("app", "application", "flask_app", "_app", "test_app")


def is_context(block: ast.stmt | None) -> bool:
    """`with x.app_context():` and nothing else, not named."""
    return (
        isinstance(block, Block)
        and len(block.items) == 1
        and terminal(block.items[0].context_expr) == "app_context"
        and block.items[0].optional_vars is None
    )


def receiver(block: Block) -> str:
    """`app` of `with app.app_context():`; empty where it is no plain name."""
    call = block.items[0].context_expr
    return dotted(owner(call)) if isinstance(call, ast.Call) else ""


def app_fixture(target: Target, tree: SourceTree, function: Function | None, file: str) -> Fixture | None:
    """By the argument on which the block calls `app_context`, else by the usual names in the tests' reach."""
    index = fixture_index(tree)
    if function in index.nodes:
        for node in within(function):
            name = receiver(node) if isinstance(node, Block) and is_context(node) else ""
            if name in arguments(function):
                return index.find(name, file)
    for module, test in test_functions(target, tree):
        for name in _APPS:
            found = index.find(name, module.path)
            if found is not None and found in index.closure(asked(module, test), module.path):
                return found
    return None


def asked(module: Module, function: Function) -> tuple[str, ...]:
    """Names of the fixtures that a test or fixture asks for, by arguments and by `usefixtures`."""
    around = enclosing_class(module, function)
    decorators = [*function.decorator_list, *(around.decorator_list if around else [])]
    used = [
        string(each) or ""
        for call in decorators
        if isinstance(call, ast.Call) and terminal(call) == "usefixtures"
        for each in call.args
    ]
    return (*arguments(function), *used)


def opens_context(function: Function) -> bool:
    """It yields inside a context, or pushes one and leaves it."""
    calls = {terminal(each) for each in calls_within(function)}
    if "app_context" in calls and ({"push", "enterContext", "enter_context", "addCleanup"} & calls):
        return True
    blocks = [each for each in within(function) if isinstance(each, Block)]
    inside = [each for each in blocks if _makes_context(each)]
    handed = yields(function)
    return any(any(one is each for one in ast.walk(block)) for block in inside for each in handed)


def _makes_context(block: Block) -> bool:
    return any(terminal(item.context_expr) in ("app_context", "test_request_context") for item in block.items)


def in_context(module: Module, node: ast.AST, tree: SourceTree) -> bool:
    """Whether a context is open where `node` runs, as far as the text shows it."""
    if any(isinstance(each, Block) and _makes_context(each) for each in module.ancestors(node)):
        return True
    function = enclosing_function(module, node)
    if function is None:
        return False
    index = fixture_index(tree)
    around = enclosing_class(module, function)
    if any(opens_context(each) for each in _setups(around, tree)):
        return True
    return any(opens_context(each.node) for each in _asked_for(index, module, function))


def has_flask_plugin(tree: SourceTree) -> bool:
    """pytest-flask, which pushes a context for each test of `app`: its `client` is used, not defined."""
    known = fixture_index(tree).by_name
    if "app" not in known or "client" in known:
        return False
    tests = (each for module in tree.modules(b"client", tests=True) for each in module.functions)
    used = tree.mentions(b'usefixtures("client', b"usefixtures('client")
    return used or any("client" in arguments(each) for each in tests if each.name.startswith("test"))


def _asked_for(index: FixtureIndex, module: Module, function: Function) -> Iterable[Fixture]:
    found = index.closure(asked(module, function), module.path)
    return (each for each in found if each.node is not function)


def _setups(around: ast.ClassDef | None, tree: SourceTree) -> Iterator[Function]:
    """Of a class and of its bases, by name."""
    pending = [around] if around is not None else []
    seen: set[str] = set()
    while pending:
        each = pending.pop()
        seen.add(each.name)
        for node in each.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _runs_before(node):
                yield node
        bases = {terminal(base) for base in each.bases} - seen
        for module in tree.modules(*(base.encode() for base in bases)) if bases else ():
            pending += [one for one in module.all(ast.ClassDef) if one.name in bases and one.name not in seen]


def _runs_before(function: Function) -> bool:
    return function.name in SETUPS or any(terminal(each) == "fixture" for each in function.decorator_list)


def app_edits(source: SourceFile, module: Module, fixture: Fixture) -> list[Edit]:
    """The fixture yields its application inside a context; nothing where it does, or its text is unusual."""
    handed = [*returns(fixture.node), *yields(fixture.node)]
    if opens_context(fixture.node) or len(handed) != 1:
        return []
    value = handed[0].value
    statement = statement_of(module, handed[0])
    if not isinstance(statement, ast.Expr | ast.Return):
        return []
    own_lines(source, statement)
    changes = list(yielding(source, module, fixture.node))
    if isinstance(value, ast.Call):
        return _named(source, fixture, statement, value, changes)
    name = dotted(value)
    if not name:
        return []
    return [*_wrapped(source, module, statement, name), *changes]


def _named(
    source: SourceFile, fixture: Fixture, statement: ast.stmt, value: ast.Call, changes: list[Edit]
) -> list[Edit]:
    """`return create_app()`: the application gets a name first."""
    name = fixture.node.name if fixture.node.name in _APPS else "app"
    if name in arguments(fixture.node) or isinstance(statement, ast.Expr):
        return []
    start, stop = spot(source, statement)
    white = indent(source, statement.lineno)
    inner = white + unit(source, white)
    end = source.newline
    rest = [each for each in changes if not start <= each.start <= stop]
    return [
        Edit(source.file, start, spot(source, value)[0], f"{name} = "),
        Edit(source.file, stop, stop, f"{end}{white}with {name}.app_context():{end}{inner}yield {name}"),
        *rest,
    ]


def unit(source: SourceFile, white: str) -> str:
    return "\t" if white.startswith("\t") else source.unit


def _wrapped(source: SourceFile, module: Module, statement: ast.stmt, name: str) -> list[Edit]:
    """Into the context that stands right above, else into one of its own."""
    white = indent(source, statement.lineno)
    for block in siblings(module, statement):
        if isinstance(block, Block) and is_context(block) and receiver(block) == name:
            tail = following(module, block)
            if statement in tail[:1]:
                inner = body_indent(source, block)
                return list(shifted(source, last_line(block) + 1, last_line(statement), white, inner))
    first = first_line(statement)
    at = source.offset(first, 0)
    head = Edit(source.file, at, at, f"{white}with {name}.app_context():{source.newline}")
    inner = white + unit(source, white)
    return [head, *shifted(source, first, last_line(statement), white, inner)]


def head_text(source: SourceFile, block: Block) -> str:
    """What stands after `with`, as it is written; `as` is left out."""
    start, stop = spot(source, block.items[0].context_expr)
    return source.text[start:stop]
