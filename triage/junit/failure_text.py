"""pytest's failure texts, and plain Python tracebacks, to chains of exceptions.

Every `--tb` style is read: `E` lines hold the exception, `path:line: in function` (short),
`path:line: Name` (long) and `File "path", line n, in function` (native) the frames. All
expressions are anchored at line breaks and run in linear time.
"""

import itertools
import re
from dataclasses import dataclass
from functools import lru_cache

from triage.junit.places import is_runner, place
from triage.model.case import ExceptionInfo, Frame

_MAX_CHAIN = 10
_MAX_FRAMES = 200
_SOURCE_CHARS = 300
_LINK = re.compile(
    r"\n[ |]*(The above exception was the direct cause of the following exception"
    r"|During handling of the above exception, another exception occurred):[ ]*(?=\n)"
)
_CAUSE_HINT = "exception was the direct cause of the"
_CONTEXT_HINT = "another exception occurred:"
_ENTRY = re.compile(r"([^\s:>][^:]*):(\d{1,9}):(?: in (.+)| ?([\w.]*))")
_NATIVE = re.compile(
    r'\n *File "([^"\n]+)", line (\d{1,9})(?:, in ([^\n]+))?'
    r'(?:\n {4,}(?!File ")([^\n]+))?(?:\n[ ~^]+(?=\n|\Z))?'
)
_TYPE = re.compile(r"((?:[^\W\d]\w*\.|<locals>\.)*[^\W\d]\w*)(?:: ?(.*)|$)", re.DOTALL)
_TYPE_ENDINGS = ("Error", "Exception", "Exit", "Interrupt", "Failed", "Warning", "Group", "StopIteration")
_DEFINITION = re.compile(r">? *(?:async )?def (\w+)")
_MARGIN = re.compile(r"(?m)^[ ]*(?:\|[ ]?|\+-(?=\+-)|\+(?= Exception Group))")
_PART = re.compile(r"\n *\+-[+-]*[^\n]*")
_CUT_NOTE = re.compile(r"\[\+\d+ more lines?; full report in element text\]\"?")
_WRAPPED = re.compile(r'\A(?:failed on (?:setup|teardown) with|test (?:setup|teardown) failure:?) "?')


def parse_failure(text: str, message: str = "", type_: str = "", root: str = "") -> tuple[ExceptionInfo, ...]:
    """The chain that a failure's text shows, the exception that decided first; never empty.

    `message` and `type_` are the report's attributes, for texts that show no exception; paths below
    `root` (absolute) become relative to it.
    """
    if "Exception Group Traceback (" in text:
        return _group(text, message, type_, root)
    blocks, links = _linked(text)
    chain = [_block(block, root) for block in blocks]
    head = chain[-1]
    if not head.type and not head.message:
        chain[-1] = _from_attributes(head, message, type_)
    vias = ["raised", *reversed(links)]
    found = [_hung(info, via) for info, via in zip(reversed(chain), vias, strict=True)]
    return tuple(found[:_MAX_CHAIN])


def unwrap(message: str) -> str:
    """The message attribute without pytest's wrapping and its note about what was cut."""
    match = _WRAPPED.match(message)
    if match is None:
        return _without_note(message)
    return _without_note(message[match.end() :]).removesuffix('"')


def _without_note(message: str) -> str:
    note = message.rfind("[+")
    cut = note >= 0 and _CUT_NOTE.fullmatch(message, note)
    return message[:note].rstrip("\n") if cut else message


def split_type(line: str) -> tuple[str, str] | None:
    """`Qualified.Name: text` in its two halves; None where `line` does not begin so."""
    match = _TYPE.match(line)
    if match is None:
        return None
    name, rest = match.groups()
    last = name.rpartition(".")[2].lstrip("_")
    if not ("." in name or last[:1].isupper()):
        return None
    if rest is None and not ("." in name or name.endswith(_TYPE_ENDINGS)):
        return None
    return name, rest or ""


def _linked(text: str) -> tuple[list[str], list[str]]:
    """The blocks of a chain, root first, and how each hangs on the next."""
    if _CAUSE_HINT not in text and _CONTEXT_HINT not in text:
        return [text], []
    pieces = _LINK.split("\n" + text)
    return pieces[::2], ["cause" if link.startswith("The") else "context" for link in pieces[1::2]]


def _hung(info: ExceptionInfo, via: str) -> ExceptionInfo:
    if via == info.via:
        return info
    return ExceptionInfo(info.type, info.message, frames=info.frames, via=via, raised_in=info.raised_in)


def _block(block: str, root: str) -> ExceptionInfo:
    """One traceback: frames, then the exception, in the long style its location after it."""
    mark = 0 if block.startswith("E  ") else block.find("\nE  ") + 1
    if not mark and not block.startswith("E  "):
        return _native("\n" + block, root)
    said, rest = _marked_lines(block[mark:].split("\n"))
    frames, name = _entries(block[:mark] + rest, root)
    if said[0].lstrip().startswith('File "'):
        return _syntax_error(said, frames, root)
    kind, message = _exception(said, name)
    return ExceptionInfo(kind, message, frames=_bounded(frames), raised_in=_raised_in(frames))


def _entries(text: str, root: str) -> tuple[list[Frame], str]:
    """Frames of the short and long styles, and the class name beside the last location.

    All but the first entry is looked up: many tests fail along one way below their own line.
    """
    end = _end_of_first(text)
    first, name = _read_entries.__wrapped__(text[:end], root)
    others, later = _read_entries(text[end:], root)
    return [*first, *others], later or name


def _end_of_first(text: str) -> int:
    """Behind the first location and the source line that the short style has below it."""
    start = 0
    while (end := text.find("\n", start)) >= 0:
        if end > start and text[start] not in " >" and _ENTRY.fullmatch(text, start, end):
            below = text.find("\n", end + 1)
            return below if below >= 0 else len(text)
        start = end + 1
    return len(text)


