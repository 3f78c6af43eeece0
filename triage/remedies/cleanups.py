"""What a `setUp` opens or closes, done at the end of the test instead."""

import ast

from triage.model.fix import Edit
from triage.remedies.blocks import body_indent, first_line, indent, inserted, last_line, own_lines
from triage.remedies.source import SourceFile
from triage.rules.source import Module
from triage.rules.syntax import Function, arguments, dotted, text

TEARDOWNS = {
    "setUp": "tearDown",
    "asyncSetUp": "asyncTearDown",
    "setUpClass": "tearDownClass",
    "setup_method": "teardown_method",
    "setup_class": "teardown_class",
}
_CLEANUPS = {"setUp": "addCleanup", "setUpClass": "addClassCleanup"}


def cleanup(function: Function, call: ast.Call, *, is_awaited: bool = False) -> str | None:
    """`self.addCleanup(session.close)` for a call; None where the class has no such method."""
    name = _CLEANUPS.get(function.name) or ("addCleanup" if function.name.startswith("test") else None)
    if function.name == "asyncSetUp":
        name = "addAsyncCleanup" if is_awaited else "addCleanup"
    first = arguments(function)[:1]
    if name is None or not first or call.keywords:
        return None
    return f"{first[0]}.{name}({', '.join([dotted(call.func), *(text(each) for each in call.args)])})"


def teardown(module: Module, function: Function) -> Function | None:
    around = module.parents.get(function)
    wanted = TEARDOWNS.get(function.name)
    for node in around.body if isinstance(around, ast.ClassDef) else ():
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == wanted:
            return node
    return None


def into_teardown(
    source: SourceFile, module: Module, function: Function, line: str, *, is_first: bool
) -> Edit | None:
    """One line in the method that runs after the test, which is written where it is missing."""
    found = teardown(module, function)
    if found is not None:
        own_lines(source, found.body[0])
        white = body_indent(source, found)
        if not is_first:
            return inserted(source, last_line(found), f"{white}{line}")
        at = source.offset(first_line(_after_docstring(found)), 0)
        return Edit(source.file, at, at, f"{white}{line}{source.newline}")
    first = arguments(function)[:1]
    if not first:
        return None
    outer, white = indent(source, function.lineno), body_indent(source, function)
    decorators = [f"{outer}@{text(each)}" for each in function.decorator_list]
    head = f"{outer}def {TEARDOWNS[function.name]}({first[0]}):"
    return inserted(source, last_line(function), "", *decorators, head, f"{white}{line}")


def _after_docstring(function: Function) -> ast.stmt:
    has_text = ast.get_docstring(function, clean=False) is not None
    return function.body[1] if has_text and len(function.body) > 1 else function.body[0]
