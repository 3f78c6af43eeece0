"""The guard: every way in which a change would make tests or product looser."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from triage.guard import (
    assertions,
    contexts,
    doubles,
    expectations,
    models,
    naming,
    product,
    settings,
    skipping,
    swallowing,
    switches,
    values,
)
from triage.guard.settings_files import has_options
from triage.guard.syntax import Pair, pair, parsed
from triage.model.fix import Weakening

_MANAGERS = re.compile(rb"contextmanager|__a?exit__")
_UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)


def weakenings(
    before: Mapping[str, bytes], after: Mapping[str, bytes], is_test: Callable[[str], bool]
) -> tuple[Weakening, ...]:
    """Compares two versions of a project's files, by their paths below it; never raises.

    Both may hold the changed files alone. What is missing in `after` was deleted, what is only there
    is new. A file that has no tree is itself a weakening, `unreadable`: nothing is known of it.
    """
    changed = sorted(path for path in {*before, *after} if before.get(path) != after.get(path))
    if not changed:
        return ()
    known = _known(before, after, is_test)
    return tuple(
        dict.fromkeys(
            each
            for path in changed
            for each in _compared(path, before.get(path), after.get(path), is_test(path), known)
        )
    )


@dataclass(frozen=True, slots=True)
class _Known:
    """Names that hold across files: helpers that assert, fixtures of a context, managers that swallow."""

    helpers: frozenset[str] = frozenset()
    context_fixtures: frozenset[str] = frozenset()
    managers: frozenset[str] = frozenset()


def _known(before: Mapping[str, bytes], after: Mapping[str, bytes], is_test: Callable[[str], bool]) -> _Known:
    old = [_names(data) for path, data in before.items() if is_test(path)]
    # A file that did not change is not read twice: what is known of its bytes is kept.
    every = [_names(data) for path, data in after.items() if is_test(path)] + old
    product = [_names(data) for data in (*before.values(), *after.values()) if _MANAGERS.search(data)]
    return _Known(
        frozenset().union(*(each.helpers for each in old)),
        frozenset().union(*(each.context_fixtures for each in every)),
        frozenset().union(*(each.managers for each in (*every, *product))),
    )


@lru_cache(maxsize=4096)
def _names(content: bytes) -> _Known:
    try:
        tree = parsed(content)
        return _Known(
            frozenset(assertions.helpers_in(tree)),
            frozenset(contexts.context_fixtures(tree)),
            frozenset(swallowing.managers_in(tree)),
        )
    except _UNREADABLE:
        return _Known()


def _compared(
    path: str, before: bytes | None, after: bytes | None, is_test: bool, known: _Known
) -> Iterator[Weakening]:
    name = path.rpartition("/")[2]
    try:
        if has_options(name):
            yield from settings.found(path, before, after)
        elif name.endswith((".py", ".pyi")):
            yield from _in_tree(pair(path, before, after, is_test=is_test), known)
    except _UNREADABLE as error:
        line = error.lineno or 1 if isinstance(error, SyntaxError) else 1
        yield Weakening("unreadable", path, line, f"cannot be read: {str(error) or type(error).__name__}")


def _in_tree(pair_: Pair, known: _Known) -> Iterator[Weakening]:
    yield from assertions.found(pair_, known.helpers if pair_.is_test else frozenset())
    yield from models.found(pair_)
    yield from switches.found(pair_)
    yield from swallowing.found(pair_, known.managers if pair_.is_test else frozenset())
    if pair_.is_test:
        yield from naming.found(pair_)
        yield from expectations.found(pair_)
        yield from skipping.found(pair_)
        yield from values.found(pair_)
        yield from doubles.found(pair_)
        yield from contexts.found(pair_, known.context_fixtures)
    else:
        yield from product.found(pair_)
