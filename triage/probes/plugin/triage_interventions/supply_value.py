"""Gives an object that was born at one line what its row lacks, when its session flushes. PYTEST_DONT_REWRITE

A Core statement has no object and is never changed.
"""

from __future__ import annotations

import functools
import sys
import weakref

import triage_observe

_MAKING = ("_create", "_build", "_save", "_get_or_create")


def start(tools, orders):
    return SupplyValue(tools, orders)


class Birth(object):
    """Why an object is to be changed, and which objects its author had at hand."""

    def __init__(self, orders, near):
        self.orders, self._near = list(orders), [weakref.ref(obj) for obj in near]
        self.renewed = set()

    def near(self):
        return [obj for obj in (reference() for reference in self._near) if obj is not None]


class SupplyValue(object):
    def __init__(self, tools, orders):
        self._tools, self._orders = tools, orders
        self._births, self._lost = weakref.WeakKeyDictionary(), weakref.WeakKeyDictionary()
        self._site = Sites(tools)
        tools.when_imported("sqlalchemy.orm", self._hook)

    def _hook(self, orm):
        import sqlalchemy

        load = triage_observe._load
        self._sql = sqlalchemy
        self._values = load("triage_interventions", "_values").Values(sqlalchemy.types)
        checks = load("triage_interventions", "_checks").Checks(sqlalchemy.schema, self._values)
        module = load("triage_interventions", "_parents")
        parents = module.Parents(self._tools, sqlalchemy, self._values, checks)
        repairs = load("triage_interventions", "_repairs")
        self._repair = repairs.Repair(sqlalchemy, self._values, checks, parents, module.required)
        event = sqlalchemy.event
        event.listen(orm.Mapper, "init", self._born, raw=True)
        self._hook_setting(orm.attributes.InstrumentedAttribute)
        event.listen(
            orm.Mapper, "mapper_configured", lambda mapper, cls: self._tools.guarded(self._watch, mapper)
        )
        event.listen(orm.Session, "before_flush", self._before_flush)

    # objects of the site

    def _born(self, state, args, kwargs):
        self._tools.guarded(self._mark_born, state)

    def _mark_born(self, state):
        chosen = [one for one in self._tools.active(self._orders) if _is_model(state.mapper.class_, one)]
        if chosen:
            here = self._site.born_at(sys._getframe(1), chosen)
            here += [one for one in chosen if one not in here and self._is_default(state.class_, one)]
            self._mark(state, here)

    def _is_default(self, cls, order):
        """Whether the order's line is a column whose one default value every object of the class gets."""
        if not order.names.get("default"):
            return False
        place = self._tools.attribute_place(cls, order.names.get("column", ""))
        return place is not None and (place["file"], place["line"]) == (order.file, order.line)

    def _mark(self, state, orders):
        if not orders:
            return
        known = self._births.get(state)
        if known is None:
            self._births[state] = Birth(orders, self._site.at_hand(sys._getframe(1), state.obj()))
        else:
            known.orders += [one for one in orders if one not in known.orders]

    def _hook_setting(self, attribute):
        """Before every listener of the project's: a backref's takes the object out of its parent at once."""
        original = attribute.__set__

        @functools.wraps(original)
        def __set__(instrumented, instance, value):
            if not self._tools.guarded(self._keeps, instance, instrumented.key, value):
                original(instrumented, instance, value)

        attribute.__set__ = __set__

    def _keeps(self, instance, key, value):
        """Whether an attribute keeps what it has, where None is about to replace it at the site."""
        chosen = [one for one in self._tools.active(self._orders) if _is_model(type(instance), one)]
        chosen = self._site.own_at(sys._getframe(2), chosen) if chosen else ()
        if not chosen:
            return False
        state = self._sql.inspect(instance)
        self._mark(state, chosen)
        missing = [one for one in chosen if one.names.get("violation", "not-null") == "not-null"]
        if value is not None or not missing or not self._repair.needs(state.mapper, key):
            return False
        held = state.dict.get(key)
        if held is None and state.persistent and key not in state.dict:
            held = getattr(instance, key)
        if held is not None:
            self._tools.applied(missing[0], "%s.%s keeps its value" % (type(instance).__name__, key))
        return held is not None

    def _watch(self, mapper):
        """Parents that an object loses by the other side: no attribute of its own is set at the line."""
        for one in mapper.relationships:
            if (
                one.parent is mapper
                and one.direction.name == "MANYTOONE"
                and self._repair.needs(mapper, one.key)
            ):
                self._watch_one(getattr(mapper.class_, one.key), one.key)

    def _watch_one(self, attribute, key):
        def was_set(state, value, old, initiator):
            if value is None and "_sa_instance_state" in getattr(old, "__dict__", ()):
                self._tools.guarded(self._loses, state, key, old)

        self._sql.event.listen(attribute, "set", was_set, raw=True)

    def _loses(self, state, key, old):
        chosen = [one for one in self._tools.active(self._orders) if _is_model(state.class_, one)]
        chosen = [one for one in chosen if one.names.get("violation", "not-null") == "not-null"]
        chosen = self._site.own_at(sys._getframe(1), chosen) if chosen else ()
        if chosen and state.persistent:
            self._lost[state] = key, weakref.ref(old), chosen[0]

    def _give_back(self, session):
        for obj in list(session.dirty):
            key, reference, order = self._lost.pop(self._sql.inspect(obj), (None, None, None))
            old = reference() if reference is not None else None
            if old is not None and self._sql.inspect(obj).dict.get(key) is None:
                setattr(obj, key, old)
                self._tools.applied(order, "%s.%s keeps its value" % (type(obj).__name__, key))

    # their rows

    def _before_flush(self, session, context, objects):
        if self._lost:
            self._tools.guarded(self._give_back, session)
        if self._births:
            self._tools.guarded(self._supply, session, context)

    def _supply(self, session, context):
        found = [self._sql.inspect(obj) for obj in list(session.new) + list(session.dirty)]
        marked = [state for state in found if state in self._births]
        for state in sorted(marked, key=lambda state: getattr(state, "insert_order", None) or 0):
            birth = self._births[state]
            for order in birth.orders:
                done = self._tools.guarded(self._repair.repair, session, context, state, order, birth)
                if done:
                    text = "%s: %s" % (state.class_.__name__, ", ".join(done))
                    self._tools.applied(order, text)


