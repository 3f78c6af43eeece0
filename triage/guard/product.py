"""Product code that lost a guard of its own: validators, required logins, whole classes."""

from collections.abc import Iterator

from triage.guard.syntax import Pair, classes, decorators, short, terminal, text
from triage.model.fix import Weakening

_VALIDATORS = frozenset(
    {"validates", "validator", "field_validator", "model_validator", "root_validator", "validates_schema"}
    | {"pre_load", "before_request", "listens_for", "receiver"}
)


def found(pair: Pair) -> Iterator[Weakening]:
    for name, scope, new in pair.scopes:
        has = set(map(text, decorators(new.node))) if new else set()
        for each in decorators(scope.node) if scope else ():
            if text(each) not in has and (new or terminal(each) in _VALIDATORS):
                kind = "validation-removed" if terminal(each) in _VALIDATORS else "decorator-removed"
                yield Weakening(kind, pair.path, new.line if new else 1, f"`{name}` lost `@{short(each)}`")
    yield from _classes(pair)


def _classes(pair: Pair) -> Iterator[Weakening]:
    """A base that a class lost may be a mixin that validates."""
    after = dict(classes(pair.after))
    for name, old in dict(classes(pair.before)).items():
        new = after.get(name)
        gone = [text(each) for each in old.bases if new and text(each) not in set(map(text, new.bases))]
        if new and gone:
            yield Weakening(
                "base-removed", pair.path, new.lineno, f"`{name}` no longer has {', '.join(gone)}"
            )
