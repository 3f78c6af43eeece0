"""Declarations of factory_boy classes: what a column needs there, and where it is written."""

import ast
from collections.abc import Iterator

import libcst as cst

from triage.model.fix import Edit, Proposal, Reach, Refusal, Target
from triage.model.terms import Applicability
from triage.remedies.column_types import is_address, is_number, is_text, length_of
from triage.remedies.parents import parent_model, relationship_of
from triage.remedies.place import Place, is_none
from triage.remedies.rows import Subject, subject_of
from triage.remedies.source import SourceFile, open_source
from triage.remedies.values import Wanted, quote_of, settled, template
from triage.rules.factories import Factory, factory_index
from triage.rules.model_index import model_index
from triage.rules.models import Column, Model, pick
from triage.rules.source import SourceTree
from triage.rules.syntax import assigned


def factory_at(target: Target, tree: SourceTree) -> Factory | None:
    """The factory whose class body holds the target's line."""
    module = tree.module(target.file)
    for each in factory_index(tree).factories if module is not None else ():
        node = _class(each, tree)
        if each.file == target.file and node is not None:
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            if first <= target.line <= (node.end_lineno or node.lineno):
                return each
    return None


def declared(remedy: str, target: Target, factory: Factory, tree: SourceTree) -> Iterator[Proposal | Refusal]:
    """The factory with what its rows lack."""
    source, module = open_source(tree, factory.file), tree.module(factory.file)
    subject = _subject(target, factory, tree)
    node = _node(source, factory)
    if module is None or node is None or subject.model is None:
        yield Refusal(remedy, f"what {factory.name} makes cannot be read", target.file, target.line)
        return
    place = Place(source, module, tree, subject)
    edits: list[Edit] = []
    pairs: list[tuple[str, str]] = []
    doubts: list[str] = []
    for column in _lacking(subject, factory, tree):
        found = _declaration(column, factory, place)
        if found is None and column in subject.named:
            reason = f"{factory.name} must be given its {column.attribute}: the source tells no value for it"
            yield Refusal(remedy, reason, target.file, target.line)
            return
        if found is not None:
            pairs.append(found[:2])
            doubts += [found[2]] if found[2] else []
    if not pairs:
        yield Refusal(
            remedy, f"{factory.name} declares what is named; its callers give None", target.file, target.line
        )
        return
    codes, imports = settled(source, [code for _, code in pairs])
    for (name, _), code in zip(pairs, codes, strict=True):
        edits += _replaced(source, node, target.line, name, code)
    names = [name for name, _ in pairs]
    added = [
        f"{name} = {code}"
        for (name, _), code in zip(pairs, codes, strict=True)
        if not _is_emptied(source, node, target.line, name)
    ]
    edits += _inserted(source, node, added) if added else []
    doubt = "; ".join(doubts)
    label = f"{factory.name} declares {', '.join(names)}"
    kind = Applicability.UNSAFE if doubt else None
    yield Proposal(remedy, label, (*imports, *edits), Reach.SUITE, doubt, kind)


def sequence(column: Column, model: Model, place: Place, like: str = "") -> str | None:
    """A declaration that gives each row a value of its own; `like` is the text that it had."""
    quote, name = quote_of(place.source), model.name.lower()
    if is_text(column, place.tree):
        head, at, tail = (
            like.partition("@") if like else (name, "@" if is_address(column) else "", "example.org")
        )
        head = head or name
        if not like and not at:
            head, tail = f"{column.attribute.replace('_', '-')}-", ""
        limit = length_of(column, place.tree)
        room = None if limit is None else max(limit - len(at + tail) - 5, 0)
        return f"<:factory>.Sequence(lambda n: f{quote}{head[:room]}{{n}}{at}{tail}{quote})".replace(
            "<:factory>", _FACTORY
        )
    if is_number(column, place.tree):
        return f"{_FACTORY}.Sequence(lambda n: n + 1)"
    plain = template(Wanted(column, model, quote=quote), place.tree) or ""
    if plain == "<uuid:uuid4>()":
        return f"{_FACTORY}.LazyFunction(<uuid:uuid4>)"
    return None


_FACTORY = "<:factory>"


def _subject(target: Target, factory: Factory, tree: SourceTree) -> Subject:
    found = subject_of(target, tree)
    if found.model is not None:
        return found
    model = model_index(tree).named(factory.model)
    names = [one for one in target.names.get("column", "").split(",") if one]
    if model is None:
        return found
    return Subject(
        model, model.columns, tuple(one for name in names if (one := model.column(name))), model.table
    )


def _lacking(subject: Subject, factory: Factory, tree: SourceTree) -> list[Column]:
    given = dict(_declarations(factory, tree))
    found = [one for one in subject.named if _is_nothing(given.get(one.attribute))]
    model = subject.model
    if model is not None and found and model.complete and factory.model == model.name:
        others = (
            one
            for one in model.columns
            if not (one.nullable or one.filled or one.primary_key or one.foreign_key)
        )
        found += [one for one in others if one not in found and one.attribute not in given]
    return found


