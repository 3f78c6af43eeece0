"""Declares the foreign key that a relationship lacks, while its table is being made; NOT NULL only where ordered."""

from __future__ import annotations

import ast


def start(tools, orders):
    return Change(tools, orders)


class Change:
    """Acts on the whole process: at the class's own column, or at the `Table(...)` of an association."""

    def __init__(self, tools, orders):
        self._tools, self._models, self._done = tools, tools.use("_mapper_models"), {}
        self._orders = [order for order in orders if order.names.get("column") and order.names.get("target")]
        self._models.when_made(self._of_class)
        tools.when_imported("sqlalchemy", self._watch)

    def _watch(self, sqlalchemy):
        from sqlalchemy import event

        event.listen(
            sqlalchemy.Table,
            "after_parent_attach",
            lambda table, parent: self._tools.guarded(self._of_table, table),
        )

    def test_started(self, item):
        for order in self._orders:
            self._tell(order)

    def _of_class(self, mapper, cls):
        for order in self._orders:
            if order.names.get("model") not in (None, cls.__name__):
                continue
            attribute = order.names.get("attribute", order.names["column"])
            place = self._tools.attribute_place(cls, attribute)
            if place and (place["file"], place["line"]) == (order.file, order.line):
                self._add(mapper.local_table, order)

    def _of_table(self, table):
        for order in self._orders:
            if order.names.get("table") == table.name and self._is_made_at(order):
                self._add(table, order)

    def _is_made_at(self, order):
        """The table of a class is made by the line of the class, never by that of its column."""
        stack = self._tools.own_stack(1)
        if not stack or not self._tools.stands_at(stack[0], order):
            return False
        return not isinstance(self._models.parsed(stack[0]), ast.ClassDef)

    def _add(self, table, order):
        from sqlalchemy import ForeignKey

        column, target, said = table.columns.get(order.names["column"]), order.names["target"], []
        if column is not None and not column.foreign_keys:
            column.append_foreign_key(ForeignKey(target))
            said.append("%s.%s is a foreign key to %s" % (table.name, column.name, target))
        if column is not None and column.nullable and order.names.get("nullable") == "false":
            column.nullable = False
            said.append("%s.%s takes no NULL" % (table.name, column.name))
        if said:
            self._done[order.number] = ", ".join(said)
            self._tell(order)

    def _tell(self, order):
        if order.number in self._done and self._tools.item is not None and self._tools.active([order]):
            self._tools.applied(order, self._done[order.number])