@lru_cache(maxsize=512)
def _read_entries(text: str, root: str) -> tuple[tuple[Frame, ...], str]:
    lines = text.split("\n")
    frames: list[Frame] = []
    name = source = ""
    start = 0
    for index, line in enumerate(lines):
        if not line or line[0] == " ":
            continue
        if line[0] == ">":
            source = line[1:]
        elif entry := _entry(line, lines[index + 1] if index + 1 < len(lines) else "", root):
            if entry.frame is None:
                name = entry.name or name
                frames.append(_frame(entry.path, entry.line, _function(lines[start:index]), source, root))
            else:
                frames.append(entry.frame)
            start, source = index + 1, ""
    return tuple(frames), name


def _syntax_error(lines: list[str], frames: list[Frame], root: str) -> ExceptionInfo:
    """Python shows the place of a syntax error within the exception itself."""
    shown = _native("\n" + "\n".join([f"  {lines[0].lstrip()}", *lines[1:]]), root)
    own = (*frames, *shown.frames)
    return ExceptionInfo(
        shown.type, shown.message, frames=_bounded(list(own)), raised_in=_raised_in(list(own))
    )


def _marked_lines(lines: list[str]) -> tuple[list[str], str]:
    """The `E` lines without their margin, and what follows them; `--tb=line` marks the first only."""
    first = lines[0]
    margin = len(first) - len(first[1:].lstrip())
    found = [first[margin:]]
    for index, line in enumerate(lines[1:], 1):
        if line.startswith("E  ") or line == "E":
            found.append(line[1:].lstrip() if line[1:margin].strip() else line[margin:])
        elif line.startswith("    "):
            found.append(line[4:])
        else:
            return found, "\n".join(lines[index:])
    return found, ""


def _exception(lines: list[str], location_name: str) -> tuple[str, str]:
    """Type and full message; a bare assert shows no class name, a missing fixture neither."""
    whole = "\n".join(lines).rstrip()
    if whole.startswith("assert ") or whole == "assert":
        return "AssertionError", whole
    if whole.startswith("fixture '") and "not found" in lines[0]:
        return "_pytest.fixtures.FixtureLookupError", whole
    return split_type(whole) or (location_name, whole)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A location line; `frame` is None in the long style, whose function stands above it."""

    path: str
    line: str
    name: str
    frame: Frame | None


@lru_cache(maxsize=4096)
def _entry(text: str, below: str, root: str) -> _Entry | None:
    match = _ENTRY.fullmatch(text)
    if match is None:
        return None
    path, line, function, name = match.groups()
    source = below if below.startswith("    ") else ""
    frame = _frame(path, line, function, source, root) if function else None
    return _Entry(path, line, name or "", frame)


def _function(lines: list[str]) -> str:
    """The long style shows a function from its first line on, above the location."""
    for line in lines:
        if "def " in line and (match := _DEFINITION.match(line)):
            return match[1]
    return "<module>"


def _native(text: str, root: str) -> ExceptionInfo:
    frames = []
    end = 0
    for match in _NATIVE.finditer(text):
        if end and text[end : match.start()].strip() and not _is_repeat(text[end : match.start()]):
            break  # the message begins; what looks like a frame there belongs to it
        path, line, function, source = match.groups()
        frames.append(_frame(path, line, function or "<module>", source or "", root))
        end = match.end()
    lines = text[end:].split("\n")
    said = itertools.dropwhile(lambda line: not line or line.startswith((" ", "Traceback (")), lines)
    kind, message = split_type("\n".join(said).rstrip()) or ("", "")
    own = _without_runner(frames)
    return ExceptionInfo(kind, message, frames=_bounded(own), raised_in=_raised_in(own))


def _is_repeat(between: str) -> bool:
    return all(line.startswith("  ") for line in between.split("\n") if line)


def _without_runner(frames: list[Frame]) -> list[Frame]:
    for index, frame in enumerate(frames):
        if not is_runner(frame.file):
            return frames[index:]
    return frames


def _from_attributes(info: ExceptionInfo, message: str, type_: str) -> ExceptionInfo:
    """No exception in the text: what the attributes say."""
    shown = unwrap(message).rstrip()
    bare = ("AssertionError", shown) if shown.startswith("assert ") else None
    found = bare or split_type(shown) or (type_, shown)
    if type_ and found[0] != type_:
        found = (type_, shown)
    return ExceptionInfo(*found, frames=info.frames, raised_in=info.raised_in)


def _group(text: str, message: str, type_: str, root: str) -> tuple[ExceptionInfo, ...]:
    """An exception group is shown in Python's own style, its parts behind a margin."""
    parts = _PART.split("\n" + text)
    head, *rest = [_block(_MARGIN.sub("", part), root) for part in parts[:_MAX_CHAIN]]
    if not head.type:
        head = _from_attributes(head, message, type_)
    return head, *[_hung(part, "group") for part in rest if part.type]


def _raised_in(frames: list[Frame]) -> str | None:
    return next((frame.file for frame in reversed(frames) if frame.kind != "generated"), None)


def _bounded(frames: list[Frame]) -> tuple[Frame, ...]:
    half = _MAX_FRAMES // 2
    return tuple(frames if len(frames) <= _MAX_FRAMES else frames[:half] + frames[-half:])


@lru_cache(maxsize=4096)
def _frame(path: str, line: str, function: str, source: str, root: str) -> Frame:
    file, kind = place(path, root)
    shown = source.strip()[:_SOURCE_CHARS] or None
    return Frame(file, int(line), function[:_SOURCE_CHARS], kind, source=shown)
