"""How one file of a project names another in its imports, and where an imported name is defined."""

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from triage.rules.source import Module, SourceTree
from triage.rules.syntax import assigned

_Parts = tuple[str, ...]
_HOPS = 4  # a name that is imported from where it is imported


@dataclass(frozen=True, slots=True)
class Definition:
    """A module-level assignment."""

    file: str
    name: str
    value: ast.expr
    statement: ast.stmt


def import_path(tree: SourceTree, file: str, importer: str) -> str:
    """The module that an import in `importer` names to reach `file`, as the project's other imports do it."""
    parts = _parts(file)
    roots = tree.memo(_roots)
    fitting = [root for root in roots if parts[: len(root)] == root and len(parts) > len(root)]
    if fitting:
        root = max(fitting, key=lambda one: (roots[one], len(one)))
        return ".".join(parts[len(root) :])
    folder = importer.rpartition("/")[0]
    if folder and f"{folder}/__init__.py" in tree.files and file.startswith(folder + "/"):
        return "." + ".".join(parts[len(folder.split("/")) :])
    return ".".join(parts[len(_base(tree, file)) :])


def imported_file(tree: SourceTree, source: str, importer: str) -> str | None:
    """The only file that `from SOURCE import ...` in `importer` reads."""
    known = tree.memo(_by_ending)
    if source.startswith("."):
        level = len(source) - len(source.lstrip("."))
        wanted = [*importer.split("/")[:-level], *[one for one in source.lstrip(".").split(".") if one]]
        found = [one for one in known.get(tuple(wanted), ()) if _parts(one) == tuple(wanted)]
    else:
        found = list(known.get(tuple(source.split(".")), ()))
    if len(found) > 1:
        near = sorted(found, key=lambda one: len(_common(one, importer)), reverse=True)
        is_clear = len(_common(near[0], importer)) > len(_common(near[1], importer))
        found = near[:1] if is_clear else []
    return found[0] if found else None


def definition(tree: SourceTree, module: Module | None, name: str) -> Definition | None:
    """Where a module-level name that a module knows is assigned; `common.Session` is one of another's."""
    owner, _, name = name.rpartition(".")
    if owner and module is not None:
        file = module_file(tree, module, owner)
        module = tree.module(file) if file is not None else None
    for _ in range(_HOPS):
        if module is None:
            return None
        for statement in module.tree.body:
            for bound, value in assigned(statement):
                if bound == name:
                    return Definition(module.path, name, value, statement)
        if name not in module.imports:
            return None
        source, name = module.imports[name]
        file = imported_file(tree, source, module.path)
        module = tree.module(file) if file is not None else None
    return None


def module_file(tree: SourceTree, module: Module, name: str) -> str | None:
    """The file of a module that another has imported under this name."""
    if name in module.imports:
        source, inner = module.imports[name]
        dots = source if source.endswith(".") else f"{source}."
        return imported_file(tree, f"{dots}{inner}", module.path)
    for node in module.all(ast.Import):
        for one in node.names:
            if (one.asname or one.name) == name:
                return imported_file(tree, one.name, module.path)
    return None


def knows(tree: SourceTree, file: str, name: str) -> bool:
    """Whether a file binds a name at its top level, by import, definition or assignment."""
    module = tree.module(file)
    if module is None:
        return False
    for node in module.tree.body:
        if isinstance(node, ast.ImportFrom | ast.Import):
            if any((one.asname or one.name).partition(".")[0] == name for one in node.names):
                return True
        elif isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if node.name == name:
                return True
        elif any(bound == name for bound, _ in assigned(node)):
            return True
    return False


def _parts(file: str) -> _Parts:
    parts = tuple(file.removesuffix(".py").split("/"))
    return parts[:-1] if parts[-1] == "__init__" else parts


def _common(one: str, other: str) -> list[str]:
    pairs = zip(one.split("/"), other.split("/"), strict=False)
    found = []
    for left, right in pairs:
        if left != right:
            break
        found.append(left)
    return found


def _by_ending(tree: SourceTree) -> Mapping[_Parts, list[str]]:
    found: dict[_Parts, list[str]] = {}
    for file in tree.files:
        parts = _parts(file)
        for start in range(len(parts)):
            found.setdefault(parts[start:], []).append(file)
    return found


def _roots(tree: SourceTree) -> Counter[_Parts]:
    """Folders from which the project's absolute imports start, by how often they do."""
    found: Counter[_Parts] = Counter()
    for module in tree.modules():
        for source in _absolute(module):
            file = imported_file(tree, source, module.path)
            if file is not None:
                found[_parts(file)[: len(_parts(file)) - len(source.split("."))]] += 1
    return found


def _absolute(module: Module) -> Iterator[str]:
    for node in module.all(ast.ImportFrom):
        if node.module and not node.level:
            yield node.module
    for plain in module.all(ast.Import):
        yield from (one.name for one in plain.names)


def _base(tree: SourceTree, file: str) -> _Parts:
    """The folder that pytest puts on the path for a file: the first one above it that is no package."""
    folder = file.split("/")[:-1]
    while folder and "/".join([*folder, "__init__.py"]) in tree.files:
        folder.pop()
    return tuple(folder)
