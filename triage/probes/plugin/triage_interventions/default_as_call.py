"""Makes a column's default a call: every row gets a fresh value of the kind that was computed at import."""

from __future__ import annotations

import ast
import copy
import datetime
import re
import secrets
import uuid

_DISPLAYS = (ast.List, ast.Dict, ast.Set)


def start(tools, orders):
    return Change(tools, orders)


class Change:
    """The line decides: a column that several classes get from one mixin changes in all of them."""

    def __init__(self, tools, orders):
        self._tools, self._orders, self._done, self._changed = tools, orders, {}, set()
        self._models = tools.use("_mapper_models")
        self._models.before_configured(self._change)

    def test_started(self, item):
        self._change()

    def _change(self):
        for mapper in self._models.all():
            for order in self._orders:
                column = mapper.columns.get(order.names.get("column"))
                if column is not None and (id(column), order.number) not in self._changed:
                    self._changed.add((id(column), order.number))
                    self._of_column(mapper, column, order)
        for order in self._tools.active([order for order in self._orders if order.number in self._done]):
            if self._tools.item is not None:
                self._tools.applied(order, self._done[order.number])

    def _of_column(self, mapper, column, order):
        attribute = order.names["column"]
        place = self._tools.attribute_place(mapper.class_, attribute)
        if place is None or (place["file"], place["line"]) != (order.file, order.line):
            return
        for default in (column.default, column.onupdate):
            if default is None or not getattr(default, "is_scalar", False):
                continue
            updates = bool(default.for_update)
            expression, names = self._models.defaults(mapper.class_, attribute, updates)
            call = _fresh(default.arg, expression, names)
            if call is not None:
                _replace(column, call, updates)
                kind = "onupdate" if updates else "default"
                self._done[order.number] = "%s of %s is called for each row" % (kind, place["symbol"])


def _replace(column, call, updates):
    from sqlalchemy import ColumnDefault

    made = ColumnDefault(call, for_update=updates)
    made.column = column
    if updates:
        column.onupdate = made
    else:
        column.default = made


def _fresh(value, expression, names):
    """The project's own expression, evaluated anew; where that cannot be, a value of the same kind."""
    by_kind = _by_kind(value)
    calls = expression is not None and any(
        isinstance(node, (ast.Call,) + _DISPLAYS) for node in ast.walk(expression)
    )
    if not calls:
        return by_kind
    code = compile(ast.Expression(body=expression), "<default>", "eval")

    def made():
        try:
            found = eval(code, names)  # noqa: S307 -- the project's own words, as its module would run them
        except Exception:  # it may use what only the body of the class had
            found = None
        return found if type(found) is type(value) or by_kind is None else by_kind()

    return made


def _by_kind(value):
    """A function that gives a new value like the old one, or None."""
    if isinstance(value, datetime.datetime):
        return _moment(value)
    if isinstance(value, datetime.date):
        return lambda: datetime.date.today()  # looked up with each call: tests replace it
    if isinstance(value, datetime.time):
        return lambda: datetime.datetime.now(value.tzinfo).timetz()
    if isinstance(value, uuid.UUID):
        return lambda: uuid.uuid4()
    if isinstance(value, (list, dict, set)):
        kept = copy.deepcopy(value)
        return lambda: copy.deepcopy(kept)
    return _text(value) if isinstance(value, str) else None


def _moment(value):
    if value.tzinfo is not None:
        return lambda: datetime.datetime.now(value.tzinfo)
    utc = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    if abs(utc - value) < abs(datetime.datetime.now() - value):
        return lambda: datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    return lambda: datetime.datetime.now()


def _text(value):
    if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", value):
        return lambda: str(uuid.uuid4())
    if re.fullmatch(r"[0-9a-f]{8,}", value):
        return lambda: secrets.token_hex(len(value))[: len(value)]
    return lambda: secrets.token_urlsafe(len(value))[: len(value)]
