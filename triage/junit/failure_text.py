"""Failure texts to chains of exceptions: pytest's in every `--tb` style, and Python's tracebacks.

All expressions are anchored at line breaks and run in linear time. The report's attributes speak where
the text shows no exception, and mark off a message that itself looks like a traceback.
"""

import re
from collections.abc import Callable
from dataclasses import replace

from triage.junit.exception_line import from_attributes, same_name, split_type, unwrap
from triage.junit.groups import is_group, read_group
from triage.junit.pytest_entries import find_mark, read_block
from triage.junit.python_traceback import TITLE, is_python_s_own, read_traceback
from triage.junit.wrapped_texts import is_wrapped, read_difference, without_output, without_wrapping
from triage.model.case import ExceptionInfo

_MAX_CHAIN = 10
_LINK = re.compile(
    r"\n(The above exception was the direct cause of the following exception"
    r"|During handling of the above exception, another exception occurred):[ ]*(?=\n)"
)
_LOCATION = re.compile(r"(?m)^[^\s:>][^\n:]*:\d{1,9}:(?: in \S[^\n]*| ?[\w.]*)$")
_CAUSE_HINT = "exception was the direct cause of the"
_CONTEXT_HINT = "another exception occurred:"
_SAID_ONLY = "Failed: "  # how pytest names what it shows without a traceback
_SAID_ONLY_WITHIN = 40
_OF_PYTHON = ("builtins.", "exceptions.")  # nose writes them before Python's own classes
_COLLECT_ERROR = ".CollectError"
_Chain = tuple[ExceptionInfo, ...]
_Read = Callable[[str, str], _Chain]


def parse_failure(text: str, message: str = "", type_: str = "", root: str = "") -> _Chain:
    """The chain that a failure's text shows, the exception that decided first; never empty.

    `message` and `type_` are the report's attributes, for texts that show no exception; paths below
    `root` (absolute) become relative to it.
    """
    if type_.startswith(_OF_PYTHON):
        type_ = type_.partition(".")[2]
    if _SAID_ONLY in message[:_SAID_ONLY_WITHIN] and (said := _said_only(text, message)):
        return (said,)
    if len(text) <= len(message) and _is_repeated(text, message):
        return (ExceptionInfo(*from_attributes(text, message, type_)),)
    if is_wrapped(text, message, type_):
        if difference := read_difference(text, root):
            return (difference,)
        text, message, type_ = without_wrapping(text, message, type_)
    chain = _read_python_s(text, message, root) if TITLE in text else _read_chain(text, root, _read_entries)
    if chain[0].type.endswith(_COLLECT_ERROR):
        chain = _beneath(chain, root)
    return _completed(chain, text, message, type_)[:_MAX_CHAIN]


def _is_repeated(text: str, message: str) -> bool:
    """Until version 7 pytest writes what it shows without a traceback as text and as message."""
    shown = text.strip()
    return (
        shown == unwrap(message).strip()
        and not shown.startswith(("E  ", "file ", TITLE, "+ "))
        and not is_wrapped(text, message, "")
        and not (find_mark(text) >= 0 and _LOCATION.search(text))  # old pytest under --forked or xdist
    )


def _beneath(chain: _Chain, root: str) -> _Chain:
    """`--full-trace` shows pytest's own error about a module above the module's."""
    if len(chain) > 1 and chain[1].via == "cause":
        return replace(chain[1], via="raised"), *chain[2:]
    return _read_chain(chain[0].message, root, _read_block)


def _said_only(text: str, message: str) -> ExceptionInfo | None:
    """`pytest.fail(..., pytrace=False)` and pytest's own complaints: the text is the message, no more."""
    found = split_type(unwrap(message))
    shown = text.strip()
    if found is None or not shown.startswith(found[1].strip() or shown):
        return None
    if not found[1] and shown:
        return None
    return ExceptionInfo(found[0], shown or found[1])


def _completed(chain: _Chain, text: str, message: str, type_: str) -> _Chain:
    """The attributes say what the text does not: the exception, or the module of its class."""
    head = chain[0]
    if not head.type and not head.message:
        name, said = from_attributes(text, message, type_)
        return replace(head, type=name, message=said), *chain[1:]
    if "." in type_ and "." not in head.type and same_name(type_, head.type):
        return replace(head, type=type_), *chain[1:]
    return chain


def _read_python_s(text: str, message: str, root: str) -> _Chain:
    """A text that holds one of Python's own tracebacks, if only in what it says."""
    if not is_python_s_own(text) and not is_group(text):
        return _read_chain(text, root, _read_block)
    head, *others = _read_chain(text, root, _read_block, _start_of_head(text, message))
    return replace(head, message=without_output(head.message, message)), *others


def _read_chain(text: str, root: str, read: _Read, until: int | None = None) -> _Chain:
    if _CAUSE_HINT not in text and _CONTEXT_HINT not in text:
        return read(text, root)
    blocks, links = _linked(text, len(text) if until is None else until)
    head, *rest = read(blocks[-1], root)
    found = [head, *(one for one in rest if one.via != "group")]
    for block, link in zip(reversed(blocks[:-1]), reversed(links), strict=True):
        first, *others = read(block, root)
        if not (is_python_s_own(block) and _same(first, found[-1])):
            found.append(_hung(first, link))
        found += others
    return *found, *(one for one in rest if one.via == "group")


def _hung(one: ExceptionInfo, via: str) -> ExceptionInfo:
    """`dataclasses.replace` costs more than all else that a chain costs."""
    return ExceptionInfo(one.type, one.message, frames=one.frames, via=via, raised_in=one.raised_in)


def _same(one: ExceptionInfo, other: ExceptionInfo) -> bool:
    """Where a chain holds a group, pytest shows some of it in Python's style and in its own."""
    return (one.type, one.message) == (other.type, other.message)


def _linked(text: str, until: int) -> tuple[list[str], list[str]]:
    """The blocks of a chain, root first, and how each hangs on the next; no link begins behind `until`."""
    blocks, links = [], []
    start = 0
    text = "\n" + text
    for match in _LINK.finditer(text, 0, until + 1):
        blocks.append(text[start : match.start()])
        links.append("cause" if match[1].startswith("The") else "context")
        start = match.end()
    return [*blocks, text[start:]], links


def _start_of_head(text: str, message: str) -> int | None:
    """Where the last exception is named, if it says what looks like a link; the attribute tells."""
    said = unwrap(message).rstrip()
    if is_python_s_own(said) or is_group(said):  # the attribute repeats the text
        return None
    if _CAUSE_HINT in said or _CONTEXT_HINT in said:
        whole = text.rstrip()
        return whole.rfind("\n", 0, len(whole) - len(said)) if whole.endswith(said) else None
    is_cut = len(said) < len(message.rstrip()) and "more line" in message[-60:]
    place = text.rfind("\n" + said) if is_cut else -1
    return place if place >= 0 else None


def _read_block(block: str, root: str) -> _Chain:
    """One exception; with its parts where it is a group."""
    if TITLE in block:
        if is_group(block):
            return read_group(block, root, lambda part: _read_chain(part, root, _read_block))
        if is_python_s_own(block):
            return (read_traceback(block, root),)
    return _read_entries(block, root)


def _read_entries(block: str, root: str) -> _Chain:
    mark = find_mark(block)
    return (read_block(block, mark, root) if mark >= 0 else read_traceback(block, root),)
