"""Which lines of test code assert something that depends on more than constants."""

from __future__ import annotations

import ast
import re

_CALLS = re.compile(r"_?_?assert|fail(Un)?less|failIf")
_BLOCKS = re.compile(r"(raises|warns|deprecated_call|assert\w*)$")
_PURE = ("bool", "int", "isinstance", "len", "sorted", "str")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Assertions(object):
    """Of one file: (first line, last line) of each; an assertion that cannot fail is none."""

    def __init__(self, tree):
        self.spans, self._own = [], {node.name for node in ast.walk(tree) if isinstance(node, _FUNCTIONS)}
        self._look(tree, frozenset())

    def among(self, lines):
        """First lines of those that have an executed line."""
        return sorted({begin for begin, end in self.spans if any(begin <= each <= end for each in lines)})

    def _look(self, node, fixed):
        if isinstance(node, _FUNCTIONS):
            fixed = _fixed_names(node)
        for each in ast.iter_child_nodes(node):
            if isinstance(each, ast.stmt) and self._asserts(each, fixed):
                self.spans.append((each.lineno, _head_end(each)))
            self._look(each, fixed)

    def _asserts(self, node, fixed):
        if isinstance(node, ast.Assert):
            return not _is_fixed(node.test, fixed)
        if isinstance(node, (ast.With, ast.AsyncWith)):
            calls = [one.context_expr for one in node.items]
            return any(_BLOCKS.match(_called(call)) and not _is_trivial(node.body) for call in calls)
        if isinstance(node, (ast.Expr, ast.Assign)):
            return self._calls(node.value, fixed)
        return False

    def _calls(self, node, fixed):
        """`self.assertEqual(...)`, `mock.assert_called_with(...)`, `raises(Error, function)`; a helper asserts inside."""
        node = node.value if isinstance(node, ast.Await) else node
        name = _called(node)
        if name in self._own:
            return False
        if name == "raises" and len(node.args) > 1:
            return True
        arguments = node.args + [one.value for one in node.keywords] if isinstance(node, ast.Call) else []
        if not _CALLS.match(name):
            return False
        return name.startswith("assert_") or not arguments or not all(_is_fixed(e, fixed) for e in arguments)


def _called(node):
    function = node.func if isinstance(node, ast.Call) else None
    return getattr(function, "attr", None) or getattr(function, "id", None) or ""


def _head_end(node):
    body = getattr(node, "body", None)
    return max(node.lineno, body[0].lineno - 1) if isinstance(body, list) and body else node.end_lineno


def _is_trivial(body):
    """Nothing but a raise in the block: the test expects what it raises by itself."""
    return all(isinstance(one, (ast.Raise, ast.Pass)) for one in body)


def _fixed_names(function):
    """Names that the function gives constants, or what is made of such, and nothing else."""
    given = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                _give(given, target, node.value)
        elif isinstance(node, (ast.AugAssign, ast.AnnAssign)):
            _give(given, node.target, node.value)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            given.setdefault(node.id, [])
    taken = {node.arg for node in ast.walk(function.args) if isinstance(node, ast.arg)}
    fixed = {name for name, values in given.items() if values and name not in taken}
    stores = [n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    fixed = {name for name in fixed if stores.count(name) == len(given[name])}
    while True:
        less = {name for name in fixed if all(_is_fixed(value, fixed) for value in given[name])}
        if less == fixed:
            return frozenset(fixed)
        fixed = less


def _give(given, target, value):
    if isinstance(target, ast.Name) and value is not None:
        given.setdefault(target.id, []).append(value)


def _is_fixed(node, fixed):
    """Whether no name in it comes from outside the function, and nothing is called."""
    for each in ast.walk(node):
        if isinstance(each, (ast.Call, ast.Await)) and _called(each) not in _PURE:
            return False
        if isinstance(each, ast.Name) and each.id not in fixed and each.id not in _PURE:
            return False
    return True
