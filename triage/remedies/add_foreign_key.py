"""The column that a relationship joins over becomes a foreign key.

`user_id = db.Column(db.Integer)` gets `db.ForeignKey("user.id")` behind its type, in the way in which the
file writes its keys. Where a test expects that a row without the key is refused, `nullable=False` is proposed
with it.

Judge whether each row of the table has (or may be given) a row that the key points at. The table changes:
rows that break the key are counted and mended before the constraint is added; the steps come with it.
SQLite checks foreign keys only in connections that run `PRAGMA foreign_keys=ON`.

Never touched: a key that exists, `nullable=True` that somebody wrote; nothing is ever loosened. A model
without any column that fits, and a key of several columns, are left to a person.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

import libcst as cst

from triage.model.fix import Edit, Proposal, Reach, Refusal, Target
from triage.remedies.columns_text import (
    class_of,
    column_call,
    is_true,
    keyword,
    keyword_argument,
    last_name,
    last_plain,
    positional,
    prefix,
    string_value,
    with_argument,
)
from triage.remedies.imports import import_edits
from triage.remedies.key_examples import CURED, UNTOUCHED
from triage.remedies.key_migration import Key, migration, way_back
from triage.remedies.key_targets import on_delete_beside, table_column, target_text
from triage.remedies.refused_rows import expects_key
from triage.remedies.source import SourceFile, open_source
from triage.rules.missing_foreign_key import find as rule_findings
from triage.rules.model_index import model_index
from triage.rules.models import Model
from triage.rules.source import SourceTree

ID = "add-foreign-key"
__all__ = ["CURED", "ID", "UNTOUCHED", "propose"]


def propose(target: Target, tree: SourceTree) -> Iterable[Proposal | Refusal]:
    key = _key(target, tree)
    if isinstance(key, Refusal):
        return [key]
    source = open_source(tree, key.file)
    call = column_call(source, key.line, key.column) or column_call(source, key.line, key.attribute)
    bare = _bare(source, key) if call is None else None
    made = table_column(tree, key.file, key.table, key.column) if call is None and bare is None else None
    if made is not None:  # the relationship's line was named, and its table stands elsewhere
        key = replace(key, file=made[0], line=made[1], model=key.table)
        source = open_source(tree, key.file)
        call = column_call(source, key.line, key.column)
    if call is None and bare is None:
        return [Refusal(ID, f"no column `{key.column}` is made here", key.file, key.line)]
    has_key = call is not None and any(last_name(one.value) == "ForeignKey" for one in call.args)
    has_key = has_key or _is_in_constraint(source, key)
    is_shown = key.mandatory or (not has_key and _is_expected(key, tree))
    tightened = call is not None and is_shown and _may_tighten(source, call)
    text = target_text(source, call or bare, key.target, tree)
    on_delete = on_delete_beside(text, tree)
    found: list[Proposal | Refusal] = []
    if not has_key and tightened:
        edits = _declaration(source, call, bare, text, "nullable=False")
        found.append(_proposal(key, edits, tree, nullable=True, on_delete=on_delete))
    elif tightened and call is not None:
        edits = keyword_argument(source, call, "nullable=False")
        found.append(_proposal(key, edits, tree, nullable=True, key_too=False))
    if not has_key:
        edits = _declaration(source, call, bare, text)
        found.append(_proposal(key, edits, tree, nullable=False, on_delete=on_delete))
    return found


# what is to be joined


def _key(target: Target, tree: SourceTree) -> Key | Refusal:
    """By what the run observed; else by what the rule finds for this place or this relationship."""
    names = dict(target.names)
    if "." not in names.get("target", "") or not names.get("column"):
        known = [
            one
            for one in rule_findings(tree)
            if (one.file, one.line) == (target.file, target.line)
            or (
                one.subject.get("relationship")
                and one.subject.get("relationship") == names.get("relationship")
            )
        ]
        known = [one for one in known if one.subject.get("column")]
        if not known:
            said = names.get("relationship") or target.symbol or "this relationship"
            reason = f"which column {said} joins over cannot be told: declare it with its foreign key"
            return Refusal(ID, reason, target.file, target.line)
        subject = {name: str(value) for name, value in known[0].subject.items()}
        names |= {"attribute": ""} | subject
        target = Target(target.playbook, known[0].file, known[0].line)
    return Key(
        target.file,
        target.line,
        names.get("model", ""),
        names.get("table", ""),
        names["column"],
        names.get("attribute") or names["column"],
        _with_schema(names["target"], tree),
        names.get("relationship", ""),
        names.get("nullable") == "false",
    )


def _with_schema(target: str, tree: SourceTree) -> str:
    """A schema that the other class names in `__table_args__` belongs to the key."""
    if target.count(".") > 1:
        return target
    for model in model_index(tree).by_table(target.partition(".")[0]):
        source = open_source(tree, model.file)
        for node in source.at(cst.ClassDef, model.line):
            match = re.search(
                r"__table_args__\b[^\n]*?[\"']schema[\"']:\s*[\"'](\w+)[\"']", source.code(node)
            )
            if match and node.name.value == model.name:
                return f"{match.group(1)}.{target}"
    return target


def _model(key: Key, tree: SourceTree) -> Model | None:
    index = model_index(tree)
    found = [one for one in index.by_name.get(key.model, ()) if one.column(key.attribute) is not None]
    near = [one for one in found if one.file == key.file] or found
    return near[0] if len(near) == 1 else None


def _is_expected(key: Key, tree: SourceTree) -> bool:
    model = _model(key, tree)
    column = model.column(key.attribute) if model is not None else None
    if model is None or column is None:
        return False
    there = {each.name for each in model_index(tree).by_table(key.target.split(".")[-2])}
    stem = re.sub(r"_?(id|uuid)$", "", key.attribute)
    ways = {key.attribute, stem, *(each.attribute for each in model.relationships if each.target in there)}
    ways |= _other_sides(key, tree)
    return expects_key(model, column, frozenset(ways), tree) is not None


def _other_sides(key: Key, tree: SourceTree) -> set[str]:
    """Names that relationships of other models give this one."""
    found = {
        name
        for model in model_index(tree).models
        for each in model.relationships
        if each.target == key.model
        for name in (each.backref, each.back_populates)
    }
    return found - {"", "?"}


# the edits


def _bare(source: SourceFile, key: Key) -> cst.AnnAssign | None:
    """`user_id: Mapped[int]`, without a value."""
    for node in source.at(cst.AnnAssign, key.line):
        if node.value is None and isinstance(node.target, cst.Name) and node.target.value == key.attribute:
            return node
    return None


def _is_in_constraint(source: SourceFile, key: Key) -> bool:
    """`ForeignKeyConstraint(["user_id"], ...)` of the same class or table."""
    for call in source.all(cst.Call):
        if last_name(call) == "ForeignKeyConstraint" and call.args:
            words = set(re.findall(r"\w+", source.code(call.args[0])))
            around = class_of(source, call)
            if key.column in words and (around is None or around.name.value == key.model):
                return True
    return False


def _declaration(
    source: SourceFile,
    call: cst.Call | None,
    bare: cst.AnnAssign | None,
    target: str,
    *more: str,
) -> tuple[Edit, ...]:
    name, edits = _foreign_key_name(source, call)
    text = f"{name}({target})"
    if call is not None and more and _behind(call) is not last_plain(call):
        return (
            *edits,
            *with_argument(source, call, _behind(call), text),
            *with_argument(source, call, last_plain(call), *more),
        )
    if call is not None:
        return (*edits, *with_argument(source, call, _behind(call), text, *more))
    if bare is None:
        return edits
    column, imported = _mapped_column(source, bare)
    at = source.span(bare)[1]
    return (*edits, *imported, Edit(source.file, at, at, f" = {column}({text})"))


def _behind(call: cst.Call) -> cst.Arg | None:
    """The argument that the key follows: the type, else the column's own name."""
    given = positional(call)
    named = bool(given) and string_value(given[0].value) is not None
    behind = given[: 2 if named else 1]
    parts = ("ForeignKey", "Sequence", "Identity", "Computed", "CheckConstraint", "FetchedValue")
    behind = [one for one in behind if last_name(one.value) not in parts]
    return behind[-1] if behind else None


