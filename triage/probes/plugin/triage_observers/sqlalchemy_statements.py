"""Statements that the database refused: whose row it was, who made it, and what it broke afterwards."""

from __future__ import annotations

import itertools
import re
import sys
import weakref

import triage_observe

first = triage_observe.first
refusals = triage_observe._load("triage_observers", "_refusals")
mixing = triage_observe._load("triage_observers", "_mixing")
story = triage_observe._load("triage_observers", "_refusal_story")
holders = triage_observe._load("triage_observers", "_holders")
rules = refusals.rules
_TEXT = 200


def start(tools):
    return Statements(tools)


class Statements(object):
    """Remembers each refused statement by its exception, also of those that a test expects."""

    def __init__(self, tools):
        self._tools, self._objects = tools, tools.use("sqlalchemy-objects")
        self._known, self._mappers, self._aborted = {}, weakref.WeakSet(), weakref.WeakKeyDictionary()
        self._set, self._deletes = weakref.WeakKeyDictionary(), weakref.WeakKeyDictionary()
        self._holders, self._order = holders.Holders(tools), itertools.count()
        self._sessions, self._story = mixing.Sessions(tools, self._objects), story.Story(tools)
        tools.when_imported("sqlalchemy.engine", self._engine)
        tools.when_imported("sqlalchemy.orm", self._orm)

    def test_started(self, item):
        self._sessions.stored = []

    # what is heard

    def _engine(self, engine):
        guarded = self._tools.guarded

        def refused(event):
            guarded(self._refused, event)

        sys.modules["sqlalchemy.event"].listen(engine.Engine, "handle_error", refused)

    def _orm(self, orm):
        event, guarded = sys.modules["sqlalchemy.event"], self._tools.guarded
        event.listen(orm.Mapper, "instrument_class", lambda mapper, cls: self._mappers.add(mapper))
        event.listen(orm.Mapper, "mapper_configured", lambda mapper, cls: guarded(self._watch, mapper, cls))
        event.listen(
            orm.Session, "after_attach", lambda session, one: guarded(self._sessions.attached, session, one)
        )
        self._wrap_delete(orm.Session)
        self._holders.listen(orm)

    def _wrap_delete(self, cls):
        import functools

        original, guarded = cls.delete, self._tools.guarded

        @functools.wraps(original)
        def delete(session, instance, *arguments, **named):
            guarded(self._deleted, instance)
            return original(session, instance, *arguments, **named)

        cls.delete = delete

    def _deleted(self, instance):
        state, own = self._objects.state(instance), self._tools.own_stack(1)
        if state is not None and own:
            self._deletes[state] = own[0]

    def _watch(self, mapper, cls):
        """Where constrained attributes are set after the constructor; its arguments are the births' matter."""
        listen, names = sys.modules["sqlalchemy.event"].listen, set()
        for table in mapper.tables:
            names.update(refusals.attribute(mapper, column) for column in rules.constrained(table))
        names &= {one.key for one in mapper.column_attrs}
        names.update(one.key for one in mapper.relationships if one.direction.name == "MANYTOONE")
        for name in names:
            self._watch_one(listen, getattr(cls, name), name)
        for one in mapper.column_attrs:
            kinds = [getattr(column, "type", None) for column in one.columns[:1]]
            if one.key not in names and kinds and rules.may_hold_uuid(kinds[0]):
                self._watch_one(listen, getattr(cls, one.key), one.key, kinds[0])

    def _watch_one(self, listen, attribute, name, kind=None):
        """Each value that is set; of a column of this type only what does not fit it."""

        def was_set(state, value, old, initiator):
            if kind is None or rules.is_other_uuid(kind, value):
                self._tools.guarded(self._was_set, state, name, value is None)

        listen(attribute, "set", was_set, raw=True)

    def _was_set(self, state, name, is_none):
        # what a constructor sets is its caller's matter; a flush only passes on the keys of other rows
        if self._objects.is_constructed(state) or refusals.is_flushed(self._tools):
            return
        own = self._tools.own_stack(1)
        if own:
            self._set.setdefault(state, {})[name] = dict(own[0], none=is_none, order=next(self._order))

    # one refusal

    def _refused(self, event):
        error = event.original_exception
        found = rules.violation(error)
        spot = refusals.Spot(self._tools)
        record = {"in": self._tools.now(), "stack": self._tools.own_stack(), "found": found}
        record["message"] = str(error).partition("\n")[0][:_TEXT]
        record["cls"] = type(event.sqlalchemy_exception or error).__name__
        self._remember(record, error, event.sqlalchemy_exception, getattr(event, "chained_exception", None))
        if found is not None and found.kind == rules.ABORTED:
            record["earlier"] = self._aborted.get(event.connection)
            return
        if event.connection is not None:
            self._aborted[event.connection] = record
        statement = refusals.Statement(event, found, spot)
        record["verb"], record["unsure"] = statement.verb, statement.unsure
        if rules.is_about_uuid(str(error)):
            record["uuid"] = self._uuid(statement)
        if found is not None or "uuid" in record:
            self._describe(record, statement, spot)

    def _remember(self, record, *errors):
        for error in errors:
            try:
                number = id(error)
                gone = lambda _, number=number: self._known.pop(number, None)  # noqa: E731
                self._known[number] = (weakref.ref(error, gone), record)
            except TypeError:  # builtin classes take no weak reference, None is none
                continue

    def _record(self, error):
        known = self._known.get(id(error))
        return known[1] if known is not None and known[0]() is error else None

    def _uuid(self, statement):
        for column, value in statement.uuids():
            return {"column": column, "value": str(value)[:_TEXT]}
        return {"column": None, "value": ""}

    def _describe(self, record, statement, spot):
        if "uuid" in record:
            column = record["uuid"].pop("column")
            statement.columns = [column] if column is not None else []
            statement.table = statement.table if column is None else column.table
            if statement.state is None and statement.verb in ("INSERT", "UPDATE"):
                statement.state = next((state for state, _ in spot.entries()), None)
        state, table = statement.state, statement.table
        named = getattr(record["found"], "table", None)
        mapper = state.mapper if state is not None else self._mapper(table, named)
        cls = mapper.class_ if mapper is not None else None
        record["columns"] = [
            refusals.attribute(mapper, one) if mapper is not None else one.key for one in statement.columns
        ]
        record["related"] = refusals.related(mapper, statement.columns)
        record["model"] = cls.__name__ if cls is not None else ""
        record["table"] = table.name if table is not None else named or ""
        record["defined"] = self._defined(cls, record["columns"])
        record["target"] = statement.target.name if statement.target is not None else ""
        record["referrer"] = statement.referrer
        record["value"] = self._value(record, statement)
        record["birth"] = self._objects.of(state) if state is not None else None
        record["set"] = dict(self._set.get(state) or {}) if state is not None else {}
        record["deleted"] = self._deletion(statement, spot)
        record["near"] = self._near(record, statement, spot)
        could = refusals.may_lack_row(statement)
        record["mixed"] = self._sessions.mixed(record, spot, statement) if could else None
        record["default"] = refusals.constant(statement.columns, statement.row)
        if statement.columns and getattr(record["found"], "kind", "") == rules.UNIQUE:
            record["holder"] = self._holders.of(table, statement.columns, statement.row)

    def _mapper(self, table, named):
        found = [one for one in self._mappers if table is not None and one.local_table is table]
        if table is None and named:  # SQL in text
            found = [one for one in self._mappers if getattr(one.local_table, "name", None) == named]
        return min(found, key=lambda one: len(one.class_.__mro__), default=None)

    def _defined(self, cls, names):
        found = self._tools.attribute_place(cls, names[0]) if cls is not None and names else None
        return found or (self._tools.class_place(cls) if cls is not None else None)

    def _value(self, record, statement):
        if "uuid" in record:
            return record["uuid"]["value"]
        values = [statement.row.get(column.key) for column in statement.columns]
        told = getattr(record["found"], "value", None)
        return (
            ", ".join(str(value) for value in values) if any(v is not None for v in values) else told or ""
        )[:_TEXT]

    def _deletion(self, statement, spot):
        """Where the row, or the one that it refers to, was told to be deleted."""
        states = [statement.state] if statement.verb == "DELETE" and statement.state is not None else []
        if statement.verb == "UPDATE" and statement.target is not None:
            states = spot.deleted(statement.target)
        return next((self._deletes[state] for state in states if state in self._deletes), None)

    def _near(self, record, statement, spot):
        """Objects of the referred table which the line that made this one names, and that have no id there."""
        birth, target = record["birth"], statement.target
        if not birth or not birth["born"] or target is None or record["value"]:
            return []
        born, found = birth["born"][0], []
        begin, end = self._tools.statement(born["path"], born["line"])
        text = "\n".join(first.linecache.getlines(born["path"])[begin - 1 : end])
        for frame in spot.own:
            if (frame.f_code.co_filename, frame.f_code.co_name) == (born["path"], born["func"]):
                for name, value in list(frame.f_locals.items()):
                    state = self._objects.state(value)
                    used = re.search(r"\b%s\s*\.\s*\w" % re.escape(name), text)
                    if state is not None and used and target in state.mapper.tables:
                        found.append((name, state))
                break
        return [one for one in (self._near_one(name, state, spot) for name, state in found) if one]

    def _near_one(self, name, state, spot):
        known = self._objects.of(state)
        if not known or not known["born"]:
            return None
        is_one = "pending" if state.session_id is not None and state.key is None else "transient"
        if state.key is not None:
            is_one = "persistent" if state.session_id is not None else "detached"
        where = "in no session" if state.session_id is None else "in session %s" % state.session_id
        by = known["factory"]["name"] if known["factory"] else "its constructor"
        text = "%s: %s made by %s is %s, %s" % (name, known["cls"], by, is_one, where)
        if spot.session is not None and state.session_id is not None:
            other = self._objects.number(spot.session)
            text += "" if other == state.session_id else "; the refused row in session %s" % other
        return {"name": name, "place": known["born"][0], "text": text, "session": state.session_id}

    # what a failing test is told

    def failed(self, failure):
        for exc, _ in failure.chain:
            record = self._record(exc)
            if record is not None and record.get("earlier"):
                return self._poisoned(record["earlier"], None, failure)
            if record is not None and ("uuid" in record or "birth" in record):
                told = self._story.told(record, self._test_frame(failure, record["stack"]))
                return self._with_holder(told, record.get("holder"), failure.item)
            root = first._poison(failure.steps(exc), exc)
            if root is not None:
                return self._poisoned(self._record(root), root, failure)
            if type(exc).__name__ == "InvalidRequestError" and "is already attached to session" in str(exc):
                return self._sessions.refused(failure.steps(exc), exc)
            if isinstance(exc, ValueError) and rules.is_about_uuid(str(exc)):
                return story.observation(self._test_frame(failure), names={"violation": "uuid"})
        return None

    @staticmethod
    def _with_holder(told, holder, item):
        """Who took the value that must be unique; in another test it is what spoils this one."""
        if told and holder and holder["place"]:
            text = "stored the same value, in %s" % (holder["test"] or "an import")
            told.setdefault("evidence", []).append(story.piece("holder", holder["place"], text))
            if holder["test"] not in (None, item.nodeid):
                told.setdefault("facts", {})["holder"] = holder["test"]
        return told

    def _test_frame(self, failure, stack=()):
        own = self._tools.steps_own(failure.steps()) or list(reversed(stack))
        tests = [place for place in own if place["kind"] == "test"]
        return (tests or own or [None])[-1]

    def _flushed(self, steps):
        """The own line that called SQLAlchemy, before what the call led to in own code."""
        modules = [str(frame.f_globals.get("__name__")) for frame, _, _ in steps]
        called = next((n for n, name in enumerate(modules) if name.startswith("sqlalchemy.")), len(steps))
        inner = self._tools.steps_own(steps[called:])
        return list(reversed(self._tools.steps_own(steps[:called]))) + list(reversed(inner))

    def _poisoned(self, record, root, failure):
        """The failure that only follows: its cause is that of the refusal which broke the session."""
        steps = first._steps(root.__traceback__) if root is not None else []
        stack = record["stack"] if record is not None else self._flushed(steps)
        if record is not None and "birth" in record:
            told = self._story.told(record, self._test_frame(failure, record["stack"]))
        else:
            told = story.observation(*stack, names={}) or {"names": {}, "evidence": []}
        test = record["in"]["test"] if record is not None else None
        test = test or first._owner([frame.f_code for frame, _, _ in steps], failure.item) or ""
        name, message = _head(record, root)
        flush = [
            story.piece("poisoned", place, "%s: %s, in %s" % (name, message, test)) for place in stack[:1]
        ]
        told["evidence"] = flush + told.get("evidence", [])
        if test:
            told["names"]["poisoner"] = test
        facts = told.get("facts", {})
        told["facts"] = {
            "poisoner": test or None,
            "poisoned_by": facts.get("violation"),
            "root_mixed": facts.get("mixed"),
        }
        return told


def _head(record, root):
    if record is not None:
        return record["cls"], record["message"]
    return type(root).__name__, first._message(root).partition("\n")[0][:_TEXT]
