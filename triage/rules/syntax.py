"""Small questions to syntax trees that several rules ask."""

import ast
from collections.abc import Iterator

Function = ast.FunctionDef | ast.AsyncFunctionDef
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def dotted(node: ast.AST | None) -> str:
    """`a.b.c` for names and attributes of names, else an empty string."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join(reversed([*parts, node.id]))


def terminal(node: ast.AST | None) -> str:
    """The last name of `a.b.c`, `a().c` or `a.b.c(...)`, else an empty string."""
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def owner(call: ast.Call) -> ast.expr | None:
    """What stands before the dot of a method call."""
    return call.func.value if isinstance(call.func, ast.Attribute) else None


def keyword(call: ast.Call, *names: str) -> ast.expr | None:
    return next((each.value for each in call.keywords if each.arg in names), None)


def is_open_ended(call: ast.Call) -> bool:
    """True with `*args` or `**kwargs`: what is passed cannot be read off."""
    return any(isinstance(each, ast.Starred) for each in call.args) or any(
        each.arg is None for each in call.keywords
    )


def string(node: ast.AST | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def is_constant(node: ast.AST | None, value: object) -> bool:
    """Identity for None, True and False: `1 == True` must not count."""
    return isinstance(node, ast.Constant) and node.value is value


def text(node: ast.AST | None) -> str:
    """Source text in the standard layout; "?" where the expression is too deep for it."""
    try:
        return "" if node is None else ast.unparse(node)
    except RecursionError:
        return "?"


def children(node: ast.AST) -> list[ast.AST]:
    """As `ast.iter_child_nodes`, at half its cost; contexts (Load, Store) are left out."""
    found: list[ast.AST] = []
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, list):
            found.extend(each for each in value if isinstance(each, ast.AST))
        elif isinstance(value, ast.AST) and not isinstance(value, ast.expr_context):
            found.append(value)
    return found


def within(node: ast.AST) -> Iterator[ast.AST]:
    """Every node below in source order; of nested functions and classes only the node itself."""
    pending = children(node)[::-1]
    while pending:
        each = pending.pop()
        yield each
        if not isinstance(each, SCOPES):
            pending.extend(children(each)[::-1])


def calls_within(node: ast.AST) -> Iterator[ast.Call]:
    return (each for each in within(node) if isinstance(each, ast.Call))


def assigned(statement: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Names and values of a plain or annotated assignment to a name."""
    if isinstance(statement, ast.Assign):
        for target in statement.targets:
            if isinstance(target, ast.Name):
                yield target.id, statement.value
    elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
        yield statement.target.id, statement.value


def arguments(function: Function) -> tuple[str, ...]:
    spec = function.args
    return tuple(each.arg for each in (*spec.posonlyargs, *spec.args, *spec.kwonlyargs))


def last_line(node: ast.stmt | ast.expr) -> int:
    return node.end_lineno or node.lineno


def contains(outer: ast.stmt | ast.expr, line: int) -> bool:
    return outer.lineno <= line <= last_line(outer)
