"""A test or a fixture asks for one fixture more."""

import ast
import re
from typing import cast

from triage.model.fix import Edit
from triage.remedies.blocks import spot
from triage.remedies.imports import top_level_names
from triage.remedies.source import SourceFile
from triage.rules.syntax import Function, arguments, terminal


def asked(source: SourceFile, function: Function, name: str) -> tuple[Edit, ...]:
    """The parameter where pytest, `mock.patch` and `given` take it; nothing where it is there."""
    if name in arguments(function):
        return ()
    spec = function.args
    plain = [*spec.posonlyargs, *spec.args]
    needed = plain[: len(plain) - len(spec.defaults)]
    if _fills_from_the_right(function):
        needed = needed[:1] if needed and needed[0].arg in ("self", "cls") else []
    text = _annotated(source, [*plain, *spec.kwonlyargs], name)
    if needed:
        return (_after(source, needed[-1], text),)
    at = _opening(source, function)
    rest = bool(plain or spec.vararg or spec.kwonlyargs or spec.kwarg)
    return (Edit(source.file, at, at, f"{text}, " if rest else text),)


def _after(source: SourceFile, last: ast.arg, name: str) -> Edit:
    """On a line of its own where the others have theirs."""
    start, stop = _span(source, last)
    before = source.text[source.offset(last.lineno, 0) : start]
    is_alone = last.lineno > 1 and not before.strip()
    after = source.text[stop:].lstrip(" \t")[:2]
    if is_alone and after[:1] in (",", "\n", "\r") and after[1:2] in ("\n", "\r", ""):
        return Edit(source.file, stop, stop, f",{source.newline}{before}{name}")
    return Edit(source.file, stop, stop, f", {name}")


def _span(source: SourceFile, node: ast.arg) -> tuple[int, int]:
    return spot(source, cast("ast.expr", node))  # it has the same places


def _opening(source: SourceFile, function: Function) -> int:
    """After the parenthesis that opens the parameters."""
    head = re.compile(rf"\bdef\s+{function.name}\b[^(]*\(")
    found = head.search(source.text, spot(source, function)[0])
    return found.end() if found is not None else spot(source, function)[0]


def _fills_from_the_right(function: Function) -> bool:
    return any(
        terminal(each) == "given" and isinstance(each, ast.Call) and each.args
        for each in function.decorator_list
    )


def _annotated(source: SourceFile, others: list[ast.arg], name: str) -> str:
    own = [each for each in others if each.arg not in ("self", "cls")]
    typed = bool(own) and all(each.annotation is not None for each in own)
    return f"{name}: Flask" if typed and "Flask" in top_level_names(source) and name != "client" else name
