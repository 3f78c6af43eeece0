"""Breaks expressions and statements of the project's code, each for its own tests only.

The files that orders name are compiled with every breakage in place behind a question, asked each time: is it on for
the test that runs now? Lines stay where they are. `names`: `at` (`expr|stmt LINE:COLUMN-LINE:COLUMN`, columns in bytes),
`text` (what stands there instead), `when`: `call` or `setup` of its tests, or `process` for what runs at import alone.
"""

from __future__ import annotations

import ast
import builtins
import importlib.machinery
import os
import re

import triage_observe

_VALUES = triage_observe._load("triage_interventions", "_other_values")
_ASK = "__triage_broken__"  # ends with underscores, too: a class does not mangle it
_OTHER = "__triage_other__"
_AT = re.compile(r"(expr|stmt) (\d+):(\d+)-(\d+):(\d+)")
_WHOLE = ("JoinedStr", "TemplateStr")  # their pieces are no expressions that could be exchanged
_MOST = 10000  # times in one test: a loop that only the unbroken line ends must end


def start(tools, orders):
    return Change(tools, orders)


class Change(object):
    def __init__(self, tools, orders):
        self._tools, self._orders, self._by_path = tools, {}, {}
        self._on, self._left, self._in_place = frozenset(), {}, set()
        for order in orders:
            path = os.path.join(tools._places._root, *order.file.split("/"))
            self._by_path.setdefault(os.path.realpath(path), []).append(order)
            self._orders[order.number] = order
        self._names = frozenset(os.path.basename(path) for path in self._by_path)
        self._process = self._of(("process",), orders)
        setattr(builtins, _ASK, self._is_broken)
        setattr(builtins, _OTHER, _VALUES.other)
        self._hook()

    def test_started(self, item):
        self._turn_on("setup")

    def call_started(self, item):
        self._turn_on("setup", "call")
        for number in self._in_place:
            for order in self._tools.active([self._orders[number]]):
                self._tools.applied(order, order.names["text"])

    def teardown_started(self, item):
        self._on = frozenset()

    def test_ended(self, item):
        self._on = frozenset()

    def _turn_on(self, *when):
        mine = self._tools.active([order for order in self._orders.values() if order.tests])
        self._on = self._of(when, mine)
        self._left = dict.fromkeys(self._on, _MOST)

    @staticmethod
    def _of(when, orders):
        return frozenset(order.number for order in orders if order.names.get("when", "call") in when)

    def _is_broken(self, number):
        if number in self._process:
            self._in_place.add(number)
            return True
        if number not in self._on:
            return False
        left = self._left[number] = self._left[number] - 1
        if left == _MOST - 1:
            self._tools.guarded(self._tools.applied, self._orders[number], self._orders[number].names["text"])
        return left >= 0

    def _hook(self):
        """Whoever loads from source takes the code from here; compiled files are neither read nor written."""
        original, change = importlib.machinery.SourceFileLoader.get_code, self

        def get_code(loader, fullname):
            code = change._tools.guarded(change._code, getattr(loader, "path", None))
            return original(loader, fullname) if code is None else code

        importlib.machinery.SourceFileLoader.get_code = get_code

    def _code(self, path):
        if not path or os.path.basename(path) not in self._names:
            return None
        orders = self._by_path.get(os.path.realpath(path))
        if orders is None:
            return None
        with open(path, "rb") as file:
            tree = ast.parse(file.read(), path)
        return compile(_Breaker(self._tools, orders).visit(tree), path, "exec", dont_inherit=True)


class _Breaker(ast.NodeTransformer):
    def __init__(self, tools, orders):
        self._tools, self._spots = tools, {}
        for order in orders:
            found = _AT.match(order.names["at"])
            if found:
                key = (found.group(1),) + tuple(map(int, found.groups()[1:]))
                self._spots.setdefault(key, []).append(order)

    def visit(self, node):
        kind = "expr" if isinstance(node, ast.expr) else "stmt" if isinstance(node, ast.stmt) else None
        orders = self._spots.pop((kind,) + _span(node), ()) if kind else ()
        if type(node).__name__ not in _WHOLE:
            node = self.generic_visit(node)
        if orders and isinstance(getattr(node, "ctx", None), (ast.Store, ast.Del)):
            return node
        whole = node
        for order in orders:
            broken = self._tools.guarded(_parsed, kind, order.names["text"])
            if broken is not None:
                whole = _either(order.number, broken, whole, node)
        return whole


def _span(node):
    return node.lineno, node.col_offset, node.end_lineno, node.end_col_offset


def _parsed(kind, text):
    return ast.parse("(" + text + "\n)", mode="eval").body if kind == "expr" else ast.parse(text).body


def _either(number, broken, whole, node):
    """Everything new stands at the line of what it replaces."""
    ask = ast.Call(ast.Name(_ASK, ast.Load()), [ast.Constant(number, kind=None)], [])
    for new in [ask] + (broken if isinstance(broken, list) else [broken]):
        for each in ast.walk(new):
            ast.copy_location(each, node)
    if isinstance(broken, list):
        return ast.fix_missing_locations(ast.copy_location(ast.If(ask, broken, [whole]), node))
    return ast.fix_missing_locations(ast.copy_location(ast.IfExp(ask, broken, whole), node))
