"""Defects of the models that a failure shows: asks the mappers, at failure time only, and configures none of them."""

from __future__ import annotations


def start(tools):
    return Probe(tools)


class Probe:
    """The first that explains the failure; a mapper's own error comes before what is read from a message."""

    def __init__(self, tools):
        self._tools = tools
        self._parts = [tools.use(name) for name in ("_mapper_keys", "_mapper_sides", "_mapper_defaults")]

    def failed(self, failure):
        for part in self._parts:
            found = self._tools.guarded(part.find, failure) if part is not None else None
            if found:
                return found
        return None
