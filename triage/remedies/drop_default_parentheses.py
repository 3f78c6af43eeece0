"""A column's default is passed as the callable, so that every row gets a value of its own.

`default=datetime.utcnow()` becomes `default=datetime.utcnow`; what takes more than a call without arguments
becomes a lambda (`default=lambda: datetime.now(UTC)`), `{}` and `[]` become `dict` and `list`. In a class
that is mapped as a dataclass `default=` is the field's own, so it becomes `default_factory=`.

Right wherever each row should get a fresh value. No table changes, so no migration is needed; rows that are
stored already keep the value of the process that wrote them.
Never touched: values made by the database (`func.now()`, `server_default`), constants, lambdas, callables.
A module's constant that is used as the default is only proposed for a person to judge.
"""

from collections.abc import Iterable, Iterator

import libcst as cst

from triage.model.fix import Edit, Proposal, Reach, Refusal, Target
from triage.model.terms import Applicability
from triage.remedies.columns_text import (
    class_of,
    column_call,
    keyword,
    last_name,
    member_of,
    prefix,
    value_span,
)
from triage.remedies.default_examples import CURED, UNTOUCHED
from triage.remedies.rows import subject_of
from triage.remedies.source import SourceFile, open_source
from triage.rules.model_index import model_index
from triage.rules.source import SourceTree

ID = "drop-default-parentheses"
__all__ = ["CURED", "ID", "UNTOUCHED", "propose"]
_KEYWORDS = ("default", "insert_default", "onupdate")
_CONSTANT = frozenset(
    {"datetime", "date", "time", "timedelta", "timezone", "UUID", "Decimal", "Fraction", "ZoneInfo", "Path"}
    | {"fromisoformat", "strptime", "int", "float", "bool", "bytes", "frozenset", "tuple", "str", "len"}
    | {"text", "literal", "null", "true", "false", "Sequence", "Identity", "FetchedValue", "select", "cast"}
    | {"partial", "itemgetter", "attrgetter", "getenv", "environ", "get", "UTC", "ColumnDefault", "lower"}
)
_FRESH = frozenset({"now", "utcnow", "today", "uuid1", "uuid4", "uuid6", "uuid7", "time_ns", "urandom"})


def propose(target: Target, tree: SourceTree) -> Iterable[Proposal | Refusal]:
    file, line = _place(target, tree)
    source = open_source(tree, file)
    name = target.names.get("attribute") or target.names.get("column", "")
    call = column_call(source, line, name) or column_call(source, line) or _annotated(source, line)
    is_sure = target.playbook in ("", "evaluated-default")  # else the value may come from elsewhere
    if call is None:
        return [Refusal(ID, "no column is made at this line", file, line)] if is_sure else []
    edits, refusals = _of_column(source, call)
    if not edits:
        return refusals
    constant = any(isinstance(one.value, cst.Name) for one in call.args if _is_named(source, one))
    column = ".".join(one for one in (target.names.get("model", ""), name or member_of(source, call)) if one)
    return [
        Proposal(
            ID,
            f"the default of {column} is called for each row; rows already stored keep theirs",
            edits,
            Reach.MODULE if tree.is_test(file) else Reach.PRODUCT,
            judge="whether the constant is meant to be one moment for all rows" if constant else "",
            applicability=Applicability.UNSAFE if constant else None,
            rollback="revert the commit; no table is changed",
        )
    ]


def _place(target: Target, tree: SourceTree) -> tuple[str, int]:
    """The column's own line, where the target's is another one, such as that of its class."""
    column = target.names.get("attribute") or target.names.get("column", "")
    source = open_source(tree, target.file)
    if column_call(source, target.line, column) is None:
        model = model_index(tree).named(target.names.get("model") or target.symbol)
        found = model.column(column) if model is not None else None
        for one in (found, *subject_of(target, tree).named):
            if one is not None and one.call is not None:
                return one.file, one.line
    return target.file, target.line


def _annotated(source: SourceFile, line: int) -> cst.Call | None:
    """`at: Mapped[stamp]`, where `stamp = Annotated[datetime, mapped_column(...)]`."""
    for node in source.at(cst.AnnAssign, line):
        names = set(source.code(node.annotation).replace("[", " ").replace("]", " ").split())
        for one in source.all(cst.Assign):
            if last_name(one.targets[0].target) in names and "Annotated" in source.code(one.value):
                return column_call(source, source.lines(one)[0])
    return None


