"""Hands a UUID to a column that takes UUIDs where one own line gives it text, and text to a column of text."""

from __future__ import annotations

import functools
import re
import sys
import uuid

import triage_observe

_SUPPLY = triage_observe._load("triage_interventions", "supply_value")
_UUIDS = re.compile("uuid|guid", re.I)


def start(tools, orders):
    return Change(tools, orders)


class Change:
    """By values that are bound, and by attributes that are set, while the ordered line runs."""

    def __init__(self, tools, orders):
        self._tools, self._orders = tools, orders
        tools.when_imported("sqlalchemy", self._watch_values)
        tools.use("_mapper_models").when_made(self._watch_attributes)

    def _watch_values(self, sqlalchemy):
        from sqlalchemy.types import TypeEngine

        original, change = TypeEngine._cached_bind_processor, self

        # private, but the only door that every type and every dialect go through, from 1.3 to 2.1
        @functools.wraps(original)
        def _cached_bind_processor(type_, dialect):
            process = original(type_, dialect)
            if _kind(type_) is None:
                return process

            def bound(value):
                if isinstance(value, (str, uuid.UUID)):
                    value = change._tools.guarded(change._converted, type_, value) or value
                return process(value) if process is not None else value

            return bound

        TypeEngine._cached_bind_processor = _cached_bind_processor

    def _watch_attributes(self, mapper, cls):
        """A constructor sets the value long before it is bound."""
        from sqlalchemy import event

        @event.listens_for(mapper, "mapper_configured")
        def configured(made, of):
            for key, column in made.columns.items():
                if _kind(column.type) is not None:
                    self._tools.guarded(self._watch_attribute, getattr(of, key), column.type)

    def _watch_attribute(self, attribute, type_):
        from sqlalchemy import event

        def assigned(target, value, old, initiator):
            if not isinstance(value, (str, uuid.UUID)):
                return value
            return self._tools.guarded(self._converted, type_, value) or value

        event.listen(attribute, "set", assigned, retval=True)

    def _converted(self, type_, value):
        fitting = _fitting(type_, value)
        order = self._order_here() if fitting is not None else None
        if order is None:
            return None
        self._tools.applied(order, "%s instead of %s" % (_name(fitting), _name(value)))
        return fitting

    def _order_here(self):
        """The order of the innermost own line, of the innermost line of a test, or of a factory's attribute."""
        active, stack = self._tools.active(self._orders), self._tools.own_stack()
        places = stack[:1] + [place for place in stack if place["kind"] == "test"][:1]
        for order in active:
            if any(self._tools.stands_at(place, order) for place in places):
                return order
        factory = _SUPPLY.making(sys._getframe(1)) if active else None
        for order in active if factory is not None else ():
            place = self._tools.attribute_place(factory, order.names.get("column", ""))
            if place is not None and (place["file"], place["line"]) == (order.file, order.line):
                return order
        return None


def _kind(type_):
    """What a type takes, "uuid" or "text"; None for all others."""
    for each in (type_, getattr(type_, "impl", None)):
        names = [base.__name__ for base in type(each).__mro__]
        if any(_UUIDS.search(name) for name in names):
            return "uuid" if getattr(each, "as_uuid", True) else "text"
        if not hasattr(each, "process_bind_param") and ("String" in names or "NullType" in names):
            return "text"
    return None


def _fitting(type_, value):
    """The value as the type takes it; None where it is so already, or is no UUID."""
    if _kind(type_) == "text":
        return str(value) if isinstance(value, uuid.UUID) else None
    if isinstance(value, uuid.UUID):
        return None
    try:
        return uuid.UUID(value)
    except ValueError:
        return None


def _name(value):
    return "a UUID" if isinstance(value, uuid.UUID) else "text"
