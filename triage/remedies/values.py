"""Source text of a value that a column takes, by the column's type and name, and the imports that it needs.

A template names what must be imported as `<module:name>`; `settled` makes text and edits of it.
"""

import ast
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import count

from triage.model.fix import Edit
from triage.remedies.column_types import (
    INTEGERS,
    NUMBERS,
    PLAIN,
    TEXTS,
    is_address,
    kind_of,
    length_in,
    own_type,
)
from triage.remedies.imports import import_edits, top_level_names
from triage.remedies.source import SourceFile
from triage.rules.models import Column, Model
from triage.rules.source import SourceTree
from triage.rules.syntax import assigned, is_constant, keyword, string, terminal, text

_PLACE = re.compile(r"<([\w.]*):(\w+)>")
_NUMBERED = re.compile(r"^(.*?)(\d+)?(@.*)?$", re.DOTALL)
_NEEDED = {"year": "2025", "month": "1", "day": "1", "port": "8080"}
_WORDS = {
    "phone": "+15550100",
    "currency": "USD",
    "country": "US",
    "language": "en",
    "locale": "en",
    "timezone": "UTC",
    "tz": "UTC",
    "color": "#336699",
    "colour": "#336699",
    "ip": "192.0.2.1",
    "mime": "text/plain",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a value is for: a text in which `word` tells it apart where it must be, none of `taken`."""

    column: Column
    model: Model | None
    word: str = ""
    taken: Callable[[str], bool] = lambda _: False
    quote: str = '"'


def template(wanted: Wanted, tree: SourceTree) -> str | None:
    """None where the source does not tell what the column takes."""
    kind, given = kind_of(wanted.column, tree)
    found = PLAIN.get(kind)
    if kind in TEXTS:
        found = quoted(_text(wanted, length_in(given)), wanted.quote)
    elif kind in INTEGERS:
        found = _number(wanted)
    elif kind in ("datetime", "timestamp", "date", "time"):
        found = _moment(kind, given, wanted, tree)
    elif kind == "enum":
        found = _member(given, wanted, tree)
    elif kind in ("uuid", "guid"):
        is_written = given is not None and is_constant(keyword(given, "as_uuid"), value=False)
        is_written = is_written or wanted.column.annotation == "str"
        found = "str(<uuid:uuid4>())" if is_written else "<uuid:uuid4>()"
    elif kind in NUMBERS:
        found = _decimal(given, wanted)
    return found


def another(value: str, taken: Callable[[str], bool], limit: int | None) -> str:
    """A text like this one that nothing has taken: `ann2@example.org` for `ann@example.org`."""
    head, digits, tail = (_NUMBERED.match(value) or re.match("()()()", "")).groups()  # type: ignore[union-attr]  # both match
    tail = tail or ""
    for number in count(int(digits) + 1 if digits and len(digits) < 6 else 2):  # noqa: PLR2004 - more is no counter
        room = None if limit is None else max(limit - len(tail) - len(str(number)), 0)
        found = f"{(head + (digits or '' if digits and len(digits) >= 6 else ''))[:room]}{number}{tail}"  # noqa: PLR2004
        if not taken(found):
            return found
    raise AssertionError  # pragma: no cover


def quoted(value: str, quote: str = '"') -> str:
    escaped = value.replace("\\", "\\\\").replace(quote, "\\" + quote)
    return f"{quote}{escaped}{quote}"


def quote_of(source: SourceFile, near: str = "") -> str:
    """The quotation mark that the texts near by have, else those of the file."""
    text = near if "'" in near or '"' in near else source.text
    return "'" if text.count("'") > text.count('"') else '"'


def settled(
    source: SourceFile, templates: Collection[str], shadowed: Collection[str] = ()
) -> tuple[list[str], list[Edit]]:
    """The texts, and the edits that import what they name; `shadowed` are names of the function's own."""
    known, edits = {}, []
    wanted: dict[str, list[str]] = {}
    for module, name in dict.fromkeys(found for one in templates for found in _PLACE.findall(one)):
        reference = _reference(source, module, name)
        if reference is None or reference.partition(".")[0] in shadowed:
            is_free = name not in top_level_names(source) and name not in shadowed
            reference = name if is_free else f"{module}.{name}" if module else name
            if is_free:
                wanted.setdefault(module, []).append(name)
            else:
                edits += list(import_edits(source, "", module)) if module else []
        known[(module, name)] = reference
    for module, names in wanted.items():
        edits += list(import_edits(source, module, ", ".join(names)))
    return [_PLACE.sub(lambda match: known[(match[1], match[2])], one) for one in templates], edits


def _reference(source: SourceFile, module: str, name: str) -> str | None:
    """How a file already names it."""
    found = None
    for each in ast.parse(source.text).body:
        if isinstance(each, ast.ImportFrom) and not each.level:
            for alias in each.names:
                if alias.name == name and _same(each.module or "", module):
                    found = alias.asname or name
        elif isinstance(each, ast.Import):
            for alias in each.names:
                if alias.name == module:
                    found = found or f"{alias.asname or module}.{name}"
                elif not module and alias.name == name:
                    found = found or alias.asname or name
        elif isinstance(each, ast.ClassDef) and each.name == name:
            found = name
    return found


def _same(one: str, other: str) -> bool:
    """A package may hand on the name of its module."""
    return one == other or (bool(one) and one.partition(".")[0] == other.partition(".")[0])


def _text(wanted: Wanted, limit: int | None) -> str:
    name, column = wanted.column.name.lower(), wanted.column
    model = wanted.model.name.lower() if wanted.model is not None else "value"
    is_unique = column.unique or column.primary_key
    word = (wanted.word if is_unique else "") or model
    if is_address(column):
        found = f"{word}@example.org"
        if limit is not None and len(found) > limit:
            found = f"{word[: max(limit - 5, 1)]}@x.io"
    elif any(part in name for part in ("url", "uri", "link", "website")):
        found = f"https://example.org/{word}"
    elif is_unique:
        found = wanted.word or name.replace("_", "-")
    else:
        parts = [_WORDS[part] for part in name.split("_") if part in _WORDS]
        found = parts[0] if parts else name.replace("_", " ")
    found = found if limit is None else found[:limit]
    return another(found, wanted.taken, limit) if is_unique and wanted.taken(found) else found


def _number(wanted: Wanted) -> str:
    if not (wanted.column.unique or wanted.column.primary_key):
        return _NEEDED.get(wanted.column.name.lower(), "1")
    return next(str(one) for one in count(1) if not wanted.taken(str(one)))


def _decimal(given: ast.Call | None, wanted: Wanted) -> str:
    if given is not None and is_constant(keyword(given, "asdecimal"), value=False):
        return "1.0"
    scale = keyword(given, "scale") if given is not None else None
    scale = scale or (given.args[1] if given is not None and len(given.args) > 1 else None)
    digits = scale.value if isinstance(scale, ast.Constant) and isinstance(scale.value, int) else 2
    return f"<decimal:Decimal>({quoted('1.' + '0' * digits if digits else '1', wanted.quote)})"


def _moment(kind: str, given: ast.Call | None, wanted: Wanted, tree: SourceTree) -> str:
    if kind == "date":
        return "<datetime:date>(2025, 1, 1)"
    if kind == "time":
        return "<datetime:time>(12, 0)"
    option = keyword(given, "timezone") if given is not None else None
    aware = is_constant(option, value=True) or (option is None and _defaults_are_aware(wanted.model, tree))
    zone = ", tzinfo=<datetime:timezone>.utc" if aware else ""
    return f"<datetime:datetime>(2025, 1, 1, 12, 0{zone})"


def _defaults_are_aware(model: Model | None, tree: SourceTree) -> bool:
    """Whether the model's other moments are made with a time zone."""
    for column in model.columns if model is not None else ():
        default = keyword(column.call, "default", "insert_default") if column.call is not None else None
        written = text(default)
        if terminal(default) and not isinstance(default, ast.Call):
            written = " ".join(_bodies(terminal(default), tree)) or written
        if re.search(r"timezone\.utc|\bUTC\b|\butc\b|aware", written) and "tzinfo=None" not in written:
            return True
    return False


def _bodies(function: str, tree: SourceTree) -> Iterator[str]:
    for module in tree.modules(f"def {function}(".encode()):
        yield from (text(each) for each in module.functions if each.name == function)


def _member(given: ast.Call | None, wanted: Wanted, tree: SourceTree) -> str | None:
    first = given.args[0] if given is not None and given.args else None
    if isinstance(first, ast.List | ast.Tuple) and first.elts:
        first = first.elts[0]
    if (plain := string(first)) is not None:
        return quoted(plain, wanted.quote)
    enum = own_type(terminal(first), tree) if first is not None else None
    if not isinstance(enum, ast.ClassDef):
        return None
    member = next(
        (name for each in enum.body for name, _ in assigned(each) if not name.startswith("_")), None
    )
    file = next((one.path for one in tree.modules(b"Enum") if enum in one.all(ast.ClassDef)), "")
    return f"<{module_name(file, tree)}:{enum.name}>.{member}" if member and file else None


def module_name(file: str, tree: SourceTree) -> str:
    """The dotted name under which the project imports a file of its own."""
    parts = file.removesuffix(".py").removesuffix("/__init__").split("/")
    imported = tree.memo(_imported)
    for start in range(len(parts)):
        if ".".join(parts[start:]) in imported or parts[start] in {one.partition(".")[0] for one in imported}:
            return ".".join(parts[start:])
    return ".".join(parts[1:] if parts[0] == "src" else parts)


def _imported(tree: SourceTree) -> frozenset[str]:
    return frozenset(
        source
        for module in tree.modules(tests=True)
        for source, _ in module.imports.values()
        if not source.startswith(".")
    )
