"""Whether production reaches a function with a Flask context or without one.

By names alone: a call `x.total()` is taken for the function `total` of the same file, of a file that is
imported from, or for the only one of the product; what is chosen at run time is not seen.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from triage.rules.callers import CallSite, Node, Product
from triage.rules.source import SourceTree

Verdict = Literal["context", "no context", "unknown"]
DEPTH = 6  # calls between the entry and the function


@dataclass(frozen=True, slots=True)
class ProductionPath:
    """`file`, `line` and `name` are those of the entry; empty and 0 where none is known."""

    verdict: Verdict
    text: str
    file: str = ""
    line: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True)
class _Entry:
    node: Node
    has_context: bool
    kind: str = ""
    remark: str = ""
    how: str = "with a context"

    def __str__(self) -> str:
        kind = f"the {self.kind} " if self.kind else ""
        return f"{kind}`{self.node.name}` ({self.node.module.path}:{self.node.function.lineno}){self.remark}"


def production_path(tree: SourceTree, file: str, function: str) -> ProductionPath:
    """`function` is a name in `file`, with or without its class (`Basket.total`).

    The nearest entry that has a context decides; entries without one only where there is no other.
    """
    product = tree.memo(Product)
    entries = list(_entries(product, product.named(file, function)))
    inside = next((entry for entry in entries if entry.has_context), None)
    outside = next((entry for entry in entries if not entry.has_context), None)
    if inside is not None:
        also = "" if outside is None else f"; {outside} reaches it without one"
        return _path("context", inside, f"in production {inside} reaches it, {inside.how}{also}")
    if outside is not None:
        text = f"{outside} reaches it without a context: a defect of the product, too"
        return _path("no context", outside, text)
    nothing = f"no view, command, job or thread that reaches `{function}` by name is known"
    return ProductionPath("unknown", nothing)


def _entries(product: Product, start: list[Node]) -> Iterator[_Entry]:
    """Breadth first: the nearest entry comes first."""
    seen, reached = set(start), start
    for _ in range(DEPTH + 1):
        callers: list[Node] = []
        for node in reached:
            for own in product.starts(node):
                yield _Entry(node, own.has_context, own.kind, own.remark)
            for site in product.sites(node):
                if (entry := _entry_at(site, node)) is not None:
                    yield entry
                elif site.caller is not None and site.caller not in seen:
                    seen.add(site.caller)
                    callers.append(site.caller)
        reached = callers


def _entry_at(site: CallSite, called: Node) -> _Entry | None:
    """What the place of a call says by itself: inside a pushed context, or the body of a program."""
    if site.is_in_context:
        return _Entry(site.caller or called, True, how="inside a context that is pushed there")
    if site.is_program:
        return _Entry(called, False, remark=", run as a program,")
    return None


def _path(verdict: Verdict, entry: _Entry, text: str) -> ProductionPath:
    return ProductionPath(verdict, text, entry.node.module.path, entry.node.function.lineno, entry.node.name)
