"""Where a UUID column is given text, it gets the UUID itself.

In a test's statement that failed: `str(x.id)` and `f"{x.id}"` become `x.id`, a written-out key
becomes `UUID("...")`, `uuid4().hex` becomes `uuid4()`. A variable or dictionary that holds such a
text is changed where it is bound, if all its uses take the object; else the one use is. Through a
helper of the tests it is followed to the calls; what a constant, a fixture, a parameter or `self.x`
holds becomes `UUID(...)` where it is used.

To judge: whether the test meant to send text, as a client does.

Never: addresses, JSON and form data, what an assertion compares, code of the product, an argument
that the product declares as `str`, and a UUID that a text column gets.
"""

import re
from collections.abc import Iterable, Iterator

import libcst as cst

from triage.model.fix import Edit, Proposal, Reach, Refusal, Target
from triage.remedies.column_types import is_key
from triage.remedies.row_edits import ast_function, shadowed
from triage.remedies.rows import bindings_of, parameters, scope_of
from triage.remedies.source import SourceFile, open_source
from triage.remedies.uuid_examples import CURED, UNTOUCHED
from triage.remedies.uuid_texts import holds_text, in_tests, is_text_attribute, is_uuid_text, says_text
from triage.remedies.values import settled
from triage.rules.fixtures import fixture_index
from triage.rules.model_index import model_index
from triage.rules.models import Column
from triage.rules.source import Module, SourceTree

ID = "pass-uuid-object"
__all__ = ["CURED", "ID", "UNTOUCHED", "propose"]
_JUDGE = "whether the test meant to hand over text, as a client does"
_SENT = frozenset({"json", "data", "params", "headers", "query_string", "path", "url", "files", "content"})
_NAMED = re.compile(r"(?:.*_)?(?:id|uuid|uid|guid|key)", re.IGNORECASE)
_MADE = re.compile(r"(?:\w+\.)?uuid[1-7]\(.*\)", re.DOTALL)
_KINDS: tuple[type[cst.BaseExpression], ...] = (
    cst.SimpleString,
    cst.FormattedString,
    cst.Call,
    cst.Attribute,
    cst.Name,
    cst.Subscript,
)
_REVERSED = re.compile(r"type 'UUID' is not supported|can't adapt type 'UUID'|probably unsupported type")


def propose(target: Target, tree: SourceTree) -> Iterable[Proposal | Refusal]:
    source, module, reason = None, None, ""
    if not tree.is_test(target.file):
        reason = f"{target.file}:{target.line} is code of the product: convert the text once where it enters"
    elif _REVERSED.search(target.message):
        reason = "the column holds text and gets a UUID: give it str(...), or declare the column as UUID"
    else:
        source, module = open_source(tree, target.file), tree.module(target.file)
    if source is None or module is None:
        return [Refusal(ID, reason, target.file, target.line)]
    changes = _Changes(source, module, tree, target.line)
    for node in _expressions(source, target.line):
        changes.look_at(node)
    parts = [changes, *_at_calls(changes, target, tree)]
    found = [each for each in parts if each.found or each.dropped]
    declared = next((each.declared for each in parts if each.declared), None)
    if declared is not None:
        function, (file, line) = declared
        reason = f"{function} at {file}:{line} declares that it takes text: convert it there"
        return [Refusal(ID, reason, file, line)]
    if not found:
        reason = f"no text of a UUID is written at {target.file}:{target.line}: find where it comes from"
        return [Refusal(ID, reason, target.file, target.line)]
    edits = tuple(dict.fromkeys(edit for each in found for edit in each.edits()))
    place = f"{found[0].file}:{found[0].line}"
    return [Proposal(ID, f"the UUID itself instead of its text at {place}", edits, Reach.STATEMENT, _JUDGE)]


def _at_calls(changes: "_Changes", target: Target, tree: SourceTree) -> Iterator["_Changes"]:
    """The failing tests' calls of a helper that hands its argument on."""
    for function, name in changes.handed:
        for module in tree.modules(f"{function.name.value}(".encode(), tests=True):
            wanted = in_tests(target.tests, module.path)
            if target.tests and not wanted:
                continue
            source = changes.source if module.path == changes.file else open_source(tree, module.path)
            for call in source.all(cst.Call):
                if source.code(call.func).rpartition(".")[2] != function.name.value:
                    continue
                around = source.enclosing(call, cst.FunctionDef)
                argument = _argument(call, function, name)
                if argument is None or (wanted and (around is None or around.name.value not in wanted)):
                    continue
                found = _Changes(source, module, tree, source.lines(call)[0])
                found.look_at(argument)
                yield found


def _argument(call: cst.Call, function: cst.FunctionDef, name: str) -> cst.BaseExpression | None:
    names = [one for one in parameters(function) if one not in ("self", "cls")]
    if any(one.star for one in call.args):
        return None
    for position, arg in enumerate(call.args):
        known = arg.keyword.value if arg.keyword is not None else ""
        if known == name or (not known and position < len(names) and names[position] == name):
            return arg.value
    return None


