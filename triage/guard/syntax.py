"""A file as the guard sees it: its tree, the scopes in it, and small questions to expressions."""

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

Function = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
SCOPES = (*FUNCTIONS, ast.ClassDef)


@dataclass(frozen=True, slots=True)
class Scope:
    """A function by its qualified name, or the module's own statements (name empty)."""

    name: str
    node: ast.Module | Function

    @property
    def line(self) -> int:
        return 1 if isinstance(self.node, ast.Module) else self.node.lineno

    @property
    def title(self) -> str:
        return f"`{self.name}`" if self.name else "the module"


@dataclass(frozen=True, slots=True)
class Pair:
    """One file before and after; a missing one is an empty tree.

    `scopes` are those that differ: name, before and after (None: not there).
    """

    path: str
    before: ast.Module
    after: ast.Module
    is_test: bool
    scopes: tuple[tuple[str, Scope | None, Scope | None], ...]
    is_deleted: bool = False

    @property
    def both(self) -> Iterator[tuple[str, Scope, Scope]]:
        """Scopes that are on both sides and differ."""
        for name, old, new in self.scopes:
            if old is not None and new is not None:
                yield name, old, new


@lru_cache(maxsize=512)
def parsed(content: bytes) -> ast.Module:
    """The tree of a file, not to be changed.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: it has none.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(content)


def pair(path: str, before: bytes | None, after: bytes | None, *, is_test: bool) -> Pair:
    """Two versions of a file; None: it does not exist.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: one has no tree.
    """
    old, new = parsed(before or b""), parsed(after or b"")
    was, now = scopes(old), scopes(new)
    lines, new_lines = (before or b"").splitlines(), (after or b"").splitlines()
    differing = [
        (name, was.get(name), now.get(name))
        for name in dict.fromkeys((*was, *now))
        if not (name and name in was and name in now)
        or _segment(was[name], lines) != _segment(now[name], new_lines)
    ]
    return Pair(path, old, new, is_test, tuple(differing), is_deleted=after is None)


def _segment(scope: Scope, lines: list[bytes]) -> list[bytes]:
    """Its lines, decorators too."""
    node = scope.node
    if isinstance(node, ast.Module):
        return lines
    first = min((node.lineno, *(each.lineno for each in node.decorator_list)))
    return lines[first - 1 : node.end_lineno]


def scopes(tree: ast.Module) -> dict[str, Scope]:
    """Functions by qualified name: of several the last, which is what Python keeps."""
    return {"": Scope("", tree)} | {name: Scope(name, node) for name, node in _functions(tree, "")}


def classes(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, ast.ClassDef]]:
    """Those that are not in a function."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield f"{prefix}{node.name}", node
            yield from classes(node, f"{prefix}{node.name}.")
        elif not isinstance(node, (*FUNCTIONS, ast.expr)):
            yield from classes(node, prefix)


def _functions(tree: ast.AST, prefix: str) -> Iterator[tuple[str, Function]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, FUNCTIONS):
            yield f"{prefix}{node.name}", node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{prefix}{node.name}.")
        elif not isinstance(node, ast.expr):
            yield from _functions(node, prefix)


@lru_cache(maxsize=8192)
def text(node: ast.AST | None) -> str:
    """Source text in the standard layout."""
    return "" if node is None else ast.unparse(node)


def short(node: ast.AST | str, size: int = 90) -> str:
    line = " ".join((node if isinstance(node, str) else text(node)).split())
    return line if len(line) <= size else f"{line[: size - 3]}..."


def terminal(node: ast.AST | None) -> str:
    """The last name of `a.b.c`, `a().c`, `a.b.c(...)` or `a.b[c]`, else an empty string."""
    while isinstance(node, (ast.Call, ast.Subscript, ast.Await)):
        node = node.func if isinstance(node, ast.Call) else node.value
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def names_in(node: ast.AST) -> Iterator[str]:
    """Every name and attribute below."""
    for each in ast.walk(node):
        if isinstance(each, ast.Name):
            yield each.id
        elif isinstance(each, ast.Attribute):
            yield each.attr


def keyword(call: ast.Call, *names: str) -> ast.expr | None:
    return next((each.value for each in call.keywords if each.arg in names), None)


def value(node: ast.AST | None) -> object:
    """A constant's value, with its sign; None for all else."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        number = value(node.operand)
        return -number if isinstance(number, (int, float)) else None
    return node.value if isinstance(node, ast.Constant) else None


def number(node: ast.AST | None) -> float | None:
    found = value(node)
    return float(found) if isinstance(found, (int, float)) and not isinstance(found, bool) else None


def is_literal(node: ast.AST | None) -> bool:
    """Constants, f-strings without names, and containers of them."""
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return all(map(is_literal, node.elts))
    if isinstance(node, ast.Dict):
        return all(map(is_literal, (*filter(None, node.keys), *node.values)))
    if isinstance(node, ast.UnaryOp):
        return is_literal(node.operand)
    if isinstance(node, ast.BinOp):
        return is_literal(node.left) and is_literal(node.right)
    return isinstance(node, ast.Constant)


def decorators(node: ast.AST) -> tuple[ast.expr, ...]:
    return tuple(node.decorator_list) if isinstance(node, SCOPES) else ()


def fixture_call(node: ast.AST) -> ast.expr | None:
    """The decorator that makes a function a fixture."""
    return next((each for each in decorators(node) if terminal(each) in ("fixture", "yield_fixture")), None)


def imported(tree: ast.Module) -> dict[str, str]:
    """Local names of what a file imports, anywhere in it, with their full names."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {each.asname or each.name.split(".")[0]: each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {each.asname or each.name: f"{node.module or ''}.{each.name}" for each in node.names}
    return found
