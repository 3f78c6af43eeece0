"""A transaction of its own round the session of a fixture or setUp, rolled back at the end."""

import ast
import re
from dataclasses import dataclass

from triage.model.fix import Edit
from triage.remedies.factory_registry import Handover
from triage.remedies.fixture_lines import automatic
from triage.remedies.imports import import_edits
from triage.remedies.module_paths import definition, import_path, knows
from triage.remedies.session_places import SessionPlace
from triage.remedies.source import SourceFile, open_source
from triage.remedies.spans import changed, code, indent, lines_after, lines_before
from triage.rules.source import SourceTree
from triage.rules.syntax import arguments, dotted, is_open_ended, keyword, terminal

_OLD = re.compile(
    r"(?<![-\w])sqlalchemy(?![-\w])(?:\[[^\]\n]*\])?[ \t<>=!~^.,\d*\"'()]*?"
    r"(?:(?:==|~=|<=|\^)[ \t]*1\.|<[ \t]*2(?![.\d]*[1-9]))",
    re.IGNORECASE,
)
_REQUIREMENTS = (
    "requirements*.txt",
    "requirements*.in",
    "pyproject.toml",
    "setup.cfg",
    "setup.py",
    "Pipfile",
)
_SERVERS = (b"postgres", b"mysql", b"mariadb", b"oracle", b"mssql")
_WHY_BEGIN = "  # sqlite3 itself begins too late for savepoints"
_MODE = 'join_transaction_mode="create_savepoint"'


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """`model` is the good fixture that was imitated, as text for people; empty where none was."""

    edits: tuple[Edit, ...] = ()
    imitated: str = ""
    why_not: str = ""


def synthesis(place: SessionPlace, given: Handover, tree: SourceTree) -> Rebuilt:
    source = open_source(tree, place.file)
    engine = _engine(place, tree, source)
    edits = list(engine.edits)
    if engine.why_not:
        return Rebuilt(why_not=engine.why_not)
    is_old = is_old_sqlalchemy(tree)
    is_scoped = _is_scoped(place, tree)
    func = code(source, place.call.func)
    others = [
        code(source, one) for one in place.call.keywords if one.arg not in ("bind", "join_transaction_mode")
    ]
    call = f"{func}({', '.join(['bind=connection', *others, *([] if is_old else [_MODE])])})"
    head = [*given.head(), *([f"{func}.remove()"] if is_scoped else [])]
    before = [f"connection = {engine.text}.connect()", "transaction = connection.begin()", *begin_lines(tree)]
    edits += import_edits(source, "sqlalchemy", "event") if is_old else ()
    if place.fixture is None:
        return _set_up(place, head, before, call, given, source, edits, is_old=is_old)
    sets = [
        *(_nested("session" if not place.variable else place.variable) if is_old else []),
        *given.sets(place.variable or "session"),
    ]
    lines = spread(
        place, [*head, *before], Handover(given.names), sets, source, call, is_scoped=is_scoped, func=func
    )
    return Rebuilt((*edits, *lines, *automatic(place, tree, given)))


_END = ["transaction.rollback()", "connection.close()"]


def spread(
    place: SessionPlace,
    before: list[str],
    given: Handover,
    sets: list[str],
    source: SourceFile,
    call: str,
    *,
    is_scoped: bool = False,
    func: str = "",
) -> list[Edit]:
    """New lines round the opening, the handing and the closing of a fixture's session."""
    variable = place.variable or "session"
    sets = sets or given.sets(variable)
    end = _END if before else []
    clears = [*given.head(), *([f"{func}.remove()"] if is_scoped else [])]
    close = [f"{variable}.close()"]
    if not place.variable:
        lines = [*before, f"{variable} = {call}", *sets, f"yield {variable}", *clears, *close, *end]
        return [_swapped(place.opening, lines, source)]
    if isinstance(place.opening, ast.With):
        edits = [*_above(place.opening, before, source), changed(source, place.call, call)]
        edits += [lines_before(source, place.opening.body[0], sets)] if sets else []
        tail = [*clears, *end]
        handing = (
            [_swapped(place.handing, [f"yield {variable}"], source)]
            if isinstance(place.handing, ast.Return)
            else []
        )
        return [*edits, *handing, *([lines_after(source, place.opening, tail)] if tail else [])]
    edits = [*_above(place.opening, before, source), changed(source, place.call, call)]
    edits += [lines_after(source, place.opening, sets)] if sets else []
    if isinstance(place.handing, ast.Return):
        edits.append(_swapped(place.handing, [f"yield {variable}", *clears, *close, *end], source))
    elif place.closings:
        edits += [lines_before(source, place.closings[0], clears)] if clears else []
        edits += [lines_after(source, place.closings[-1], end)] if end else []
    elif place.handing is not None:
        edits.append(lines_after(source, place.handing, [*clears, *close, *end]))
    return edits


def _above(node: ast.stmt, lines: list[str], source: SourceFile) -> list[Edit]:
    return [lines_before(source, node, lines)] if lines else []


def _swapped(node: ast.stmt, lines: list[str], source: SourceFile) -> Edit:
    margin = indent(source, node.lineno)
    return changed(source, node, f"{source.newline}{margin}".join(lines))


