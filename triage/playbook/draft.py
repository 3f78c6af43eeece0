"""From failures that look alike to the conditions that a playbook would know them by."""

import builtins
import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from triage.clustering.randomness import looks_random
from triage.model.case import ExceptionInfo, Frame
from triage.playbook.conditions import module_of
from triage.playbook.expressions import compile_expression
from triage.playbook.words import words_of

_TOKEN = re.compile(r"\s+|0x[0-9a-fA-F]+|[^\W\d_]\w*|\d[\d.,:]*(?=\D|\Z)|\w+|[^\w\s]")
_NUMBER = re.compile(r"\d[\d.,:]*")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]+")
_WORD = re.compile(r"[^\s'\"]+")
_CLASS_NAME = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_NUMBERED = ("Errno", "WinError")  # the number after them is a part of the wording
_ANYTHING = r"\S"
_HEAD_CHARS = 400  # of a message that take part: to compare two takes the square of them
_SAMPLES = 20  # messages that an expression is made of
_ENOUGH = 10  # letters that an expression must ask for; fewer are found by chance
_KEPT = 3  # samples in which a number is equal before it is taken for a part of the wording
_LINES = (1, 2, 4, 8)  # of a message, the fewest that tell its cluster from others
_CHOICES = 5  # wordings that stand beside one another in one expression
_MAX_CHARS = 1_000  # of an expression; a playbook may have twice as many


@dataclass(frozen=True, slots=True)
class _Gap:
    """What stood between two fixed parts, in each sample that differed there."""

    seen: frozenset[str]


def symptoms(exceptions: Sequence[ExceptionInfo]) -> Iterator[dict[str, Any]]:
    """Conditions that all of these may meet, the best first; none where they share nothing to ask for.

    Words come before places, as files are moved more often than messages are changed; the other way
    round where the words are few.
    """
    names = class_names(exceptions)
    asked: dict[str, Any] = {"exception": names[0] if len(names) == 1 else names} if names else {}
    messages = list(dict.fromkeys(words_of(one.message) for one in exceptions))
    long, short = _long(messages), _short(messages)
    places = _places(exceptions)
    for place in ({}, *places):
        for one in long:
            yield {**asked, **place, "message": one}
    is_own = bool(names) and not any(hasattr(builtins, one) for one in names)
    for place in (*places, {}):
        yield from ({**asked, **place, "message": one} for one in short)
    if asked and not any(one.strip() for one in messages):
        yield from ({**asked, **place, "unless": _ANYTHING} for place in places)
        if is_own:
            yield {**asked, "unless": _ANYTHING}
    if asked:
        yield from ({**asked, **place} for place in places)
    if is_own:
        yield asked


def class_names(exceptions: Iterable[ExceptionInfo]) -> list[str]:
    """Names that a symptom can ask for; none where a class among them has no such name."""
    names: dict[str, None] = {}
    for type_ in dict.fromkeys(one.type for one in exceptions):
        name = type_.rpartition("<locals>.")[2]
        if not _CLASS_NAME.fullmatch(name) or (name != type_ and hasattr(builtins, name)):
            return []
        names[name] = None
    return list(names)


def expression(messages: Sequence[str], lines: int = 1) -> str | None:
    """An RE2 expression that is found in all of these messages; None where they share too few words."""
    heads = list(dict.fromkeys(_head(one, lines) for one in messages))[:_SAMPLES]
    if not heads:
        return None
    parts: list[str | _Gap] = list(_TOKEN.findall(heads[0]))
    for head in heads[1:]:
        parts = _merged(parts, _TOKEN.findall(head))
    if len(heads) < _KEPT:
        parts = [_loosened(one, parts[:place]) for place, one in enumerate(parts)]
    letters = sum(len(one) for one in parts if isinstance(one, str) and one.isalpha())
    return "".join(map(_written, parts)).strip() if letters >= _ENOUGH else None


