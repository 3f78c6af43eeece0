"""The functions of a project that make an object of a model and return it."""

import ast
from collections.abc import Iterator

from triage.rules.model_index import model_index
from triage.rules.models import Model, ModelIndex
from triage.rules.source import Module, SourceTree
from triage.rules.syntax import Function, arguments, within
from triage.rules.variables import Makers, instances, made_by

_ROUNDS = 3  # a helper of a helper of a helper
_Definition = tuple[Function, Module, tuple[ast.expr, ...]]  # the last: what it returns or yields


def makers(tree: SourceTree) -> Makers:
    """By name; a name that several functions share counts only when all return the same model."""
    return tree.memo(_build)


def _build(tree: SourceTree) -> Makers:
    index = model_index(tree)
    by_name: dict[str, list[_Definition]] = {}
    for module in tree.modules(b".add(", b".add_all(", b"commit", b"session"):
        for function in module.functions:
            by_name.setdefault(function.name, []).append((function, module, tuple(_values(function))))
    passing = {name for name, found in by_name.items() if all(_passes_on(*each) for each in found)}
    promising = {name: found for name, found in by_name.items() if all(_may_make(each[2]) for each in found)}
    found: dict[str, Model] = {}
    for _ in range(_ROUNDS):
        for name in [each for each in promising if each not in found]:
            models = {_returned(*each, index, found, passing) for each in promising[name]}
            model = models.pop() if len(models) == 1 else None
            if model is not None:
                found[name] = model
    return found


def _may_make(values: tuple[ast.expr, ...]) -> bool:
    return bool(values) and all(isinstance(each, ast.Name | ast.Call) for each in values)


def _returned(
    function: Function,
    module: Module,
    values: tuple[ast.expr, ...],
    index: ModelIndex,
    known: Makers,
    passing: set[str],
) -> Model | None:
    is_named = any(isinstance(each, ast.Name) for each in values)
    variables = instances(function, module, index, known) if is_named else {}
    models = {_model_of(each, module, index, known, passing, variables) for each in values}
    return models.pop() if len(models) == 1 else None


def _model_of(
    value: ast.expr,
    module: Module,
    index: ModelIndex,
    known: Makers,
    passing: set[str],
    variables: dict[str, Model],
) -> Model | None:
    if isinstance(value, ast.Name):
        return variables.get(value.id)
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in passing:
        return made_by(value.args[0], module, index, known) if value.args else None
    return made_by(value, module, index, known)


def _values(function: Function) -> Iterator[ast.expr]:
    for each in within(function):
        if isinstance(each, ast.Return | ast.Yield) and each.value is not None:
            yield each.value


def _passes_on(function: Function, _: Module, values: tuple[ast.expr, ...]) -> bool:
    """`def save(row): ...; return row`."""
    names = arguments(function)
    return bool(names) and len(values) == 1 and isinstance(values[0], ast.Name) and values[0].id == names[0]
