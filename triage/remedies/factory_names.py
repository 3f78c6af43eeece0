"""How a test file calls a factory, and the import that lets it."""

import ast
from collections.abc import Iterator

from triage.model.fix import Edit
from triage.remedies.imports import import_edits
from triage.remedies.module_paths import import_path, imported_file, knows, module_file
from triage.remedies.source import SourceFile
from triage.rules.factories import Factory, factory_index
from triage.rules.source import Module, SourceTree
from triage.rules.syntax import Function, arguments, dotted


def call_prefix(module: Module, factory: Factory, tree: SourceTree) -> str:
    """`factories.` where the file calls its factories so and does not import them one by one."""
    index = factory_index(tree)
    if factory.name in module.imports:
        return ""
    for call in module.all(ast.Call):
        found = index.called(call, module)
        name = dotted(call.func).removesuffix(".create")
        head = name.rpartition(".")[0]
        if found is None or not head or name.rpartition(".")[2] != found.name:
            continue
        file = module_file(tree, module, head)
        if file is not None and knows(tree, file, factory.name):
            return f"{head}."
    return ""


def factory_imports(
    source: SourceFile, factory: Factory, module: Module, function: Function, tree: SourceTree
) -> Iterator[Edit]:
    if factory.name in module.imports or knows(tree, module.path, factory.name):
        return
    if factory.name in arguments(function):
        return
    for name, (origin, _) in module.imports.items():
        if factory_index(tree).find(name, module) is None:
            continue
        file = imported_file(tree, origin, module.path)
        if file is not None and knows(tree, file, factory.name):
            yield from import_edits(source, origin, factory.name)
            return
    yield from import_edits(source, import_path(tree, factory.file, source.file), factory.name)