def _is_nothing(node: ast.expr | None) -> bool:
    return node is None or (isinstance(node, ast.Constant) and node.value is None)


def _declarations(factory: Factory, tree: SourceTree) -> Iterator[tuple[str, ast.expr]]:
    """Bases first."""
    by_name = factory_index(tree).by_name
    lineage = [factory]
    for each in lineage:
        module = tree.module(each.file)
        for base in each.bases if module is not None else ():
            parent = pick(base, by_name, module) if base and module is not None else None
            if parent is not None and parent not in lineage:
                lineage.append(parent)
    for each in reversed(lineage):
        node = _class(each, tree)
        for statement in node.body if node is not None else ():
            yield from assigned(statement)
            if isinstance(statement, ast.FunctionDef):
                yield statement.name, ast.Name(statement.name)


def _declaration(column: Column, factory: Factory, place: Place) -> tuple[str, str, str] | None:
    """Name, template and doubt."""
    model = place.subject.model
    if model is None:
        return None
    if column.foreign_key:
        return _sub_factory(column, factory, place)
    if column.unique or column.primary_key:
        found = sequence(column, model, place)
        return (column.attribute, found, "") if found else None
    plain = template(Wanted(column, model, quote=quote_of(place.source)), place.tree)
    if plain in ("{}", "[]"):
        plain = f"{_FACTORY}.LazyFunction({'dict' if plain == '{}' else 'list'})"
    if plain == "<uuid:uuid4>()":
        plain = f"{_FACTORY}.LazyFunction(<uuid:uuid4>)"
    return (column.attribute, plain, "") if plain else None


def _sub_factory(column: Column, factory: Factory, place: Place) -> tuple[str, str, str] | None:
    target = parent_model(column, place)
    other = relationship_of(column, target, place) if target is not None else ""
    known = [
        one
        for one in factory_index(place.tree).factories
        if target is not None
        and one.model == target.name
        and one.file == factory.file
        and one.line < factory.line
    ]
    if not other or not known:
        return None
    doubt = f"whether each {factory.model} may have a {other} of its own"
    return other, f"{_FACTORY}.SubFactory({known[0].name})", doubt


def _class(factory: Factory, tree: SourceTree) -> ast.ClassDef | None:
    module = tree.module(factory.file)
    nodes = module.all(ast.ClassDef) if module is not None else []
    return next((one for one in nodes if one.lineno == factory.line and one.name == factory.name), None)


def _node(source: SourceFile, factory: Factory) -> cst.ClassDef | None:
    return next(
        (one for one in source.at(cst.ClassDef, factory.line) if one.name.value == factory.name), None
    )


def _replaced(source: SourceFile, node: cst.ClassDef, line: int, name: str, code: str) -> list[Edit]:
    found = _emptied(source, node, line, name)
    return [source.replace(found, code)] if found is not None else []


def _is_emptied(source: SourceFile, node: cst.ClassDef, line: int, name: str) -> bool:
    return _emptied(source, node, line, name) is not None


def _emptied(source: SourceFile, node: cst.ClassDef, line: int, name: str) -> cst.BaseExpression | None:
    """The None that the class, or a trait at the line, gives an attribute."""
    for arg in source.at(cst.Arg, line):
        if arg.keyword is not None and arg.keyword.value == name and is_none(arg.value):
            return arg.value
    for each in declared_values(node, name):
        if is_none(each):
            return each
    return None


def declared_values(node: cst.ClassDef, name: str) -> Iterator[cst.BaseExpression]:
    """What the class's own body assigns to a name."""
    for statement in node.body.body:
        for small in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
            if isinstance(small, cst.Assign):
                targets = [one.target for one in small.targets]
                if any(isinstance(one, cst.Name) and one.value == name for one in targets):
                    yield small.value


def _inserted(source: SourceFile, node: cst.ClassDef, lines: list[str]) -> list[Edit]:
    """Behind the last declaration, else behind the class's last statement."""
    statements = [one for one in node.body.body if isinstance(one, cst.SimpleStatementLine | cst.ClassDef)]
    declarations = [
        one
        for one in statements
        if isinstance(one, cst.SimpleStatementLine) and isinstance(one.body[0], cst.Assign)
    ]
    if not statements:
        return []
    last = (declarations or statements)[-1]
    is_empty = isinstance(last, cst.SimpleStatementLine) and isinstance(last.body[0], cst.Pass)
    if is_empty and isinstance(last, cst.SimpleStatementLine):
        return [source.replace(last.body[0], (source.newline + source.indent_of(last)).join(lines))]
    gap = [] if declarations else [""]
    return [source.insert_after(last, *gap, *lines)]
