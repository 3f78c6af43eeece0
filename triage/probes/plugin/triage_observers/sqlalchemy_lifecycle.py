"""Where the object of a DetachedInstanceError was born, attached, detached and touched."""

from __future__ import annotations

import re
import sys

_QUOTED = re.compile(r"attribute '(\w+)'")
_HOLDERS = ("state", "self", "instance", "obj", "target")
_OPERATIONS = (("lazy load", "lazy load"), ("deferred load", "deferred load"), ("refresh", "refresh"))


def start(tools):
    return Lifecycle(tools, tools.use("sqlalchemy-objects"))


class Lifecycle(object):
    """Answers for failures whose chain holds a DetachedInstanceError."""

    def __init__(self, tools, objects):
        self._tools, self._objects = tools, objects

    def failed(self, failure):
        exc = self._deciding(failure.chain)
        if exc is None or self._objects is None:
            return None
        steps = failure.steps(exc)
        state = self._state(exc, steps)
        if state is None:
            return {"impossible": "the frames of the exception hold no object of SQLAlchemy's"}
        touched = self._tools.steps_own(steps)[-1:]
        return self._observation(state, str(exc), steps, touched[0] if touched else None)

    @staticmethod
    def _deciding(chain):
        """The failure's own exception, else its direct cause, else whichever comes first."""
        module = sys.modules.get("sqlalchemy.orm.exc")
        if module is None:
            return None
        found = [
            (number != 0, via != "cause", number, exc)
            for number, (exc, via) in enumerate(chain)
            if isinstance(exc, module.DetachedInstanceError)
        ]
        return min(found, key=lambda one: one[:3])[3] if found else None

    def _state(self, exc, steps):
        """The InstanceState that the message names by its address; else the innermost one."""
        found, text = [], str(exc)
        for frame, _, _ in reversed(steps):
            if str(frame.f_globals.get("__name__")).startswith("sqlalchemy."):
                for name in _HOLDERS:
                    found.extend(self._held(frame.f_locals.get(name)))
        for state in found:
            instance = state.obj()
            if instance is not None and "0x%x" % id(instance) in text:
                return state
        return found[0] if found else None

    def _held(self, value):
        owner = getattr(value, "instance", None) if type(value).__module__.startswith("sqlalchemy.") else None
        states = [self._objects.state(one) for one in (value, owner) if one is not None]
        return [state for state in states if state is not None]

    def _observation(self, state, text, steps, touched):
        record = self._objects.of(state) or {}
        detached, born = record.get("detached") or {}, record.get("born") or []
        attribute = _attribute(state, text, steps)
        evidence = [self._evidence("born", born[0] if born else None, _birth(record))]
        evidence.append(self._evidence("attached", record.get("attached")))
        evidence.append(self._evidence("detached", detached.get("place"), _ending(detached)))
        evidence.append(self._evidence("touched", touched))
        found = {
            "evidence": [one for one in evidence if one is not None],
            "names": _names(state, record, detached, attribute),
            "facts": {
                "operation": next((name for sign, name in _OPERATIONS if sign in text), "load"),
                "born_by": record.get("by"),
                "born_in": record.get("born_in"),
                "detached_in": detached.get("in"),
                "session": record.get("last_session"),
                "how": detached.get("via"),
            },
        }
        places = [detached.get("place")] + detached.get("outer", [])
        if _via(record, detached) == "never attached":  # transient: what made it never gave it a session
            places = born
        causes = [_cause(place) for place in places if place is not None]
        if causes:
            found["cause"], found["others"] = causes[0], _without(causes[0], causes[1:])
        else:
            found["impossible"] = "the object was detached while no line of the project's own was running"
        return found

    @staticmethod
    def _evidence(kind, place, text=None):
        if place is None:
            return None
        return {"kind": kind, "file": place["file"], "line": place["line"], "text": text or place["src"]}


def _birth(record):
    born = record.get("born") or [{}]
    return "%s (by %s)" % (born[0].get("src"), record.get("by"))


def _ending(detached):
    if detached.get("via") != "session collected":
        return None
    made = detached["place"]["src"] if detached["place"] else "?"
    return "%s (nothing kept this session: it was collected)" % made


def _names(state, record, detached, attribute):
    names = {"model": state.class_.__name__, "attribute": attribute, "via": _via(record, detached)}
    for moment in (detached.get("in"), record.get("born_in")):
        if moment and moment.get("fixture"):
            names.setdefault("fixture", moment["fixture"])
    if record.get("factory"):
        names["factory"] = record["factory"]["name"]
    return {name: str(value) for name, value in names.items() if value}


def _via(record, detached):
    """What own code wrote; the steps below are among the facts."""
    if detached:
        return detached["via"].partition(" > ")[0]
    return "never attached" if record and record["session"] is None else None


def _attribute(state, text, steps):
    """The attribute that was asked for: told by the message, or by the descriptor that own code went through."""
    quoted = _QUOTED.search(text)
    if quoted:
        return quoted.group(1)
    for frame, _, _ in steps:
        if frame.f_globals.get("__name__") == "sqlalchemy.orm.attributes":
            key = getattr(frame.f_locals.get("self"), "key", None)
            if isinstance(key, str) and key in state.manager:
                return key
    return None


def _cause(place):
    return {"file": place["file"], "line": place["line"], "symbol": place["func"]}


def _without(first, others):
    found = []
    for place in others:
        if place != first and place not in found:
            found.append(place)
    return found[:5]
