"""A relationship gets its other side: the attribute that code misses on the other class.

Where the file uses `back_populates`, both sides are written out; else `backref="author"` is added to the one
that exists. `lazy="dynamic"` comes with it only where tests use the collection as a query (`.filter_by(...)`,
`.count()`). A `back_populates` that names nothing is corrected where exactly one relationship leads back.

Judge the name, and whether `backref` or `back_populates` is the style of the project. No table changes.

Never touched: an attribute that the other class has already, a relationship that has another side of another
name in use, a class that is not in the project.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

import libcst as cst

from triage.model.fix import Edit, Proposal, Reach, Refusal, Target
from triage.remedies.columns_text import (
    changed_value,
    keyword,
    keyword_argument,
    last_plain,
    prefix,
    quoted,
    relationship_call,
    with_argument,
)
from triage.remedies.imports import import_edits
from triage.remedies.side_examples import CURED, UNTOUCHED
from triage.remedies.side_text import last_member, list_name, mapped_name, names_of
from triage.remedies.sides import (
    Side,
    association,
    counterparts,
    is_many,
    is_plural,
    is_queried,
    is_used,
    prefers_back_populates,
    sides,
)
from triage.remedies.source import SourceFile, open_source
from triage.rules.model_index import model_index
from triage.rules.models import Model
from triage.rules.source import SourceTree
from triage.rules.syntax import keyword as given
from triage.rules.syntax import text as text_of

ID = "add-back-reference"
__all__ = ["CURED", "ID", "UNTOUCHED", "propose"]
_JOINS = ("secondary", "primaryjoin", "secondaryjoin", "foreign_keys", "remote_side")


@dataclass(frozen=True, slots=True)
class _Case:
    """`side` lacks its other side, `attribute` of `other` (empty: only its loading is at stake)."""

    source: SourceFile
    call: cst.Call
    side: Side
    attribute: str
    owner: Model | None
    other: Model | None
    dynamic: bool


def propose(target: Target, tree: SourceTree) -> Iterable[Proposal | Refusal]:  # noqa: PLR0911 -- case by case
    case = _case(target, tree)
    if isinstance(case, Refusal):
        return [case]
    relationship = case.side.relationship
    if relationship.back_populates:
        return _named(case, tree)
    if relationship.backref:
        return _renamed(case, tree)
    if case.attribute and case.other is not None and _is_known(case.other, case.attribute):
        return [_refused(case, f"{case.other.name} has `{case.attribute}` already")]
    if not case.attribute:
        edits = _dynamic(case)
        return [_proposal(edits, tree, f"{_name(case)} becomes a query")] if edits else []
    if case.other is not None and (near := _misspelt(case)):
        return [_refused(case, f"`{case.attribute}` may be a misspelling of `{near}`")]
    return [_added(case, tree)]


# what is missing


def _case(target: Target, tree: SourceTree) -> _Case | Refusal:
    names = names_of(target, tree)
    attribute = names.get("attribute", "")
    place = _place(target, names, tree)
    if place is None:
        return Refusal(ID, "no relationship is declared at this line", target.file, target.line)
    file, line = place
    source = open_source(tree, file)
    call = relationship_call(source, line, names.get("relationship", "").rpartition(".")[2])
    side = _side(source, call, tree)
    if call is None or side is None:
        return Refusal(ID, "no relationship is declared at this line", file, line)
    index = model_index(tree)
    module = tree.module(file)
    other = index.find(side.relationship.target, module) if side.relationship.target and module else None
    owner = index.find(side.owner, module) if module else None
    attribute = attribute or side.relationship.back_populates
    dynamic = names.get("lazy") == "dynamic"
    if not attribute and not dynamic:
        return Refusal(ID, "which attribute is missed cannot be told", file, line)
    dynamic = dynamic or (is_many(side, owner, other) and is_queried(side.relationship.attribute, tree))
    return _Case(source, call, side, attribute, owner, other, dynamic)


def _place(target: Target, names: dict[str, str], tree: SourceTree) -> tuple[str, int] | None:
    """The relationship's own line; from elsewhere it is found by its name."""
    if relationship_call(open_source(tree, target.file), target.line) is not None:
        return target.file, target.line
    owner, _, name = names.get("relationship", "").rpartition(".")
    model = model_index(tree).named(owner)
    found = model.relationship(name) if model is not None else None
    return (found.file, found.line) if found is not None else None


def _side(source: SourceFile, call: cst.Call | None, tree: SourceTree) -> Side | None:
    if call is None:
        return None
    line = source.lines(call)[0]
    found = [one for one in sides(tree) if (one.relationship.file, one.call.lineno) == (source.file, line)]
    return found[0] if len(found) == 1 else None


def _is_known(model: Model, attribute: str) -> bool:
    return attribute in model.members or model.column(attribute) is not None


