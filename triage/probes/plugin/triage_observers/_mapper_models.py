"""What the mappers know, without configuring them, and where their columns and relationships stand in own code."""

from __future__ import annotations

import ast
import linecache
import re
import sys
import weakref

_NAMES = {False: ("default", "insert_default"), True: ("onupdate",)}


def start(tools):
    return Models(tools)


class Models:
    """Every mapper of the process; private names of SQLAlchemy are read only where the public ones would configure."""

    def __init__(self, tools):
        self._tools, self._mappers, self._waiting = tools, [], []
        tools.when_imported("sqlalchemy.orm", self._watch)

    def _watch(self, orm):
        from sqlalchemy import event

        event.listen(orm.Mapper, "instrument_class", self._made)

    def _made(self, mapper, cls):
        self._mappers.append(weakref.ref(mapper))
        for callback in self._waiting:
            self._tools.guarded(callback, mapper, cls)

    def when_made(self, callback):
        """callback(mapper, class) while the class is being mapped: its table is there, its properties are not."""
        self._waiting.append(callback)

    def before_configured(self, callback):
        """callback() each time that mappers are about to be configured, and so before the first row of a class."""

        def watch(orm):
            from sqlalchemy import event

            event.listen(orm.Mapper, "before_configured", lambda: self._tools.guarded(callback))

        self._tools.when_imported("sqlalchemy.orm", watch)

    @staticmethod
    def snake(name):
        """Flask-SQLAlchemy's default table name."""
        return re.sub(r"((?<=[a-z0-9])[A-Z]|(?!^)[A-Z](?=[a-z]))", r"_\1", name).lower().lstrip("_")

    # mappers

    def all(self):
        found = [each for each in (reference() for reference in self._mappers) if each is not None]
        return [each for each in found if not getattr(each, "_dispose_called", False)]

    def named(self, name):
        """Those of classes of this name, the newest first."""
        return [each for each in reversed(self.all()) if each.class_.__name__ == name]

    def of_class(self, cls):
        for base in getattr(cls, "__mro__", ()):
            for each in self.all():
                if each.class_ is base:
                    return each
        return None

    def of_table(self, name):
        return [each for each in reversed(self.all()) if getattr(each.local_table, "name", None) == name]

    @staticmethod
    def narrowed(mappers, steps):
        """Of namesakes those that the innermost frames of a traceback hold, by class, table or object; else all."""
        held = set()
        for frame, _, _ in steps[-8:] if len(mappers) > 1 else ():
            for value in list(frame.f_locals.values()):
                held |= {id(value), id(type(value))}
        kept = [each for each in mappers if held & {id(each), id(each.class_), id(each.local_table)}]
        return kept or mappers

    def relationships(self, mapper):
        """(name, property) of those that this very class defines."""
        found = list(mapper._props.items())
        return [(key, prop) for key, prop in found if hasattr(prop, "uselist") and prop.parent is mapper]

    def target(self, prop):
        """The mapper that a relationship leads to, or None."""
        entity = vars(prop).get("entity")  # asking for it would configure the mappers
        if entity is not None:
            return getattr(entity, "mapper", entity)
        argument = prop.argument
        if not isinstance(argument, (str, type)) and callable(argument):
            try:
                argument = argument()
            except Exception:  # a name that the project has not defined
                return None
        if isinstance(argument, str):
            found = self.named(argument.rpartition(".")[2])
            return found[0] if found else None
        return getattr(argument, "mapper", None) or self.of_class(argument)

    def other_side(self, prop):
        """Name that `back_populates` or `backref` gives to the other side, or None."""
        named = getattr(prop, "back_populates", None) or getattr(prop, "backref", None)
        named = named[0] if isinstance(named, tuple) else named
        return named if isinstance(named, str) else getattr(named, "key", None)

    # source

    def attribute(self, mapper, column):
        """Name of the class's attribute for a column of its table."""
        for key, each in mapper.columns.items():
            if each is column:
                return key
        return column.key

    def defaults(self, cls, name, for_update=False):
        """(expression of the default in the source, globals of its module); (None, {}) where none is written."""
        for base in cls.__mro__:
            node, _ = self._tools._class_node(base)
            for each in node.body if node is not None else ():
                targets = each.targets if isinstance(each, ast.Assign) else [getattr(each, "target", None)]
                names = [getattr(target, "id", None) for target in targets]
                if name in names or getattr(each, "name", None) == name:
                    return _keyword(each, _NAMES[for_update]), vars(sys.modules[base.__module__])
        return None, {}

    def table_place(self, table, column=None):
        """Where a module of the project assigns a table, or names a column of it."""
        for module in list(sys.modules.values()):
            filename = getattr(module, "__file__", None)
            held = vars(module) if filename else {}
            variable = next((name for name, value in list(held.items()) if value is table), None)
            file, kind = self._tools.describe(filename) if variable else (None, None)
            if kind in ("project", "test"):
                line = _table_line(filename, variable, column)
                if line:
                    return {"file": file, "line": line, "symbol": variable}
        return None

    def own_steps(self, failure):
        """(frame, line, place) of own code, the innermost first, of every exception of a failure."""
        found = []
        for exc, _ in failure.chain:
            for frame, line, _ in reversed(failure.steps(exc)):
                place = self._tools.place(frame, line)
                if place:
                    found.append((frame, line, place))
        return found

    def evidence(self, kind, place, text=None):
        return {
            "kind": kind,
            "file": place["file"],
            "line": place["line"],
            "text": text or place.get("src") or self._tools.source(place),
        }

    def parsed(self, place, whole=False):
        """Syntax tree of the statement at a place, or of the whole function around it; None where unreadable."""
        lines = linecache.getlines(place["path"])
        try:
            tree = ast.parse("".join(lines))
        except (SyntaxError, ValueError, RecursionError):
            return None
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef) if whole else ast.stmt
        held = [
            node
            for node in ast.walk(tree)
            if isinstance(node, kinds) and node.lineno <= place["line"] <= node.end_lineno
        ]
        return max(held, key=lambda node: (node.lineno, -node.end_lineno)) if held else None


def _keyword(node, names):
    for each in ast.walk(node):
        if isinstance(each, ast.Call):
            for keyword in each.keywords:
                if keyword.arg in names:
                    return keyword.value
    return None


def _table_line(filename, variable, column):
    """Line of `variable = Table(...)`, or within it of the call that names a column."""
    try:
        tree = ast.parse("".join(linecache.getlines(filename)))
    except (SyntaxError, ValueError, RecursionError):
        return None
    for node in ast.walk(tree):
        targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and variable in [
            getattr(each, "id", None) for each in targets
        ]:
            for call in ast.walk(node) if column is not None else ():
                first = call.args[0] if isinstance(call, ast.Call) and call.args else None
                if getattr(first, "value", None) == column and call is not node.value:
                    return call.lineno
            return node.lineno if column is None else None
    return None
