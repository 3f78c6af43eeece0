"""Births and sessions of ORM objects; other observers ask it (`tools.use("sqlalchemy-objects")`).

Everything hangs weakly on SQLAlchemy's own `InstanceState` and `Session`: no object of the project is kept alive,
compared, hashed or printed. SQLAlchemy 1.3 to 2.1, with and without asyncio.
"""

from __future__ import annotations

import contextvars
import functools
import inspect
import itertools
import re
import sys
import weakref

_BIRTH = 8
_INSIDE = ("__init__", "_declarative_constructor")
_DETACHES = frozenset(
    "close reset invalidate expunge expunge_all remove commit rollback delete flush pop __exit__ __aexit__".split()
)
_ENDS = "persistent_to_detached deleted_to_detached pending_to_transient persistent_to_transient".split()
_CLOSES = re.compile(
    r"_*(?:close|shutdown|dispose|disconnect|tear_?down|clean_?up)$"
    r"|_*(?:close|remove|end|clear|reset|release|shutdown|tear_?down|clean_?up)_(?:\w+_)?(?:session|db|scope)s?$"
)
_LIBRARIES = ("sqlalchemy.orm", "sqlalchemy.ext.asyncio", "flask.ctx", "flask_sqlalchemy")


def start(tools):
    return Objects(tools)


