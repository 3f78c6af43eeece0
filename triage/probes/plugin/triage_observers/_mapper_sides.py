"""The other side of a relationship that only one class defines, where a failure shows that it is missed."""

from __future__ import annotations

import ast
import linecache
import re

_KEYWORD = re.compile(r"^'(\w+)' is an invalid keyword argument for (\w+)")
_ATTRIBUTE = re.compile(r"^(?:type object )?'(\w+)' (?:object )?has no attribute '(\w+)'")
_PROPERTY = re.compile(r"(?:Mapper\[|mapped class )(\w+)(?:\(|->)[^']*' has no property '(\w+)'")
_NAMESPACE = re.compile(r'Entity namespace for "([^"]+)" has no property "(\w+)"')
_SEARCHED = re.compile(r'have a property "(\w+)"\. Searched entities: (.*)')
_COLLECTION = re.compile(r"^'Instrumented(?:List|Set)' object has no attribute '(\w+)'")
_COUNT = re.compile(r"count\(\) takes exactly one argument \(0 given\)")
_QUERY = "filter|filter_by|order_by|limit|offset|paginate|all|first|one|one_or_none|scalar|with_entities"
_USED = r"\.%s\.(?:(?:" + _QUERY + r")\(|count\(\))"


def start(tools):
    return Sides(tools)


