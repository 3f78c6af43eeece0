"""A session fixture that takes the body of the project's own good one."""

import ast
from collections.abc import Iterator

from triage.model.fix import Edit
from triage.remedies.factory_registry import Handover, gives_away
from triage.remedies.fixture_lines import automatic, narrowed
from triage.remedies.imports import import_edits
from triage.remedies.module_paths import import_path, imported_file, knows
from triage.remedies.session_places import SessionPlace, is_rolled_back, place_of
from triage.remedies.source import SourceFile, open_source
from triage.remedies.spans import indent, span
from triage.rules.fixtures import fixture_index
from triage.rules.source import Module, SourceTree
from triage.rules.syntax import arguments, dotted, within


def good_ones(place: SessionPlace, tree: SourceTree) -> Iterator[SessionPlace]:
    """Fixtures that roll back, whose names this one can use, the nearest first."""
    if place.fixture is None or not _is_plain(place):
        return
    found = [place_of(one, tree) for one in fixture_index(tree).fixtures if one.scope == "function"]
    near = [one for one in found if one is not None and one.function is not place.function]
    near.sort(key=lambda one: (one.file != place.file, -len(_shared(one.file, place.file)), one.file))
    for one in near:
        if one.is_async or not is_rolled_back(one) or one.fixture is None or not one.fixture.yields:
            continue
        if _is_reachable(one, place, tree):
            yield one


def _shared(one: str, other: str) -> str:
    return "".join(a for a, b in zip(one, other, strict=False) if a == b)


def _is_plain(place: SessionPlace) -> bool:
    """It only opens, hands out and closes: nothing is lost with its body."""
    allowed = {place.opening, place.handing, *place.closings}
    return all(
        one in allowed
        or (isinstance(one, ast.Try) and all(e in allowed for e in [*one.body, *one.finalbody]))
        for one in place.statements
    ) and not (isinstance(place.opening, ast.With) and any(one not in allowed for one in place.opening.body))


def _is_reachable(good: SessionPlace, place: SessionPlace, tree: SourceTree) -> bool:
    index = fixture_index(tree)
    for name in arguments(good.function):
        if name != "self" and index.find(name, place.file) != index.find(name, good.file):
            return False
    module = tree.module(good.file)
    if module is None or good.file == place.file:
        return module is not None
    return all(_line_for(name, module, place, tree) is not None for name in _globals(good, module))


def _globals(good: SessionPlace, module: Module) -> list[str]:
    names = {n.id for n in within(good.function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    decorators = {
        n.id for one in good.function.decorator_list for n in ast.walk(one) if isinstance(n, ast.Name)
    }
    known = set(module.imports) | {n for one in module.tree.body for n in _bound(one)}
    return sorted(name for name in (names - decorators) & known)


def _bound(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.Import):
        return [(one.asname or one.name).partition(".")[0] for one in statement.names]
    if isinstance(statement, ast.Assign):
        return [dotted(one) for one in statement.targets]
    return [statement.name] if isinstance(statement, ast.FunctionDef | ast.ClassDef) else []


def _line_for(name: str, module: Module, place: SessionPlace, tree: SourceTree) -> tuple[str, str] | None:
    """(module, name) to import what another file calls `name`; ("", "") where it is known already."""
    if knows(tree, place.file, name):
        mine = tree.module(place.file)
        same = mine is not None and (
            mine.imports.get(name) == module.imports.get(name) or name not in mine.imports
        )
        return ("", "") if same else None
    if name in module.imports:
        source, inner = module.imports[name]
        shown = inner if inner == name else f"{inner} as {name}"
        if source.startswith("."):
            file = imported_file(tree, source, module.path)
            return (import_path(tree, file, place.file), shown) if file is not None else None
        return source, shown
    for node in module.all(ast.Import):
        for one in node.names:
            if name in (one.asname, one.name):
                return "", one.name if one.asname is None else f"{one.name} as {name}"
    if module.path.endswith("conftest.py"):
        return None
    return import_path(tree, module.path, place.file), name


def imitation(place: SessionPlace, good: SessionPlace, given: Handover, tree: SourceTree) -> tuple[Edit, ...]:
    source, other = open_source(tree, place.file), open_source(tree, good.file)
    is_given = gives_away(other, good.function)
    lines = _body(good, Handover() if is_given else given, other)
    margin = indent(source, place.statements[0].lineno)
    inner = [_deeper(one, other.unit, source.unit) for one in lines]
    body = source.newline.join(margin + one if one else "" for one in inner)
    start = source.offset(place.statements[0].lineno, 0)
    stop = span(source, place.statements[-1])[1]
    edits = [source.change(start, stop, body), *_arguments(place, good, source)]
    module = tree.module(good.file)
    for name in _globals(good, module) if module is not None and good.file != place.file else ():
        origin = _line_for(name, module, place, tree) if module is not None else None
        if origin is not None and origin[1]:
            edits += import_edits(source, *origin)
    return (*edits, *narrowed(place, tree), *automatic(place, tree, given))


def _deeper(line: str, old: str, new: str) -> str:
    """A line with its steps of indentation as the other file writes them."""
    steps = 0
    while line.startswith(old):
        line, steps = line[len(old) :], steps + 1
    return new * steps + line


def _body(good: SessionPlace, given: Handover, other: SourceFile) -> list[str]:
    """The good fixture's lines, with the hand-over's where they belong."""
    first, last = good.statements[0].lineno, good.function.end_lineno or good.function.lineno
    margin = indent(other, first)
    text = other.text[other.offset(first, 0) : span(other, good.statements[-1])[1]]
    lines = dict(enumerate((one.removeprefix(margin).rstrip("\r") for one in text.split("\n")), first))
    inside = isinstance(good.opening, ast.With)
    sets_after = good.opening.lineno if inside else good.opening.end_lineno or good.opening.lineno
    ends = good.closings[0].lineno if good.closings else None
    hand_end = good.handing.end_lineno if good.handing is not None else None
    found = given.head()
    for number in range(first, last + 1):
        shown = lines.get(number, "")
        step = indent(other, number).removeprefix(margin) if shown.strip() else ""
        if number == ends:
            found += [step + one for one in given.head()]
        found.append(shown)
        if number == sets_after:
            found += [step + (other.unit if inside else "") + one for one in given.sets(good.variable)]
        if ends is None and number == hand_end:
            found += [step + one for one in given.head()]
    return found


def _arguments(place: SessionPlace, good: SessionPlace, source: SourceFile) -> list[Edit]:
    spec = place.function.args
    wanted = [one for one in arguments(good.function) if one != "self"]
    given = arguments(place.function)
    missing = [one for one in wanted if one not in given]
    if not missing:
        return []
    if spec.args:
        last = spec.args[-1]
        line = source.text[: source.offset(last.end_lineno or last.lineno, 0)]
        at = len(line) + (last.end_col_offset or 0)
        return [Edit(source.file, at, at, "".join(f", {one}" for one in missing))]
    start = source.text.index("(", source.offset(place.function.lineno, 0))
    return [Edit(source.file, start + 1, start + 1, ", ".join(missing))]