def exactly(message: str, lines: int = 1) -> str:
    """An expression for messages that begin with these lines, or that are them where there are no more."""
    head = _head(message, lines)
    parts = [_escaped(one) for one in _ADDRESS.split(head)]
    end = "$" if head == message else ""
    return f"^{_ADDRESS.pattern.join(parts)}{end}"


def found_in_all(made: str, messages: Iterable[str]) -> bool:
    compiled = compile_expression(made, "the draft")
    return all(compiled.search(words_of(message)) for message in messages)


def deepest_file(exceptions: Iterable[ExceptionInfo]) -> str | None:
    """The file of own code, tests left out, that raised every one of them."""
    files = {_deepest(one.frames) for one in exceptions}
    return files.pop() if len(files) == 1 else None


def _long(messages: Sequence[str]) -> list[str]:
    """Expressions that ask for words enough; the later ones for more lines, or for the whole message."""
    found: list[str] = []
    seen: list[str] = []
    for lines in _LINES:
        heads = [_head(one, lines) for one in messages]
        made = expression(messages, lines) if heads != seen else None
        seen = heads
        if made is not None:
            found += [made, f"^{made}"]
            if heads == list(messages):
                found.append(f"^{made}$")
    return _holding(found, messages)


def _short(messages: Sequence[str]) -> list[str]:
    """Whole wordings, where they are few."""
    if not messages or not all(one.strip() for one in messages):
        return []
    if len(messages) == 1:
        found = [exactly(messages[0], lines) for lines in _LINES]
    else:
        whole = [exactly(one)[1:-1] for one in messages if _head(one, 1) == one]
        found = [f"^(?:{'|'.join(whole)})$"] if len(whole) == len(messages) <= _CHOICES else []
    return _holding(found, messages)


def _holding(found: Iterable[str], messages: Sequence[str]) -> list[str]:
    return [one for one in dict.fromkeys(found) if len(one) <= _MAX_CHARS and found_in_all(one, messages)]


def _places(exceptions: Sequence[ExceptionInfo]) -> list[dict[str, str]]:
    places: list[dict[str, str]] = []
    own = deepest_file(exceptions)
    if own is not None:
        places.append({"frames": glob(own)})
    modules = {module_of(one) for one in exceptions}
    module = modules.pop() if len(modules) == 1 else None
    if module is not None:
        places.append({"raised_in": glob(module)})
        places += [{"raised_in": glob(module), "frames": glob(own)}] if own is not None else []
    return places


def glob(path: str) -> str:
    """A glob that this path alone fits."""
    return re.sub(r"([*?\[])", r"[\1]", path)


def _head(message: str, lines: int) -> str:
    """The first lines, from the first that says anything; of one line without the spaces around it."""
    found = message.strip().split("\n")[:lines]
    return "\n".join(found).rstrip()[:_HEAD_CHARS]


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


def _loosened(part: str | _Gap, before: Sequence[str | _Gap]) -> str | _Gap:
    """What may vary: a number or random word of which too few samples show that it stays."""
    if not isinstance(part, str) or (
        _NUMBER.fullmatch(part) and before[-2:-1] in [[one] for one in _NUMBERED]
    ):
        return part
    varies = _NUMBER.fullmatch(part) or _ADDRESS.fullmatch(part) or looks_random(part)
    return _Gap(frozenset([part])) if varies else part


def _written(part: str | _Gap) -> str:
    if isinstance(part, str):
        return _escaped(part) if not part.isspace() else " " if part == " " else r"\s+"
    for kind in (_ADDRESS, _NUMBER, _WORD):
        if all(kind.fullmatch(one) for one in part.seen):
            return kind.pattern
    return r"(?s:.*)" if any("\n" in one for one in part.seen) else r"[^\n]*"


def _escaped(text: str) -> str:
    return re.sub(r"([\\.^$*+?{}\[\]|()])", r"\\\1", text)


def _deepest(frames: Sequence[Frame]) -> str | None:
    found = next((frame.file for frame in reversed(frames) if frame.kind == "project"), None)
    return None if found is None or posixpath.isabs(found) else found
