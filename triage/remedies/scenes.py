"""Where a statement of the tests stands: its blocks, its functions, its class."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from triage.model.fix import Target
from triage.remedies.source import SourceFile, UntouchableError, open_source
from triage.rules.entries import CONTEXTS
from triage.rules.fixtures import Fixture, fixture_index
from triage.rules.source import Module, SourceTree
from triage.rules.syntax import Function, dotted, last_line, terminal

Block = list[ast.stmt]
SETUPS = ("setUp", "setUpClass", "asyncSetUp", "setup_method", "setup_class", "setup_module", "setUpModule")


@dataclass(frozen=True, slots=True)
class Step:
    """One block around the line, the place in it, and the node that has the block."""

    block: Block
    index: int
    owner: ast.AST

    @property
    def statement(self) -> ast.stmt:
        return self.block[self.index]


@dataclass(frozen=True)
class Scene:
    """`steps` are the blocks around the line, innermost first."""

    tree: SourceTree
    source: SourceFile
    module: Module
    target: Target
    line: int
    steps: tuple[Step, ...]

    @property
    def statement(self) -> ast.stmt:
        return self.steps[0].statement

    @cached_property
    def functions(self) -> tuple[Function, ...]:
        """Innermost first."""
        return tuple(
            s.owner for s in self.steps if isinstance(s.owner, ast.FunctionDef | ast.AsyncFunctionDef)
        )

    @cached_property
    def outer(self) -> Function | None:
        """The function that pytest calls, or a helper: the outermost."""
        return self.functions[-1] if self.functions else None

    @cached_property
    def around(self) -> ast.ClassDef | None:
        """The class whose method the outermost function is."""
        parent = self.module.parents.get(self.outer) if self.outer is not None else None
        return parent if isinstance(parent, ast.ClassDef) else None

    @cached_property
    def fixture(self) -> Fixture | None:
        index = fixture_index(self.tree)
        return next((each for each in index.fixtures if each.node is self.outer), None)

    @property
    def is_test(self) -> bool:
        return self.outer is not None and self.outer.name.startswith("test") and self.fixture is None

    @property
    def is_unittest(self) -> bool:
        return self.around is not None and any(
            terminal(base).endswith("TestCase")
            for each in family(self.tree, self.around)
            for base in each.bases
        )

    @property
    def pushed(self) -> ast.With | ast.AsyncWith | None:
        """The innermost `with` of this function that pushes a context round the line, or on it."""
        if isinstance(self.statement, ast.With | ast.AsyncWith) and pushes(self.statement):
            return self.statement
        for step in self.steps:
            if isinstance(step.owner, ast.With | ast.AsyncWith) and pushes(step.owner):
                return step.owner
            if isinstance(step.owner, ast.FunctionDef | ast.AsyncFunctionDef):
                break
        return None


def scene_of(target: Target, tree: SourceTree, file: str = "", line: int = 0) -> Scene | str:
    """Of the target's line, or of another one; the text says why there is none.

    Raises:
        UntouchableError: the file may not be changed.
    """
    file, line = file or target.file, line or target.line
    if not tree.is_test(file):
        return "the line is the product's: whoever calls it must have a context there, in production too"
    source = open_source(tree, file)
    module = tree.module(file)
    if module is None:
        raise UntouchableError(f"{file} cannot be parsed")
    steps = tuple(_steps(module.tree, line))[::-1]
    if not steps:
        return "no statement stands at this line"
    if isinstance(steps[0].statement, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return "the call stands in a decorator or a default, which Python runs while it imports the file"
    if isinstance(steps[0].owner, ast.ClassDef):
        return "the call stands in the body of a class, which Python runs while it imports the file"
    return Scene(tree, source, module, target, line, steps)


def _steps(node: ast.AST, line: int) -> Iterator[Step]:
    for block in blocks(node):
        for index, statement in enumerate(block):
            if first_line(statement) <= line <= last_line(statement):
                yield Step(block, index, node)
                if line >= statement.lineno:
                    yield from _steps(statement, line)
                return


def blocks(node: ast.AST) -> Iterator[Block]:
    """The lists of statements directly below a node; those of handlers and cases count as its own."""
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, None)
        if isinstance(block, list) and block:
            yield block
    for name in ("handlers", "cases"):
        for each in getattr(node, name, ()):
            yield each.body


def first_line(statement: ast.stmt) -> int:
    """With its decorators."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(each.lineno for each in decorators)])


def pushes(statement: ast.AST) -> bool:
    """Whether a `with` pushes a context of Flask's."""
    return isinstance(statement, ast.With | ast.AsyncWith) and any(
        isinstance(item.context_expr, ast.Call) and terminal(item.context_expr) in CONTEXTS
        for item in statement.items
    )


def family(tree: SourceTree, around: ast.ClassDef) -> list[ast.ClassDef]:
    """A class of the tests with its bases there, nearest first."""
    known = tree.memo(_classes)
    homes = {each: module for found in known.values() for module, each in found}
    found, pending = [around], [around]
    while pending:
        child = pending.pop(0)
        for base in child.bases:
            for module, each in known.get(terminal(base), ()):
                if each not in found and _is_base(homes.get(child), base, module):
                    found.append(each)
                    pending.append(each)
    return found


def _is_base(user: Module | None, base: ast.expr, home: Module) -> bool:
    """Whether what a module calls `base` is defined in `home`, by the module that it is imported from."""
    if user is home or user is None:
        return user is home and "." not in dotted(base)
    first = dotted(base).partition(".")[0]
    where, name = user.imports.get(first, ("", first))
    stem = home.path.removesuffix(".py").removesuffix("/__init__").rpartition("/")[2]
    origin = name if "." in dotted(base) else where.rpartition(".")[2]
    return origin == stem


def _classes(tree: SourceTree) -> dict[str, list[tuple[Module, ast.ClassDef]]]:
    found: dict[str, list[tuple[Module, ast.ClassDef]]] = {}
    for module in tree.modules(tests=True):
        for each in module.all(ast.ClassDef):
            found.setdefault(each.name, []).append((module, each))
    return found


def tested(tree: SourceTree, node_id: str) -> tuple[str, Function] | None:
    """File and function of a test, by its id."""
    file, _, rest = node_id.partition("::")
    module = tree.module(file)
    *classes, name = rest.partition("[")[0].split("::")
    for function in module.functions if module is not None else ():
        around = module.parents.get(function) if module is not None else None
        if function.name == name and (getattr(around, "name", "") == (classes[-1] if classes else "")):
            return file, function
    return None