class Objects(object):
    """What is known of the mapped objects and the sessions of this process."""

    def __init__(self, tools):
        self._tools, self._records = tools, weakref.WeakKeyDictionary()
        self._sessions, self._collected = {}, {}
        self._exit = contextvars.ContextVar("triage_exit", default=None)
        tools.when_imported("sqlalchemy.orm", self._orm)
        tools.when_imported("sqlalchemy.ext.asyncio.session", self._asyncio)

    # what others ask

    def of(self, instance):
        """What is known of an object or its InstanceState; None where it was born unseen."""
        state = self.state(instance)
        record = self._records.get(state) if state is not None else None
        if record is None:
            return None
        found = dict(record)
        gone = self._collected.get(found["session"])
        if gone is not None:  # a collected session tells no event
            found["detached"] = dict(gone)
            found["last_session"], found["session"] = found["session"], None
        return found

    def state(self, instance):
        """The InstanceState of a mapped object (or itself), by no attribute access of the project's."""
        orm = sys.modules.get("sqlalchemy.orm.state")
        if orm is None or isinstance(instance, orm.InstanceState):
            return instance if orm is not None else None
        try:
            found = object.__getattribute__(instance, "__dict__").get("_sa_instance_state")
        except Exception:
            return None
        return found if isinstance(found, orm.InstanceState) else None

    def objects_of(self, session):
        """(object, what is known of it) of all that a session holds, in the order of their births."""
        states = list(session._new) + list(session.identity_map.all_states())
        held = [(state.obj(), self.of(state)) for state in states]
        known = [(instance, record) for instance, record in held if instance is not None]
        return sorted(known, key=lambda pair: pair[1]["order"] if pair[1] else 0)

    def number(self, session):
        return getattr(session, "hash_key", None)

    def sessions(self):
        """Living sessions, the oldest first."""
        registries = self._tools.guarded(self._tools._evidence._registries, self._tools.item) or {}
        found = []
        for number, (reference, made, made_in) in sorted(self._sessions.items()):
            session = reference()
            if session is not None:
                label = registries.get(id(session))
                known = {"n": number, "made": made, "made_in": made_in, "session": session}
                known["registry"] = label if isinstance(label, str) else None
                found.append(known)
        return found

    def made(self, number):
        """Where the session of this number was made, living or not; None where unseen."""
        return self._sessions[number][1] if number in self._sessions else None

    def here(self, limit=20):
        """Own places of the calling stack; below an `async with` that closes in a task of its own, those of the block."""
        return self._exit.get() or self._tools.own_stack(limit)

    def closing(self, limit=20):
        """The same, where a session is being closed: what only closes it for others stands last.

        The end of a context manager, a callback of Flask, a helper named for it: the line that made them run is the site.
        """
        known = self._exit.get()
        if known:
            return known
        own = [(frame, place) for frame, place in self._own_frames() if place is not None][: limit + 10]
        start = 0
        while start + 1 < len(own) and _only_closes(own[start][0]):
            start += 1
        places = [place for _, place in own]
        return (places[start:] + places[:start])[:limit]

    def _own_frames(self):
        return [(frame, self._tools.place(frame)) for frame in itertools.islice(frames(self._tools), 300)]

    # births

    def _orm(self, orm):
        sys.modules["sqlalchemy"].orm = orm  # as the import is about to do; 1.3 asks for it when one listens
        event, mapper = sys.modules["sqlalchemy.event"], orm.Mapper
        hear = functools.partial(self._hear, event)
        hear(mapper, "init", self._made)
        hear(mapper, "load", self._loaded)
        hear(mapper, "unpickle", self._unpickled)
        event.listen(mapper, "mapper_configured", self._guarded(self._watch_columns))
        hear(orm.Session, "after_attach", self._attached)
        for name in _ENDS:
            hear(orm.Session, name, self._detached)
        self._wrap_session(orm.Session)

    def _hear(self, event, target, name, function):
        event.listen(target, name, self._guarded(function), raw=True)

    def _guarded(self, function):
        guarded = self._tools.guarded
        return lambda *arguments: guarded(function, *arguments)

    def _born(self, state, by, **more):
        session = state.session_id
        born = self._tools.own_stack(_BIRTH)
        record = {
            "cls": state.class_.__name__,
            "born": born,
            "by": by,
            "kwargs": {},
            "given": {},
            "factory": None,
            "born_in": self._tools.now(),
            "session": session,
            "attached": born[0] if born and session is not None else None,
            "detached": None,
            "cleared": {},
            "order": next(self._order),
        }
        record.update(more)
        self._records[state] = record
        return record

    _order = itertools.count(1)

    def _made(self, state, args, kwargs):
        given = dict(zip(_parameters(state), args))
        given.update(kwargs)
        self._born(
            state,
            "constructor",
            kwargs={name: "None" if value is None else type(value).__name__ for name, value in given.items()},
            given={name: value is None for name, value in given.items()},
            factory=self._tools.guarded(self._factory, state.class_),
        )

    def _loaded(self, state, context):
        if context is not None:
            self._born(state, "query")
        elif state not in self._records:  # merge() tells that a copy is loaded, too
            self._born(state, "merge")

    def _unpickled(self, state, state_dict):
        self._born(state, "unpickled")

    def _factory(self, cls):
        """The factory_boy factory that is making an object of this class, by the frames of the calling stack."""
        if "factory.builder" not in sys.modules:
            return None
        making = [
            frame.f_locals["self"]
            for frame in frames(self._tools)
            if frame.f_code.co_name == "build" and frame.f_globals.get("__name__") == "factory.builder"
        ]
        if not making or not _makes(making[0], cls):
            return None
        factory, outer = making[0].factory_meta.factory, making[-1].factory_meta.factory
        place = self._tools.class_place(factory) or {}
        return {
            "name": factory.__name__,
            "file": place.get("file"),
            "line": place.get("line"),
            "cls": factory,
            "passed": [str(name) for name in making[0].extras],
            "declared": [str(name) for name in factory._meta.base_declarations],
            "outer": outer.__name__,
        }

    # columns that must not be NULL

    def _watch_columns(self, mapper, cls):
        listen = sys.modules["sqlalchemy.event"].listen
        for attribute in mapper.column_attrs:
            if all(getattr(column, "nullable", True) is False for column in attribute.columns):
                self._tools.guarded(self._watch_column, listen, getattr(cls, attribute.key), attribute.key)

    def _watch_column(self, listen, attribute, key):
        def was_set(state, value, old, initiator):
            if value is None or key in self._cleared(state):
                self._tools.guarded(self._set, state, key, value)

        listen(attribute, "set", was_set, raw=True)

    def _cleared(self, state):
        record = self._records.get(state)
        return record["cleared"] if record is not None else ()

    def _set(self, state, key, value):
        record = self._records.get(state)
        if record is None:
            return
        record["cleared"].pop(key, None)
        if value is None and not self.is_constructed(state):
            own = self._tools.own_stack(1)
            if own:
                record["cleared"][key] = own[0]

    def is_constructed(self, state):
        """Whether the object's own constructor stands on the calling stack."""
        instance = state.obj()
        for frame in itertools.islice(frames(self._tools), 40):
            if frame.f_code.co_name in _INSIDE and _first_argument(frame) is instance:
                return True
        return False

    # sessions

    def _attached(self, session, state):
        record = self._records.get(state)
        if record is None:
            merging = any(
                frame.f_code.co_name in ("merge", "_merge")
                for frame in itertools.islice(frames(self._tools), 20)
            )
            record = self._born(state, "merge" if merging else "query")
        own = self._tools.own_stack(1)
        record["session"], record["detached"] = self.number(session), None
        record["attached"] = own[0] if own else None

    def _detached(self, session, state):
        record = self._records.get(state)
        if record is None:
            record = self._born(state, "query", born=[])
        record["last_session"], record["session"] = self.number(session), None
        own = self.closing(_BIRTH)
        record["detached"] = {
            "place": own[0] if own else None,
            "outer": own[1:],
            "via": self._via(own[0] if own else None),
            "in": self._tools.now(),
        }

    def _via(self, place):
        """What own code called and what that led to: `with app.app_context(): end > scoped_session.remove()`."""
        called, ends_block = [], self._exit.get() is not None
        for frame in frames(self._tools):
            if self._tools.place(frame) is not None:
                break
            name, module = frame.f_code.co_name, str(frame.f_globals.get("__name__"))
            ends_block = name in ("__exit__", "__aexit__")
            if name in _DETACHES and not ends_block and module.startswith(_LIBRARIES):
                text = "%s.%s()" % (_owner(frame), name)
                if text not in called:
                    called.append(text)
        called.reverse()
        if place is not None and (ends_block or self._exit.get() is not None):
            called.insert(0, "%s end" % (place["src"].partition("  #")[0].rstrip(" :") + ":"))
        return " > ".join(called)

    def _wrap_session(self, cls):
        original = cls.__init__

        @functools.wraps(original)
        def init(session, *arguments, **named):
            result = original(session, *arguments, **named)
            self._tools.guarded(self._session_made, session)
            return result

        cls.__init__ = init

    def _session_made(self, session):
        number, own = self.number(session), self.here(1)
        place = own[0] if own else None
        reference = weakref.ref(session, lambda _: self._tools.guarded(self._session_gone, number))
        self._sessions[number] = (reference, place, self._tools.now())

    def _session_gone(self, number):
        """Its objects have become detached without an event; who let it go last may stand on the stack."""
        self._collected[number] = {
            "place": self._sessions[number][1],
            "outer": self._tools.own_stack(2),
            "via": "session collected",
            "in": self._tools.now(),
        }

    def _asyncio(self, module):
        for name in ("AsyncSession", "_AsyncSessionContextManager"):
            cls = getattr(module, name, None)
            if cls is not None and "__aexit__" in cls.__dict__:
                self._wrap_exit(cls)

    def _wrap_exit(self, cls):
        """These close in a task of their own, on whose stack the block does not stand."""
        original = cls.__aexit__

        @functools.wraps(original)
        def exits(session, *arguments):
            places = self._exit.get() or self._tools.guarded(self._tools.own_stack, _BIRTH)
            return self._within(places, original(session, *arguments))

        cls.__aexit__ = exits

    async def _within(self, places, closing):
        token = self._exit.set(places)
        try:
            return await closing
        finally:
            self._exit.reset(token)


