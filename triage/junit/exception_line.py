"""The line that names an exception, `Qualified.Name: text`, and the report's attributes that repeat it."""

import re

_TYPE = re.compile(r"((?:[^\W\d]\w*\.|<locals>\.)*[^\W\d]\w*)(?:: ?(.*)|$)", re.DOTALL)
_CLASS = re.compile(r"(?:[^\W\d]\w*\.)+[^\W\d]\w*|_*[A-Z]\w*")
_TYPE_ENDINGS = ("Error", "Exception", "Exit", "Interrupt", "Failed", "Warning", "Group", "Iteration")
_CUT_NOTE = re.compile(r"\[\+\d+ more lines?; full report in element text\]\"?")
_WRAPPED = re.compile(r'\A(?:failed on (?:setup|teardown) with|test (?:setup|teardown) failure:?) "?')
_MERE_WORDS = frozenset(
    (
        "",
        "collection failure",
        "test setup failure",
        "test teardown failure",
        "internal error",
        "test failure",
    )
)


def split_type(line: str) -> tuple[str, str] | None:
    """`Qualified.Name: text` in its two halves; None where `line` does not begin so."""
    match = _TYPE.match(line)
    if match is None:
        return None
    name, rest = match.groups()
    last = name.rpartition(".")[2].lstrip("_")
    if not ("." in name or last[:1].isupper()):
        return None
    if rest and rest[0].isdigit() and "." in name and line[len(name) + 1] != " ":
        return None  # `x_test.go:9: got 3`: a place, as other languages name it
    if rest is None and not ("." in name or name.endswith(_TYPE_ENDINGS)):
        return None
    return name, rest or ""


def split_known(line: str) -> tuple[str, str] | None:
    """`split_type` for a line that stands where a class is named: any name will do."""
    match = _TYPE.match(line)
    return (match[1], match[2] or "") if match else None


def unwrap(message: str) -> str:
    """The message attribute without pytest's wrapping and its note about what was cut."""
    match = _WRAPPED.match(message)
    if match is None:
        return without_note(message)
    return without_note(message[match.end() :]).removesuffix('"')


def without_note(message: str) -> str:
    note = message.rfind("[+")
    cut = note >= 0 and _CUT_NOTE.fullmatch(message, note)
    return message[:note].rstrip("\n") if cut else message


def from_attributes(text: str, message: str, type_: str) -> tuple[str, str]:
    """Class and message of a result whose text shows no exception."""
    shown = unwrap(message).rstrip()
    if shown in _MERE_WORDS:
        shown = text.strip() or shown
    named = type_ if _CLASS.fullmatch(type_) else ""
    if shown.startswith("assert "):
        return named or "AssertionError", shown
    found = split_type(shown)
    if found is None:
        return named, shown
    if not found[1] and not named and text.strip() and shown not in text:
        return "", text.strip()  # a mere word, `Failed`, above what another language says
    if named and not same_name(found[0], named):
        return named, shown
    return max(found[0], named, key=len), found[1]


def same_name(one: str, other: str) -> bool:
    return one.rpartition(".")[2] == other.rpartition(".")[2]