def _misspelt(case: _Case) -> str:
    known = sorted(case.other.members) if case.other is not None else []
    return next(iter(get_close_matches(case.attribute, known, 1, 0.85)), "")


# the edits


def _named(case: _Case, tree: SourceTree) -> list[Proposal | Refusal]:
    """`back_populates` names what the other side does not have."""
    found = counterparts(case.side, case.other, tree, model_index(tree))
    wrong = case.side.relationship.back_populates
    if any(one.relationship.attribute == wrong for one in found):
        return []
    if case.other is not None and _is_known(case.other, wrong):
        return [_refused(case, f"{case.other.name}.{wrong} exists and is no relationship that leads back")]
    arg = keyword(case.call, "back_populates")
    if len(found) == 1 and arg is not None:
        right = found[0].relationship
        name = quoted(case.source, right.attribute, arg.value)
        edits = (changed_value(case.source, arg, name), *_linked(case, found[0], tree))
        return [_proposal(edits, tree, f"{_name(case)} names {right.attribute}, its other side")]
    if found:
        names = ", ".join(one.relationship.attribute for one in found)
        return [_refused(case, f"which of {names} is its other side cannot be told")]
    edits = _line(case, tree)
    if not edits:
        return [_refused(case, f"the class that `{wrong}` is missed on is not in the project")]
    return [_proposal(edits, tree, f"{case.side.relationship.target} gets `{wrong}`")]


def _linked(case: _Case, other: Side, tree: SourceTree) -> tuple[Edit, ...]:
    if other.relationship.back_populates:
        return ()
    source = open_source(tree, other.relationship.file)
    call = relationship_call(source, other.call.lineno, other.relationship.attribute)
    if call is None:
        return ()
    text = f"back_populates={quoted(source, case.side.relationship.attribute, call)}"
    return keyword_argument(source, call, text)


def _renamed(case: _Case, tree: SourceTree) -> list[Proposal | Refusal]:
    """A `backref` of another name: a misspelling only where nothing uses that name."""
    wrong, arg = case.side.relationship.backref, keyword(case.call, "backref")
    if arg is None or case.attribute in ("", wrong):
        edits = _dynamic(case) if not case.attribute else ()
        return [_proposal(edits, tree, f"{_name(case)} becomes a query")] if edits else []
    inner = arg.value
    value = inner.args[0] if isinstance(inner, cst.Call) and inner.args else arg
    if not isinstance(value.value, cst.SimpleString) or is_used(wrong, tree):
        return [_refused(case, f"its other side is `{wrong}`, which is in use")]
    edits = (
        changed_value(case.source, value, quoted(case.source, case.attribute, value.value)),
        *_dynamic(case),
    )
    return [_proposal(edits, tree, f"the other side of {_name(case)} is called `{case.attribute}`")]


def _added(case: _Case, tree: SourceTree) -> Proposal:
    file = case.source.file
    style = prefers_back_populates(file, tree)
    if style is None:
        style = "Mapped[" in case.source.text
    label = f"{case.side.relationship.target or 'the other class'} gets `{case.attribute}`, the way back"
    joined = any(keyword(case.call, name) is not None for name in _JOINS)
    is_own = case.side.relationship.target == case.side.owner
    line = () if joined or is_own or case.owner is None else _line(case, tree)
    if style and line:
        text = f"back_populates={quoted(case.source, case.attribute, case.call)}"
        edits = (*_keywords(case, text), *line)
    else:
        text, imported = _backref(case, is_own=is_own)
        edits = (*imported, *_keywords(case, text))
    return _proposal(edits, tree, label)


def _keywords(case: _Case, text: str) -> tuple[Edit, ...]:
    """One further argument, or two; a `lazy` that stands there takes its new value."""
    lazy = keyword(case.call, "lazy")
    if not case.dynamic or _is_dynamic(case):
        return keyword_argument(case.source, case.call, text)
    if lazy is not None:
        return (*_dynamic(case), *keyword_argument(case.source, case.call, text))
    lazy_text = f"lazy={_text(case, 'dynamic')}"
    return with_argument(case.source, case.call, last_plain(case.call), text, lazy_text)


def _dynamic(case: _Case) -> tuple[Edit, ...]:
    if not case.dynamic or _is_dynamic(case):
        return ()
    lazy = keyword(case.call, "lazy")
    if lazy is not None:
        return (changed_value(case.source, lazy, _text(case, "dynamic")),)
    return keyword_argument(case.source, case.call, f"lazy={_text(case, 'dynamic')}")


def _is_dynamic(case: _Case) -> bool:
    return text_of(given(case.side.call, "lazy")).strip("'\"") in ("dynamic", "write_only")


def _text(case: _Case, value: str) -> str:
    return quoted(case.source, value, case.call)


