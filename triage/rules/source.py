"""The project's own Python files, listed, read and parsed only as far as a rule asks."""

import ast
import os
import re
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, cast

from triage.rules.ignore import SKIPPED, IgnoreFile, is_ignored
from triage.rules.syntax import Function, children

MODEL_WORDS = (
    b"olumn(",
    b"elationship(",
    b"Mapped[",
    b"eclarative",
    b"__tablename__",
    b"__abstract__",
    b"__mapper_args__",
    b".Model)",
)  # every file that maps a class to a table holds one
SIZE_LIMIT = 2 * 1024 * 1024
_WARNINGS = threading.Lock()  # warnings.catch_warnings swaps process-wide state
_T = TypeVar("_T")
_Node = TypeVar("_Node", bound=ast.AST)
_Place = tuple[str, tuple[tuple[str, IgnoreFile], ...]]


@dataclass(frozen=True)
class Module:
    """One parsed file; `path` is relative to the project's root with `/`."""

    path: str
    is_test: bool
    tree: ast.Module

    @cached_property
    def by_type(self) -> Mapping[type[ast.AST], list[ast.AST]]:
        nodes: dict[type[ast.AST], list[ast.AST]] = {}
        for node in self._walked:
            nodes.setdefault(type(node), []).append(node)
        return nodes

    @cached_property
    def parents(self) -> Mapping[ast.AST, ast.AST]:
        return {child: node for node in self._walked for child in children(node)}

    @cached_property
    def imports(self) -> Mapping[str, tuple[str, str]]:
        """Local name to (module, name there); a relative module keeps its leading dots."""
        return {
            alias.asname or alias.name: ("." * node.level + (node.module or ""), alias.name)
            for node in self.all(ast.ImportFrom)
            for alias in node.names
        }

    @cached_property
    def _walked(self) -> list[ast.AST]:
        nodes: list[ast.AST] = [self.tree]
        for node in nodes:
            nodes.extend(children(node))
        return nodes

    def all(self, kind: type[_Node]) -> list[_Node]:
        return cast("list[_Node]", self.by_type.get(kind, []))

    @cached_property
    def functions(self) -> list[Function]:
        return [*self.all(ast.FunctionDef), *self.all(ast.AsyncFunctionDef)]

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes around `node`, innermost first."""
        parent = self.parents.get(node)
        while parent is not None:
            yield parent
            parent = self.parents.get(parent)


class SourceTree:
    """`source` are the folders of the project's own code (none: all), `test_arguments` pytest's.

    A file that cannot be read or parsed is left out and named in `notes`.
    """

    def __init__(
        self, root: Path, source: tuple[str, ...] = (), test_arguments: tuple[str, ...] = ()
    ) -> None:
        self.root = root
        self.notes: list[str] = []
        self._source = tuple(each.strip("./") for each in source)
        self._test_roots = tuple(_test_roots(root, test_arguments))
        self._modules: dict[str, Module | None] = {}
        self._memo: dict[Callable[[SourceTree], Any], Any] = {}

    @cached_property
    def files(self) -> Mapping[str, bytes]:
        """Content by path, in the order of their paths."""
        found = {path: self._read(path) for path in sorted(self._listed())}
        return {path: data for path, data in found.items() if data is not None}

    def is_test(self, path: str) -> bool:
        *folders, name = path.split("/")
        return (
            name == "conftest.py"
            or name.startswith("test_")
            or name.endswith("_test.py")
            or not {"tests", "test"}.isdisjoint(folders)
            or any(_is_below(path, each) for each in self._test_roots)
        )

    def mentions(self, *needles: bytes) -> bool:
        return any(needle in data for data in self.files.values() for needle in needles)

    def count_in_tests(self, word: str) -> int:
        """How often a word stands in the text of the tests."""
        found = re.compile(rb"\b" + re.escape(word.encode()) + rb"\b")
        return sum(len(found.findall(data)) for path, data in self.files.items() if self.is_test(path))

    def modules(self, *needles: bytes, tests: bool | None = None) -> Iterator[Module]:
        """Files that hold any of the needles (all without), parsed; `tests` keeps only one kind."""
        for path, data in self.files.items():
            if tests is not None and self.is_test(path) is not tests:
                continue
            if not needles or any(needle in data for needle in needles):
                module = self.module(path)
                if module is not None:
                    yield module

    def module(self, path: str) -> Module | None:
        if path not in self._modules:
            data = self.files.get(path)
            self._modules[path] = None if data is None else self._parsed(path, data)
        return self._modules[path]

    def memo(self, build: Callable[["SourceTree"], _T]) -> _T:
        """What `build` makes of this tree, made once."""
        if build not in self._memo:
            self._memo[build] = build(self)
        return cast("_T", self._memo[build])

    def _parsed(self, path: str, data: bytes) -> Module | None:
        try:
            with _WARNINGS, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(data)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            self.notes.append(f"{path}: not read by the rules: {type(error).__name__}: {error}")
            return None
        return Module(path, self.is_test(path), tree)

    def _read(self, path: str) -> bytes | None:
        try:
            data = (self.root / path).read_bytes()
        except OSError as error:
            self.notes.append(f"{path}: not read by the rules: {error.strerror}")
            return None
        return data

    def _listed(self) -> Iterator[str]:
        pending: list[_Place] = [("", ())]
        while pending:
            folder, chain = pending.pop()
            try:
                entries = list(os.scandir(self.root / folder))
            except OSError:
                continue
            names = {entry.name for entry in entries}
            if "pyvenv.cfg" in names:
                continue
            if ".gitignore" in names:
                chain = (*chain, (folder, self._ignore_file(folder)))
            for entry in entries:
                yield from self._taken(entry, folder, chain, pending)

    def _taken(
        self,
        entry: os.DirEntry[str],
        folder: str,
        chain: tuple[tuple[str, IgnoreFile], ...],
        pending: list[_Place],
    ) -> Iterator[str]:
        path = folder + entry.name
        if entry.is_dir(follow_symlinks=False):
            skipped = entry.name.startswith(".") or entry.name in SKIPPED
            if not skipped and not is_ignored(chain, path, entry.name, is_folder=True):
                pending.append((path + "/", chain))
        elif entry.name.endswith(".py") and entry.is_file(follow_symlinks=False) and self._is_wanted(path):
            if is_ignored(chain, path, entry.name, is_folder=False):
                return
            if entry.stat(follow_symlinks=False).st_size > SIZE_LIMIT:
                self.notes.append(f"{path}: not read by the rules: larger than {SIZE_LIMIT} bytes")
                return
            yield path

    def _is_wanted(self, path: str) -> bool:
        return not any(self._source) or self.is_test(path) or any(_is_below(path, s) for s in self._source)

    def _ignore_file(self, folder: str) -> IgnoreFile:
        path = self.root / folder / ".gitignore"
        try:
            return IgnoreFile.read(path.read_text("utf-8", errors="replace"))
        except OSError:
            return IgnoreFile()


def may_have_models(tree: SourceTree) -> bool:
    return tree.mentions(*MODEL_WORDS)


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")


def _test_roots(root: Path, arguments: tuple[str, ...]) -> Iterator[str]:
    """Paths among the arguments; what follows an option may be its value (`-k app`) and is left out."""
    for before, each in zip(("", *arguments), arguments, strict=False):
        if before.startswith("-"):
            continue
        place = each.split("::")[0].removeprefix("./").rstrip("/")
        if place not in ("", ".") and not place.startswith(("-", "/", "..")) and (root / place).exists():
            yield place
