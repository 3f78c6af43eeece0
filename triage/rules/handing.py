"""The objects of models that a function makes or queries, and those that it hands to others."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from triage.rules.factories import FactoryIndex
from triage.rules.models import ModelIndex
from triage.rules.source import Module
from triage.rules.syntax import Function, dotted, terminal, within
from triage.rules.variables import Makers, bindings, is_collection, made_by, queried

_LISTS = frozenset({"list", "tuple", "set", "sorted"})
_EAGER = frozenset({"options", "joinedload", "selectinload", "subqueryload", "contains_eager"})
Statement = ast.Return | ast.Yield | ast.Assign


@dataclass(frozen=True, slots=True)
class Born:
    """`variable` is empty for what is handed out at once.

    `stored` says that making it has committed it, `lazy` that it was queried and that its model has
    relationships, which load on first use.
    """

    variable: str
    model: str
    line: int
    stored: bool
    lazy: bool


@dataclass(frozen=True, slots=True)
class Births:
    """What tells that an expression is an object of a model."""

    models: ModelIndex
    factories: FactoryIndex
    makers: Makers

    def of(self, function: Function, module: Module) -> list[Born]:
        """In source order; only what is bound to a name."""
        found = []
        for statement in within(function):
            for name, value in bindings(statement):
                born = self._bound(name, value, module)
                found += [born] if born is not None else []
        return found

    def handed_out(
        self, function: Function, module: Module, *, attributes: bool
    ) -> Iterator[tuple[Statement, Born]]:
        """By `return` and `yield`; with `attributes` also by assignment to `self.x` or `cls.x`."""
        known = self.of(function, module)
        for node in within(function):
            if isinstance(node, ast.Return | ast.Yield) and node.value is not None:
                for each in self._held(node.value, known, node.lineno, module):
                    yield node, each
            elif attributes and isinstance(node, ast.Assign):
                for name in _own_attributes(node):
                    for each in self._kept(node.value, known, node.lineno, module):
                        yield node, replace(each, variable=name)

    def _bound(self, name: str, value: ast.expr, module: Module) -> Born | None:
        values = [value, *value.elts] if isinstance(value, ast.List | ast.Tuple) else [value]
        values += [value.elt] if isinstance(value, ast.ListComp) else []
        made = (self._made(each, name, module) for each in values)
        return next((each for each in made if each is not None), None)

    def _made(self, value: ast.expr, name: str, module: Module) -> Born | None:
        direct = self._queried(value, module)
        if direct is not None:
            return replace(direct, variable=name)
        value = _unwrapped(value)
        model = made_by(value, module, self.models, self.makers)
        if model is not None:
            return Born(name, model.name, value.lineno, stored=False, lazy=False)
        factory = self.factories.called(value, module) if isinstance(value, ast.Call) else None
        if factory is not None and factory.model:
            return Born(name, factory.model, value.lineno, factory.persistence == "commit", lazy=False)
        return None

    def _queried(self, value: ast.expr, module: Module) -> Born | None:
        value = _unwrapped(value)
        if not isinstance(value, ast.Call):
            return None
        model = queried(value, module, self.models) or is_collection(value, module, self.models)
        if model is None:
            return None
        is_eager = any(terminal(each) in _EAGER for each in ast.walk(value) if isinstance(each, ast.Call))
        lazy = not is_eager and self._has_relationships(model.name)
        return Born("", model.name, value.lineno, stored=False, lazy=lazy)

    def _has_relationships(self, model: str) -> bool:
        return any(
            model in (each.name, relationship.target)
            for each in self.models.models
            for relationship in each.relationships
        )

    def _kept(self, value: ast.expr, known: list[Born], line: int, module: Module) -> Iterator[Born]:
        made = None if isinstance(value, ast.Name) else self._made(value, "", module)
        yield from self._held(value, known, line, module) if made is None else (made,)

    def _held(self, value: ast.expr, known: list[Born], line: int, module: Module) -> Iterator[Born]:
        """Objects that the value itself is, or holds as elements; `tenant.id` holds none."""
        pending, names = [value], []
        while pending:
            each = pending.pop()
            direct = self._queried(each, module)
            if direct is not None:
                yield direct
            elif isinstance(each, ast.Name):
                names.append(each.id)
            elif isinstance(each, ast.Tuple | ast.List):
                pending.extend(each.elts)
            elif isinstance(each, ast.Dict):
                pending.extend(each.values)
            elif isinstance(each, ast.Call) and terminal(each) in ("dict", "SimpleNamespace"):
                pending.extend(keyword.value for keyword in each.keywords)
        for name in reversed(names):
            yield from [each for each in known if each.variable == name and each.line <= line][-1:]


def _own_attributes(statement: ast.Assign) -> Iterator[str]:
    """`self.x`, also for `cls.x`: that is how a test reads it."""
    for target in statement.targets:
        root, _, rest = dotted(target).partition(".")
        if root in ("self", "cls") and rest:
            yield f"self.{rest}"


def _unwrapped(value: ast.expr) -> ast.expr:
    """Without `await`, `list(...)` and kin."""
    while True:
        if isinstance(value, ast.Await):
            value = value.value
        elif isinstance(value, ast.Call) and dotted(value.func) in _LISTS and value.args:
            value = value.args[0]
        else:
            return value