def frames(tools):
    """Frames of the calling stack, innermost first, those below a greenlet after its own."""
    frame, below = sys._getframe(1), tools._outer()
    while frame is not None or below is not None:
        if frame is None:
            frame, below = below, None
        yield frame
        frame = frame.f_back


def _only_closes(frame):
    code, outer = frame.f_code, frame.f_back
    module = str(outer.f_globals.get("__name__")) if outer is not None else ""
    is_generator = bool(code.co_flags & (inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR))
    if code.co_name in ("__exit__", "__aexit__", "<lambda>") or module.startswith("flask."):
        return True
    return (is_generator and module == "contextlib") or bool(_CLOSES.match(code.co_name))


def _first_argument(frame):
    code = frame.f_code
    return frame.f_locals.get(code.co_varnames[0]) if code.co_argcount else None


def _owner(frame):
    value = _first_argument(frame)
    is_session = isinstance(value, sys.modules["sqlalchemy.orm"].Session)
    return "Session" if is_session else type(value).__name__


def _parameters(state):
    """Names of the constructor's positional parameters."""
    original = getattr(state.manager, "original_init", None)
    code = getattr(original, "__code__", None)
    return code.co_varnames[1 : code.co_argcount] if code is not None else ()


def _makes(builder, cls):
    """Whether a factory makes this very object, and not one whose constructor made it."""
    model = builder.factory_meta.get_model_class()
    return not isinstance(model, type) or issubclass(cls, model)
