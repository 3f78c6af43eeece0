"""Text from outside, made harmless for where it goes."""

import re

_TABLE = str.maketrans({"|": "\\|", "\n": " ", "\r": " ", "<": "&lt;", ">": "&gt;"})
_INLINE = re.compile(r"([\\`*_\[\]#!~@])")
_RUNS = re.compile(r"`+")
# A zero-width space inside the trigger: GitHub honours `::cmd::` at a line's start and `##[cmd]`
# anywhere, Azure `##vso[` (actions/runner, ActionCommand.cs).
_COMMANDS = re.compile(r"(^\s*:|#)([:#])|(?<=##)(?=(?:\[|vso\[))", re.MULTILINE)


def inline(text: str) -> str:
    """Plain words inside Markdown: one line, no markup, no HTML, no mention."""
    return neutral(_INLINE.sub(r"\\\1", " ".join(text.split())).replace("<", "&lt;").replace("|", "\\|"))


def code(text: str) -> str:
    """A code span that the text cannot end."""
    flat = " ".join(text.split()).replace("|", "\\|")
    longest = max((len(run) for run in _RUNS.findall(flat)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if flat[:1] == "`" or flat[-1:] == "`" else ""
    return neutral(f"{fence}{pad}{flat}{pad}{fence}") if flat else "` `"


def block(text: str, language: str = "") -> str:
    """A fenced block that the text cannot end."""
    longest = max((len(run) for run in _RUNS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{neutral(text)}\n{fence}"


def neutral(text: str) -> str:
    """Text in which a CI system finds no command of its own."""
    return _COMMANDS.sub(lambda match: f"{match[1] or ''}\u200b{match[2] or ''}", text)