class Sides:
    def __init__(self, tools):
        self._tools, self._models = tools, tools.use("_mapper_models")
        self._seen = {}

    def find(self, failure):
        steps = self._models.own_steps(failure)
        for exc, _ in failure.chain:
            missed = self._missed(exc)
            kept = self._models.narrowed([mapper for mapper, _ in missed], failure.steps(exc))
            for mapper, attribute in [each for each in missed if each[0] in kept]:
                found = self._candidates(mapper, attribute, failure, steps)
                if found:
                    return self._told(mapper, attribute, found, steps)
            found = self._queried(exc, steps)
            if found is not None:
                return found
        return None

    def _missed(self, exc):
        """(mapper, attribute) that an exception misses."""
        text, name = str(exc), type(exc).__name__
        if name == "AttributeError":
            match = _ATTRIBUTE.search(text)
            held = getattr(exc, "obj", None)  # Python 3.10
            cls = held if isinstance(held, type) else type(held)
            mappers = [self._models.of_class(cls)] if held is not None else []
            if match:
                return [
                    (each, match.group(2)) for each in mappers or self._models.named(match.group(1)) if each
                ]
        elif name == "TypeError":
            match = _KEYWORD.search(text)
            if match:
                return [(each, match.group(1)) for each in self._models.named(match.group(2))]
        elif name == "InvalidRequestError":
            return self._of_query(text)
        return []

    def _of_query(self, text):
        match = _PROPERTY.search(text)
        if match:
            return [(each, match.group(2)) for each in self._models.named(match.group(1))]
        match = _NAMESPACE.search(text)
        if match:
            return [(each, match.group(2)) for each in self._models.of_table(match.group(1))]
        match = _SEARCHED.search(text)
        if match:
            names = re.findall(r"Mapper\[(\w+)\(", match.group(2))
            return [(each, match.group(1)) for name in names for each in self._models.named(name)]
        return []

    # which relationship

    def _candidates(self, mapper, attribute, failure, steps):
        """(owner, name, property) of relationships that the attribute may lead back; one that names it is the one."""
        if mapper.has_property(attribute) or hasattr(mapper.class_, attribute):
            return []
        leading = [
            (owner, key, prop)
            for owner in self._models.all()
            for key, prop in self._models.relationships(owner)
            if self._leads_to(prop, mapper)
        ]
        named = [each for each in leading if self._models.other_side(each[2]) == attribute]
        if named:
            return named if getattr(named[0][2], "backref", None) is None else []
        one_way = [each for each in leading if self._is_one_way(each, mapper)]
        return [each for each in one_way if self._fits(each, mapper, attribute, failure, steps)]

    def _leads_to(self, prop, mapper):
        target = self._models.target(prop)
        return target is not None and mapper.isa(target) and not prop.viewonly

    def _is_one_way(self, each, mapper):
        owner, _, prop = each
        if self._models.other_side(prop):
            return False
        back = [p for _, p in self._models.relationships(mapper) if p is not prop and _is_alike(p, prop)]
        ahead = [p for _, p in self._models.relationships(owner) if self._leads_to(p, mapper)]
        if any(getattr(p, "backref", None) for p in ahead if _is_alike(p, prop)):
            return False
        return owner not in [self._models.target(p) for p in back]

    def _fits(self, each, mapper, attribute, failure, steps):
        owner, key, prop = each
        if self._seen.get((mapper.class_, attribute)) == (owner.class_, key):
            return True
        if attribute in self._likely(owner, mapper, prop) or self._is_given(owner, attribute, failure):
            return True
        return any(self._leads_back(owner, mapper, attribute, *step) for step in steps)

    def _is_given(self, owner, attribute, failure):
        """A keyword of the call that failed is an object of the owner."""
        for exc, _ in failure.chain:
            for frame, _, _ in failure.steps(exc)[-4:]:
                given = frame.f_locals.get("kwargs")
                if isinstance(given, dict) and isinstance(given.get(attribute), owner.class_):
                    return True
        return False

    def _leads_back(self, owner, mapper, attribute, frame, line, place):
        """The statement compares the attribute with an object of the owner, or reads something of the owner of it."""
        node = self._models.parsed(place)
        for each in ast.walk(node) if node is not None else ():
            if isinstance(each, ast.Compare):
                sides = [each.left, *each.comparators]
                if any(_attribute(side) == attribute for side in sides) and any(
                    isinstance(side, ast.Name) and isinstance(frame.f_locals.get(side.id), owner.class_)
                    for side in sides
                ):
                    return True
            if _attribute(each) and _attribute(each.value) == attribute:
                if hasattr(owner.class_, each.attr) and not hasattr(mapper.class_, each.attr):
                    return True
        return False

    def _likely(self, owner, mapper, prop):
        """Names that lead back from `mapper`: one object where the relationship is a collection, else several."""
        name = self._models.snake(owner.class_.__name__)
        found = {name} | {re.sub(r"_id$", "", column.key) for column in _keys_to(mapper, owner)}
        if not prop.uselist or getattr(prop, "secondary", None) is not None:
            plural = re.sub(r"y$", "ie", name) + "s" if re.search(r"[^aeiou]y$", name) else name + "s"
            found |= {plural, name + "es", getattr(owner.local_table, "name", name)}
        return found

    # a collection that is used as a query

    def _queried(self, exc, steps):
        text = str(exc)
        if not steps or not (_COUNT.search(text) or _is_query(_COLLECTION.search(text))):
            return None
        frame, _, place = steps[0]
        node = self._models.parsed(place)
        for call in ast.walk(node) if node is not None else ():
            function = getattr(call, "func", None)
            if not (_attribute(function) and _attribute(function.value)):
                continue
            key, base = function.value.attr, function.value.value
            owner = self._models.of_class(type(frame.f_locals.get(getattr(base, "id", None))))
            prop = dict(self._models.relationships(owner)).get(key) if owner is not None else None
            target = self._models.target(prop) if prop is not None and prop.uselist else None
            if target is not None:
                attribute = self._missed_nearby((owner, key, prop), target, steps[0])
                return self._told(target, attribute, [(owner, key, prop)], steps)
        return None

    def _missed_nearby(self, each, mapper, step):
        """The other side's name as the same function uses it, so that one order mends both."""
        owner, key, prop = each
        if self._models.other_side(prop):
            return ""
        for (cls, attribute), found in self._seen.items():
            if cls is mapper.class_ and found == (owner.class_, key):
                return attribute
        node, likely = self._models.parsed(step[2], whole=True), self._likely(owner, mapper, prop)
        for used in ast.walk(node) if node is not None else ():
            if not _attribute(used) or hasattr(mapper.class_, used.attr) or hasattr(owner.class_, used.attr):
                continue
            here = dict(step[2], line=used.lineno)
            if used.attr in likely or self._leads_back(owner, mapper, used.attr, step[0], used.lineno, here):
                return used.attr
        return ""

    # telling

    def _told(self, mapper, attribute, found, steps):
        owner, key, prop = found[0]
        place = self._tools.attribute_place(owner.class_, key)
        if place is None:
            return None
        if attribute:
            self._seen.setdefault((mapper.class_, attribute), (owner.class_, key))
        name = "%s.%s" % (owner.class_.__name__, key)
        names = {"model": mapper.class_.__name__, "attribute": attribute, "other": owner.class_.__name__}
        names["relationship"] = name
        lazy = "dynamic" if self._is_queried(prop, key, steps) else ""
        names["lazy"] = lazy
        evidence = [self._models.evidence("relationship", place)] + self._keys(owner, mapper)
        evidence += [self._models.evidence("touched", steps[0][2])] if steps else []
        facts = {"missing_relationship": not lazy or bool(attribute), "collection_as_query": bool(lazy)}
        others = [self._tools.attribute_place(each.class_, name) for each, name, _ in found[1:]]
        return {
            "cause": place,
            "others": [each for each in others if each],
            "evidence": evidence,
            "names": {name: value for name, value in names.items() if value},
            "facts": facts,
        }

    def _keys(self, owner, mapper):
        found = []
        for holder, other in ((mapper, owner), (owner, mapper)):
            for column in _keys_to(holder, other):
                attribute = self._models.attribute(holder, column)
                place = self._tools.attribute_place(holder.class_, attribute)
                found += [self._models.evidence("column", place)] if place else []
        return found[:1]

    def _is_queried(self, prop, key, steps):
        """The failing code, or another place in its file, uses the collection as a query."""
        if not prop.uselist or prop.lazy in ("dynamic", "write_only", True):
            return False
        pattern = re.compile(_USED % re.escape(key))
        files = {place["path"] for _, _, place in steps}
        return any(pattern.search("".join(linecache.getlines(file))) for file in files)


def _is_alike(one, other):
    """Two sides of one relationship both lead through a table between the models, or both through a key."""
    return (getattr(one, "secondary", None) is None) == (getattr(other, "secondary", None) is None)


def _is_query(match):
    return bool(match) and match.group(1) in _QUERY.split("|")


def _attribute(node):
    return node.attr if isinstance(node, ast.Attribute) else None


def _keys_to(holder, other):
    table = getattr(other.local_table, "fullname", None)
    return [
        column
        for column in holder.local_table.columns
        if any(key.target_fullname.rpartition(".")[0] == table for key in column.foreign_keys)
    ]
