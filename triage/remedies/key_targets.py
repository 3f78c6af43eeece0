"""The text of a foreign key's target, `"user.id"`, as a project writes it."""

import ast
import re
from collections.abc import Iterator
from contextlib import suppress

import libcst as cst

from triage.remedies.columns_text import last_name, quoted, string_value
from triage.remedies.imports import top_level_names
from triage.remedies.source import SourceFile, UntouchableError, open_source
from triage.rules.source import SourceTree
from triage.rules.syntax import keyword, string, terminal
from triage.rules.syntax import text as source_text


def target_text(source: SourceFile, near: cst.CSTNode | None, target: str, tree: SourceTree) -> str:
    """As other keys of the file, or of its neighbours, lead to the same column; else the plain string."""
    function = source.enclosing(near, cst.FunctionDef) if near is not None else None
    known = {one.name.value for one in function.params.params} if function is not None else set()
    for home in (source, *_neighbours(source, tree)) if near is not None else ():
        for one in _targets(home):
            if not isinstance(one, cst.FormattedString):
                continue
            text, roots = _fitting(home, one, target), _roots(home, one)
            is_here = home is source and not (roots & {"cls", "self"}) - known
            if text and (is_here or _are_shared(roots, source, home, tree)):
                return text
    return quoted(source, target, *[one for one in _targets(source) if string_value(one) is not None])


def table_column(tree: SourceTree, near: str, table: str, column: str) -> tuple[str, int] | None:
    """Where `Table("links", ..., Column("user_id", ...))` makes it; of several the one in the file `near`."""
    found = [
        (module.path, each.lineno)
        for module in tree.modules(table.encode() or b"Table(")
        for call in module.all(ast.Call)
        if terminal(call) == "Table" and call.args and string(call.args[0]) == table
        for each in call.args[1:]
        if isinstance(each, ast.Call) and each.args and string(each.args[0]) == column
    ]
    here = [one for one in found if one[0] == near] or found
    return here[0] if len(here) == 1 else None


def on_delete_beside(text: str, tree: SourceTree) -> str:
    """What all other keys with this target say of it, as source (`'CASCADE'`); empty: they do not agree."""
    same = ast.dump(ast.parse(text, mode="eval").body)
    calls = [one for module in tree.modules(b"ForeignKey(") for one in module.all(ast.Call)]
    keys = [one for one in calls if terminal(one) == "ForeignKey" and one.args]
    found = {source_text(keyword(one, "ondelete")) for one in keys if ast.dump(one.args[0]) == same}
    return found.pop() if len(found) == 1 else ""


def _targets(source: SourceFile) -> list[cst.BaseExpression]:
    return [one.args[0].value for one in source.all(cst.Call) if last_name(one) == "ForeignKey" and one.args]


def _neighbours(source: SourceFile, tree: SourceTree) -> Iterator[SourceFile]:
    """Modules of the same folder that make a key's text of names."""
    folder = source.file.rpartition("/")[0]
    for module in tree.modules(b"ForeignKey(", tests=tree.is_test(source.file)):
        keys = [one.args[0] for one in module.all(ast.Call) if terminal(one) == "ForeignKey" and one.args]
        is_near = module.path != source.file and module.path.rpartition("/")[0] == folder
        if is_near and any(isinstance(one, ast.JoinedStr) for one in keys):
            with suppress(UntouchableError):
                yield open_source(tree, module.path)


def _are_shared(roots: set[str], source: SourceFile, home: SourceFile, tree: SourceTree) -> bool:
    """Whether both files import these names from the same place, or one from the other."""
    own, other = tree.module(source.file), tree.module(home.file)
    if own is None or other is None or own is other:
        return False
    stem = home.file.rpartition("/")[2].removesuffix(".py")
    for one in roots:
        where, name = own.imports.get(one, ("", ""))
        is_defined = where.rpartition(".")[2] == stem and name == one and one in top_level_names(home)
        if not name or not (is_defined or other.imports.get(one) == (where, name)):
            return False
    return True


def _roots(source: SourceFile, text: cst.FormattedString) -> set[str]:
    return {re.split(r"\W", one)[0] for one in _inner(source, text)}


def _inner(source: SourceFile, text: cst.FormattedString) -> list[str]:
    parts = (one for one in text.parts if isinstance(one, cst.FormattedStringExpression))
    return [source.code(one.expression) for one in parts]


def _fitting(source: SourceFile, text: cst.FormattedString, target: str) -> str:
    r"""`f"{Names.user_table}.id"` for `user.id`, where its plain parts fit and its names tell the table.

    A key of another table, `f"{Names.role_table}.id"`, shows how it is written where the file knows
    `Names.user_table`, too.
    """
    plain = [
        re.escape(one.value) if isinstance(one, cst.FormattedStringText) else r"[\w.]+" for one in text.parts
    ]
    if re.fullmatch("".join(plain), target) is None:
        return ""
    code, inner = source.code(text), _inner(source, text)
    table = re.escape(target.split(".")[-2].rstrip("s"))
    if any(re.search(rf"(?:^|[._]){table}s?(?:_|$)", one) for one in inner):
        return code
    for one in inner if len(inner) == 1 else ():
        holder, dot, name = one.rpartition(".")
        words = name.split("_")
        for place in range(len(words)):
            other = f"{holder}{dot}{'_'.join((*words[:place], target.split('.')[-2], *words[place + 1 :]))}"
            if dot and re.search(rf"(?<![\w.]){re.escape(other)}\b", source.text):
                return code.replace(f"{{{one}}}", f"{{{other}}}")
    return ""
