"""The session that the factories of a project store in, and how a test's session is put in its place."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from triage.model.fix import Edit
from triage.remedies.imports import import_edits
from triage.remedies.module_paths import Definition, definition, import_path, knows
from triage.remedies.object_links import lineage
from triage.remedies.session_places import SessionPlace, dependents, makes_session
from triage.remedies.shared_sessions import known_in
from triage.remedies.source import SourceFile, open_source
from triage.remedies.spans import changed, code, lines_after, lines_before
from triage.rules.factories import Factory, factory_index
from triage.rules.source import SourceTree
from triage.rules.syntax import Function, assigned, dotted, is_constant, string, terminal, text, within

_NAME = "FactorySession"
_OPTION = "sqlalchemy_session_persistence"
_GIVING = ("registry.set(", "_meta.sqlalchemy_session", ".configure(session")
_MANY = 3  # registries; more of them are a design that a person must see through


@dataclass(frozen=True, slots=True)
class Handover:
    """`names` are the registries as the fixture's file calls them, `edits` what makes them be there."""

    names: tuple[str, ...] = ()
    edits: tuple[Edit, ...] = ()
    why_not: str = ""

    def head(self) -> list[str]:
        return [f"{name}.remove()" for name in self.names]

    def sets(self, variable: str) -> list[str]:
        return [f"{name}.registry.set({variable})" for name in self.names]


@dataclass(frozen=True, slots=True)
class _Option:
    """A statement of a Meta class that names a session; `value` is None where nothing does."""

    file: str
    cls: ast.ClassDef
    meta: ast.ClassDef | None
    statement: ast.stmt | None = None
    value: ast.expr | None = None


def handover(tree: SourceTree, place: SessionPlace) -> Handover:
    """What lets the factories store in the session of a place; nothing where they do so already."""
    if is_handed(tree, place):
        return Handover()
    found = Handover()
    options = list(_options(tree))
    if len({(one.file, text(one.value)) for one in options}) > _MANY:
        return Handover(why_not="the factories name many sessions, each in its own way")
    for option in options:
        one = _registered(option, place, tree)
        if one.why_not:
            return one
        names = tuple(dict.fromkeys([*found.names, *one.names]))
        found = replace(found, names=names, edits=tuple(dict.fromkeys([*found.edits, *one.edits])))
    return found


def is_handed(tree: SourceTree, place: SessionPlace) -> bool:
    """The fixture, or one that asks for it, gives its session to the factories."""
    fixtures = [] if place.fixture is None else dependents(place.fixture, tree)
    nodes = [(place.file, place.function), *((one.file, one.node) for one in fixtures)]
    return any(gives_away(open_source(tree, file), node) for file, node in nodes)


def gives_away(source: SourceFile, function: Function) -> bool:
    start = source.offset(function.lineno, 0)
    end = source.offset(function.end_lineno or function.lineno, function.end_col_offset or 0)
    return any(word in source.text[start:end] for word in _GIVING)


def _options(tree: SourceTree) -> Iterator[_Option]:
    """One for each Meta that names a session, or that should: the topmost of each line of factories."""
    seen: set[tuple[str, int]] = set()
    for factory in factory_index(tree).factories:
        classes = list(lineage(tree, factory))
        files = _files(tree, classes)
        found = next((one for cls in classes for one in _named(cls, files[cls])), None)
        if found is None and not factory.model:
            continue
        option = found or _Option(files[classes[-1]], classes[-1], _meta(classes[-1]))
        key = (option.file, option.cls.lineno)
        if key not in seen:
            seen.add(key)
            yield option


def _files(tree: SourceTree, classes: list[ast.ClassDef]) -> dict[ast.ClassDef, str]:
    return {
        cls: module.path
        for module in tree.modules(b"Factory")
        for cls in module.all(ast.ClassDef)
        if cls in classes
    }


def _meta(cls: ast.ClassDef) -> ast.ClassDef | None:
    return next((one for one in cls.body if isinstance(one, ast.ClassDef) and one.name == "Meta"), None)


