"""From failures that look alike to the condition that a playbook would know them by."""

import posixpath
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from triage.model.case import ExceptionInfo, Frame
from triage.playbook.expressions import compile_expression

_TOKEN = re.compile(r"\s+|0x[0-9a-fA-F]+|[^\W\d_]\w*|\d[\d.,:]*(?=\D|\Z)|\w+|[^\w\s]")
_NUMBER = re.compile(r"\d[\d.,:]*")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]+")
_WORD = re.compile(r"[^\s'\"]+")
_LINE_CHARS = 400
_SAMPLES = 50  # messages that an expression is made of
_ENOUGH = 10  # letters that an expression must ask for; fewer are found by chance
_WORDS = 5  # of an id
_KEPT = 3  # samples in which a number is equal before it is taken for a part of the wording


@dataclass(frozen=True, slots=True)
class _Gap:
    """What stood between two fixed parts, in each sample that differed there."""

    seen: frozenset[str]


def expression(messages: Sequence[str]) -> str | None:
    """An RE2 expression that is found in all of these messages; None where they share too few words."""
    lines = list(dict.fromkeys(map(_first_line, messages)))[:_SAMPLES]
    if not lines:
        return None
    parts: list[str | _Gap] = list(_TOKEN.findall(lines[0]))
    for line in lines[1:]:
        parts = _merged(parts, _TOKEN.findall(line))
    if len(lines) < _KEPT:
        parts = [_loosened(one) for one in parts]
    letters = sum(len(one) for one in parts if isinstance(one, str) and one.isalpha())
    return "".join(map(_written, parts)).strip() if letters >= _ENOUGH else None


def exactly(message: str) -> str:
    """An expression for messages that begin with the first line of this one."""
    return f"^{_escaped(_first_line(message))}"


def found_in_all(made: str, messages: Iterable[str]) -> bool:
    compiled = compile_expression(made, "the draft")
    return all(compiled.search(message) for message in messages)


def deepest_file(exceptions: Iterable[ExceptionInfo]) -> str | None:
    """The file of own code, tests left out, that raised every one of them."""
    files = {_deepest(one.frames) for one in exceptions}
    return files.pop() if len(files) == 1 else None


def name_of(exception: str, messages: Sequence[str], taken: Iterable[str]) -> str:
    """An id that no playbook has, from the exception's name and the words that all messages share."""
    first = _dashed(exception.rpartition(".")[2].removesuffix("Error").removesuffix("Exception"))
    said = [set(re.findall(r"[a-z]{3,}", _first_line(one))) for one in messages]
    order = re.findall(r"[a-z]{3,}", _first_line(messages[0])) if messages else []
    words = [word for word in order if all(word in one for one in said)]
    named = dict.fromkeys([*filter(None, first.split("-")), *words])
    base = "-".join(list(named)[:_WORDS])[:50].strip("-") or "unknown-failure"
    names = set(taken)
    return next(
        one for one in (base, *(f"{base}-{number}" for number in range(2, 10_000))) if one not in names
    )


def _first_line(message: str) -> str:
    return next((line.strip() for line in message.splitlines() if line.strip()), "")[:_LINE_CHARS]


def _merged(parts: Sequence[str | _Gap], tokens: Sequence[str]) -> list[str | _Gap]:
    """What both share, with gaps where they differ."""
    made: list[str | _Gap] = []
    matcher = SequenceMatcher(None, parts, tokens, autojunk=False)
    for tag, start, end, other, other_end in matcher.get_opcodes():
        if tag == "equal":
            made.extend(parts[start:end])
        else:
            seen = {"".join(tokens[other:other_end])}
            for one in parts[start:end]:
                seen |= one.seen if isinstance(one, _Gap) else {one}
            if end - start > 1:
                seen.add(" ")  # more than one token: it may hold anything
            made.append(_Gap(frozenset(seen)))
    return made


def _loosened(part: str | _Gap) -> str | _Gap:
    """A number of which too few samples show that it stays."""
    if isinstance(part, str) and (_NUMBER.fullmatch(part) or _ADDRESS.fullmatch(part)):
        return _Gap(frozenset([part]))
    return part


def _written(part: str | _Gap) -> str:
    if isinstance(part, str):
        return " " if part.isspace() else _escaped(part)
    for kind in (_ADDRESS, _NUMBER, _WORD):
        if all(kind.fullmatch(one) for one in part.seen):
            return kind.pattern
    return r"[^\n]*"


def _escaped(text: str) -> str:
    return re.sub(r"([\\.^$*+?{}\[\]|()])", r"\\\1", text)


def _deepest(frames: Sequence[Frame]) -> str | None:
    found = next((frame.file for frame in reversed(frames) if frame.kind == "project"), None)
    return None if found is None or posixpath.isabs(found) else found


def _dashed(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower())
