"""Gives a one-way relationship its other side, as `backref` would, before the mappers are configured."""

from __future__ import annotations


def start(tools, orders):
    return Change(tools, orders)


class Change:
    def __init__(self, tools, orders):
        self._tools, self._orders, self._done, self._changed = tools, orders, {}, set()
        self._models = tools.use("_mapper_models")
        self._models.before_configured(self._change)

    def test_started(self, item):
        self._change()

    def _change(self):
        for owner in self._models.all():
            for key, prop in self._models.relationships(owner):
                for order in self._orders:
                    if key == order.names.get("relationship", "").rpartition(".")[2]:
                        self._of_relationship(owner, key, prop, order)
        for order in self._tools.active([order for order in self._orders if order.number in self._done]):
            if self._tools.item is not None:
                self._tools.applied(order, self._done[order.number])

    def _of_relationship(self, owner, key, prop, order):
        if owner.configured or (id(prop), order.number) in self._changed:
            return
        self._changed.add((id(prop), order.number))
        place = self._tools.attribute_place(owner.class_, key)
        if place is None or (place["file"], place["line"]) != (order.file, order.line):
            return
        said = [self._other_side(prop, order), self._dynamic(prop, order)]
        if any(said):
            self._done[order.number] = "; ".join(text for text in said if text)

    def _other_side(self, prop, order):
        attribute, target = order.names.get("attribute"), self._models.target(prop)
        if not attribute or target is None or target.has_property(attribute):
            return ""
        if self._models.other_side(prop) not in (None, attribute) or getattr(prop, "backref", None):
            return ""
        prop.back_populates, prop.backref = None, attribute
        return "%s.%s is the other side" % (target.class_.__name__, attribute)

    def _dynamic(self, prop, order):
        if order.names.get("lazy") != "dynamic" or prop.uselist is False:
            return ""
        prop.lazy = "dynamic"
        prop.strategy_key = (("lazy", "dynamic"),)  # made of `lazy` when the property was
        return "%s is a query" % prop.key
