"""The one session that a product shares by name."""

import ast

from triage.model.fix import Edit
from triage.remedies.imports import import_edits
from triage.remedies.module_paths import Definition, definition, import_path, knows
from triage.remedies.source import open_source
from triage.rules.source import SourceTree
from triage.rules.syntax import Function, arguments, assigned, terminal


def shared_session(tree: SourceTree) -> tuple[str, Definition] | None:
    """`db.session` of Flask-SQLAlchemy, else a scoped session, with what defines it; None of several."""
    made = [
        Definition(module.path, name, value, statement)
        for module in tree.modules(b"SQLAlchemy", b"scoped_session", tests=False)
        for statement in module.tree.body
        for name, value in assigned(statement)
        if isinstance(value, ast.Call) and terminal(value) in ("SQLAlchemy", "scoped_session")
    ]
    flask = [one for one in made if terminal(one.value) == "SQLAlchemy"]
    homes = flask or made
    if len(homes) != 1:
        return None
    return f"{homes[0].name}.session" if flask else homes[0].name, homes[0]


def known_in(
    tree: SourceTree, file: str, home: Definition, function: Function | None = None
) -> tuple[Edit, ...] | None:
    """What makes the name known in a file; None where it (or the function) calls something else so."""
    mine = definition(tree, tree.module(file), home.name)
    is_known = mine is not None and mine.statement is home.statement
    is_hidden = function is not None and home.name in arguments(function)
    if is_hidden or (knows(tree, file, home.name) and not is_known):
        return None
    if is_known:
        return ()
    return import_edits(open_source(tree, file), import_path(tree, home.file, file), home.name)
