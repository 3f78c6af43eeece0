"""Which sessions the objects of one test belong to, and who put them there."""

from __future__ import annotations

import sys

_TEXT = 200


class Sessions(object):
    """What factories stored in the running test, beside the sessions of its fixtures and hand-made objects."""

    def __init__(self, tools, objects):
        self._tools, self._objects, self.stored = tools, objects, []

    def attached(self, session, instance):
        known = self._objects.of(instance)
        state = self._objects.state(instance)
        if known and known["factory"] and known["born"] and state is not None:
            told = {
                "n": self._objects.number(session),
                "factory": known["factory"]["name"],
                "cls": known["cls"],
            }
            told.update(born=known["born"][0], tables=[table.name for table in state.mapper.tables])
            self.stored.append(told)

    def mixed(self, record, spot, statement):
        """Evidence of two sessions where the refused object is hand-made and factories stored in another one."""
        birth, session = record["birth"], spot.session
        if (
            not birth
            or birth["by"] != "constructor"
            or birth["factory"]
            or session is None
            or not birth["born"]
        ):
            return None
        mine = self._objects.number(session)
        known = {one["n"]: one for one in self._objects.sessions()}
        others = [
            one for one in self.stored if one["n"] != mine and not _same_registry(known, mine, one["n"])
        ]
        if not others:
            return None
        target = statement.target.name if statement.target is not None else None
        near = {one["session"] for one in record["near"]}
        linked = [one for one in others if target in one["tables"] or one["n"] in near]
        other = (linked or others)[0]
        evidence = [_object("born", birth["born"][0], birth["cls"], "its constructor", mine)]
        evidence.append(_object("factory", other["born"], other["cls"], other["factory"], other["n"]))
        evidence += self._lines(known, (mine, other["n"]))
        names = self._names(birth["cls"], birth["born"][0]["func"], other["factory"], session)
        names.update(self._label(known, other["n"]))
        return {"linked": bool(linked), "evidence": evidence, "names": names}

    def refused(self, steps, exc):
        """An object that was given to a second session: read from the frames that refused it."""
        states, session = self._involved(steps)
        told = [(state, self._objects.of(state)) for state in states]
        told = [(state, birth) for state, birth in told if birth and birth["born"]]
        own = list(reversed(self._tools.steps_own(steps)))
        if not told:
            return _observation(own, {"violation": "session"}, [], "the births of the objects were not seen")
        hand_made = [one for one in told if one[1]["by"] == "constructor" and not one[1]["factory"]]
        _, birth = max(hand_made or told, key=lambda one: one[1]["order"])
        known = {one["n"]: one for one in self._objects.sessions()}
        mine, theirs = self._objects.number(session), told[0][0].session_id
        factories = [each["factory"]["name"] for _, each in told if each["factory"]]
        factories += [one["factory"] for one in self.stored if one["n"] == theirs]
        names = self._names(birth["cls"], birth["born"][0]["func"], (factories or [""])[0], session)
        names.update(self._label(known, theirs), violation="session")
        evidence = []
        for state, each in told:
            kind, by = (
                ("factory", each["factory"]["name"]) if each["factory"] else ("born", "its constructor")
            )
            evidence.append(_object(kind, each["born"][0], each["cls"], by, state.session_id))
        evidence += self._lines(known, (theirs, mine))
        evidence += [_piece("attached", place, place["src"]) for place in own[:1]]
        return _observation(birth["born"][:1] + own, names, evidence, "")

    def _involved(self, steps):
        """States of the frames of the traceback, the refused one first; and the session that refused it."""
        orm, found, session = sys.modules["sqlalchemy.orm"], [], None
        for frame, _, _ in reversed(steps):
            if str(frame.f_globals.get("__name__")).startswith("sqlalchemy.orm"):
                values = frame.f_locals
                if session is None and isinstance(values.get("self"), orm.Session):
                    session = values["self"]
                for name in ("state", "instance", "st_", "item", "target_state", "obj"):
                    state = self._objects.state(values.get(name))
                    if state is not None and all(state is not one for one in found):
                        found.append(state)
        return found, session

    def _names(self, model, function, factory, session):
        names = {"model": model, "function": function, "factory": factory}
        fixture = self._fixture(session)
        if fixture:
            names["fixture"] = fixture[0]
        return {key: value for key, value in names.items() if value}

    @staticmethod
    def _label(known, number):
        label = known[number]["registry"] if number in known else None
        return {"session": label or "session %s" % number, **({"registry": label} if label else {})}

    def _fixture(self, session):
        """(name, its place) of the running test's fixture whose value is this session, or holds it."""
        item = self._tools.item
        values = dict(getattr(item, "funcargs", None) or {})
        values.update({name: pair[1] for name, pair in self._tools.fixture_values.items()})
        for name, value in values.items():
            if session is not None and _session_of(value) is session:
                return name, self._place(item, name)
        return None

    def _place(self, item, name):
        definition = self._tools.fixture_values.get(name, (None,))[0]
        if definition is None:
            known = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {}).get(name)
            definition = known[-1] if known else None
        return self._tools._evidence.place(definition.func) if definition is not None else None

    def _lines(self, known, numbers):
        """One `session` piece for each: where it was made, whose it is."""
        pieces = []
        for number in numbers:
            one = known.get(number)
            made = (one["made"] if one else None) or self._objects.made(number)
            fixture = self._fixture(one["session"]) if one else None
            text = "session %s" % number
            if one and one["registry"]:
                text += " of %s" % one["registry"]
            if fixture:
                text += ", the value of fixture %s" % fixture[0]
            place = made or (fixture[1] if fixture else None)
            if place:
                pieces.append(_piece("session", place, text + (": " + made["src"] if made else "")))
        return pieces


def _same_registry(known, one, other):
    labels = [known[number]["registry"] for number in (one, other) if number in known]
    return len(labels) == 2 and labels[0] is not None and labels[0] == labels[1]


def _session_of(value):
    """The session that a fixture's value is or holds; nothing is made that is not there, no proxy is resolved."""
    orm = sys.modules["sqlalchemy.orm"]
    try:
        inside = object.__getattribute__(value, "__dict__")
    except AttributeError:
        inside = {}
    for one in (value, inside.get("session"), inside.get("sync_session")):
        if issubclass(type(one), orm.Session):
            return one
        if issubclass(type(one), orm.scoped_session):
            try:
                return one.registry() if one.registry.has() else None
            except Exception:  # Flask's tells its scope only inside a context
                return None
    return None


def _object(kind, place, cls, by, session):
    where = "no session" if session is None else "session %s" % session
    return _piece(kind, place, "%s made by %s, in %s: %s" % (cls, by, where, place["src"]))


def _piece(kind, place, text):
    return {"kind": kind, "file": place["file"], "line": place["line"], "text": text[:_TEXT]}


def _observation(places, names, evidence, impossible):
    told = {"evidence": evidence, "names": names, "facts": {"mixed": True, "violation": "session"}}
    found = [{"file": one["file"], "line": one["line"], "symbol": one["func"]} for one in places]
    if found:
        told["cause"], told["others"] = found[0], [one for one in found[1:] if one != found[0]]
    if impossible:
        told["impossible"] = impossible
    return told