def _of_column(source: SourceFile, call: cst.Call) -> tuple[tuple[Edit, ...], list[Proposal | Refusal]]:
    edits: list[Edit] = []
    refusals: list[Proposal | Refusal] = []
    for arg in [one for name in _KEYWORDS if (one := keyword(call, name)) is not None]:
        value = _meaning(source, arg)
        text = _callable(source, value) if value is not None else None
        if value is None or text is None:
            continue
        if text.startswith("lambda") and _uses_class(source, call, value):
            reason = f"`{source.code(value)}` uses names of the class, which a lambda does not see"
            refusals.append(Refusal(ID, reason, source.file, source.lines(arg)[0]))
            continue
        edits += _edits(source, call, arg, value, text)
    return tuple(edits), refusals


def _edits(
    source: SourceFile, call: cst.Call, arg: cst.Arg, value: cst.BaseExpression, text: str
) -> Iterator[Edit]:
    start, stop = value_span(source, arg)
    if value is arg.value and text.startswith("lambda: "):
        text = f"lambda: {source.text[start:stop]}"
    if arg.keyword is not None and arg.keyword.value == "default" and _is_dataclass(source, call):
        at = source.span(arg.keyword)[1]
        yield Edit(source.file, at, at, "_factory")
    yield source.change(start, stop, text)


def _meaning(source: SourceFile, arg: cst.Arg) -> cst.BaseExpression | None:
    """The expression of an argument; of a module's constant, what the constant was made of."""
    if not isinstance(arg.value, cst.Name):
        return arg.value
    made = [
        small.value
        for line in source.module.body
        if isinstance(line, cst.SimpleStatementLine)
        for small in line.body
        if isinstance(small, cst.Assign) and last_name(small.targets[0].target) == arg.value.value
    ]
    return made[0] if len(made) == 1 and isinstance(made[0], cst.Call) else None


def _is_named(source: SourceFile, arg: cst.Arg) -> bool:
    is_default = arg.keyword is not None and arg.keyword.value in _KEYWORDS
    return is_default and isinstance(arg.value, cst.Name) and _meaning(source, arg) is not None


def _callable(source: SourceFile, value: cst.BaseExpression) -> str | None:
    """Source of a callable that makes the value anew; None for what is no value made at import."""
    if isinstance(value, cst.Dict | cst.List) and not value.elements:
        return "dict" if isinstance(value, cst.Dict) else "list"
    if isinstance(value, cst.Dict | cst.List | cst.Set | cst.ListComp | cst.DictComp):
        return f"lambda: {source.code(value)}"
    calls = list(_calls(value))
    if not any(_makes_anew(one) for one in calls):
        return None
    if isinstance(value, cst.Call) and not value.args and _is_path(value.func):
        return source.code(value.func)
    return f"lambda: {source.code(value)}"


def _calls(value: cst.CSTNode) -> Iterator[cst.Call]:
    """Made while the expression is evaluated."""
    if isinstance(value, cst.Lambda):
        return
    if isinstance(value, cst.Call):
        yield value
    for one in value.children:
        yield from _calls(one)


def _makes_anew(call: cst.Call) -> bool:
    name, owner = last_name(call), prefix(call.func).rstrip(".").rpartition(".")[2]
    if owner in ("func", "functions"):
        return False
    if name in _FRESH or (owner == "time" and name == "time"):
        return True
    return name not in _CONSTANT and not name.endswith(("Type", "Enum", "Default"))


def _is_path(node: cst.BaseExpression) -> bool:
    while isinstance(node, cst.Attribute):
        node = node.value
    return isinstance(node, cst.Name)


def _uses_class(source: SourceFile, call: cst.Call, value: cst.BaseExpression) -> bool:
    """Names that the body of the class binds are unknown in a lambda that runs later."""
    around = class_of(source, call)
    scopes = (one for one in source.ancestors(call) if isinstance(one, cst.ClassDef | cst.FunctionDef))
    if around is None or next(scopes) is not around:
        return False
    bound = {one.name.value for one in around.body.body if isinstance(one, cst.FunctionDef)}
    for line in around.body.body:
        for small in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            if isinstance(small, cst.Assign):
                bound.add(last_name(small.targets[0].target))
    return not bound.isdisjoint(_roots(value))


def _roots(node: cst.CSTNode) -> Iterator[str]:
    if isinstance(node, cst.Name):
        yield node.value
    elif isinstance(node, cst.Attribute | cst.Arg):
        yield from _roots(node.value)
    else:
        for one in node.children:
            yield from _roots(one)


def _is_dataclass(source: SourceFile, call: cst.Call) -> bool:
    """Also through the bases in the same file."""
    around, known = class_of(source, call), {one.name.value: one for one in source.all(cst.ClassDef)}
    pending = [around] if around is not None else []
    for one in pending:
        words = [last_name(each.decorator) for each in one.decorators]
        words += [last_name(each.value) for each in one.bases]
        if {"mapped_as_dataclass", "MappedAsDataclass"} & set(words):
            return True
        pending += [known[word] for word in words if word in known and known[word] not in pending]
    return False
