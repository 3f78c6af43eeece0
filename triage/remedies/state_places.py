"""Where shared state is defined, how a test file names it, and what kind of container it is."""

import ast

from triage.model.fix import Edit
from triage.remedies.imports import import_edits, top_level_names
from triage.remedies.shared_state import CONTAINERS, State
from triage.remedies.source import SourceFile
from triage.rules.source import Module, SourceTree
from triage.rules.syntax import assigned, terminal


def owner_of(
    source: SourceFile, module: Module, name: str, tree: SourceTree
) -> tuple[str, str, list[Edit]] | None:
    """Source of what holds the attribute, the attribute, and the import that is needed."""
    parts = name.split(".")
    for count in range(len(parts) - 1, 0, -1):
        path = "/".join(parts[:count])
        files = [f"{path}.py", f"{path}/__init__.py"]
        files += [f"src/{one}" for one in files]
        home = next((one for one in files if one in tree.files), None)
        if home is None and not any(one.endswith("/" + files[0]) for one in tree.files):
            continue
        rest = parts[count:]
        if home == module.path or module.path.endswith("/" + files[0]) or module.path == files[0]:
            return ".".join(rest[:-1]), rest[-1], []
        return _imported(source, parts[:count], rest)
    return None


def _imported(source: SourceFile, module: list[str], rest: list[str]) -> tuple[str, str, list[Edit]]:
    known = top_level_names(source)
    root = rest[0] if len(rest) > 1 else module[-1]
    inner = ".".join([root, *rest[1:-1]]) if len(rest) > 1 else root
    if root in known:
        return inner, rest[-1], []
    home = module if len(rest) > 1 else module[:-1]
    return inner, rest[-1], list(import_edits(source, ".".join(home), root))


def container_of(state: State, tree: SourceTree) -> str:
    """Of container, by what was seen, else by where it is defined."""
    return state.container or defined_as(state.name.rpartition(".")[2], tree)


def defined_as(name: str, tree: SourceTree) -> str:
    kinds = {ast.Dict: "dict", ast.List: "list", ast.Set: "set", ast.DictComp: "dict", ast.ListComp: "list"}
    found = set()
    for module in tree.modules(f"{name} =".encode(), f"{name}:".encode()):
        for statement in (*module.all(ast.Assign), *module.all(ast.AnnAssign)):
            if isinstance(module.parents.get(statement), ast.Module | ast.ClassDef):
                for one, value in assigned(statement):
                    if one == name:
                        found.add(kinds.get(type(value), CONTAINERS.get(terminal(value), "")))
    return found.pop() if len(found) == 1 else ""
