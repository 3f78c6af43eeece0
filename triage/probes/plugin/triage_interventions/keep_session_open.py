"""Keeps the objects of a session attached where an order's line would detach them, until their test has ended.

Everything else that the line does still happens: transactions end, connections go back to the pool, registries are
cleared. What is changed is one fact: the objects still have a session to load from.
"""

from __future__ import annotations

import functools
import gc
import sys
import weakref


def start(tools, orders):
    return Keeper(tools, orders, tools.use("sqlalchemy-objects"))


class _Kept(object):
    """A session that stays open; `base` is the node whose tests share it, None where it is one test's own."""

    def __init__(self, session, base):
        self.session, self.base, self.deleted, self.states = session, base, [], weakref.WeakSet()
        self.told = []  # (orders, text): told again to each test that shares it
        self.is_async = _is_async(session)  # asked now: who proxies the session may be gone when it ends
        self.orders = ()  # of a session kept from being collected, until it is told that this took effect


class Keeper(object):
    """Wraps what detaches: close, reset, invalidate and remove do so through `Session.expunge_all`."""

    def __init__(self, tools, orders, objects):
        self._tools, self._orders, self._objects, self._kept = tools, orders, objects, {}
        tools.when_imported("sqlalchemy.orm", self._orm)

    def teardown_started(self, item):
        """Fixtures that drop tables would wait for the connections of kept sessions."""
        for kept in list(self._kept.values()):
            if kept.orders and self._tools.guarded(_is_only_ours, kept):
                self._tell(kept.orders, "the session made here was kept from being collected")
                kept.orders = ()
            self._tools.guarded(_release, kept)

    def test_started(self, item):
        self._end(lambda base: base is not None and not item.nodeid.startswith(base))
        for kept in self._kept.values():
            for orders, text in kept.told:
                self._tell(orders, text)

    def test_ended(self, item):
        self._end(lambda base: base is None)

    def _end(self, is_over):
        for number, kept in list(self._kept.items()):
            if is_over(kept.base):
                del self._kept[number]
                self._tools.guarded(self._close, kept)

    def _close(self, kept):
        kept.session.__dict__.pop("get_bind", None)
        self._detach_states(kept.deleted, kept.session)
        self._original_expunge_all(kept.session)
        _release(kept)

    # what is wrapped

    def _orm(self, orm):
        state = sys.modules["sqlalchemy.orm.state"].InstanceState
        self._original_expunge_all = orm.Session.expunge_all
        self._detach_states = state._detach_states
        _wrap(orm.Session, "__init__", self._init)
        _wrap(orm.Session, "expunge_all", self._expunge_all)
        _wrap(orm.Session, "expunge", self._expunge)
        _wrap(orm.Session, "_before_attach", self._before_attach)
        state._detach_states = classmethod(self._detaching(state._detach_states.__func__))

    def _init(self, original, session, arguments, named):
        result = original(session, *arguments, **named)
        self._tools.guarded(self._keep_made, session)
        return result

    def _expunge_all(self, original, session, arguments, named):
        if not self._tools.guarded(self._keep_all, session):
            return original(session, *arguments, **named)

    def _expunge(self, original, session, arguments, named):
        if not self._tools.guarded(self._keep_one, session, *arguments, *named.values()):
            return original(session, *arguments, **named)

    def _before_attach(self, original, session, arguments, named):
        self._tools.guarded(self._let_go, session, arguments[0])
        return original(session, *arguments, **named)

    def _detaching(self, original):
        @functools.wraps(original)
        def detach_states(cls, states, session, *arguments, **named):
            states = list(states)
            kept = self._tools.guarded(self._keep_deleted, states, session) or ()
            if kept:
                states = [state for state in states if all(state is not one for one in kept)]
            return original(cls, states, session, *arguments, **named)

        return detach_states

    # what is kept

    def _here(self):
        """The active orders of this line."""
        site = self._objects.closing(1) if self._objects is not None else None
        active = self._tools.active(self._orders) if site else ()
        return [order for order in active if self._tools.stands_at(site[0], order)]

    def _tell(self, orders, text):
        item = self._tools.item
        for order in orders:
            if item is None or not order.tests or item.nodeid in order.tests:
                self._tools.applied(order, text)

    def _keep_made(self, session):
        orders = self._here()
        if orders:
            self._keep(session).orders = orders

    def _keep(self, session):
        kept = self._kept.get(id(session))
        if kept is None:
            kept = self._kept[id(session)] = _Kept(session, self._base())
        return kept

    def _base(self):
        definition, base = self._tools._fixtures[-1] if self._tools._fixtures else (None, None)
        if definition is None or str(definition.scope) in ("function", "Scope.Function"):
            return None
        return base.rpartition("/__init__.py")[0] or base  # what pytest 7 calls a package

    def _keep_all(self, session):
        """Whether the objects stay; what was never written, or is to be deleted, goes as usual."""
        states = session.identity_map.all_states()
        orders = self._here() if states else ()
        if not orders:
            if id(session) in self._kept:
                self._kept[id(session)].orders = ()  # somebody else ended it: keeping it changed nothing
            return False
        self._open(session, states)
        session._expunge_states(list(session._new))
        session._deleted = {}
        self._applied(orders, session, states)
        return True

    def _keep_one(self, session, instance):
        state = self._objects.state(instance)
        if state is None or not session.identity_map.contains_state(state):
            return False
        orders = self._here()
        if not orders:
            return False
        self._open(session, [state])
        self._applied(orders, session, [state])
        return True

    def _keep_deleted(self, states, session):
        """Objects whose deletion is committed; nothing but the session's number hangs them to it."""
        deleted = [state for state in states if state._deleted]
        orders = self._here() if deleted else ()
        if not orders:
            return ()
        self._open(session, deleted)
        for state in deleted:
            state._strong_obj = None
        self._kept[id(session)].deleted.extend(deleted)
        self._applied(orders, session, deleted)
        return deleted

    def _applied(self, orders, session, states):
        models = ", ".join(sorted({state.class_.__name__ for state in states}))
        number = self._objects.number(session)
        text = "session %s stayed open for %d objects (%s)" % (number, len(states), models)
        self._kept[id(session)].told.append((orders, text))
        self._tell(orders, text)

    def _open(self, session, states):
        kept = self._keep(session)
        kept.orders, kept.is_async = (), _is_async(session)
        kept.states.update(states)
        if "get_bind" not in session.__dict__:
            session.get_bind = _remembering(session.get_bind, _binds(session, states))
        module = sys.modules["sqlalchemy.orm.session"]
        if hasattr(session, "_close_state"):  # from 2.0.22; a session may be told that its close is final
            session._close_state = module._SessionCloseState.ACTIVE
        if kept.is_async:
            _load(session, states)

    def _let_go(self, session, state):
        """A detached object may be added to any session: so may one that only we keep attached."""
        for kept in list(self._kept.values()):
            if (
                kept.session is not session
                and state.session_id == kept.session.hash_key
                and state.key is not None
            ):
                if kept.orders or state in kept.states:
                    kept.session._expunge_states([state])


