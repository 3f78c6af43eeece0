"""A row gets the value that its table requires, where a test makes it.

Right where a constructor in a test, a fixture or a helper leaves a required column out or gives it
None: the call gets the column with a value of its type; what else the same call lacks comes along.
A factory gets a declaration, a sequence where the column must be unique.

To judge (`unsafe`): values that are computed, handed on or stand for another object, helpers that
take `**kwargs`, statements without objects. Where the product makes the row of what a test hands to
it (None, a dictionary without the key), what the test hands is completed.

Never: code of the product that forgets the value, a value that a later line takes away, a refusal that
the test awaits, and the column's own declaration.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

import libcst as cst

from triage.model.fix import Edit, Proposal, Reach, Refusal, Target
from triage.model.terms import Applicability
from triage.remedies.factory_values import declared, factory_at
from triage.remedies.given_none import emptied_parameter, reach_of, unflushed
from triage.remedies.handed_rows import Handed, handed, rows_of
from triage.remedies.missing import in_order, missing, supply
from triage.remedies.missing_examples import CURED, UNTOUCHED
from triage.remedies.place import Place, Supply, is_none
from triage.remedies.row_edits import is_expected, shadowed, with_values
from triage.remedies.rows import Row, row_of, rows_at, subject_of
from triage.remedies.signatures import defaults, is_named, slot
from triage.remedies.source import SourceFile, open_source
from triage.remedies.values import quote_of, settled
from triage.rules.models import Column
from triage.rules.source import SourceTree

ID = "add-missing-value"
__all__ = ["CURED", "ID", "UNTOUCHED", "propose"]


def propose(target: Target, tree: SourceTree) -> Iterable[Proposal | Refusal]:
    reason = _out_ofreach_of(target, tree)
    factory = factory_at(target, tree)
    if factory is not None:
        yield from declared(ID, target, factory, tree)
        return
    if reason:
        made = _from_test(target, tree)
        yield made or Refusal(ID, reason, target.file, target.line)
        if isinstance(made, Proposal):
            yield from _cases(target, tree)
        return
    source, module = open_source(tree, target.file), tree.module(target.file)
    if module is None:
        return
    place = Place(source, module, tree, subject_of(target, tree))
    found = list(_proposed(target, place))
    yield from found


def _out_ofreach_of(target: Target, tree: SourceTree) -> str:
    column = target.names.get("column", "a value")
    if target.names.get("verb") == "UPDATE" or target.names.get("updated"):
        return f"the stored row loses its {column} later, at {target.file}:{target.line}"
    if not tree.is_test(target.file):
        what = target.names.get("model") or target.names.get("table", "the row")
        at = f"{target.file}:{target.line}"
        return f"a bug of the product: {at} makes {what} without {column}, unless its caller has to give it"
    return ""


def _from_test(target: Target, tree: SourceTree) -> Proposal | Refusal | None:
    """The product only hands on what a test of its own lacks."""
    if target.names.get("verb") == "UPDATE" or target.names.get("updated"):
        return None
    given = handed(target, tree)
    if not given:
        return None
    function = given[0].function
    judge = f"whether {function}() should refuse or fill such values itself: {target.file}:{target.line}"
    nones = [one for one in given if one.value is not None and is_none(one.value)]
    lacking = [
        (one, place, row)
        for one in given
        for place, row in rows_of(one)
        if not row.is_open and one.column in missing(row, place)
    ]
    own = [one for one in lacking if not _is_case(one[1], one[2])]
    found = _instead_of_none(nones, target) if nones else _in_dictionaries(own, target)
    if found is not None:
        doubt = "; ".join(filter(None, (found.judge, judge)))
        return replace(found, judge=doubt, applicability=Applicability.UNSAFE)
    guilty = next((one for one, *_ in lacking), None)
    guilty = guilty or next((one for one in given if _may_lack(one)), None)
    if guilty is None:
        return None  # the tests give the value, and the product loses it
    file, _, line = guilty.at.rpartition(":")
    return Refusal(ID, f"{guilty}, which {target.file}:{target.line} stores", file, int(line))


def _may_lack(one: Handed) -> bool:
    if one.is_spread:
        return not any(one.column.attribute in row.given for _, row in rows_of(one))
    return not isinstance(one.value, cst.SimpleString | cst.BaseNumber | cst.FormattedString)


def _cases(target: Target, tree: SourceTree) -> Iterator[Refusal]:
    """What stays where other data of the same defect is completed."""
    for one in handed(target, tree):
        for place, row in rows_of(one):
            if _is_case(place, row) and one.column in missing(row, place):
                file, _, line = one.at.rpartition(":")
                yield Refusal(ID, f"{one}, which {target.file}:{target.line} stores", file, int(line))
                return


def _is_case(place: Place, row: Row) -> bool:
    """A case of a parametrised test is what the test is about."""
    return any(isinstance(one, cst.Decorator) for one in place.source.ancestors(row.node))


def _in_dictionaries(lacking: list[tuple[Handed, Place, Row]], target: Target) -> Proposal | None:
    """What tests hand on, completed in each file that writes it out."""
    made: list[Proposal] = []
    for file in dict.fromkeys(place.source.file for _, place, _ in lacking):
        own = [(one, place, row) for one, place, row in lacking if place.source.file == file]
        rows = {row.node: (row, [one.column]) for one, _, row in own}
        found = _given(list(rows.values()), target, own[0][1])
        if isinstance(found, Refusal):
            return None
        made.append(found)
    if not made:
        return None
    edits = tuple(edit for one in made for edit in one.edits)
    doubt = "; ".join(dict.fromkeys(one.judge for one in made if one.judge))
    label = "; ".join(one.label for one in made)
    return replace(made[0], label=label, edits=edits, judge=doubt, reach=max(one.reach for one in made))


def _instead_of_none(nones: list[Handed], target: Target) -> Proposal | None:
    place, edits = nones[0].place, []
    for number, one in enumerate(nones, start=1):
        row = replace(row_of(one.call), given={})
        found = supply(one.column, row, place, number)
        if isinstance(found, str) or one.value is None or place.source.file != one.place.source.file:
            return None
        (code,), imports = settled(place.source, [found.template], shadowed(place.module, target.line))
        edits += [*imports, place.source.replace(one.value, code)]
    label = f"{nones[0].function}() gets a {nones[0].column.attribute} at {nones[0].at}"
    return Proposal(ID, label, tuple(dict.fromkeys(edits)), Reach.STATEMENT)


def _proposed(target: Target, place: Place) -> Iterator[Proposal | Refusal]:
    source, subject = place.source, place.subject
    cleared = _cleared(source, target.line, subject.named)
    rows = rows_at(source, target.line, subject, place.module, place.tree)
    lacking = [(row, columns) for row in rows if (columns := missing(row, place))]
    reason = ""
    if cleared:
        reason = f"the value is taken away at {target.file}:{target.line}: {cleared}"
    elif not rows:
        reason = f"no {subject.what} is made at {target.file}:{target.line} in a way that can be read"
    elif not lacking:
        helped = emptied_parameter(ID, rows, target, place) or unflushed(ID, rows, target, place)
        if helped is not None:
            yield helped
            return
        reason = _computed(rows[0], place)
    elif is_expected(source, lacking[0][0].site):
        reason = "the test awaits that the database refuses a row"
    if reason:
        yield Refusal(ID, reason, target.file, target.line)
        return
    yield _given(lacking, target, place)


def _cleared(source: SourceFile, line: int, columns: tuple[Column, ...]) -> str:
    names = {one.attribute for one in columns}
    for each in source.at(cst.Assign, line):
        for one in each.targets:
            is_attribute = isinstance(one.target, cst.Attribute) and one.target.attr.value in names
            if is_attribute and source.lines(each)[0] == line:
                return source.code(each)
    return ""


def _computed(row: Row, place: Place) -> str:
    for column in place.subject.named:
        value = row.given.get(column.attribute) or row.given.get(column.name)
        if value is not None:
            return f"{column.attribute} is computed: `{place.source.code(value)}` was None"
    return f"the source does not tell which value {place.subject.what} lacks"


def _given(lacking: list[tuple[Row, list[Column]]], target: Target, place: Place) -> Proposal | Refusal:
    source, edits, names, doubts = place.source, [], [], []
    wanted = _wanted(lacking, place)
    if isinstance(wanted, str):
        return Refusal(ID, wanted, target.file, target.line)
    templates = [one.template for _, found in wanted for one in found]
    own = shadowed(place.module, target.line)
    codes, imports = settled(source, templates, own - _used(wanted))
    pending = iter(codes)
    for row, found in wanted:
        pairs = [(one, next(pending)) for one in found]
        made = _written(row, pairs, place)
        if isinstance(made, str):
            return Refusal(ID, made, target.file, target.line)
        edits += made
        names += [one.name for one in found if one.name not in names]
        doubts += [one.doubt for one in found if one.doubt]
        doubts += _doubts(row, place, [one.name for one in found])
    line = source.lines(wanted[0][0].node)[0]
    label = f"{place.subject.what} gets its {_listed(names)} at {source.file}:{line}"
    doubt = "; ".join(dict.fromkeys(doubts))
    return Proposal(
        ID,
        label,
        (*imports, *edits),
        reach_of(place, lacking[0][0]),
        judge=doubt,
        applicability=Applicability.UNSAFE if doubt else None,
    )


def _used(wanted: list[tuple[Row, list[Supply]]]) -> frozenset[str]:
    """Parameters that a value names are meant as they are."""
    return frozenset(one.template for _, found in wanted for one in found if one.template.isidentifier())


def _wanted(lacking: list[tuple[Row, list[Column]]], place: Place) -> list[tuple[Row, list[Supply]]] | str:
    found: list[tuple[Row, list[Supply]]] = []
    for number, (row, columns) in enumerate(lacking, start=1):
        mine: list[Supply] = []
        for column in columns:
            one = supply(column, row, place, number)
            if isinstance(one, Supply):
                mine.append(one)
            elif column in place.subject.named or not (mine or place.subject.named):
                return one
        found.append((row, in_order(mine)))
    return found


def _written(row: Row, pairs: list[tuple[Supply, str]], place: Place) -> list[Edit] | str:
    source, added = place.source, []
    edits: list[Edit] = []
    for one, code in pairs:
        given: cst.BaseExpression | str | None = row.given.get(one.name)
        given = given if given is not None else slot(row, one.name, place)
        if isinstance(given, str):
            return given
        if given is not None:
            edits.append(source.replace(given, code))
        else:
            added.append((one.name, code))
    if not added:
        return edits
    if row.is_open and isinstance(row.node, cst.Call):
        found = defaults(row.node, added, place)
        return found if isinstance(found, str) else [*edits, *found]
    edit = with_values(source, row, added, quote_of(source, source.code(row.node)))
    return [*edits, edit] if edit is not None else "the row's keys are columns, not names"


def _doubts(row: Row, place: Place, names: list[str]) -> Iterator[str]:
    source, what = place.source, place.subject.what
    function = place.function(row.site)
    code = source.code(function) if function is not None else ""
    for name in names:
        if re.search(rf"^\s*assert\b.*\.{name}\b|\bself\.assert\w+\(.*\.{name}\b", code, re.MULTILINE):
            yield f"the test asserts something about {name}"
    if row.is_statement:
        yield f"whether the statement may insert this row of {what} with made-up values"
    elif row.is_open:
        is_call = isinstance(row.node, cst.Call)
        yield (
            "whether all callers want the value when they pass none"
            if is_call
            else "what is spread may give it"
        )
    elif isinstance(row.site, cst.Call) and not is_named(row.site, place):
        yield f"`{source.code(row.site.func)}` is taken for what makes a {what}"


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