def _expressions(source: SourceFile, line: int) -> Iterator[cst.BaseExpression]:
    """What the statement at a line is made of; of a block's head only that line."""
    statements = list(source.at(cst.SimpleStatementLine, line))
    first, last = source.lines(statements[0]) if statements else (line, line)
    for kind in _KINDS:
        for node in source.all(kind):
            begin, end = source.lines(node)
            if first <= begin and end <= last:
                yield node


class _Changes:
    """Nodes with the template of what they become; `look_at` adds to them."""

    def __init__(self, source: SourceFile, module: Module, tree: SourceTree, line: int) -> None:
        self.found: dict[cst.CSTNode, str] = {}
        self.dropped: list[cst.CSTNode] = []
        self.handed: list[tuple[cst.FunctionDef, str]] = []
        self.declared: tuple[str, tuple[str, int]] | None = None
        self.source, self.file, self.line = source, source.file, line
        self._source, self._module, self._tree = source, module, tree
        self._columns = tree.memo(_columns)

    def edits(self) -> tuple[Edit, ...]:
        source = self._source
        own = shadowed(self._module, self.line)
        codes, imports = settled(source, list(self.found.values()), own)
        edits = [source.replace(node, code) for node, code in zip(self.found, codes, strict=True)]
        for each in self.dropped:
            first, last = source.lines(each)
            edits.append(Edit(source.file, source.offset(first, 0), source.offset(last + 1, 0), ""))
        return (*imports, *edits)

    def look_at(self, node: cst.BaseExpression) -> None:
        if not self._may_take_object(node):
            return
        before = len(self.found)
        direct = self._object(node)
        if direct is not None:
            self.found[node] = direct
        elif isinstance(node, cst.Name):
            self._through_variable(node)
        elif isinstance(node, cst.Subscript) and isinstance(node.value, cst.Name):
            self._through_dictionary(node, node.value)
        elif isinstance(node, cst.Attribute) and self._source.code(node.value) == "self":
            function = ast_function(self._module, self._source.lines(node)[0])
            if is_text_attribute(node.attr.value, function, self._module, self._tree):
                self.found[node] = f"<uuid:UUID>({self._source.code(node)})"
        if len(self.found) > before:
            self.declared = self.declared or self._declared(node)

    def _declared(self, node: cst.BaseExpression) -> tuple[str, tuple[str, int]] | None:
        """The product's function that says that it wants this argument as text."""
        arg = self._source.parents[node]
        call = self._source.parents.get(arg) if isinstance(arg, cst.Arg) else None
        if not isinstance(arg, cst.Arg) or not isinstance(call, cst.Call):
            return None
        name = self._source.code(call.func)
        at = says_text(name, arg.keyword.value if arg.keyword else call.args.index(arg), self._tree)
        return (f"{name}()", at) if at is not None else None

    def _object(self, node: cst.BaseExpression) -> str | None:
        """The template of the UUID whose text an expression makes."""
        source = self._source
        if isinstance(node, cst.SimpleString):
            return f"<uuid:UUID>({source.code(node)})" if is_uuid_text(node.evaluated_value) else None
        inner: cst.BaseExpression | None = None
        if isinstance(node, cst.Call) and source.code(node.func) == "str" and len(node.args) == 1:
            inner = node.args[0].value
        elif isinstance(node, cst.Attribute) and node.attr.value == "hex":
            inner = node.value
        elif isinstance(node, cst.FormattedString) and len(node.parts) == 1:
            part = node.parts[0]
            inner = part.expression if isinstance(part, cst.FormattedStringExpression) else None
        return source.code(inner) if inner is not None and self._is_key(inner) else None

    def _is_key(self, node: cst.BaseExpression) -> bool:
        code = self._source.code(node)
        if isinstance(node, cst.Attribute):
            return node.attr.value in self._columns[0]
        if isinstance(node, cst.Call):
            return _MADE.fullmatch(code) is not None or code.rpartition("(")[0].endswith("UUID")
        return isinstance(node, cst.Name) and _NAMED.fullmatch(code) is not None

    def _through_variable(self, use: cst.Name) -> None:
        scope = scope_of(self._source, use)
        bound = bindings_of(self._source, scope, use.value)
        value = bound[0].value if len(bound) == 1 else None
        code = self._object(value) if value is not None else None
        if code == use.value:
            self._without(bound[0], use.value, scope)
        elif value is not None and code is not None:
            uses = [one for one in self._uses(use.value, scope) if one is not use]
            if all(self._may_take_object(one) for one in uses):
                self.found[value] = code
            else:
                self.found[use] = code if not _MADE.fullmatch(code) else f"<uuid:UUID>({use.value})"
        elif not bound and self._holds_text(use.value, None, use):
            self.found[use] = f"<uuid:UUID>({use.value})"
        elif not bound and isinstance(scope, cst.FunctionDef) and use.value in parameters(scope):
            self._hand(scope, use.value)

    def _hand(self, function: cst.FunctionDef, name: str) -> None:
        node = ast_function(self._module, self._source.lines(function)[0])
        is_entry = node in fixture_index(self._tree).nodes or function.name.value.startswith("test")
        if not is_entry and (function, name) not in self.handed:
            self.handed.append((function, name))

    def _without(self, bound: cst.CSTNode, name: str, scope: cst.CSTNode) -> None:
        """`key = str(key)` makes the text that the rest of the function uses."""
        statement = self._source.parents[bound]
        is_plain = isinstance(scope, cst.FunctionDef) and self._source.parents[statement] is scope.body
        inside = [
            one for one in self._uses(name, scope) if self._source.enclosing(one, cst.Assign) is not bound
        ]
        is_alone = isinstance(statement, cst.SimpleStatementLine) and len(statement.body) == 1
        if is_plain and is_alone and all(self._may_take_object(one) for one in inside):
            self.dropped.append(statement)

    def _holds_text(self, name: str, key: str | None, use: cst.CSTNode) -> bool:
        function = ast_function(self._module, self._source.lines(use)[0])
        return holds_text(name, key, function, self._module, self._tree)

    def _through_dictionary(self, use: cst.Subscript, name: cst.Name) -> None:
        scope = scope_of(self._source, use)
        bound = bindings_of(self._source, scope, name.value)
        value = bound[0].value if len(bound) == 1 else None
        key = self._source.code(use.slice[0])
        if not bound and self._holds_text(name.value, key.replace('"', "'"), use):
            self.found[use] = f"<uuid:UUID>({self._source.code(use)})"
        for one in value.elements if isinstance(value, cst.Dict) else ():
            code = self._object(one.value) if isinstance(one, cst.DictElement) else None
            if code is None or not isinstance(one, cst.DictElement) or self._source.code(one.key) != key:
                continue
            uses = [self._source.parents[each] for each in self._uses(name.value, scope)]
            is_plain = all(isinstance(each, cst.Subscript) and self._may_take_object(each) for each in uses)
            self.found[one.value if is_plain else use] = code

    def _uses(self, name: str, scope: cst.CSTNode) -> list[cst.Name]:
        """Reads of a variable in its function."""
        return [
            one
            for one in self._source.all(cst.Name)
            if one.value == name and scope_of(self._source, one) is scope
            if not isinstance(self._source.parents[one], cst.AssignTarget | cst.Param | cst.AnnAssign)
            if not _is_label(one, self._source.parents[one])
        ]

    def _may_take_object(self, node: cst.CSTNode) -> bool:
        """Not in an address, in what a client sends, or in what an assertion compares."""
        source, is_asked = self._source, False
        if isinstance(source.parents[node], cst.Attribute | cst.Param | cst.AssignTarget | cst.FunctionDef):
            return False
        for each in source.ancestors(node):
            if self._makes_text(each):
                return False
            is_asked = is_asked or (isinstance(each, cst.Call) and source.code(each.func) != "str")
            if isinstance(each, cst.Assert | cst.Return | cst.Yield):
                return is_asked
            if isinstance(each, cst.BaseSmallStatement | cst.BaseCompoundStatement):
                break
        return True

    def _makes_text(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Arg):
            return not self._takes_object(node)
        if isinstance(node, cst.Call):
            return _is_client(self._source.code(node.func))
        joins = cst.FormattedStringExpression | cst.ConcatenatedString | cst.BinaryOperation
        return isinstance(node, joins)

    def _takes_object(self, arg: cst.Arg) -> bool:
        if arg.keyword is None:
            return True
        name = arg.keyword.value
        return name not in _SENT and (name in self._columns[0] or name not in self._columns[1])