def _wrap(cls, name, ours):
    original = getattr(cls, name)

    @functools.wraps(original)
    def method(session, *arguments, **named):
        return ours(original, session, arguments, named)

    setattr(cls, name, method)


def _is_only_ours(kept):
    """Whether nothing but we and the session's own transaction hold it."""
    transaction = _transaction(kept.session)
    known = {id(kept), id(kept.__dict__), id(transaction), id(getattr(transaction, "__dict__", None))}
    return all(id(one) in known for one in gc.get_referrers(kept.session))


def _release(kept):
    """Ends the transaction and gives its connection back; the objects stay as they are, not expired."""
    transaction = _transaction(kept.session)
    if transaction is not None and not kept.is_async:  # without `await` no connection was opened
        for each in list(transaction._iterate_self_and_parents()):
            each.close()


def _transaction(session):
    return getattr(session, "_transaction", None) or session.__dict__.get("transaction")  # 1.3


def _binds(session, states):
    """{mapped class: engine} while the application's context, which may be what tells it, is still there."""
    found = {}
    for mapper in _mappers(states):
        try:
            found[mapper.class_] = session.get_bind(mapper)
        except Exception:
            continue
    return found


def _mappers(states):
    mappers = {state.manager.mapper for state in states}
    for mapper in list(mappers):
        registry = getattr(mapper, "registry", None)
        if registry is not None:
            mappers.update(registry.mappers)
    return mappers


def _remembering(original, binds):
    """`get_bind` that still answers after the application's context has gone."""

    @functools.wraps(original)
    def get_bind(*arguments, **named):
        try:
            return original(*arguments, **named)
        except RuntimeError:
            mapper = named.get("mapper") or (arguments[0] if arguments else None)
            found = binds.get(getattr(mapper, "class_", mapper))
            if found is None:
                raise
            return found

    return get_bind


def _is_async(session):
    module = sys.modules.get("sqlalchemy.ext.asyncio.session")
    return module is not None and module.async_session(session) is not None


def _load(session, states):
    """What is expired of an asynchronous session's objects: nothing can load it later without an `await`."""
    for state in states:
        instance = state.obj()
        if instance is not None and state.expired_attributes:
            try:
                session.refresh(instance)
            except Exception:
                continue