def _named(cls: ast.ClassDef, file: str) -> Iterator[_Option]:
    meta = _meta(cls)
    for statement in meta.body if meta is not None else ():
        for name, value in assigned(statement):
            if name in ("sqlalchemy_session", "sqlalchemy_session_factory"):
                yield _Option(file, cls, meta, statement, value)


def _registered(option: _Option, place: SessionPlace, tree: SourceTree) -> Handover:
    value = option.value
    if value is None or is_constant(value, None):
        return _new_registry(option, "sessionmaker()", place, tree)
    shown = value
    if isinstance(value, ast.Lambda) and isinstance(value.body, ast.Call) and not value.body.args:
        shown = value.body.func
    found = definition(tree, tree.module(option.file), dotted(shown)) if dotted(shown) else None
    maker = terminal(found.value) if found is not None and not _is_made(found.value) else terminal(value)
    if maker == "scoped_session":
        return _known(found, option, place, tree)
    if isinstance(value, ast.Lambda) or (maker == "sessionmaker" and isinstance(value, ast.Name)):
        return _new_registry(option, code(open_source(tree, option.file), value), place, tree)
    if found is not None and makes_session(found.value, found.file, tree):
        return _made_scoped(found, place, tree)
    return Handover(why_not=f"what `{text(value)}` is, the factories' session, is not in sight")


def _is_made(value: ast.expr) -> bool:
    """`sessionmaker(...)()`."""
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Call)


def _known(found: Definition | None, option: _Option, place: SessionPlace, tree: SourceTree) -> Handover:
    """A registry by name: it is imported where the fixture is."""
    if found is None:
        return Handover(why_not=f"the registry in {option.file} has no name")
    made = definition(tree, tree.module(place.file), dotted(place.call.func))
    if made is not None and made.statement is found.statement:
        return Handover()
    mine = definition(tree, tree.module(place.file), found.name)
    if knows(tree, place.file, found.name) and (mine is None or mine.statement is not found.statement):
        return _other_name(found, place, tree)
    return Handover((found.name,), _imported(found.file, found.name, place, tree))


def _other_name(found: Definition, place: SessionPlace, tree: SourceTree) -> Handover:
    """The fixture's file calls something else so: `Session` is SQLAlchemy's own class, most often."""
    if knows(tree, place.file, _NAME) or found.file == place.file:
        return Handover(why_not=f"{place.file} calls something else `{found.name}`")
    source = open_source(tree, place.file)
    path = import_path(tree, found.file, place.file)
    return Handover((_NAME,), import_edits(source, path, f"{found.name} as {_NAME}"))


def _imported(file: str, name: str, place: SessionPlace, tree: SourceTree) -> tuple[Edit, ...]:
    if file == place.file or knows(tree, place.file, name):
        return ()
    return import_edits(open_source(tree, place.file), import_path(tree, file, place.file), name)


def _made_scoped(found: Definition, place: SessionPlace, tree: SourceTree) -> Handover:
    """`session = SessionLocal()` at the top of a module becomes a registry of the same name."""
    source, call = open_source(tree, found.file), found.value
    if not isinstance(call, ast.Call):
        return Handover(why_not=f"`{found.name}` is no call")
    values: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
    given = ", ".join(code(source, one) for one in values)
    func = code(source, call.func)
    needs_maker = terminal(call) == "Session" and bool(given)
    if given and not needs_maker:
        return Handover(why_not=f"`{found.name}` is made with arguments")
    inner = f"sessionmaker({given})" if needs_maker else func
    edits = [changed(source, call, f"scoped_session({inner})")]
    for name in ("scoped_session", "sessionmaker")[: 2 if needs_maker else 1]:
        edits += import_edits(source, "sqlalchemy.orm", name)
    return Handover((found.name,), (*edits, *_imported(found.file, found.name, place, tree)))


