"""Orders for breakages of a small project's sources, chosen by what they say."""

import ast
from collections.abc import Mapping, Sequence

from tests.probes.second import Order, order
from triage.rules.source import Module
from triage.sabotage.declared import declared_mutants
from triage.sabotage.mutants import function_mutants
from triage.sabotage.pieces import Mutant, Piece


def mutants(sources: Mapping[str, str], file: str) -> list[Mutant]:
    data = sources[file].encode()
    piece = Piece(Module(file, is_test=False, tree=ast.parse(data)), data)
    return [*function_mutants(piece), *declared_mutants(piece)]


def broken(
    sources: Mapping[str, str], file: str, what: str, tests: Sequence[str], when: str = "call"
) -> Order:
    """The only breakage of the file that is described so."""
    (one,) = [each for each in mutants(sources, file) if each.what == what]
    if one.kind == "attribute":
        return order("break-model", file, one.line, tests, owner=one.owner, attribute=one.attribute)
    return order("break-behaviour", file, one.line, tests, at=one.at, text=one.text, when=when)
