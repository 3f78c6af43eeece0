"""What a refusal means for a test that fails by it: the cause's line, the evidence and the names."""

from __future__ import annotations

import ast

import triage_observe

rules = triage_observe._load("triage_observers", "_constraints")
_TEXT = 200


class Story(object):
    """Made from the record of one refusal alone: nothing of the session is left when a test is told."""

    def __init__(self, tools):
        self._tools = tools

    def told(self, record, frame):
        places = self._causes(record)
        if "uuid" in record:
            places = self._gave(record, places) + [frame] + places
        evidence, names = self._evidence(record), self._names(record)
        if places and places[0]:
            names["function"] = places[0].get("func") or places[0].get("symbol", "")
        facts = {"violation": names["violation"], "mixed": bool(record["mixed"])}
        if record["mixed"]:
            facts["linked"] = record["mixed"]["linked"]
            evidence += record["mixed"]["evidence"]
            names.update(record["mixed"]["names"])
            places = (record["birth"]["born"][:1] if facts["linked"] else []) + places
        return observation(*places, evidence=evidence, names=names, facts=facts, impossible=record["unsure"])

    @staticmethod
    def _gave(record, places):
        """Where own code gave an object the value that a type refused; empty where it was only bound."""
        birth, name = record["birth"], (record["columns"] or [None])[0]
        later = record["set"].get(name)
        if later or not birth:
            return [later] if later else []
        factory = birth["factory"]
        return places[:1] if name in birth["given"] or (factory and name in factory["declared"]) else []

    def _causes(self, record):
        """Places, the likeliest cause first: what made the refused value, before what stored it."""
        birth, flush = record["birth"], record["stack"][:1]
        names = _names(record)
        if record["deleted"] is not None:
            return [record["deleted"]] + flush
        if birth is None or not birth["born"] or record["verb"] == "DELETE":
            return flush
        factory, born, later = birth["factory"], birth["born"], self._later(record)
        if later:
            return later + born + flush
        if self._by_default(record):
            return [record["defined"]] + born + flush
        if record["verb"] == "UPDATE":
            return flush + born
        if factory and not set(names) & set(factory["passed"]):
            declared = self._declared(factory, names)
            return ([declared] if declared else []) + born + flush
        return born + flush

    @staticmethod
    def _by_default(record):
        """Whether the value that must be unique is the default of its column, and nobody gave another one."""
        birth, names = record["birth"], set(record["columns"])
        if birth is None or birth["by"] != "constructor":
            return False
        given = set(birth["given"]) | set((birth["factory"] or {}).get("declared", ()))
        is_unique = record["found"] is not None and record["found"].kind == rules.UNIQUE
        return is_unique and bool(record["default"] and record["defined"]) and not names & given

    @staticmethod
    def _later(record):
        """Where the refused value was set after the constructor."""
        birth, is_null = record["birth"], _is_null(record)
        found, later = [place for _, place in _cleared(record)], []
        for name in record["related"] if is_null else record["columns"] + record["related"]:
            place = record["set"].get(name)
            in_constructor = name in birth["given"] and record["verb"] != "UPDATE" and not is_null
            if (
                place
                and place["none"] == is_null
                and not in_constructor
                and _line(place) != _line(birth["born"][0])
            ):
                later.append(place)
        return found + sorted(later, key=lambda place: -place["order"])

    def _declared(self, factory, names):
        for name in names:
            place = self._in_trait(factory, name) or self._tools.attribute_place(factory["cls"], name)
            if place:
                return place
        if factory["file"]:
            return {"file": factory["file"], "line": factory["line"], "symbol": factory["name"]}
        return None

    def _in_trait(self, factory, name):
        """Where a trait that the caller asked for gives an attribute another value."""
        for trait, given in getattr(factory["cls"]._meta, "parameters", {}).items():
            if trait in factory["passed"] and name in (getattr(given, "overrides", None) or ()):
                for base in factory["cls"].__mro__:
                    place = self._keyword(base, trait, name)
                    if place:
                        return place
        return None

    def _keyword(self, cls, trait, name):
        node, filename = self._tools._class_node(cls)
        for each in ast.walk(node) if node is not None else ():
            if isinstance(each, ast.Assign) and isinstance(each.value, ast.Call):
                if trait in [getattr(target, "id", None) for target in each.targets]:
                    lines = [
                        getattr(one, "lineno", one.value.lineno)  # Python 3.8 tells no line of a keyword
                        for one in each.value.keywords
                        if one.arg == name
                    ]
                    file = self._tools.describe(filename)[0]
                    return {"file": file, "line": (lines or [each.lineno])[0], "symbol": cls.__name__}
        return None

    def _names(self, record):
        found = record["found"]
        names = {"model": record["model"], "table": record["table"], "verb": record["verb"]}
        names["violation"] = "uuid" if "uuid" in record else found.kind
        names["column"] = record["columns"][0] if record["columns"] else ""
        names["columns"] = ",".join(record["columns"])
        more = {"target": record["target"] or getattr(found, "target", None), "value": record["value"]}
        more.update(constraint=getattr(found, "constraint", None), referrer=record["referrer"])
        more["factory"] = (
            record["birth"]["factory"]["name"] if record["birth"] and record["birth"]["factory"] else None
        )
        more["default"] = record["default"] if self._by_default(record) else None
        more["near"] = record["near"][0]["name"] if record["near"] else None
        names.update({key: str(value) for key, value in more.items() if value})
        if getattr(found, "kind", "") == rules.NOT_NULL and record["verb"] == "UPDATE":
            names["updated"] = names["table"]
        if getattr(found, "kind", "") == rules.FOREIGN_KEY and record["verb"] == "DELETE":
            names["deleted"] = (found.target if found.referrer else None) or names["table"]
            names["referrer"] = names.get("referrer") or found.referrer or ""
        if not names["column"] and found is not None and found.columns:
            names["column"], names["columns"] = found.columns[0], ",".join(found.columns)
        return {key: value for key, value in names.items() if value}

    def _evidence(self, record):
        birth, evidence = record["birth"], []
        if birth and birth["born"]:
            factory, born = birth["factory"], birth["born"][0]
            evidence.append(piece("constructor", born, "%s; given: %s" % (born["src"], _given(birth))))
            if factory and factory["file"]:
                declared = self._declared(factory, _names(record))
                evidence.append(piece("factory", declared, "%s makes %s" % (factory["name"], birth["cls"])))
            for name, place in _cleared(record):
                evidence.append(piece("cleared", place, "%s: %s is set to None" % (place["src"], name)))
        if record["defined"] and record["columns"]:
            evidence.append(piece("column", record["defined"], self._tools.source(record["defined"])))
        for near in record["near"]:
            evidence.append(piece("near", near["place"], near["text"]))
        if record["deleted"]:
            evidence.append(piece("deleted", record["deleted"], record["deleted"]["src"]))
        for place in record["stack"][:1]:
            evidence.append(piece("flush", place, place["src"]))
            evidence.append(piece("statement", place, _sentence(record)))
        return evidence


