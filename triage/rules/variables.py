"""Which model the variables of a function hold, where its text shows it."""

import ast
from collections.abc import Iterator, Mapping

from triage.rules.models import Model, ModelIndex
from triage.rules.source import Module
from triage.rules.syntax import Function, arguments, dotted, owner, terminal, within

_SINGLE = frozenset(
    {
        "first",
        "one",
        "one_or_none",
        "scalar_one",
        "scalar_one_or_none",
        "scalar",
        "first_or_404",
        "one_or_404",
    }
)
_BY_KEY = frozenset({"get", "get_or_404", "get_one"})
_MANY = frozenset({"all", "scalars"})
_ENTITIES = frozenset({"query", "select"})


Makers = Mapping[str, Model]


def instances(function: Function, module: Module, index: ModelIndex, makers: Makers) -> dict[str, Model]:
    """Variables by name; one that is bound to different models, or to something else, is left out.

    `makers` are functions and fixtures that return an object of a model.
    """
    found: dict[str, Model | None] = {}
    for name in arguments(function):
        found[name] = makers.get(name) or index.by_variable.get(name)
    bound: set[str] = set()
    for statement in within(function):
        for name, value in bindings(statement):
            model = made_by(value, module, index, makers)
            found[name] = model if name not in bound or found.get(name) is model else None
            bound.add(name)
    return {name: model for name, model in found.items() if model is not None}


def bindings(statement: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Names with what is bound to them, element by element for tuples."""
    if isinstance(statement, ast.Assign):
        for target in statement.targets:
            yield from _pairs(target, statement.value)
    elif isinstance(statement, ast.AnnAssign | ast.NamedExpr) and statement.value is not None:
        yield from _pairs(statement.target, statement.value)
    elif isinstance(statement, ast.For | ast.AsyncFor | ast.comprehension):
        yield from _pairs(statement.target, statement.iter)


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Tuple | ast.List):
        same = isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts)
        values = (
            value.elts if same and isinstance(value, ast.Tuple | ast.List) else [value] * len(target.elts)
        )
        for each, part in zip(target.elts, values, strict=True):
            yield from _pairs(each, part if same else ast.Constant(None))


def made_by(value: ast.expr, module: Module, index: ModelIndex, makers: Makers) -> Model | None:
    """The model of the one object that an expression makes or queries."""
    if not isinstance(value, ast.Call):
        return None
    name = dotted(value.func)
    model = index.find(name, module) if name else None
    return model or queried(value, module, index) or makers.get(terminal(value))


def queried(call: ast.Call, module: Module, index: ModelIndex) -> Model | None:
    """The model whose row `Model.query...first()`, `session.get(Model, ...)` and kin return."""
    method = terminal(call)
    if method in _BY_KEY:
        entity = call.args[0] if call.args else None
        model = index.find(dotted(entity), module) if entity is not None and dotted(entity) else None
        return model or query_source(owner(call), module, index)
    if method in _SINGLE:
        return query_source(owner(call), module, index) or _first_select(call, module, index)
    return None


def is_collection(value: ast.expr, module: Module, index: ModelIndex) -> Model | None:
    """The model of the rows that a query returns as a list."""
    if isinstance(value, ast.Call) and terminal(value) in _MANY:
        return query_source(owner(value), module, index) or _first_select(value, module, index)
    return None


def _first_select(call: ast.Call, module: Module, index: ModelIndex) -> Model | None:
    """`session.scalar(select(Model)...)`."""
    if call.args and isinstance(call.args[0], ast.Call):
        return query_source(call.args[0], module, index)
    return None


def query_source(chain: ast.expr | None, module: Module, index: ModelIndex) -> Model | None:
    """The single entity at the start of a query's chain of calls."""
    while isinstance(chain, ast.Call | ast.Attribute):
        if isinstance(chain, ast.Call):
            if terminal(chain) in _ENTITIES:
                names = [dotted(each) for each in chain.args]
                return index.find(names[0], module) if len(names) == 1 and names[0] else None
            inner = chain.args[0] if chain.args else None
            if terminal(chain) in ("execute", "scalars") and isinstance(inner, ast.Call):
                chain = inner
                continue
            if terminal(chain) in ("with_entities", "values", "add_columns"):
                return None
            chain = chain.func
        elif chain.attr in _ENTITIES:
            return index.find(dotted(chain.value), module) if dotted(chain.value) else None
        else:
            chain = chain.value
    return None
