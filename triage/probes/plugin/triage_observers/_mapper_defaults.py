"""A column's default that is a value made at import, and a failure that shows this very value."""

from __future__ import annotations

import ast
import datetime
import enum
import re
import uuid

# as in the static rule: what gives a new value with each call
_CHANGING = frozenset(
    "now utcnow today time time_ns monotonic uuid1 uuid4 uuid6 uuid7 token_hex token_urlsafe token_bytes urandom "
    "randint random randbytes getrandbits gmtime localtime".split()
)
_CONSTRUCTORS = frozenset(
    "datetime date time UUID fromisoformat strptime combine fromtimestamp timedelta timezone".split()
)
_MOMENTS = (datetime.date, datetime.time)
_SHARED = (list, dict, set)
_RANDOM = re.compile(r"[0-9a-fA-F-]{16,}|(?=.*\d)(?=.*[A-Za-z])[\w-]{16,}")
_SHOWN = 120


def start(tools):
    return Defaults(tools)


class Defaults:
    def __init__(self, tools):
        self._tools, self._models = tools, tools.use("_mapper_models")
        self._began = datetime.datetime.now(datetime.timezone.utc)

    def find(self, failure):
        found = [each for each in self._evaluated() if each[3] is not None]
        if not found:
            return None
        text = "\n".join(str(exc) for exc, _ in failure.chain)
        steps = self._models.own_steps(failure)
        asserts = any(isinstance(exc, AssertionError) for exc, _ in failure.chain)
        for how, proves in (
            ("message", self._in_message),
            ("statement", self._read),
            ("rows", self._in_rows),
        ):
            if how != "message" and not asserts:
                continue
            for each in found:
                if proves(each, text, steps):
                    return self._told(each, how, steps)
        return None

    def _evaluated(self):
        """(mapper, attribute, value, place) of every default that was computed; a column of a base counts once."""
        seen = set()
        for mapper in self._models.all():
            for attribute, column in mapper.columns.items():
                for default in (getattr(column, "default", None), getattr(column, "onupdate", None)):
                    if default is None or not getattr(default, "is_scalar", False) or id(default) in seen:
                        continue
                    seen.add(id(default))
                    updates = bool(getattr(default, "for_update", False))
                    expression, _ = self._models.defaults(mapper.class_, attribute, updates)
                    if self._is_computed(default.arg, expression):
                        place = self._tools.attribute_place(mapper.class_, attribute)
                        yield mapper, attribute, default.arg, place

    def _is_computed(self, value, expression):
        if value is None or isinstance(value, (bool, enum.Enum)):
            return False
        if expression is None:  # the column is written elsewhere, as within an `Annotated`
            return isinstance(value, _MOMENTS) and self._is_fresh(value)
        if isinstance(value, _SHARED):
            return _was_mutated(value, expression)
        calls = [_called(call) for call in _eager_calls(expression)]
        if any(name in _CHANGING for name in calls if name not in _CONSTRUCTORS):
            return True
        if "time" in calls and isinstance(value, (int, float)):
            return True
        if isinstance(value, _MOMENTS):
            return not (calls and _is_constructed(expression)) and self._is_fresh(value)
        if isinstance(value, uuid.UUID):
            return bool(calls) and not _is_constructed(expression) and value.version is not None
        return isinstance(value, str) and bool(calls) and bool(_RANDOM.fullmatch(value))

    def _is_fresh(self, value):
        """Made since the plugin started; a naive moment may be local or UTC."""
        now = datetime.datetime.now(datetime.timezone.utc)
        local, slack = now.astimezone(), datetime.timedelta(seconds=1)
        if isinstance(value, datetime.datetime):
            zones = (value,) if value.tzinfo else tuple(value.replace(tzinfo=z.tzinfo) for z in (now, local))
            return any(self._began - slack <= moment <= now + slack for moment in zones)
        return isinstance(value, datetime.date) and value in (now.date(), local.date())

    # what shows the value

    def _in_message(self, found, text, steps):
        _, attribute, value, _ = found
        if type(value) is datetime.date and attribute not in text:  # many messages name today
            return False
        return any(shown in text for shown in _texts(value))

    def _read(self, found, text, steps):
        """The failing statement reads the attribute, and an object at hand has the value."""
        return self._mentioned(found, steps[:1], whole=False) and self._sharing(found, steps) >= 1

    def _in_rows(self, found, text, steps):
        """Several objects at hand share the value, and the function that failed is about it."""
        return self._mentioned(found, steps[:1], whole=True) and self._sharing(found, steps) > 1

    def _mentioned(self, found, steps, whole):
        nodes = [self._models.parsed(place, whole=whole) for _, _, place in steps]
        return any(
            getattr(each, "attr", None) == found[1]
            for node in nodes
            if node is not None
            for each in ast.walk(node)
        )

    def _sharing(self, found, steps):
        mapper, attribute, value, _ = found
        held = {
            id(each): each
            for frame, _, _ in steps
            for local in list(frame.f_locals.values())
            for each in _flat(local)
        }
        objects = [each for each in held.values() if isinstance(each, mapper.class_)]
        return sum(_same(vars(each).get(attribute), value) for each in objects)  # `vars` loads nothing

    def _told(self, found, how, steps):
        mapper, attribute, value, place = found
        evidence = [self._models.evidence("column", place)]
        said = "every row gets %s, made once at import" % repr(value)[:_SHOWN]
        evidence.append(self._models.evidence("state", place, said))
        if steps:
            evidence.append(self._models.evidence("touched", steps[0][2]))
        names = {
            "model": mapper.class_.__name__,
            "table": str(getattr(mapper.local_table, "name", "")),
            "column": attribute,
            "value": repr(value)[:_SHOWN],
        }
        facts = {"evaluated_default": True, "shown_by": how}
        return {"cause": place, "evidence": evidence, "names": names, "facts": facts}


