"""Text from outside, made harmless for where it goes."""

import re

from triage.text import clean_text

_MARKUP = re.compile(r"([\\`*_\[\]#!~$])")
_START = re.compile(r"^(?:[-+=]|\d{1,9}(?=[.)]))")  # what makes a list, a rule or a heading of a line
_SPAN = re.compile(r"(?<!`)`(?!`)([^`]+)(?<!`)`(?!`)")
_RUNS = re.compile(r"`+")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_ENTITY = re.compile("[&<>]")
_REFERENCE = re.compile(r"@(?=\w)|#(?=\d)")
# `::cmd::` at a line's start and `##[cmd]` anywhere are GitHub's (actions/runner, ActionCommand.cs),
# `##vso[` is Azure's, `##teamcity[` TeamCity's. What is put between them must be visible: .NET's
# comparisons by culture pass over zero-width characters.
_LINE_COMMAND = re.compile(r"((?:^|[\r\n])[^\S\r\n]*:)(?=:)")
_COMMAND = re.compile(r"#(?=#(?:vso|teamcity)?\[)", re.IGNORECASE)


def inline(text: str) -> str:
    """Plain words inside Markdown: one line, no markup, no HTML, no mention, no reference."""
    flat = neutral(" ".join(clean_text(text).split()))
    escaped = _ENTITY.sub(lambda sign: _ENTITIES[sign[0]], _MARKUP.sub(r"\\\1", flat))
    # GitHub looks for `@name` and `#1` in what is rendered, where a backslash stops nothing.
    escaped = _REFERENCE.sub("\\g<0>\u2060", escaped)
    return _START.sub(_escaped_start, escaped)


def code(text: str) -> str:
    """A code span that the text cannot end; it holds the text as it is, but on one line."""
    flat = neutral(re.sub(r"[\n\t]", " ", clean_text(text)))
    if not flat.strip(" "):
        return "` `"
    longest = max((len(run) for run in _RUNS.findall(flat)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if flat[0] in "` " or flat[-1] in "` " else ""
    return f"{fence}{pad}{flat}{pad}{fence}"


def spans(text: str) -> str:
    """As `inline`, but what stands between single backticks is a code span."""
    pieces = _SPAN.split(" ".join(clean_text(text).split()))
    return "".join(code(piece) if place % 2 else _between(piece) for place, piece in enumerate(pieces))


def _between(piece: str) -> str:
    """Words beside a code span keep their distance from it."""
    words = inline(piece)
    before, after = piece[:1].isspace() and " ", piece[-1:].isspace() and " "
    return f"{before or ''}{words}{after or ''}" if words else piece


def block(text: str, language: str = "", *, as_is: bool = False) -> str:
    """A fenced block that the text cannot end; no CI system reads what is shown `as_is`."""
    text = clean_text(text)
    longest = max((len(run) for run in _RUNS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text if as_is else neutral(text)}\n{fence}"


def cell(markdown: str) -> str:
    """Escaped Markdown for a table, whose rows are split before code spans are seen."""
    return markdown.replace("|", "\\|")


def neutral(text: str) -> str:
    """Text in which a CI system finds no command of its own."""
    return _COMMAND.sub("# ", _LINE_COMMAND.sub(r"\1 ", text))


def _escaped_start(start: re.Match[str]) -> str:
    return f"{start[0]}\\" if start[0].isdigit() else f"\\{start[0]}"