def _new_registry(option: _Option, maker: str, place: SessionPlace, tree: SourceTree) -> Handover:
    """A registry above the class, and its Meta names it."""
    source = open_source(tree, option.file)
    if knows(tree, option.file, _NAME):
        return Handover(why_not=f"{option.file} has another `{_NAME}`")
    head = min([option.cls.lineno, *(one.lineno for one in option.cls.decorator_list)])
    at = source.offset(head, 0)
    line = f"{_NAME} = scoped_session({maker}){source.newline}{source.newline}{source.newline}"
    edits = [Edit(source.file, at, at, line)]
    edits += import_edits(source, "sqlalchemy.orm", "scoped_session")
    edits += import_edits(source, "sqlalchemy.orm", "sessionmaker") if maker == "sessionmaker()" else ()
    if option.value is not None:
        edits.append(changed(source, option.value, _NAME))
    elif option.meta is not None:
        edits.append(lines_before(source, option.meta.body[0], [f"sqlalchemy_session = {_NAME}"]))
    else:
        first = option.cls.body[0]
        is_doc = isinstance(first, ast.Expr) and string(first.value) is not None
        inside = [f"sqlalchemy_session = {_NAME}", f'{_OPTION} = "flush"']
        lines = ["class Meta:", *(source.unit + one for one in inside)]
        edits.append(
            lines_after(source, first, ["", *lines]) if is_doc else lines_before(source, first, [*lines, ""])
        )
    return Handover((_NAME,), (*edits, *_imported(option.file, _NAME, place, tree)))


def filled(tree: SourceTree, shown: str, home: Definition) -> tuple[Edit, ...]:
    """Each Meta that names no session names this one; empty where one of them cannot."""
    edits: list[Edit] = []
    for option in _options(tree):
        if option.value is not None and not is_constant(option.value, None):
            continue
        known = known_in(tree, option.file, home)
        if option.meta is None or known is None:
            return ()
        source = open_source(tree, option.file)
        if option.value is not None:
            edits.append(changed(source, option.value, shown))
        else:
            edits.append(lines_before(source, option.meta.body[0], [f"sqlalchemy_session = {shown}"]))
        edits += known
    return tuple(dict.fromkeys(edits))


# what factories do with what they made


def flush_edits(tree: SourceTree) -> tuple[Edit, ...]:
    """Factories flush: they neither commit what they made nor leave it without a key."""
    edits: list[Edit] = []
    for option in _options(tree):
        edits += _flushing(option, tree)
    for factory in factory_index(tree).factories:
        for cls in lineage(tree, factory):
            edits += _uncommitted(cls, _files(tree, [cls])[cls], tree)
    return tuple(dict.fromkeys(edits))


def commits(tree: SourceTree) -> bool:
    return any(one.persistence == "commit" for one in factory_index(tree).factories)


def _uncommitted(cls: ast.ClassDef, file: str, tree: SourceTree) -> Iterator[Edit]:
    meta = _meta(cls)
    for statement in meta.body if meta is not None else ():
        for name, value in assigned(statement):
            source = open_source(tree, file)
            if name == _OPTION and is_constant(value, None):
                yield changed(source, value, '"flush"')
            elif name == _OPTION and (
                string(value) == "commit" or terminal(value).endswith("PERSISTENCE_COMMIT")
            ):
                shown = code(source, value)
                yield changed(source, value, shown.replace("commit", "flush").replace("COMMIT", "FLUSH"))


def _flushing(option: _Option, tree: SourceTree) -> Iterator[Edit]:
    """The option where nothing sets it: without it a made object has no key."""
    names = [name for one in _below(option, tree) for name in _set_in(one)]
    if _OPTION in names or "force_flush" in names:
        return
    source = open_source(tree, option.file)
    line = f'{_OPTION} = "flush"'
    if option.statement is not None:
        yield lines_after(source, option.statement, [line])
    elif option.meta is not None:
        yield lines_before(source, option.meta.body[0], [line])


def _below(option: _Option, tree: SourceTree) -> Iterator[ast.ClassDef]:
    yield option.cls
    for factory in factory_index(tree).factories:
        classes = list(lineage(tree, factory))
        if option.cls in classes:
            yield from classes


def _set_in(cls: ast.ClassDef) -> list[str]:
    meta = _meta(cls)
    return [name for one in (meta.body if meta is not None else ()) for name, _ in assigned(one)]


def calls_factory(fixture_node: ast.AST, factories: tuple[Factory, ...]) -> bool:
    names = {one.name for one in factories}
    return any(
        isinstance(one, ast.Call) and {dotted(one.func).partition(".")[0], terminal(one)} & names
        for one in within(fixture_node)
    )