def _foreign_key_name(source: SourceFile, call: cst.Call | None) -> tuple[str, tuple[Edit, ...]]:
    """As the file writes it already; else with the prefix of the column or of its type."""
    used = [one for one in source.all(cst.Call) if last_name(one) == "ForeignKey"]
    if used:
        name = source.code(used[0].func)
        return name, () if "." in name else import_edits(source, "sqlalchemy", name)
    owners = [] if call is None else [prefix(call.func), *(_type_prefix(one) for one in positional(call))]
    for one in [*owners, *_module_names(source)]:
        if one and not one.rstrip(".").endswith(("orm", "so")):
            return f"{one}ForeignKey", ()
    return "ForeignKey", import_edits(source, "sqlalchemy", "ForeignKey")


def _type_prefix(arg: cst.Arg) -> str:
    node = arg.value.func if isinstance(arg.value, cst.Call) else arg.value
    found = prefix(node)
    return found if found.count(".") == 1 else ""


def _module_names(source: SourceFile) -> Iterator[str]:
    """`sa.` after `import sqlalchemy as sa`."""
    for node in source.all(cst.Import):
        for one in node.names:
            if one.evaluated_name == "sqlalchemy":
                yield f"{one.evaluated_alias or one.evaluated_name}."


def _mapped_column(source: SourceFile, bare: cst.AnnAssign) -> tuple[str, tuple[Edit, ...]]:
    used = [one for one in source.all(cst.Call) if last_name(one) == "mapped_column"]
    if used:
        return source.code(used[0].func), ()
    annotation = bare.annotation.annotation
    node = annotation.value if isinstance(annotation, cst.Subscript) else annotation
    owner = prefix(node)
    if owner:
        return f"{owner}mapped_column", ()
    return "mapped_column", import_edits(source, "sqlalchemy.orm", "mapped_column")