def _cleared(record):
    """Attributes that own code set to None, with their places; a flush sets those of lost relationships."""
    cleared, flush = record["birth"]["cleared"], [_line(place) for place in record["stack"][:1]]
    pairs = [(name, cleared[name]) for name in record["columns"] if name in cleared]
    return [(name, place) for name, place in pairs if _line(place) not in flush]


def _names(record):
    """Attributes that give the refused columns their values; of a missing one first what was given as None."""
    names = record["columns"] + record["related"]
    given = record["birth"]["given"] if record["birth"] and _is_null(record) else {}
    return sorted(names, key=lambda name: not given.get(name, False))


def _is_null(record):
    return record["found"] is not None and record["found"].kind == rules.NOT_NULL


def _line(place):
    return place["file"], place["line"]


def _given(birth):
    return ", ".join("%s (%s)" % pair for pair in birth["kwargs"].items()) or "nothing"


def _sentence(record):
    """What the statement did to its table, and what was wrong with it."""
    columns, found = ", ".join(record["columns"]), record["found"]
    preposition = {"INSERT": "INTO ", "DELETE": "FROM "}.get(record["verb"], "")
    done = ("%s %s%s" % (record["verb"], preposition, record["table"])).strip() or "COMMIT"
    if found is not None and found.kind == rules.NOT_NULL:
        return "%s without %s" % (done, columns or ", ".join(found.columns))
    values = " with %s = %s" % (columns, record["value"]) if columns else ""
    return "%s%s: %s" % (done, values, record["message"])


def piece(kind, place, text):
    return {"kind": kind, "file": place["file"], "line": place["line"], "text": text[:_TEXT]}


def observation(*places, **more):
    """Without what is empty; a place that comes twice counts once."""
    found = []
    for place in places:
        if place:
            one = {
                "file": place["file"],
                "line": place["line"],
                "symbol": place.get("func") or place.get("symbol", ""),
            }
            if one not in found:
                found.append(one)
    told = {key: value for key, value in more.items() if value or key == "names"}
    if found:
        told["cause"], told["others"] = found[0], found[1:]
    return told
