"""Edits that make a name known in a file."""

import libcst as cst

from triage.model.fix import Edit
from triage.remedies.source import SourceFile


def import_edits(source: SourceFile, module: str, name: str) -> tuple[Edit, ...]:
    """Nothing where the module already has `name` at its top level (imported or defined).

    An import from the same module takes the name too; else a line of its own stands after the last import
    of the file's head (after the docstring and `__future__`). `module` may be relative (`.models`);
    empty: `import NAME`.
    """
    if name in top_level_names(source):
        return ()
    for statement in _imports(source):
        if isinstance(statement, cst.ImportFrom) and _module_of(statement) == module:
            edit = _joined(source, statement, name)
            if edit is not None:
                return (edit,)
    line = f"from {module} import {name}" if module else f"import {name}"
    return (_new_line(source, line),)


def top_level_names(source: SourceFile) -> frozenset[str]:
    """What the file's own statements bind: imports, classes, functions, plain assignments."""
    found: set[str] = set()
    for node in source.module.body:
        if isinstance(node, cst.ClassDef | cst.FunctionDef):
            found.add(node.name.value)
        elif isinstance(node, cst.SimpleStatementLine):
            for small in node.body:
                found |= _bound(small)
    return frozenset(found)


def _bound(small: cst.BaseSmallStatement) -> set[str]:
    if isinstance(small, cst.Import | cst.ImportFrom) and not isinstance(small.names, cst.ImportStar):
        return {_alias(one) for one in small.names}
    if isinstance(small, cst.Assign):
        return {one.target.value for one in small.targets if isinstance(one.target, cst.Name)}
    if isinstance(small, cst.AnnAssign) and isinstance(small.target, cst.Name):
        return {small.target.value}
    return set()


def _alias(one: cst.ImportAlias) -> str:
    if one.asname is not None and isinstance(one.asname.name, cst.Name):
        return one.asname.name.value
    return one.evaluated_name.partition(".")[0]


def _imports(source: SourceFile) -> list[cst.Import | cst.ImportFrom]:
    lines = [one for one in source.module.body if isinstance(one, cst.SimpleStatementLine)]
    return [small for line in lines for small in line.body if isinstance(small, cst.Import | cst.ImportFrom)]


def _module_of(statement: cst.ImportFrom) -> str:
    dots = "." * len(statement.relative)
    name = cst.Module([]).code_for_node(statement.module) if statement.module is not None else ""
    return dots + name


def _joined(source: SourceFile, statement: cst.ImportFrom, name: str) -> Edit | None:
    """The name at the end of an import's own list, in the way in which that list is written."""
    if isinstance(statement.names, cst.ImportStar):
        return None
    last = statement.names[-1]
    at = source.span(last)[1]
    first, end = source.lines(statement)
    if first == end:
        return Edit(source.file, at, at, f", {name}")
    if isinstance(last.comma, cst.Comma):
        at = source.span(last)[1]
        comma = source.text.find(",", at - 1)
        at = comma + 1 if comma >= 0 else at
        return Edit(source.file, at, at, f"{source.newline}{source.indent_of(last)}{name},")
    return Edit(source.file, at, at, f",{source.newline}{source.indent_of(last)}{name}")


def _new_line(source: SourceFile, line: str) -> Edit:
    head: cst.CSTNode | None = None
    for node in source.module.body:
        if not isinstance(node, cst.SimpleStatementLine):
            break
        small = node.body[0]
        if isinstance(small, cst.Import | cst.ImportFrom):
            head = node
        elif not (head is None and _is_docstring(small)):
            break
        elif head is None:
            head = node
    if head is not None:
        return source.insert_after(head, line)
    return Edit(source.file, 0, 0, f"{line}{source.newline}{source.newline}")


def _is_docstring(small: cst.BaseSmallStatement) -> bool:
    return isinstance(small, cst.Expr) and isinstance(small.value, cst.SimpleString | cst.ConcatenatedString)