def _may_tighten(source: SourceFile, call: cst.Call) -> bool:
    """Not where somebody said otherwise, or where the annotation tells it already."""
    if keyword(call, "nullable") is not None or is_true(keyword(call, "primary_key"), "True"):
        return False
    around = source.enclosing(call, cst.AnnAssign)
    return around is None or "Mapped[" not in source.code(around.annotation)


# what a person must know


def _proposal(
    key: Key,
    edits: tuple[Edit, ...],
    tree: SourceTree,
    *,
    nullable: bool,
    key_too: bool = True,
    on_delete: str = "",
) -> Proposal:
    what = [f"a foreign key to {key.target}"] if key_too else []
    what += ["not nullable"] if nullable else []
    is_test = tree.is_test(key.file)
    name = f"{key.model or key.table}.{key.attribute}"
    judge = f"whether every row of `{key.table or key.model}` has (or can be given) a row of `{key.target}`"
    judge += "; SQLite enforces it only after `PRAGMA foreign_keys=ON`" if key_too else ""
    judge += f"; whether it needs `ondelete={on_delete}`, as the other keys to it have" if on_delete else ""
    return Proposal(
        ID,
        f"{name} becomes {' and '.join(what)}",
        edits,
        Reach.MODULE if is_test else Reach.PRODUCT,
        judge=judge,
        migration=() if is_test else tuple(migration(key, nullable=nullable, key_too=key_too)),
        rollback="revert the commit" if is_test else way_back(key, nullable=nullable, key_too=key_too),
    )