def _backref(case: _Case, *, is_own: bool) -> tuple[str, tuple[Edit, ...]]:
    """`backref="x"`, or `backref=backref("x", ...)` where the way back needs more than a name."""
    more = ""
    many = is_many(case.side, case.owner, case.other)
    if is_own and many and keyword(case.call, "remote_side") is None and case.owner is not None:
        keys = [each.attribute for each in case.owner.primary_key]
        more = f"remote_side={_text(case, f'{case.owner.name}.{keys[0]}')}" if len(keys) == 1 else ""
    elif not many and not is_own and not is_plural(case.attribute, case.side.owner) and _is_key_here(case):
        more = "uselist=False"
    if not more:
        return f"backref={_text(case, case.attribute)}", ()
    owner = prefix(case.call.func)
    imported = () if owner else import_edits(case.source, "sqlalchemy.orm", "backref")
    return f"backref={owner}backref({_text(case, case.attribute)}, {more})", imported


def _is_key_here(case: _Case) -> bool:
    """The relationship leads along a key of its own class, so that the way back would be a collection."""
    if case.owner is None or case.other is None:
        return False
    tables = [(each.foreign_key or "").split(".")[-2:-1] for each in case.owner.columns]
    return [case.other.table] in tables


def _line(case: _Case, tree: SourceTree) -> tuple[Edit, ...]:
    """The relationship of the other class, below the last one that it has, else below its columns."""
    other = case.other
    module = tree.module(other.file) if other is not None else None
    table = association(case.side, tree)
    if other is None or module is None or table is None:
        return ()
    source = open_source(tree, other.file)
    node = next((one for one in source.at(cst.ClassDef, other.line) if one.name.value == other.name), None)
    after = last_member(source, node) if node is not None else None
    if node is None or after is None:
        return ()
    made, edits = _maker(source, case)
    quote = quoted(source, "", *([after] if '"' in source.code(after) or "'" in source.code(after) else []))[
        0
    ]
    owner, name = case.side.owner, case.side.relationship.attribute
    linked = f"back_populates={quote}{name}{quote}"
    is_one = not is_plural(case.attribute, owner) and _is_key_here(case)
    many = bool(table) or (not is_many(case.side, case.owner, other) and not is_one)
    single = not many and _is_key_here(case)
    options = [
        linked,
        *([f"secondary={quote}{table}{quote}"] if table else []),
        *(["uselist=False"] if single else []),
        *(["init=False"] if other.is_dataclass else []),
    ]
    mapped = mapped_name(source, node)
    if mapped:
        kind = f"{quote}{owner}{quote}"
        kind = f"{list_name(source)}[{kind}]" if many else kind
        given_options = ", ".join(one for one in options if one != "uselist=False")
        text = f"{case.attribute}: {mapped}[{kind}] = {made}({given_options})"
    else:
        text = f"{case.attribute} = {made}({', '.join([quote + owner + quote, *options])})"
    return (*edits, source.insert_after(after, text))


def _maker(source: SourceFile, case: _Case) -> tuple[str, tuple[Edit, ...]]:
    """`relationship` as the other class's file calls it."""
    used = [one for one in source.all(cst.Call) if re.search(r"\brelationship$", source.code(one.func))]
    if used:
        name = source.code(used[0].func)
        return name, () if "." in name else import_edits(source, "sqlalchemy.orm", name)
    name = case.source.code(case.call.func)
    if name == "db.relationship" and re.search(r"\bdb\.", source.text):
        return name, ()
    module = re.search(
        r"^from sqlalchemy import (?:[^\n]*\b)?(orm)\b(?! as)|^import sqlalchemy\.orm as (\w+)",
        source.text,
        re.MULTILINE,
    )
    if module:
        return f"{module.group(1) or module.group(2)}.relationship", ()
    return "relationship", import_edits(source, "sqlalchemy.orm", "relationship")


# what a person must know


def _name(case: _Case) -> str:
    return f"{case.side.owner}.{case.side.relationship.attribute}"


def _refused(case: _Case, reason: str) -> Refusal:
    return Refusal(ID, f"{_name(case)}: {reason}", case.source.file, case.source.lines(case.call)[0])


def _proposal(edits: tuple[Edit, ...], tree: SourceTree, label: str) -> Proposal:
    dynamic = any("dynamic" in one.text for one in edits)
    judge = "whether the name is the one that is meant, and `backref` or `back_populates` the project's style"
    if dynamic:
        judge += '; whether the collection may be a query everywhere (`lazy="dynamic"`)'
    return Proposal(
        ID,
        label,
        edits,
        Reach.MODULE if all(tree.is_test(one.file) for one in edits) else Reach.PRODUCT,
        judge=judge,
        rollback="revert the commit; no table is changed",
    )
