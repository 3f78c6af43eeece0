"""The statement that lets objects go, found from the place that a diagnosis names."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from triage.model.fix import Target
from triage.remedies.blocks import Block, last_line
from triage.rules.fixtures import Fixture, fixture_index
from triage.rules.sessions import ends, return_follows, session_facts
from triage.rules.source import Module, SourceTree
from triage.rules.syntax import Function, calls_within, dotted, owner, terminal, within

_CLOSING = frozenset({"close", "aclose", "remove", "expunge", "expunge_all", "pop", "reset", "invalidate"})
_MANAGERS = frozenset({"contextmanager", "asynccontextmanager"})
_EXITS = frozenset({"__exit__", "__aexit__"})


@dataclass(frozen=True, slots=True)
class Ending:
    """`node` is a `with` block, or a statement that closes or lets go; `function` is around it."""

    module: Module
    function: Function
    node: ast.stmt
    fixture: Fixture | None

    @property
    def block(self) -> Block | None:
        return self.node if isinstance(self.node, Block) else None

    @property
    def call(self) -> ast.Call | None:
        """The closing call of a plain statement."""
        return closing_call(self.node)


def ending(target: Target, tree: SourceTree) -> Ending | None:
    """In a fixture or test where there is one: a context manager's own `close()` is not to blame."""
    direct = _direct(target, tree)
    if direct is not None and not _is_inner(direct):
        return direct
    name = None if direct is None else _called_as(direct)
    outer = next(_callers(target, tree, name), None) if name else None
    return outer or direct or _in_fixture(target, tree)


def closing_call(node: ast.AST) -> ast.Call | None:
    value = node.value if isinstance(node, ast.Expr) else None
    value = value.value if isinstance(value, ast.Await) else value
    return value if isinstance(value, ast.Call) and terminal(value) in _CLOSING else None


def enclosing_function(module: Module, node: ast.AST) -> Function | None:
    return next(
        (each for each in module.ancestors(node) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)),
        None,
    )


def enclosing_class(module: Module, node: ast.AST) -> ast.ClassDef | None:
    """Only the class of a method, not one further out."""
    parent = module.parents.get(node)
    return parent if isinstance(parent, ast.ClassDef) else None


def _direct(target: Target, tree: SourceTree) -> Ending | None:
    module = tree.module(target.file)
    return None if module is None else _at_line(module, target.line, tree)


def _at_line(module: Module, line: int, tree: SourceTree) -> Ending | None:
    for node in _statements(module, line):
        function = enclosing_function(module, node)
        if function is not None:
            return _ending(module, function, node, tree)
    return None


def _statements(module: Module, line: int) -> Iterator[ast.stmt]:
    """Blocks whose head holds the line, then plain statements that close or call something."""
    blocks: list[Block] = [*module.all(ast.With), *module.all(ast.AsyncWith)]
    for block in blocks:
        if block.lineno <= line < max(block.body[0].lineno, block.lineno + 1):
            yield block
    plain: list[ast.stmt] = [each for each in module.all(ast.Expr) if closing_call(each)]
    plain += [each for each in module.all(ast.Assign) if isinstance(each.value, ast.Call)]
    yield from (each for each in plain if each.lineno <= line <= last_line(each))


def _ending(module: Module, function: Function, node: ast.stmt, tree: SourceTree) -> Ending:
    fixture = next((each for each in fixture_index(tree).fixtures if each.node is function), None)
    return Ending(module, function, node, fixture)


def _is_inner(found: Ending) -> bool:
    """The body of a context manager, or of a method of the product that closes for its caller."""
    if found.function.name in _EXITS or _is_manager(found.function):
        return True
    hands_out = any(
        isinstance(each, ast.Return) and each.value is not None for each in within(found.function)
    )
    return not found.module.is_test and found.call is not None and not hands_out


def _is_manager(function: Function) -> bool:
    return any(terminal(each) in _MANAGERS for each in function.decorator_list)


def _called_as(found: Ending) -> str:
    around = enclosing_class(found.module, found.function)
    return around.name if found.function.name in _EXITS and around is not None else found.function.name


def _callers(target: Target, tree: SourceTree, name: str) -> Iterator[Ending]:
    """In the fixture that the diagnosis names, then in the tests themselves."""
    for module, function in _suspects(target, tree):
        for node in within(function):
            if isinstance(node, Block):
                if any(terminal(item.context_expr) == name for item in node.items):
                    yield _ending(module, function, node, tree)
            elif isinstance(node, ast.Expr) and any(terminal(each) == name for each in calls_within(node)):
                yield _ending(module, function, node, tree)


def _suspects(target: Target, tree: SourceTree) -> Iterator[tuple[Module, Function]]:
    fixture = _named_fixture(target, tree)
    module = tree.module(fixture.file) if fixture is not None else None
    if fixture is not None and module is not None:
        yield module, fixture.node
    yield from test_functions(target, tree)


def _named_fixture(target: Target, tree: SourceTree) -> Fixture | None:
    name = target.names.get("fixture")
    if not name:
        return None
    index = fixture_index(tree)
    files = [test.partition("::")[0] for test in target.tests] or [target.file]
    known = index.by_name.get(name, ())
    return next((found for file in files if (found := index.find(name, file))), known[0] if known else None)


def test_functions(target: Target, tree: SourceTree) -> Iterator[tuple[Module, Function]]:
    """The functions behind the node ids of a target's tests."""
    for test in target.tests:
        file, *names = test.partition("[")[0].split("::")
        module = tree.module(file)
        for function in module.functions if module is not None and names else ():
            around = enclosing_class(module, function) if module is not None else None
            expected = names[-2] if len(names) > 1 else None
            if (
                module is not None
                and function.name == names[-1]
                and (around.name if around else None) == expected
            ):
                yield module, function


def _in_fixture(target: Target, tree: SourceTree) -> Ending | None:
    """The place is no end of a session: what ends one in the fixture around it, or in the one named."""
    fixture = fixture_index(tree).at(target.file, target.line) or _named_fixture(target, tree)
    module = tree.module(fixture.file) if fixture is not None else None
    if fixture is None or module is None:
        return None
    handed = [each for each in within(fixture.node) if isinstance(each, ast.Return | ast.Yield)]
    for end in ends(fixture.node, module, session_facts(tree)):
        if any(return_follows(end, each, module) for each in handed):
            return _at_line(module, end.line, tree)
    return None


def opens_session(node: ast.stmt) -> bool:
    """`session = Session(engine)`: where nothing keeps it, it is collected."""
    return (
        isinstance(node, ast.Assign)
        and "session"
        in terminal(node.value).lower()
        + dotted(owner(node.value) if isinstance(node.value, ast.Call) else None).lower()
    )