def _is_label(name: cst.Name, parent: cst.CSTNode) -> bool:
    """The name of a keyword or an attribute."""
    is_keyword = isinstance(parent, cst.Arg) and parent.keyword is name
    return is_keyword or (isinstance(parent, cst.Attribute) and parent.attr is name)


def _is_client(name: str) -> bool:
    head, _, last = name.rpartition(".")
    is_http = last in ("get", "post", "put", "patch", "delete", "open") and "client" in head.lower()
    return is_http or last in ("url_for", "dumps", "print", "len", "UUID", "join", "format", "isinstance")


def _columns(tree: SourceTree) -> tuple[frozenset[str], frozenset[str]]:
    """Attributes that hold UUIDs in some model, and those that hold something else in all."""
    uuids: set[str] = set()
    others: set[str] = set()
    index = model_index(tree)
    for model in index.models:
        for column in model.columns:
            (uuids if is_key(_followed(column, tree), tree) else others).add(column.attribute)
    return frozenset(uuids), frozenset(others - uuids)


def _followed(column: Column, tree: SourceTree) -> Column:
    """A foreign key without a type of its own has that of the column it refers to."""
    if column.type or column.annotation or not column.foreign_key:
        return column
    table, _, name = column.foreign_key.rpartition(".")
    found = model_index(tree).by_column(table.rpartition(".")[2], name)
    return found[0][1] if found else column
