"""Where a test gets the text of a UUID from: constants, fixtures, parameters, attributes of a test class."""

import ast
import re
from collections.abc import Iterable, Iterator

from triage.rules.fixtures import fixture_index
from triage.rules.source import Module, SourceTree
from triage.rules.syntax import Function, arguments, assigned, keyword, string, terminal, text, within

_KEY = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)


def is_uuid_text(value: object) -> bool:
    return isinstance(value, str) and _KEY.fullmatch(value) is not None


def holds_text(
    name: str, key: str | None, function: Function | None, module: Module, tree: SourceTree
) -> bool:
    """Whether a name from outside the function (or what it holds under `key`) is such a text."""
    if function is not None and name in arguments(function):
        fixture = fixture_index(tree).find(name, module.path)
        values = list(_given(name, function))
        if fixture is None or values:
            return key is None and bool(values) and all(_is_text(each, module, tree) for each in values)
        return any(_is_text(each, None, tree, key) for each in _results(fixture.node))
    values = [value for found, value in _top(name, module, tree)]
    return len(values) == 1 and _is_text(values[0], module, tree, key)


def is_text_attribute(attribute: str, function: Function | None, module: Module, tree: SourceTree) -> bool:
    """Whether all that a test class stores under `self.attribute` are such texts."""
    around = (
        next((one for one in module.ancestors(function) if isinstance(one, ast.ClassDef)), None)
        if function
        else None
    )
    classes = [around] if around is not None else []
    bases = {terminal(each) for one in classes for each in one.bases}
    classes += [one for one in module.all(ast.ClassDef) if one.name in bases]
    values = [
        each.value
        for one in classes
        for each in ast.walk(one)
        if isinstance(each, ast.Assign)
        and any(isinstance(to, ast.Attribute) and text(to) == f"self.{attribute}" for to in each.targets)
    ]
    return bool(values) and all(_is_text(each, module, tree) for each in values)


def _is_text(node: ast.expr, module: Module | None, tree: SourceTree, key: str | None = None) -> bool:
    if key is not None:
        pairs = zip(node.keys, node.values, strict=True) if isinstance(node, ast.Dict) else ()
        return any(
            one is not None and text(one) == key and _is_text(value, module, tree) for one, value in pairs
        )
    if isinstance(node, ast.Name) and module is not None:
        values = [value for _, value in _top(node.id, module, tree)]
        return len(values) == 1 and _is_text(values[0], None, tree)
    if isinstance(node, ast.JoinedStr):
        return len(node.values) == 1 and isinstance(node.values[0], ast.FormattedValue)
    if isinstance(node, ast.Call) and text(node.func) == "str" and len(node.args) == 1:
        return True
    return is_uuid_text(string(node)) or (isinstance(node, ast.Attribute) and node.attr == "hex")


def _top(name: str, module: Module, tree: SourceTree) -> Iterator[tuple[str, ast.expr]]:
    """What the module, or the one that it imports the name from, binds at its top."""
    found = [
        (module.path, value) for each in module.tree.body for one, value in assigned(each) if one == name
    ]
    yield from found
    if found or name not in module.imports:
        return
    source, there = module.imports[name]
    tail = source.strip(".").replace(".", "/") + ".py"
    for other in tree.modules(there.encode()):
        if other.path.endswith(tail):
            yield from (
                (other.path, value)
                for each in other.tree.body
                for one, value in assigned(each)
                if one == there
            )


def _results(function: Function) -> Iterator[ast.expr]:
    """What a fixture hands out, through a variable that it binds once."""
    for node in within(function):
        if isinstance(node, ast.Return | ast.Yield) and node.value is not None:
            value = node.value
            if isinstance(value, ast.Name):
                bound = [one for each in within(function) for name, one in assigned(each) if name == value.id]
                value = bound[0] if len(bound) == 1 else value
            yield value


def _given(name: str, function: Function) -> Iterator[ast.expr]:
    """The values of a parametrised argument."""
    for each in function.decorator_list:
        if not isinstance(each, ast.Call) or terminal(each.func) != "parametrize":
            continue
        first = each.args[0] if each.args else keyword(each, "argnames")
        rows = each.args[1] if len(each.args) > 1 else keyword(each, "argvalues")
        names = _names(first)
        if name not in names or not isinstance(rows, ast.List | ast.Tuple):
            continue
        for row in rows.elts:
            cells = row.args if isinstance(row, ast.Call) and terminal(row.func) == "param" else [row]
            if len(names) > 1 and len(cells) == 1 and isinstance(cells[0], ast.List | ast.Tuple):
                cells = cells[0].elts
            yield cells[names.index(name)] if len(cells) == len(names) else row


def _names(node: ast.expr | None) -> list[str]:
    if isinstance(node, ast.List | ast.Tuple):
        return [string(one) or "" for one in node.elts]
    return [one.strip() for one in (string(node) or "").split(",")]


def says_text(function: str, position: int | str, tree: SourceTree) -> tuple[str, int] | None:
    """The product's function of this name where it declares the argument as text."""
    name = function.rpartition(".")[2]
    for module in tree.modules(f"def {name}(".encode(), tests=False):
        for each in module.functions:
            own = [*each.args.posonlyargs, *each.args.args]
            own = own[1:] if own and own[0].arg in ("self", "cls") else own
            named = {one.arg: one for one in (*own, *each.args.kwonlyargs)}
            at = (
                named.get(position)
                if isinstance(position, str)
                else (own[position] if position < len(own) else None)
            )
            if each.name == name and at is not None and text(at.annotation) == "str":
                return module.path, each.lineno
    return None


def in_tests(tests: Iterable[str], file: str) -> frozenset[str]:
    """Names of the functions that the node ids of a file mean."""
    own = (each for each in tests if each.partition("::")[0] == file)
    return frozenset(each.partition("[")[0].rpartition("::")[2] for each in own)
