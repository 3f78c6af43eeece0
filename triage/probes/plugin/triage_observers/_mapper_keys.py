"""A relationship that no foreign key joins: which column should carry it, chosen as the static rule does."""

from __future__ import annotations

import itertools
import re

_UNJOINED = re.compile(
    r"on relationship (\w+)\.(\w+) - there are no foreign keys linking these tables"
    r"(?: via secondary table '([^']+)')?"
)
_UNREFUSED = re.compile(r"DID NOT RAISE .*IntegrityError|IntegrityError not raised")
_TABLES = re.compile(r"Can't find any foreign key relationships between '([^']+)' and '([^']+)'")


def start(tools):
    return Keys(tools)


class Keys:
    def __init__(self, tools):
        self._tools, self._models = tools, tools.use("_mapper_models")
        self._unset = []
        tools.when_imported("sqlalchemy.orm", self._watch)

    def _watch(self, orm):
        from sqlalchemy import event

        event.listen(
            orm.Mapper,
            "after_insert",
            lambda mapper, connection, target: self._tools.guarded(self._inserted, mapper, target),
        )

    def _inserted(self, mapper, target):
        """Keys that the newest row of this test leaves NULL."""
        free = [
            (key, column)
            for key, column in mapper.columns.items()
            if column.foreign_keys and column.nullable and vars(target).get(key) is None
        ]
        self._unset = [(mapper, key, column) for key, column in free]

    def test_started(self, item):
        self._unset = []

    def find(self, failure):
        texts = [str(exc) for exc, _ in failure.chain]
        for text in texts:
            match = _UNJOINED.search(text)
            if match:
                return self._of_relationship(*match.groups(), text=text)
        for text in texts:
            match = _TABLES.search(text)
            if match:
                return self._of_tables(failure, match.groups(), text)
        return self._unrefused(texts)

    def _unrefused(self, texts):
        """The database was to refuse the row: its only key that is NULL lets it pass."""
        place = None
        if len(self._unset) == 1 and any(_UNREFUSED.search(text) for text in texts):
            mapper, attribute, column = self._unset[0]
            place = self._tools.attribute_place(mapper.class_, attribute)
        if place is None:
            return None
        names = {
            "model": mapper.class_.__name__,
            "table": column.table.name,
            "column": column.name,
            "attribute": attribute,
            "target": next(iter(column.foreign_keys)).target_fullname,
            "nullable": "false",
        }
        evidence = [self._models.evidence("column", place)]
        return {"cause": place, "evidence": evidence, "names": names, "facts": {"nullable_key": True}}

    def _of_relationship(self, name, key, secondary, text):
        for mapper in sorted(self._models.named(name), key=_is_whole):
            prop = dict(self._models.relationships(mapper)).get(key)
            target = self._models.target(prop) if prop is not None else None
            if target is None:
                continue
            own = self._tools.attribute_place(mapper.class_, key)
            if secondary:
                return self._through(mapper, key, target, secondary, own, text)
            held = next(self._candidates(mapper, key, prop, target), None)
            unnamed = self._unnamed(mapper, prop, target) if held is None else []
            if len(unnamed) == 1:
                held = unnamed[0]
            if held is not None:
                return self._told(held, own, "%s.%s" % (name, key), text)
            if own is not None:
                names = {"model": name, "relationship": "%s.%s" % (name, key)}
                names["target"] = target.class_.__name__
                told = [self._models.evidence("relationship", own)]
                others = [self._column_place(holder, column) for holder, column, _ in unnamed]
                return self._found(own, names, told, own, text, [place for place in others if place])
        return None

    def _of_tables(self, failure, names, text):
        """A join of two tables without a relationship; the frames hold the tables, of which there may be namesakes."""
        steps = [step for exc, _ in failure.chain for step in failure.steps(exc)]
        found = [self._models.narrowed(self._models.of_table(name), steps) for name in names]
        for one, other in itertools.product(*found):
            pairs = ((one, other), (other, one))
            held = next((found for pair in pairs for found in self._fitting(*pair, names=())), None)
            if held is not None:
                return self._told(held, None, "", text)
        return None

    def _candidates(self, mapper, key, prop, target):
        """(holder, column, other); the side that the relationship makes likely comes first."""
        there = self._fitting(target, mapper, (self._models.other_side(prop),))
        here = self._fitting(mapper, target, (key,))
        many = prop.uselist if prop.uselist is not None else key.endswith("s")
        return itertools.chain(there, here) if many else itertools.chain(here, there)

    def _unnamed(self, mapper, prop, target):
        """(holder, column, other) by kind alone, on each side that the relationship lets hold the key."""
        back = dict(self._models.relationships(target)).get(self._models.other_side(prop))
        sides = [(target, mapper), (mapper, target)]
        if prop.uselist:
            sides = sides[:1]
        elif getattr(back, "uselist", None):
            sides = sides[1:]
        return [
            (holder, column, other)
            for holder, other in dict.fromkeys(sides)
            for column in holder.columns
            if len(other.primary_key) == 1 and _could_lead_to(column, other.primary_key[0])
        ]

    def _column_place(self, holder, column):
        return self._tools.attribute_place(holder.class_, self._models.attribute(holder, column))

    def _fitting(self, holder, other, names):
        stems = {self._models.snake(other.class_.__name__)} | {name for name in names if name}
        table = getattr(other.local_table, "name", None)
        if table:
            stems |= {table, _singular(table)}
        if len(other.primary_key) != 1:
            return
        for _, column in holder.columns.items():
            stem = re.sub(r"_?(id|uuid)$", "", column.name)
            is_free = not column.foreign_keys and not column.primary_key and stem != column.name
            if is_free and stem in stems and _same_kind(column, other.primary_key[0]):
                yield holder, column, other

    def _told(self, held, own, relationship, text):
        holder, column, other = held
        attribute = self._models.attribute(holder, column)
        place = self._column_place(holder, column) or own
        if place is None:
            return None
        names = {
            "model": holder.class_.__name__,
            "table": column.table.name,
            "column": column.name,
            "attribute": attribute,
            "target": _key(other.primary_key[0]),
            "relationship": relationship,
        }
        evidence = [self._models.evidence("column", place)]
        if own is not None:
            evidence.append(self._models.evidence("relationship", own))
        return self._found(place, names, evidence, own, text)

    def _through(self, mapper, key, target, secondary, own, text):
        """An association table needs a key to each side; its column, else the table itself, is the cause."""
        name = "%s.%s" % (mapper.class_.__name__, key)
        table = mapper.local_table.metadata.tables.get(secondary)
        for side in (mapper, target) if table is not None else ():
            if any(_leads_to(key, side) for column in table.columns for key in column.foreign_keys):
                continue
            column = next((each for each in table.columns if self._may_lead_to(each, side)), None)
            place = self._models.table_place(table, column.name if column is not None else None)
            place = place or self._models.table_place(table) or own
            if place is None:
                return None
            names = {"model": place["symbol"], "table": table.name, "relationship": name}
            names["target"] = _key(side.primary_key[0]) if side.primary_key else side.local_table.name
            if column is not None:
                names["column"] = column.name
            evidence = [self._models.evidence("column", place)]
            evidence += [self._models.evidence("relationship", own)] if own is not None else []
            return self._found(place, names, evidence, own, text)
        return None

    def _may_lead_to(self, column, side):
        stem = re.sub(r"_?(id|uuid)$", "", column.name)
        table = getattr(side.local_table, "name", "")
        stems = {self._models.snake(side.class_.__name__), table, _singular(table)}
        return not column.foreign_keys and stem != column.name and stem in stems

    def _found(self, place, names, evidence, own, text, others=()):
        said = " ".join(text.split())
        evidence.append(self._models.evidence("mapper", own or place, said[:300]))
        others = [own, *others] if own is not None and own != place else list(others)
        facts = {"missing_foreign_key": True}
        names = {name: value for name, value in names.items() if value}
        return {"cause": place, "others": others, "evidence": evidence, "names": names, "facts": facts}


def _is_whole(mapper):
    """False for the one that could not be configured, of several whose classes have one name."""
    return not vars(mapper).get("_configure_failed")


def _singular(table):
    if table.endswith("ies"):
        return table[:-3] + "y"
    return re.sub(r"(?<=s|x|h)es$|s$", "", table)


def _key(column):
    return "%s.%s" % (column.table.fullname, column.name)


def _leads_to(key, side):
    return key.target_fullname.rpartition(".")[0] == getattr(side.local_table, "fullname", None)


def _same_kind(column, key):
    """Integers of every size are one kind; a column without a type would take that of its key."""
    kinds = [getattr(each.type, "_type_affinity", type(each.type)) for each in (column, key)]
    return kinds[0] is kinds[1] or kinds[0].__name__ == "NullType"


def _could_lead_to(column, key):
    """A key is seldom given a default, and a text as long as another key is rare."""
    is_free = not column.foreign_keys and not column.primary_key
    has_default = column.default is not None or column.server_default is not None
    lengths = {getattr(each.type, "length", None) for each in (column, key)}
    return is_free and not has_default and len(lengths) == 1 and _same_kind(column, key)