class Sites(object):
    """Tells from frames whether an order's line makes an object, and what else was at hand there."""

    def __init__(self, tools):
        self._tools = tools

    def born_at(self, frame, orders):
        found = self.own_at(frame, orders)
        factory = making(frame)
        if factory is not None:
            found += [one for one in orders if one not in found and self._declares(factory, one)]
        return found

    def own_at(self, frame, orders):
        """The orders whose line is the innermost own one; a factory's own `_create` passes on to its caller."""
        places = []
        for each, place in self._own(frame):
            places.append(place)
            if not (each.f_code.co_name in _MAKING and _is_factory(each.f_locals.get("cls"))):
                break
        return [one for one in orders if any(self._tools.stands_at(place, one) for place in places)]

    def at_hand(self, frame, made):
        """Mapped objects in the locals of the innermost own frames, those first that the statement names."""
        named, others = [], []
        for number, (each, place) in enumerate(self._own(frame)):
            if number == 2:
                break
            words = self._words(place)
            values = dict(getattr(each.f_locals.get("self"), "__dict__", None) or {})
            values.update(each.f_locals)
            for name, value in values.items():
                if value is not made and "_sa_instance_state" in getattr(value, "__dict__", ()):
                    (named if name in words else others).append(value)
        return named + others

    def _words(self, place):
        import linecache
        import re

        begin, end = self._tools.statement(place["path"], place["line"])
        lines = [linecache.getline(place["path"], line) for line in range(begin, end + 1)]
        return set(re.findall(r"\w+", " ".join(lines)))

    def _own(self, frame):
        while frame is not None:
            place = self._tools.place(frame)
            if place is not None:
                yield frame, place
            frame = frame.f_back

    def _declares(self, factory, order):
        """Whether a factory class, or the body of one that it derives from, holds the order's line."""
        for cls in factory.__mro__:
            node, filename = self._tools._class_node(cls)
            if node is not None and self._tools.describe(filename)[0] == order.file:
                first = node.lineno if cls is factory else node.body[0].lineno
                if first <= order.line <= node.end_lineno:
                    return True
        return False


def making(frame):
    """The factory that is making an object now, the innermost."""
    while frame is not None:
        cls = frame.f_locals.get("cls") if frame.f_code.co_name in _MAKING else None
        if _is_factory(cls):
            return cls
        frame = frame.f_back
    return None


def _is_factory(cls):
    base = getattr(sys.modules.get("factory.base"), "BaseFactory", None)
    return base is not None and isinstance(cls, type) and issubclass(cls, base)


def _is_model(cls, order):
    wanted = order.names.get("model", "").rpartition(".")[2]
    return not wanted or any(base.__name__ == wanted for base in cls.__mro__)
