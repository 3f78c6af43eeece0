"""The assertions of a scope, whatever their spelling, in one form."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from triage.guard.control_flow import Barrier, Placed, placed
from triage.guard.syntax import SCOPES, Scope, is_literal, terminal, text, value

# unittest's methods of two operands (https://docs.python.org/3/library/unittest.html#assert-methods)
_PAIRS: dict[str, type[ast.cmpop]] = {
    "assertNotEqual": ast.NotEq,
    "assertNotEquals": ast.NotEq,
    "assertIs": ast.Is,
    "assertIsNot": ast.IsNot,
    "assertIn": ast.In,
    "assertNotIn": ast.NotIn,
    "assertGreater": ast.Gt,
    "assertGreaterEqual": ast.GtE,
    "assertLess": ast.Lt,
    "assertLessEqual": ast.LtE,
} | dict.fromkeys(
    (
        "assertEqual",
        "assertEquals",
        "assertListEqual",
        "assertTupleEqual",
        "assertSetEqual",
        "assertDictEqual",
        "assertSequenceEqual",
        "assertMultiLineEqual",
    ),
    ast.Eq,
)
_SYMMETRIC = (ast.Eq, ast.NotEq, ast.Is, ast.IsNot)
_FAILS = ("fail", "raise_for_status")
# Calls by which a product refuses: `abort(404)`, `require_login()`.
_REFUSES = ("abort", "require", "validate", "ensure", "authorize", "verify", "check_")
_EXPECTING = ("assertRaises", "assertWarns", "assertLogs", "assertNoLogs")  # see expectations.py


@dataclass(frozen=True, slots=True)
class Check:
    """One assertion; `key` is its text in the standard form, the same for each spelling."""

    node: ast.AST
    key: str
    line: int
    barriers: tuple[Barrier, ...]

    @property
    def operator(self) -> type[ast.cmpop] | None:
        """Of a plain comparison."""
        is_plain = isinstance(self.node, ast.Compare) and len(self.node.ops) == 1
        return type(self.node.ops[0]) if is_plain and isinstance(self.node, ast.Compare) else None

    @property
    def sides(self) -> tuple[ast.expr, ...]:
        if isinstance(self.node, ast.Compare):
            return (self.node.left, *self.node.comparators)
        if isinstance(self.node, ast.UnaryOp):
            return (self.node.operand,)
        if isinstance(self.node, ast.Call):
            return tuple(self.node.args) or (self.node.func,)
        return (self.node,) if isinstance(self.node, ast.expr) else ()


def checks(scope: Scope, *, is_test: bool, helpers: frozenset[str] = frozenset()) -> tuple[Check, ...]:
    """Assertions and, in the product, whatever it raises; `helpers` are functions that assert."""
    return tuple(
        Check(node, key(node), each.node.lineno, each.barriers)
        for each in placed(scope)
        for node in _asserted(each, is_test=is_test, helpers=helpers - {terminal_name(scope)})
    )


def terminal_name(scope: Scope) -> str:
    return scope.name.rpartition(".")[2]


def key(node: ast.AST) -> str:
    """`a == b` and `b == a` are the same."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], _SYMMETRIC):
        left, right = sorted((text(node.left), text(node.comparators[0])))
        return f"{left} {type(node.ops[0]).__name__} {right}"
    return text(node)


def is_constant(node: ast.AST) -> bool:  # noqa: PLR0911 - one for each form
    """Assertions that hold whatever the code does."""
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
        return any(map(is_constant, node.values))
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        left, right = node.left, node.comparators[0]
        if isinstance(node.ops[0], ast.GtE) and terminal(left) == "len":
            return value(right) == 0
        is_same = text(left) == text(right) and isinstance(node.ops[0], (ast.Eq, ast.Is, ast.GtE, ast.LtE))
        return is_same or (is_literal(left) and is_literal(right))
    if isinstance(node, ast.Call) and terminal(node.func) in ("bool", "all", "any", "isinstance"):
        is_any = terminal(node.func) == "isinstance" and text(node.args[-1]) == "object"
        return is_any or (bool(node.args) and is_literal(node.args[0]))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return is_literal(node.operand)
    if isinstance(node, ast.IfExp):
        return is_constant(node.body) or is_constant(node.orelse)
    return isinstance(node, (ast.Tuple, ast.Lambda, ast.JoinedStr)) or is_literal(node)


def _asserted(each: Placed, *, is_test: bool, helpers: frozenset[str]) -> Iterator[ast.AST]:
    node = each.node
    if isinstance(node, ast.Assert):
        yield from _conjuncts(node.test)
        return
    if isinstance(node, ast.Raise):
        if not is_test or terminal(node.exc) == "AssertionError":
            yield ast.Raise(node.exc)
        return
    if isinstance(node, SCOPES):
        return
    for found in each.own:
        if isinstance(found, ast.Call):
            yield from _called(found, helpers)
            if not is_test and terminal(found.func).startswith(_REFUSES):
                yield ast.Raise(ast.Call(ast.Name(terminal(found.func)), [], []))


def _called(call: ast.Call, helpers: frozenset[str]) -> Iterator[ast.AST]:
    name = terminal(call.func)
    if name in helpers:
        yield ast.Call(ast.Name(name), [], [])
    elif name in _PAIRS and len(call.args) > 1:
        yield ast.Compare(call.args[0], [_PAIRS[name]()], [call.args[1]])
    elif name in ("assertTrue", "assert_") and call.args:
        yield from _conjuncts(call.args[0])
    elif name == "assertFalse" and call.args:
        yield ast.UnaryOp(ast.Not(), call.args[0])
    elif name in ("assertIsNone", "assertIsNotNone") and call.args:
        operator = ast.Is() if name == "assertIsNone" else ast.IsNot()
        yield ast.Compare(call.args[0], [operator], [ast.Constant(None)])
    elif name == "assertIsInstance" and len(call.args) > 1:
        yield ast.Call(ast.Name("isinstance"), call.args[:2], [])
    elif _is_assertion(call, name):
        yield ast.Call(
            call.func, call.args, [one for one in call.keywords if one.arg not in ("msg", "err_msg")]
        )


def _is_assertion(call: ast.Call, name: str) -> bool:
    if name.startswith(_EXPECTING):
        return False
    chained = isinstance(call.func, ast.Attribute) and any(
        isinstance(part, ast.Call) and terminal(part.func) in ("expect", "assert_that", "assertThat")
        for part in ast.walk(call.func)
    )
    return name.startswith("assert") or name in _FAILS or chained


def _conjuncts(test: ast.expr) -> Iterator[ast.expr]:
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        for each in test.values:
            yield from _conjuncts(each)
    else:
        yield test