def _eager_calls(expression):
    pending = [expression]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Call):
            yield node
        if not isinstance(node, ast.Lambda):
            pending.extend(ast.iter_child_nodes(node))


def _called(call):
    return getattr(call.func, "attr", None) or getattr(call.func, "id", "?")


def _is_constructed(expression):
    """`datetime(2020, 1, 1)`, `UUID("...")`: a constant that needs a call to be written."""
    return all(_called(call) in _CONSTRUCTORS for call in _eager_calls(expression))


def _was_mutated(value, expression):
    """A shared list or dictionary does harm once it is not what the source says."""
    try:
        return ast.literal_eval(expression) != value
    except (ValueError, TypeError, SyntaxError, RecursionError):
        empty = isinstance(expression, ast.Call) and not (expression.args or expression.keywords)
        return empty and bool(value)


def _texts(value):
    """How a value may be written in a message; too short a text proves nothing."""
    found = {repr(value), str(value)}
    if isinstance(value, _MOMENTS):
        found.add(value.isoformat())
    if getattr(value, "tzinfo", None) is not None:  # many databases drop the zone
        found |= _texts(value.replace(tzinfo=None))
    if isinstance(value, uuid.UUID):
        found.add(value.hex)
    return {text for text in found if len(text) >= (5 if isinstance(value, _SHARED) else 8)}


def _flat(local):
    """A local variable and what it holds, one level deep; `self` of a test case holds its attributes."""
    yield local
    if isinstance(local, dict):
        yield from list(local.values())
    elif isinstance(local, (list, tuple, set, frozenset)):
        yield from list(local)
    elif hasattr(type(local), "assertEqual"):
        yield from list(vars(local).values())


def _same(held, value):
    if isinstance(held, datetime.datetime) and isinstance(value, datetime.datetime):
        held, value = held.replace(tzinfo=None), value.replace(tzinfo=None)
        return held in (value, value.replace(microsecond=0))
    return type(held) is type(value) and held == value
