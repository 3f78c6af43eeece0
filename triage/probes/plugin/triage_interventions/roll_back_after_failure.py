"""Rolls a session back once a failure of it has been raised to the project. PYTEST_DONT_REWRITE

A savepoint's block may still roll itself back, and only that far: there the session's next use is waited for.
"""

from __future__ import annotations

import functools
import sys
import weakref

_USES = (
    "add add_all delete execute scalar scalars flush commit connection begin begin_nested prepare refresh merge get "
    "bulk_save_objects bulk_insert_mappings bulk_update_mappings"
).split()
_ENDS = ("rollback", "close", "reset", "invalidate")
_FAILED = 3  # libpq's TRANSACTION_STATUS_INERROR


def start(tools, orders):
    return RollBack(tools, orders)


class RollBack(object):
    def __init__(self, tools, orders):
        self._tools, self._orders = tools, orders
        self._births, self._poisoned = weakref.WeakKeyDictionary(), weakref.WeakKeyDictionary()
        self._healed, self._depth = weakref.WeakKeyDictionary(), weakref.WeakKeyDictionary()
        self._connection = None
        tools.when_imported("sqlalchemy.orm", self._hook)

    def _hook(self, orm):
        import sqlalchemy
        from sqlalchemy import engine, event

        self._inspect = sqlalchemy.inspect
        event.listen(orm.Mapper, "init", self._born, raw=True)
        event.listen(engine.Engine, "handle_error", self._failed_on)
        for name in _USES:
            if hasattr(orm.Session, name):
                setattr(orm.Session, name, self._used(name, getattr(orm.Session, name)))
        for name in _ENDS:
            if hasattr(orm.Session, name):
                setattr(orm.Session, name, self._ended(getattr(orm.Session, name)))

    def test_started(self, item):
        for session in list(self._poisoned):
            self._heal(session)

    # the failure

    def _born(self, state, args, kwargs):
        self._tools.guarded(self._mark, state)

    def _mark(self, state):
        order = self._tools.order_here(self._culprits())
        if order is not None:
            self._births[state] = order

    def _culprits(self):
        """Orders that the running test may be the poisoner of."""
        test = self._tools.item.nodeid if self._tools.item is not None else None
        active = self._tools.active(self._orders)
        return [one for one in active if one.names.get("poisoner") in (None, "", test)]

    def _failed_on(self, context):
        connection = getattr(context, "connection", None)
        self._connection = weakref.ref(connection) if connection is not None else None

    def _used(self, name, original):
        @functools.wraps(original)
        def used(session, *arguments, **options):
            outermost = not self._depth.get(session)
            if outermost:
                self._tools.guarded(self._use, session)
            born = self._tools.guarded(self._born_in, session) if name == "flush" else None
            self._depth[session] = self._depth.get(session, 0) + 1
            try:
                return original(session, *arguments, **options)
            except Exception:
                self._tools.guarded(self._note, session, born)
                raise
            finally:
                self._depth[session] -= 1
                if outermost and session in self._poisoned:
                    self._tools.guarded(self._heal, session, True)

        return used

    def _ended(self, original):
        @functools.wraps(original)
        def ended(session, *arguments, **options):
            if not self._depth.get(session):  # the project's own: what we did was of no use
                self._healed.pop(session, None)
            return original(session, *arguments, **options)

        return ended

    def _born_in(self, session):
        """The order whose object this flush stores; afterwards the session has forgotten the object."""
        if not self._births:
            return None
        for obj in list(session.new) + list(session.dirty):
            order = self._births.get(self._inspect(obj))
            if order is not None:
                return order
        return None

    def _note(self, session, born):
        orders = self._culprits()
        order = born if born in orders else self._tools.order_here(orders)
        if order is not None and session not in self._poisoned:
            test = self._tools.item.nodeid if self._tools.item is not None else None
            self._poisoned[session] = (order, test, self._connection)

    # the cure

    def _use(self, session):
        if session in self._poisoned:
            self._heal(session)
        for order, test in self._healed.get(session, ()):
            if order in self._tools.active(self._orders):
                self._tools.applied(order, "session rolled back after its failure in %s" % test)

    def _heal(self, session, at_once=False):
        order, test, connection = self._poisoned[session]
        if self._changes(session) or (at_once and _in_savepoint(session)):
            return
        del self._poisoned[session]
        if not session.is_active or self._is_aborted(session, connection):
            self._depth[session] = self._depth.get(session, 0) + 1
            try:
                session.rollback()
            finally:
                self._depth[session] -= 1
            self._healed.setdefault(session, []).append((order, test))

    def _changes(self, session):
        """Whether the session's transaction is at work, as at the end of its block, and rolls itself back."""
        if getattr(getattr(session, "_transaction", None), "_current_fn", None) is not None:
            return True
        frame = sys._getframe(1)
        while frame is not None and self._tools.place(frame) is None:
            if type(frame.f_locals.get("self")).__name__ == "SessionTransaction":
                return True
            frame = frame.f_back
        return False

    @staticmethod
    def _is_aborted(session, reference):
        """Whether the database refuses every further statement, of which SQLAlchemy knows nothing."""
        connection = reference() if reference is not None else None
        if connection is None or connection.closed or connection.invalidated or not session.in_transaction():
            return False
        if connection.dialect.name != "postgresql":
            return False
        raw = connection.connection
        raw = getattr(raw, "dbapi_connection", None) or raw
        info = getattr(raw, "info", None)
        status = getattr(info, "transaction_status", None)
        if status is None:  # drivers that do not tell: a savepoint would have been rolled back by its block
            return not connection.in_nested_transaction()
        return int(status) == _FAILED


def _in_savepoint(session):
    if hasattr(session, "in_nested_transaction"):
        return session.in_nested_transaction()
    return bool(getattr(session.transaction, "nested", False))
