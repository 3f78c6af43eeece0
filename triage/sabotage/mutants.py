"""Breakages of the lines of functions, those that a test is likeliest to notice first."""

import ast
from collections.abc import Iterator

from triage.rules.syntax import Function, dotted, terminal
from triage.sabotage.pieces import Mutant, Piece, names_in, spot, words_of

OTHER = "__triage_other__"  # what the plugin knows to give another value of the same kind
_FLIPPED: dict[type[ast.cmpop], str] = {
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.Lt: ">=",
    ast.GtE: "<",
    ast.Gt: "<=",
    ast.LtE: ">",
    ast.In: "not in",
    ast.NotIn: "in",
    ast.Is: "is not",
    ast.IsNot: "is",
}
# A function that does such a thing stays as it is, and whatever decides about it.
_OUTWARD_NAMES = (
    "rmtree unlink rmdir removedirs truncate popen Popen check_call check_output killpg _exit urlopen"
    " sendmail send_message os.remove os.system os.kill os.abort subprocess.run subprocess.call"
)
_LOGGING_NAMES = "debug info warning error exception critical log print"
_OUTWARD, _LOGGING = frozenset(_OUTWARD_NAMES.split()), frozenset(_LOGGING_NAMES.split())
_NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_Made = tuple[ast.expr | ast.stmt, str, str, float]  # where, what stands there instead, in words, weight


def function_mutants(piece: Piece) -> Iterator[Mutant]:
    """Of every function and method of a file, nested ones included."""
    for function in piece.module.functions:
        if _reaches_out(function):
            continue
        outer = [one.name for one in piece.module.ancestors(function) if isinstance(one, _NAMED)]
        owner = ".".join([*reversed(outer), function.name])
        for statement in _statements(function.body):
            yield from _of_statement(piece, function, owner, statement)


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Those of this function alone, with the ones inside of blocks."""
    for statement in body:
        if isinstance(statement, _NAMED):
            continue
        yield statement
        for field in ("body", "orelse", "finalbody"):
            yield from _statements(getattr(statement, field, []))
        for each in (*getattr(statement, "handlers", []), *getattr(statement, "cases", [])):
            yield from _statements(each.body)


def _reaches_out(function: Function) -> bool:
    calls = (each for each in ast.walk(function) if isinstance(each, ast.Call))
    return any(terminal(each) in _OUTWARD or dotted(each.func) in _OUTWARD for each in calls)


def _of_statement(piece: Piece, function: Function, owner: str, statement: ast.stmt) -> Iterator[Mutant]:
    parts = list(_own_expressions(statement))
    words = words_of(*names_in(*parts)) if parts else frozenset()
    last = max((part.end_lineno or part.lineno for part in parts), default=statement.lineno)
    is_guard = isinstance(statement, ast.If) and any(isinstance(one, ast.Raise) for one in statement.body)
    for node, text, what, weight in (*_whole(piece, statement), *_within(piece, statement, parts)):
        yield Mutant(
            piece.module.path,
            node.lineno,
            spot(node),
            text,
            f"{what} in {owner}",
            owner,
            words | words_of(function.name),
            (statement.lineno, max(last, statement.lineno)),
            weight,
            raises=is_guard or isinstance(statement, ast.Raise),
        )


def _own_expressions(statement: ast.stmt) -> Iterator[ast.expr]:
    """Those of a statement without the ones in its block; of an assignment also the targets."""
    for field, value in ast.iter_fields(statement):
        if field == "annotation":
            continue
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, ast.expr):
                yield each
            elif isinstance(each, ast.withitem):
                yield each.context_expr


def _whole(piece: Piece, statement: ast.stmt) -> Iterator[_Made]:
    match statement:
        case ast.Return(value=ast.expr() as value):
            yield value, _other(piece, value), "another value returned", 0
        case ast.Raise():
            # After the handler there may be nothing to go on with.
            handled = any(isinstance(one, ast.ExceptHandler) for one in piece.module.ancestors(statement))
            yield statement, "return" if handled else "pass", "nothing raised", 1
        case ast.Assign(targets=targets, value=value) if not isinstance(value, ast.Lambda):
            kept = any(isinstance(one, (ast.Attribute, ast.Subscript)) for one in targets)
            yield value, _other(piece, value), "another value assigned", 1 if kept else 3.5
        case ast.AnnAssign(value=ast.expr() as value) | ast.AugAssign(value=value):
            yield value, _other(piece, value), "another value assigned", 2.5
        case ast.Expr(value=ast.Call() | ast.Await(value=ast.Call()) as value):
            is_log = terminal(value) in _LOGGING
            yield value, "None", f"`{terminal(value) or 'a function'}` not called", 6 if is_log else 2
        case ast.Expr(value=ast.Yield(value=ast.expr() as value)):
            yield value, _other(piece, value), "another value yielded", 4
        case ast.If(test=test) if not isinstance(test, ast.Compare):
            yield test, f"not ({piece.text(test)})", "the condition turned round", 2


def _within(piece: Piece, statement: ast.stmt, parts: list[ast.expr]) -> Iterator[_Made]:
    if isinstance(statement, ast.While):
        return  # it would have no end
    for each in (each for part in parts for each in _inner(part)):
        if isinstance(each, ast.Compare) and len(each.ops) == 1:
            sides = (each.left, *each.comparators)
            left, right = (f"({piece.text(side)})" for side in sides)
            yield each, f"{left} {_FLIPPED[type(each.ops[0])]} {right}", "the comparison turned round", 2
        elif isinstance(each, ast.Call):
            for named in each.keywords:
                if named.arg and not isinstance(named.value, (ast.Lambda, ast.Starred)):
                    yield named.value, _other(piece, named.value), f"another `{named.arg}` passed", 2.5
            yield from _positional(piece, each)
        elif isinstance(each, (ast.BoolOp, ast.IfExp)):
            test = each.values[0] if isinstance(each, ast.BoolOp) else each.test
            if not isinstance(test, ast.Compare):
                yield test, f"not ({piece.text(test)})", "the condition turned round", 3


def _positional(piece: Piece, call: ast.Call) -> Iterator[_Made]:
    """What is computed for a call: a response with another status still has the body that a test reads."""
    if terminal(call) in _LOGGING:
        return
    for each in call.args:
        if isinstance(each, (ast.List, ast.Dict, ast.ListComp, ast.DictComp, ast.Call)):
            yield each, _other(piece, each), f"another value passed to `{terminal(call) or 'a function'}`", 3


def _inner(node: ast.AST) -> Iterator[ast.AST]:
    """Without what runs elsewhere or cannot be exchanged: functions in it, pieces of f-strings."""
    if isinstance(node, (ast.Lambda, ast.JoinedStr)) or type(node).__name__ == "TemplateStr":
        return
    yield node
    for each in ast.iter_child_nodes(node):
        yield from _inner(each)


def _other(piece: Piece, node: ast.expr) -> str:
    if isinstance(node, ast.Starred):
        return "None"
    text = piece.text(node)
    return f"{OTHER}(({text}))" if isinstance(node, (ast.Yield, ast.YieldFrom)) else f"{OTHER}({text})"
