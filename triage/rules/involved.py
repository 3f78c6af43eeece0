"""The functions that took part in a failure: on its stack, fixtures that its test asked for, setups."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from triage.model.case import ExceptionInfo, Frame, Problem
from triage.rules.source import Module, SourceTree
from triage.rules.syntax import Function, terminal

_NAME = re.compile(r"(?:(?:self|cls)\.)?[A-Za-z_]\w*")
SETUPS = frozenset({"setUp", "setUpClass", "asyncSetUp", "setup_method", "setup_class"})
_DEFINED = re.compile(rb"^[ \t]*(?:async[ \t]+)?def[ \t]+(\w+)", re.MULTILINE)


class Definitions:
    """The functions of a tree by name; files are parsed only for names that are asked for."""

    def __init__(self, tree: SourceTree) -> None:
        self._tree = tree
        self._called: dict[str, frozenset[str]] = {}

    def called_by(self, name: str) -> frozenset[str]:
        """What the only function of this name calls; nothing where there are several or none."""
        if name not in self._called:
            files = self._files.get(name, ())
            module = self._tree.module(files[0]) if len(files) == 1 else None
            nodes = [each for each in module.functions if each.name == name] if module else []
            self._called[name] = _called_names(nodes[0]) if len(nodes) == 1 else frozenset()
        return self._called[name]

    @cached_property
    def _files(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path, data in self._tree.files.items():
            for name in _DEFINED.findall(data):
                found.setdefault(name.decode("utf-8", "replace"), []).append(path)
        return found


_Places = dict[tuple[str, int], Function | None]


@dataclass(frozen=True)
class Involved:
    """One function, from its first decorator to its last line; `depth` is 0 for the deepest frame."""

    module: Module
    node: Function
    depth: int
    definitions: Definitions

    @property
    def first(self) -> int:
        return min([self.node.lineno, *(each.lineno for each in self.node.decorator_list)])

    @property
    def last(self) -> int:
        return self.node.end_lineno or self.node.lineno

    def holds(self, file: str, line: int) -> bool:
        return self.module.path == file and self.first <= line <= self.last

    def calls(self) -> list[ast.Call]:
        """In source order."""
        return self._calls

    def called_names(self) -> frozenset[str]:
        return self._called_names

    def names_beyond(self) -> frozenset[str]:
        """What the functions that it calls call in turn."""
        return self._names_beyond

    @cached_property
    def _calls(self) -> list[ast.Call]:
        calls = [node for node in ast.walk(self.node) if isinstance(node, ast.Call)]
        return sorted(calls, key=lambda call: (call.lineno, call.col_offset))

    @cached_property
    def _called_names(self) -> frozenset[str]:
        """Asked for by every finding of every rule."""
        return frozenset(terminal(call) for call in self._calls)

    @cached_property
    def _names_beyond(self) -> frozenset[str]:
        return frozenset().union(*(self.definitions.called_by(name) for name in self._called_names))


def _called_names(node: Function) -> frozenset[str]:
    return frozenset(terminal(each) for each in ast.walk(node) if isinstance(each, ast.Call))


def own_frames(problem: Problem) -> tuple[Frame, ...]:
    """The project's own frames of the exception that decided, outermost first."""
    for exception in problem.chain:
        frames = tuple(frame for frame in exception.frames if frame.is_own)
        if frames:
            return frames
    return ()


def poisoner(problem: Problem) -> Problem | None:
    """The earlier failure that broke the session, as far as its frames tell; None where unknown."""
    poison = problem.facts.get("poison")
    frames = poison.get("frames") if isinstance(poison, Mapping) else None
    known = tuple(frame for one in frames if (frame := _frame(one))) if isinstance(frames, list) else ()
    if not known:
        return None
    return Problem(problem.phase, problem.outcome, (ExceptionInfo("", "", frames=known),))


def _frame(value: object) -> Frame | None:
    if not isinstance(value, Mapping) or not isinstance(value.get("line"), int):
        return None
    names = (str(value.get(key, "")) for key in ("file", "func", "kind", "src"))
    file, function, kind, source = names
    return Frame(file, value["line"], function, kind=kind, source=source)


def touched_name(problem: Problem) -> str | None:
    """The first name of what raised, from its columns: `tenant` of `tenant.id`, `self.a` of `self.a.id`."""
    frames = own_frames(problem)
    if not frames or frames[-1].source is None or frames[-1].columns is None:
        return None
    start, end = frames[-1].columns
    name = _NAME.match(frames[-1].source[start:end])
    return name.group() if name else None


def involved(tree: SourceTree, problem: Problem) -> tuple[Involved, ...]:
    """Deepest frame first, then the fixtures, then what the classes of these run before each test."""
    found: dict[tuple[str, int], Involved] = {}
    known = tree.memo(_known)
    definitions = tree.memo(Definitions)
    for depth, (file, line) in enumerate(_places(problem)):
        module = tree.module(file)
        if (file, line) not in known:
            known[file, line] = None if module is None else enclosing(module, line)
        node = known[file, line]
        if module is not None and node is not None:
            found.setdefault((file, node.lineno), Involved(module, node, depth, definitions))
    for one in tuple(found.values()):
        for node in _setups(one.module, one.node):
            later = Involved(one.module, node, len(found), definitions)
            found.setdefault((one.module.path, node.lineno), later)
    return tuple(found.values())


def _setups(module: Module, function: Function) -> Iterator[Function]:
    """Of the class around a function and its bases in the same file; only unittest's and pytest's names."""
    around = module.parents.get(function)
    classes = [around] if isinstance(around, ast.ClassDef) and module.is_test else []
    for each in classes:
        names = {terminal(base) for base in each.bases}
        for other in module.all(ast.ClassDef):
            if other.name in names and other not in classes:
                classes.append(other)
        for node in each.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in SETUPS:
                yield node


def _known(tree: SourceTree) -> _Places:  # noqa: ARG001 - one table for each tree
    """The functions around places that were asked for: many tests come through the same ones."""
    return {}


def enclosing(module: Module, line: int) -> Function | None:
    """The innermost function around a line, its decorators included."""
    best: Function | None = None
    for node in module.functions:
        first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
        if first <= line <= (node.end_lineno or node.lineno) and (best is None or node.lineno >= best.lineno):
            best = node
    return best


def _places(problem: Problem) -> Iterator[tuple[str, int]]:
    for frame in reversed(own_frames(problem)):
        yield frame.file, frame.line
    for fixture in reversed(problem.fixtures):
        if fixture.is_own:
            yield fixture.file, fixture.line