def _set_up(
    place: SessionPlace,
    head: list[str],
    before: list[str],
    call: str,
    given: Handover,
    source: SourceFile,
    edits: list[Edit],
    *,
    is_old: bool,
) -> Rebuilt:
    if is_old:
        return Rebuilt(
            why_not="before SQLAlchemy 2.0 a session cannot join a transaction with savepoints of its own"
        )
    if place.function.name != "setUp":
        return _xunit(place, head, before, call, given, source, edits)
    if place.closings:
        return _xunit(place, head, before, call, given, source, edits)
    cleanups = ["self.addCleanup(connection.close)", "self.addCleanup(transaction.rollback)"]
    opened = [*before, *cleanups]
    after = [f"self.addCleanup({place.variable}.close)", *given.sets(place.variable)]
    after += [f"self.addCleanup({name}.remove)" for name in given.names]
    return Rebuilt(
        (
            *edits,
            lines_before(source, place.opening, [*head, *opened]),
            changed(source, place.call, call),
            lines_after(source, place.opening, after),
        )
    )


def _xunit(
    place: SessionPlace,
    head: list[str],
    before: list[str],
    call: str,
    given: Handover,
    source: SourceFile,
    edits: list[Edit],
) -> Rebuilt:
    if not place.closings:
        return Rebuilt(why_not=f"nothing after {place.function.name} closes the session")

    def own(line: str) -> str:
        return re.sub(r"\b(connection|transaction)\b(?!=)", r"self.\1", line)

    above = [*head, *(own(line) for line in before)]
    found = [
        lines_before(source, place.opening, above),
        changed(source, place.call, call.replace("bind=connection", "bind=self.connection")),
    ]
    found += [lines_after(source, place.opening, given.sets(place.variable))] if given.names else []
    found += [lines_before(source, place.closings[0], given.head())] if given.names else []
    found.append(lines_after(source, place.closings[-1], [own(line) for line in _END]))
    return Rebuilt((*edits, *found))


@dataclass(frozen=True, slots=True)
class _Engine:
    """Its expression in the fixture's file and the imports that this needs, or why there is none."""

    text: str = ""
    edits: tuple[Edit, ...] = ()
    why_not: str = ""


def _engine(place: SessionPlace, tree: SourceTree, source: SourceFile) -> _Engine:
    call = place.call
    if is_open_ended(call) or len(call.args) > 1:
        return _Engine(why_not="what its session is made with cannot be read off")
    bound = _bind(call)
    if bound is None and isinstance(call.func, ast.Call):
        bound = _bind(call.func)
        if bound is None:
            return _Engine(why_not="its session has no engine in sight")
    if bound is None:
        return _engine_of(code(source, call.func), place, tree, source)
    if "conn" in terminal(bound).lower():
        return _Engine(why_not=f"its session stands on `{code(source, bound)}` already")
    return _Engine(code(source, bound))


def _bind(call: ast.Call) -> ast.expr | None:
    return keyword(call, "bind") or (call.args[0] if call.args else None)


def _engine_of(func: str, place: SessionPlace, tree: SourceTree, source: SourceFile) -> _Engine:
    """Of a sessionmaker, or of a registry that has one, by its name."""
    found = definition(tree, tree.module(place.file), func)
    if found is None:
        is_given = func in arguments(place.function)
        return _Engine(f'{func}.kw["bind"]') if is_given else _Engine(why_not=f"`{func}` is not in sight")
    maker, file = found.value, found.file
    is_scoped = terminal(maker) == "scoped_session"
    if is_scoped and isinstance(maker, ast.Call) and maker.args:
        maker = maker.args[0]
        inner = definition(tree, tree.module(file), dotted(maker)) if dotted(maker) else None
        maker, file = (inner.value, inner.file) if inner is not None else (maker, file)
    if not (isinstance(maker, ast.Call) and terminal(maker) == "sessionmaker"):
        return _Engine(why_not=f"the engine of `{func}` is not in sight")
    bound = _bind(maker)
    if not isinstance(bound, ast.Name):
        return _Engine(f'{func}.session_factory.kw["bind"]' if is_scoped else f'{func}.kw["bind"]')
    if file == place.file or knows(tree, place.file, bound.id):
        return _Engine(bound.id)
    return _Engine(bound.id, import_edits(source, import_path(tree, file, place.file), bound.id))


def _is_scoped(place: SessionPlace, tree: SourceTree) -> bool:
    found = definition(tree, tree.module(place.file), dotted(place.call.func))
    return found is not None and terminal(found.value) == "scoped_session"


def begin_lines(tree: SourceTree, connection: str = "connection") -> list[str]:
    """sqlite3 begins at the first INSERT, so the first savepoint would be committed when it is released."""
    if not tree.mentions(b"sqlite") or tree.mentions(b'"begin"', b"'begin'", b'"BEGIN"', b"'BEGIN'"):
        return []
    line = f'{connection}.exec_driver_sql("BEGIN")' + _WHY_BEGIN
    if tree.mentions(*_SERVERS):
        return [f'if {connection}.dialect.name == "sqlite":', "    " + line]
    return [line]


def _nested(variable: str) -> list[str]:
    """SQLAlchemy 1.4's recipe for a session in an external transaction."""
    return [
        "savepoint = connection.begin_nested()",
        "",
        f'@event.listens_for({variable}, "after_transaction_end")',
        "def begin_again(_session, _transaction):",
        "    nonlocal savepoint",
        "    if not savepoint.is_active:",
        "        savepoint = connection.begin_nested()",
        "",
    ]


def is_old_sqlalchemy(tree: SourceTree) -> bool:
    """Whether the project's requirements hold SQLAlchemy below 2.0."""
    for pattern in _REQUIREMENTS:
        for path in sorted(tree.root.glob(pattern)):
            try:
                if _OLD.search(path.read_text("utf-8", errors="replace")):
                    return True
            except OSError:
                continue
    return False
