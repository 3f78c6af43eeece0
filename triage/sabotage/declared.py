"""Breakages of what classes and modules declare: defaults, constraints, relationships, constants."""

import ast
from collections.abc import Iterator
from dataclasses import replace

from triage.rules.syntax import is_constant, keyword, terminal
from triage.sabotage.mutants import OTHER
from triage.sabotage.pieces import Mutant, Piece, names_in, spot, words_of

_CONSTRAINTS = frozenset({"UniqueConstraint", "CheckConstraint", "ForeignKeyConstraint", "Index"})
_COLUMNS = frozenset({"Column", "mapped_column"})
# How tests that expect a refusal are named.
_UNIQUE = words_of("unique once twice duplicate same again taken already belongs second")
_MISSING = words_of("required requires missing without null needs mandatory must empty")
_REFERS = words_of("foreign orphan unknown reference key")


def declared_mutants(piece: Piece) -> Iterator[Mutant]:
    """Of statements right in a class body or in the module."""
    yield from _of_body(piece, "", piece.module.tree.body)
    for each in piece.module.all(ast.ClassDef):
        outer = [one.name for one in piece.module.ancestors(each) if isinstance(one, ast.ClassDef)]
        yield from _of_body(piece, ".".join([*reversed(outer), each.name]), each.body)


def _of_body(piece: Piece, owner: str, body: list[ast.stmt]) -> Iterator[Mutant]:
    for statement in body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                pass
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                pass
            case _:
                continue
        begin, end = statement.lineno, statement.end_lineno or statement.lineno
        about = words_of(owner, name, *names_in(value))
        blank = Mutant(piece.module.path, begin, "", "", "", owner, about, (begin, end), 0, "value", name)
        yield from _of_value(piece, blank, value)
        yield from _lambdas(piece, blank, value)


def _of_value(piece: Piece, blank: Mutant, value: ast.expr) -> Iterator[Mutant]:
    name, owner = blank.attribute, blank.owner
    shown = f"{owner}.{name}" if owner else name
    if name == "__table_args__":
        yield from _table_arguments(piece, blank, value)
    elif isinstance(value, ast.Call) and owner:
        yield from _call(piece, blank, value, shown)
        yield replace(blank, what=f"{shown} gives another value", kind="attribute", weight=4.5)
    elif not name.startswith("__") and not isinstance(value, (ast.Lambda, ast.Call)):
        yield _put(blank, value, f"{OTHER}({piece.text(value)})", f"another value for {shown}", 1)


def _lambdas(piece: Piece, blank: Mutant, value: ast.expr) -> Iterator[Mutant]:
    """What is called for each row or object, such as a default."""
    for each in (each for each in ast.walk(value) if isinstance(each, ast.Lambda)):
        if isinstance(each.body, (ast.Yield, ast.YieldFrom)):
            continue
        lines = (each.body.lineno, each.body.end_lineno or each.body.lineno)
        one = replace(blank, kind="function", lines=lines, attribute="")
        what = f"another value computed for {blank.owner}.{blank.attribute}".replace(" .", " ")
        yield _put(one, each.body, f"{OTHER}({piece.text(each.body)})", what, 1)


def _call(piece: Piece, blank: Mutant, call: ast.Call, shown: str) -> Iterator[Mutant]:
    default = keyword(call, "default", "server_default", "insert_default")
    if isinstance(default, (ast.Constant, ast.Attribute)):
        yield _put(blank, default, f"{OTHER}({piece.text(default)})", f"another default for {shown}", 0)
    for named, told in (("cascade", "no cascade"), ("order_by", "no order"), ("onupdate", "no update")):
        if keyword(call, named) is not None:
            yield _put(blank, call, _without(piece, call, named), f"{told} for {shown}", 1)
    if terminal(call) == "relationship":
        text = _without(piece, call, "lazy", "cascade", more="lazy='noload'")
        yield _put(blank, call, text, f"{shown} loads nothing", 2)
    yield from _refusals(piece, blank, call, shown)


def _refusals(piece: Piece, blank: Mutant, call: ast.Call, shown: str) -> Iterator[Mutant]:
    refusing = replace(blank, kind="refusal")
    unique, nullable = keyword(call, "unique"), keyword(call, "nullable")
    if is_constant(unique, value=True) and unique is not None:
        yield _put(_hinted(refusing, _UNIQUE), unique, "False", f"{shown} need not be unique", 0)
    if terminal(call) not in _COLUMNS or is_constant(keyword(call, "primary_key"), value=True):
        return
    if is_constant(nullable, value=False) and nullable is not None:
        yield _put(_hinted(refusing, _MISSING), nullable, "True", f"{shown} may be missing", 1)
    elif nullable is None and terminal(call) == "mapped_column":
        text = _without(piece, call, more="nullable=True")
        yield _put(_hinted(refusing, _MISSING), call, text, f"{shown} may be missing", 1)
    if any(terminal(one) == "ForeignKey" for one in call.args):
        text = _without(piece, call, drop="ForeignKey")
        yield _put(_hinted(refusing, _REFERS), call, text, f"{shown} refers to nothing", 8)


def _hinted(blank: Mutant, words: frozenset[str]) -> Mutant:
    return replace(blank, words=blank.words | words)


def _table_arguments(piece: Piece, blank: Mutant, value: ast.expr) -> Iterator[Mutant]:
    if not isinstance(value, (ast.Tuple, ast.List)):
        return
    for each in value.elts:
        if isinstance(each, ast.Call) and terminal(each) in _CONSTRAINTS:
            kept = [piece.text(one) for one in value.elts if one is not each]
            text = "(" + "".join(f"{one}, " for one in kept) + ")"
            about = words_of(blank.owner, *names_in(each)) | (
                _UNIQUE if "Unique" in terminal(each) else set()
            )
            one = replace(blank, kind="refusal", words=about, line=each.lineno)
            yield _put(one, value, text, f"{terminal(each)} dropped from {blank.owner}", 0)


def _put(blank: Mutant, node: ast.expr, text: str, what: str, weight: float) -> Mutant:
    line = blank.line if blank.attribute == "__table_args__" else node.lineno
    return replace(blank, line=line, at=spot(node), text=text, what=what, weight=weight)


def _without(piece: Piece, call: ast.Call, *names: str, more: str = "", drop: str = "") -> str:
    """The call without these keywords, or without arguments that call `drop`."""
    given = [piece.text(one) for one in call.args if not drop or terminal(one) != drop]
    given += [
        f"{one.arg}={piece.text(one.value)}" if one.arg else f"**{piece.text(one.value)}"
        for one in call.keywords
        if one.arg not in names
    ]
    return f"{piece.text(call.func)}({', '.join([*given, *([more] if more else [])])})"
