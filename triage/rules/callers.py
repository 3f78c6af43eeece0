"""The product's functions and who calls them, by name."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from triage.rules.entries import CONTEXTS, Start, handed_name, handed_on, start_of
from triage.rules.source import Module, SourceTree
from triage.rules.syntax import Function, calls_within, dotted, owner, terminal


@dataclass(frozen=True, eq=False)
class Node:
    """One function of the product; `around` is the innermost class, None for a plain function."""

    module: Module
    function: Function
    around: ast.ClassDef | None

    @property
    def name(self) -> str:
        return self.function.name

    @property
    def called_as(self) -> str:
        """A constructor is called by the name of its class."""
        return self.around.name if self.name == "__init__" and self.around else self.name


@dataclass(frozen=True, slots=True)
class CallSite:
    """One call; `caller` is None at the top of a file, `is_program` below `if __name__ == "__main__"`.

    `receiver` is what stands before the dot, None where there is no dot.
    """

    path: str
    caller: Node | None
    is_in_context: bool = False
    is_program: bool = False
    receiver: str | None = None


class Product:
    """Tables by name over every file that is no test."""

    def __init__(self, tree: SourceTree) -> None:
        self._modules = list(tree.modules(tests=False))
        self._of: dict[ast.AST, Node] = {}
        self._nodes: dict[str, list[Node]] = {}
        self._sites: dict[str, list[CallSite]] = {}
        self._handed: dict[str, list[tuple[str, Start]]] = {}
        for module in self._modules:
            for function in module.functions:
                self._of[function] = node = Node(module, function, _class_around(module, function))
                self._nodes.setdefault(node.called_as, []).append(node)
        for module in self._modules:
            self._read(module)

    def named(self, file: str, function: str) -> list[Node]:
        """`function` with or without the names around it, as `__qualname__` writes them."""
        *before, name = [part for part in function.split(".") if part != "<locals>"]
        found = [each for each in self._of.values() if each.module.path == file and each.name == name]
        narrow = [each for each in found if before and each.around and each.around.name == before[-1]]
        return narrow or found

    def starts(self, node: Node) -> list[Start]:
        """What starts this function itself, a start with a context first."""
        found = [start for path, start in self._handed.get(node.called_as, ()) if self._means(node, path)]
        own = start_of(node.function, node.around, tasks_have_context=self._tasks_push_contexts)
        return sorted([*([own] if own else []), *found], key=lambda start: not start.has_context)

    def sites(self, node: Node) -> Iterator[CallSite]:
        """Calls that mean this function; an inner one is reached by what calls or wears the one around it."""
        outer = next((self._of[e] for e in node.module.ancestors(node.function) if e in self._of), None)
        for target in (node, *([outer] if outer else [])):
            for site in self._sites.get(target.called_as, ()):
                if site.caller is not target and self._is_call_of(site, target):
                    yield site
        for worn in self._of.values() if outer else ():
            if outer and any(terminal(each) == outer.name for each in worn.function.decorator_list):
                yield CallSite(worn.module.path, worn)

    @cached_property
    def _tasks_push_contexts(self) -> bool:
        """Whether a Task class of the product runs each task inside an application context."""
        return any(
            any("Task" in terminal(base) for base in node.bases)
            and any(terminal(call) in CONTEXTS for call in ast.walk(node) if isinstance(call, ast.Call))
            for module in self._modules
            for node in module.all(ast.ClassDef)
        )

    def _is_call_of(self, site: CallSite, node: Node) -> bool:
        is_method = node.around is not None and node.name != "__init__"
        if site.receiver is None:
            return not is_method and self._means(node, site.path)
        if is_method:
            return self._means(node, site.path)
        return site.receiver.rpartition(".")[2] == _stem(node.module.path)

    def _means(self, node: Node, path: str) -> bool:
        """Whether the name, used in a file, is this function's and no other's."""
        same = self._nodes.get(node.called_as, ())
        if path == node.module.path or len(same) == 1:
            return True
        if any(each.module.path == path for each in same):
            return False
        return _stem(node.module.path) in self._imported[path]

    @cached_property
    def _imported(self) -> Mapping[str, frozenset[str]]:
        """Last names of the modules, and the names, that a file imports."""
        found: dict[str, frozenset[str]] = {}
        for module in self._modules:
            plain = [(alias.name, "") for node in module.all(ast.Import) for alias in node.names]
            pairs = [*module.imports.values(), *plain]
            found[module.path] = frozenset(p for mod, name in pairs for p in (mod.rpartition(".")[2], name))
        return found

    def _read(self, module: Module) -> None:
        later: set[ast.AST] = set()
        for call in module.all(ast.Call):
            for function, start in handed_on(call):
                later.update(ast.walk(function))
                self._handed.setdefault(handed_name(function), []).append((module.path, start))
        for call in module.all(ast.Call):
            if call not in later:
                self._sites.setdefault(terminal(call), []).append(self._site(module, call, call.func))
        for attribute in module.all(ast.Attribute):
            if any(_is_property(node) for node in self._nodes.get(attribute.attr, ())):
                self._sites.setdefault(attribute.attr, []).append(self._site(module, attribute, attribute))

    def _site(self, module: Module, node: ast.expr, function: ast.expr) -> CallSite:
        in_context = is_program = False
        caller: Node | None = None
        for each in module.ancestors(node):
            if isinstance(each, ast.With | ast.AsyncWith):
                in_context = in_context or any(terminal(i.context_expr) in CONTEXTS for i in each.items)
            is_program = is_program or (isinstance(each, ast.If) and _is_main(each.test))
            if each in self._of:
                caller = self._of[each]
                in_context = in_context or _pushes(caller.function, node.lineno)
                break
        receiver = (dotted(function.value) or "?") if isinstance(function, ast.Attribute) else None
        return CallSite(module.path, caller, in_context, is_program and caller is None, receiver)


def _class_around(module: Module, function: Function) -> ast.ClassDef | None:
    around = module.parents.get(function)
    return around if isinstance(around, ast.ClassDef) else None


def _stem(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").rpartition("/")[2]


def _is_property(node: Node) -> bool:
    return any(terminal(each).endswith("property") for each in node.function.decorator_list)


def _is_main(test: ast.expr) -> bool:
    return isinstance(test, ast.Compare) and dotted(test.left) == "__name__"


def _pushes(function: Function, line: int) -> bool:
    """Whether the function pushes a context by hand before a line."""
    return any(
        terminal(call) == "push" and terminal(owner(call)) in CONTEXTS and call.lineno < line
        for call in calls_within(function)
    )
