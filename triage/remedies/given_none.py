"""Values that a row is given and that were None: a helper's default, the id of an object without one."""

import libcst as cst

from triage.model.fix import Proposal, Reach, Target
from triage.model.terms import Applicability
from triage.remedies.missing import supply
from triage.remedies.parents import handed_object, parent_model, relationship_of, stored_before
from triage.remedies.place import Place, is_none
from triage.remedies.row_edits import shadowed
from triage.remedies.rows import Row, parameters
from triage.remedies.values import settled


def emptied_parameter(remedy: str, rows: list[Row], target: Target, place: Place) -> Proposal | None:
    """A helper hands a parameter on whose default is None."""
    source = place.source
    for row in rows:
        function = None if place.is_called_once(row.node) else place.function(row.node)
        for column in place.subject.named if function is not None else ():
            value = row.given.get(column.attribute)
            known = (
                parameters(function).get(value.value) if function and isinstance(value, cst.Name) else None
            )
            if known is None or known.default is None or not is_none(known.default) or value is None:
                continue
            one = supply(column, row, place, 1)
            if isinstance(one, str) or column.foreign_key:
                continue
            own = shadowed(place.module, target.line)
            (code,), imports = settled(source, [one.template], own)
            is_fixed = not (column.unique or column.primary_key) and code[0] not in "[{"
            edit = (
                source.replace(known.default, code)
                if is_fixed
                else source.replace(value, f"{source.code(value)} or {code}")
            )
            judge = f"whether a {place.subject.what} that is made without {column.attribute} may get this one"
            label = f"{column.attribute} gets a value where the helper's caller gives none"
            return Proposal(remedy, label, (*imports, edit), Reach.MODULE, judge, Applicability.UNSAFE)
    return None


def unflushed(remedy: str, rows: list[Row], target: Target, place: Place) -> Proposal | None:
    """`user_id=user.id` of an object that has no id yet."""
    source, what = place.source, place.subject.what
    for row in rows:
        for column in place.subject.named:
            name, parent = handed_object(column, row, place), parent_model(column, place)
            if not name or parent is None:
                continue
            other = relationship_of(column, parent, place)
            arg = source.parents[row.given[column.attribute]]
            judge = f"whether the {what} should belong to `{name}`, which then is stored with it"
            label = f"{what} gets `{name}` itself, which has no id yet at {target.file}:{target.line}"
            if other and other not in row.given and isinstance(arg, cst.Arg):
                edits = [source.replace(arg, f"{other}={name}")]
            else:
                found = stored_before(name, row, place)
                edits = found if isinstance(found, list) else []
                label = f"`{name}` is stored before {what} refers to it at {target.file}:{target.line}"
            if edits:
                return Proposal(
                    remedy, label, tuple(edits), reach_of(place, row), judge, Applicability.UNSAFE
                )
    return None


def reach_of(place: Place, row: Row) -> Reach:
    function = place.function(row.node)
    if function is None:
        return Reach.MODULE
    if function.name.value.startswith("test"):
        return Reach.STATEMENT
    return Reach.FIXTURE if place.is_called_once(row.node) else Reach.MODULE
