"""What the types of columns take, by their source text; the project's own types by what they wrap."""

import ast
import re
from collections.abc import Mapping

from triage.rules.models import Column
from triage.rules.source import MODEL_WORDS, SourceTree
from triage.rules.syntax import assigned, is_constant, keyword, terminal

TEXTS = frozenset({"string", "text", "unicode", "unicodetext", "varchar", "char", "nvarchar", "clob", "str"})
TEXTS |= {"citext", "email", "emailtype", "urltype", "password"}
INTEGERS = frozenset({"integer", "int", "biginteger", "bigint", "smallinteger", "smallint", "tinyint"})
NUMBERS = frozenset({"numeric", "decimal", "money"})
_ENUM_BASES = frozenset({"Enum", "StrEnum", "IntEnum", "Flag", "IntFlag", "ChoiceEnum"})
_TYPE_WORDS = (b"Enum", b"TypeDecorator", b"UserDefinedType", *MODEL_WORDS)
PLAIN = {
    "float": "1.0",
    "double": "1.0",
    "real": "1.0",
    "boolean": "False",
    "bool": "False",
    "json": "{}",
    "jsonb": "{}",
    "dict": "{}",
    "mutabledict": "{}",
    "hstore": "{}",
    "list": "[]",
    "array": "[]",
    "mutablelist": "[]",
    "largebinary": 'b"value"',
    "binary": 'b"value"',
    "bytea": 'b"value"',
    "blob": 'b"value"',
    "bytes": 'b"value"',
    "pickletype": '"value"',
    "interval": "<datetime:timedelta>(hours=1)",
    "timedelta": "<datetime:timedelta>(hours=1)",
}


def kind_of(column: Column, tree: SourceTree) -> tuple[str, ast.Call | None]:
    """The type's name in small letters and the call that makes it; own types are what they wrap."""
    for written in (column.type, column.annotation):
        node = _parsed(written)
        for _ in range(3):  # a type of a type
            call = node if isinstance(node, ast.Call) else None
            name = terminal(node.value if isinstance(node, ast.Subscript) else node)
            if name in ("Annotated", "Literal") and isinstance(node, ast.Subscript):
                node = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) else node.slice
                if name == "Literal":
                    return "enum", ast.Call(ast.Name("Enum"), [node], [])
                continue
            if name in ("with_variant", "as_mutable") and call is not None:
                inside = (
                    call.func.value
                    if name == "with_variant" and isinstance(call.func, ast.Attribute)
                    else None
                )
                node = inside or (call.args[0] if call.args else None)
                continue
            if name.lower() in PLAIN or name.lower() in _KNOWN:
                return name.lower(), call
            found = own_type(name, tree)
            if found is None:
                break
            if isinstance(found, ast.ClassDef):
                return "enum", ast.Call(ast.Name("Enum"), [ast.Name(name)], [])
            if "utc" in name.lower() or "aware" in name.lower() or "tz" in name.lower():
                found = ast.Call(ast.Name(terminal(found)), [], [ast.keyword("timezone", ast.Constant(True))])
            node = found
    return ("guid", None) if re.search(r"uid", column.type, re.IGNORECASE) else ("", None)


_KNOWN = TEXTS | INTEGERS | NUMBERS | {"datetime", "timestamp", "date", "time", "enum", "uuid", "guid"}


def _parsed(written: str) -> ast.expr | None:
    try:
        return ast.parse(written, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def own_type(name: str, tree: SourceTree) -> ast.ClassDef | ast.expr | None:
    """A class of enumerated values, what a type decorator wraps, or what an alias stands for."""
    return tree.memo(_owned).get(name)


def _owned(tree: SourceTree) -> Mapping[str, ast.ClassDef | ast.expr]:
    found: dict[str, ast.ClassDef | ast.expr] = {}
    for module in tree.modules(*_TYPE_WORDS):
        for node in module.all(ast.ClassDef):
            bases = {terminal(each) for each in node.bases}
            if bases & _ENUM_BASES:
                found[node.name] = node
            wrapped = dict(pair for each in node.body for pair in assigned(each)).get("impl")
            if wrapped is not None and "TypeDecorator" in "".join(bases):
                found[node.name] = wrapped
        for statement in module.tree.body:
            for name, value in assigned(statement):
                if isinstance(value, ast.Call | ast.Subscript) and terminal(
                    value.value if isinstance(value, ast.Subscript) else value
                ) in ("String", "Annotated", "Enum", "Numeric", "DateTime", "VARCHAR"):
                    found.setdefault(name, value)
    return found


def length_in(given: ast.Call | None) -> int | None:
    if given is None:
        return None
    node = given.args[0] if given.args else keyword(given, "length")
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, int) else None


def is_text(column: Column, tree: SourceTree) -> bool:
    return kind_of(column, tree)[0] in TEXTS


def is_key(column: Column, tree: SourceTree) -> bool:
    """Whether a column takes and gives `uuid.UUID` objects."""
    kind, given = kind_of(column, tree)
    return kind in ("uuid", "guid") and not (
        given is not None and is_constant(keyword(given, "as_uuid"), value=False)
    )


def is_number(column: Column, tree: SourceTree) -> bool:
    return kind_of(column, tree)[0] in INTEGERS


def is_address(column: Column) -> bool:
    return "mail" in column.name.lower()


def length_of(column: Column, tree: SourceTree) -> int | None:
    return length_in(kind_of(column, tree)[1])
