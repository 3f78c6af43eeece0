"""What a missed attribute is called, and how a class writes its members."""

import re

import libcst as cst

from triage.model.fix import Target
from triage.remedies.source import SourceFile
from triage.rules.missing_relationship import find as rule_findings
from triage.rules.source import SourceTree

_MISSED = (
    re.compile(r"'(?P<model>\w+)' (?:object )?has no attribute '(?P<attribute>\w+)'"),
    re.compile(r"'(?P<attribute>\w+)' is an invalid keyword argument for (?P<model>\w+)"),
    re.compile(r"has no property '(?P<attribute>\w+)'"),
)


def names_of(target: Target, tree: SourceTree) -> dict[str, str]:
    names = dict(target.names)
    if names.get("attribute") or names.get("lazy"):
        return names
    for pattern in _MISSED:
        match = pattern.search(target.message)
        if match:
            return match.groupdict() | names
    for one in rule_findings(tree):
        if (one.file, one.line) == (target.file, target.line):
            return {name: str(value) for name, value in one.subject.items()} | names
    return names


def last_member(source: SourceFile, node: cst.ClassDef) -> cst.CSTNode | None:
    """The last statement of the class that makes a relationship, else a column."""
    lines = [one for one in node.body.body if isinstance(one, cst.SimpleStatementLine)]
    for words in (r"\brelationship\(|\brelation\(", r"Column\(|mapped_column\(|Mapped\["):
        found = [one for one in lines if re.search(words, source.code(one))]
        if found:
            return found[-1]
    return None


def mapped_name(source: SourceFile, node: cst.ClassDef) -> str:
    """`Mapped`, as the class writes it; empty where it uses no annotations."""
    match = re.search(r":\s*[\"']?((?:\w+\.)*Mapped)\[", source.code(node))
    return match.group(1) if match else ""


def list_name(source: SourceFile) -> str:
    return "List" if re.search(r"\bMapped\[[\"']?List\[", source.text) else "list"
