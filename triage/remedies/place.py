"""Where a row is made, with all that is known of the surroundings."""

import re
from dataclasses import dataclass

import libcst as cst

from triage.remedies.rows import Subject
from triage.remedies.source import SourceFile
from triage.rules.fixtures import fixture_index
from triage.rules.source import Module, SourceTree


@dataclass(frozen=True, slots=True)
class Supply:
    """A value for a column; `doubt` is what a person must judge, empty for a plain literal."""

    name: str
    template: str
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    source: SourceFile
    module: Module
    tree: SourceTree
    subject: Subject

    def taken(self, word: str) -> bool:
        """Whether a test names this text or number already."""
        if word.isdigit():
            names = "|".join(one.attribute for one in self.subject.named) or "id"
            given = re.compile(rb"\b(?:%s)\W{1,4}%s\b" % (names.encode(), word.encode()))
            return given.search(self.tree.files[self.source.file]) is not None
        named = re.compile(rb"(?<![\w.-])%s(?!\w)" % re.escape(word.encode()))
        return any(named.search(data) for file, data in self.tree.files.items() if self.tree.is_test(file))

    def count(self, code: str) -> int:
        """How often the tests hold this source text."""
        files = self.tree.files.items()
        return sum(data.count(code.encode()) for file, data in files if self.tree.is_test(file))

    def function(self, node: cst.CSTNode) -> cst.FunctionDef | None:
        return self.source.enclosing(node, cst.FunctionDef)

    def is_called_once(self, node: cst.CSTNode) -> bool:
        """In a test, a fixture or a set-up, and not in a helper that may run many times."""
        function = self.function(node)
        if function is None:
            return True
        line = self.source.lines(function)[0]
        is_fixture = fixture_index(self.tree).at(self.source.file, line) is not None
        name = function.name.value
        return is_fixture or name.startswith(("test", "setUp", "setup", "asyncSetUp"))


def is_none(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Name) and node.value == "None"
