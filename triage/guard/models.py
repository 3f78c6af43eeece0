"""Models that take more than they took: the table and each column before and after."""

import ast
import re
from collections import Counter
from collections.abc import Iterator

from triage.guard.columns import Column, columns, relations, table_constraints
from triage.guard.differences import Marked, expressions, new_in
from triage.guard.syntax import Pair, Scope, classes, decorators, keyword, short, terminal, text, value
from triage.model.fix import Weakening

_VALIDATES = frozenset(
    {"validate", "validators", "required", "allow_none", "nullable", "null", "blank", "unique", "choices"}
    | {"gt", "ge", "lt", "le", "min_length", "max_length", "max_digits", "multiple_of", "regex", "pattern"}
    | {"strict", "unknown", "extra", "frozen", "create_constraint", "native_enum"}
)
_OPTIONAL = re.compile(r"\b(?:Optional|None|Any)\b")
_ASSIGNED = ("nullable", "unique", "constraints", "foreign_keys", "primary_key")
_MIGRATIONS = ("drop_constraint", "drop_index")


def found(pair: Pair) -> Iterator[Weakening]:
    after = columns(pair.after)
    for name, old in columns(pair.before).items():
        if name not in after:
            yield Weakening("column-removed", pair.path, old.line, f"`{name}` is gone")
        else:
            for kind, said in _looser(old, after[name]):
                yield Weakening(kind, pair.path, after[name].line, f"`{name}` {said}")
    yield from _constraints(pair)
    yield from _relations(pair)
    yield from _fields(pair)
    yield from _assigned(pair)
    yield from _migrated(pair)
    yield from _filled(pair)


def _looser(old: Column, new: Column) -> Iterator[tuple[str, str]]:
    if new.is_nullable and not old.is_nullable:
        yield "nullable-loosened", "may be null now"
    if old.is_unique and not new.is_unique:
        yield "unique-dropped", "need not be unique now"
    if old.is_key and not new.is_key:
        yield "primary-key-dropped", "is no primary key now"
    if new.server_default != old.server_default:
        yield "server-default-added", f"gets {new.server_default or 'nothing'} from the server now"
    if new.has_default and not old.has_default and not old.is_nullable:
        yield "default-added", "was required and has a default now"
    for name, size in old.types.items():
        if name not in new.types and new.types:
            yield "type-changed", f"was {name} and is {', '.join(new.types)} now"
        elif name in new.types and size is not None and (new.types[name] or float("inf")) > size:
            yield "type-widened", f"takes {name} of more than {size:g} now"


def _constraints(pair: Pair) -> Iterator[Weakening]:
    left = Counter(said for _, said, _ in table_constraints(pair.after))
    for kind, said, line in table_constraints(pair.before):
        if left[said] > 0:
            left[said] -= 1
        else:
            yield Weakening(kind, pair.path, line, f"{short(said)} is gone or changed")


def _relations(pair: Pair) -> Iterator[Weakening]:
    after = relations(pair.after)
    for name, old in relations(pair.before).items():
        new = after.get(name)
        if new is None:
            yield Weakening("relationship-removed", pair.path, old.line, f"`{name}` is gone")
        elif (old.cascade and new.cascade != old.cascade) or new.limits != old.limits:
            has = " ".join((new.cascade or "no cascade", *new.limits))
            said = f"`{name}` has {has} now"
            yield Weakening("cascade-changed", pair.path, new.line, said)


def _fields(pair: Pair) -> Iterator[Weakening]:
    """Validating arguments of the fields of forms, schemas and data classes; bases and decorators."""
    after = dict(classes(pair.after))
    for name, old in dict(classes(pair.before)).items():
        if name not in after:
            continue
        yield from _optional(pair, name, old, after[name])
        limits = dict(_limits(after[name]))
        for field, (had, line) in _limits(old).items():
            lost = sorted(had - limits.get(field, (had, 0))[0])
            if lost:
                yield Weakening(
                    "validation-removed", pair.path, line, f"`{name}.{field}` lost {', '.join(lost)}"
                )


def _optional(pair: Pair, name: str, old: ast.ClassDef, new: ast.ClassDef) -> Iterator[Weakening]:
    """Fields of data classes that may be None now; those of tables are columns."""
    had = {
        terminal(each.target): text(each.annotation) for each in old.body if isinstance(each, ast.AnnAssign)
    }
    for each in new.body:
        if isinstance(each, ast.AnnAssign) and terminal(each.annotation) != "Mapped":
            was, now = had.get(terminal(each.target)), text(each.annotation)
            if was and not _OPTIONAL.search(was) and _OPTIONAL.search(now):
                said = f"`{name}.{terminal(each.target)}` may be None now"
                yield Weakening("nullable-loosened", pair.path, each.lineno, said)


def _limits(node: ast.ClassDef) -> dict[str, tuple[set[str], int]]:
    found = {}
    for each in node.body:
        target = each.targets[0] if isinstance(each, ast.Assign) else getattr(each, "target", None)
        call = getattr(each, "value", None)
        if (
            isinstance(call, ast.Call)
            and terminal(target)
            and terminal(call) not in ("Column", "mapped_column")
        ):
            said = {f"{one.arg}={text(one.value)}" for one in call.keywords if one.arg in _VALIDATES}
            found[terminal(target)] = (
                said | {text(one) for one in call.args if isinstance(one, ast.List)},
                each.lineno,
            )
    return found


def _assigned(pair: Pair) -> Iterator[Weakening]:
    """`User.__table__.c.email.nullable = True`, anywhere."""
    had = set(map(text, _column_assignments(pair.before)))
    for each in _column_assignments(pair.after):
        if text(each) not in had:
            yield Weakening("nullable-loosened", pair.path, each.lineno, short(each))


def _column_assignments(tree: ast.Module) -> Iterator[ast.Assign]:
    for each in ast.walk(tree):
        target = each.targets[0] if isinstance(each, ast.Assign) else None
        if isinstance(each, ast.Assign) and isinstance(target, ast.Attribute) and target.attr in _ASSIGNED:
            yield each


def _migrated(pair: Pair) -> Iterator[Weakening]:
    for new in new_in(pair, _loosenings):
        if not new.scope.name.endswith("downgrade"):
            yield Weakening("migration-loosens", pair.path, new.line, short(new.key))


def _filled(pair: Pair) -> Iterator[Weakening]:
    """Values given behind the caller's back: a new constructor of a model, a listener before the insert."""
    models = {name.rpartition(".")[0] for name in columns(pair.before)}
    for name, old, new in pair.scopes:
        if old is None and new is not None:
            owner, _, own = name.rpartition(".")
            marks = " ".join(map(text, decorators(new.node)))
            if (owner and owner in models and own == "__init__") or "listens_for" in marks:
                yield Weakening("default-added", pair.path, new.line, f"`{name}` may fill what was required")


def _loosenings(scope: Scope) -> Marked:
    for each in expressions(scope):
        if isinstance(each, ast.Call) and _is_loosening(each):
            yield text(each), each.lineno


def _is_loosening(call: ast.Call) -> bool:
    is_open = terminal(call.func) == "alter_column" and value(keyword(call, "nullable")) is True
    return is_open or terminal(call.func) in _MIGRATIONS
