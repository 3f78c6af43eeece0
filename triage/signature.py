"""Failures that look alike: what varies is taken out of the text, the rest is hashed.

On the exception, its masked message and the project's own frames, never on the whole text, whose
library frames and values would make one cluster of each failure.
"""

import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache

from triage.model.case import Frame

VERSION = "v1"
_MESSAGE_CHARS = 600
_LINES = 3
_OWN_FRAMES = 3
_UUID_DASHES = 4
_TAILS = ("[SQL:", "[parameters:", "(Background on this error")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]+")
_UUID = re.compile(r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b")
_ZEROS = str.maketrans("123456789", "000000000")
_VARYING = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"
    r"|\d\d:\d\d:\d\d(?:\.\d+)?"
    r"|datetime\.\w{1,20}\([^()\n]*\))"
    r"|(?P<hex>\b(?=[a-fA-F]{0,40}\d)[0-9a-fA-F]{8,}\b)"
    r"|(?P<path>(?<![\w.])/(?:tmp|var|private|home|Users|root|builds|opt|usr|mnt|srv)/[^\s'\"`:,;()\]]*)"
    r"|(?P<link>https?://[^\s'\"<>)]*)"
    r"|(?P<text>(?<![\w'])'[^'\n]*'(?!\w)|(?<![\w\"])\"[^\"\n]*\"(?!\w))"
    r"|(?P<number>\d+(?:[.,]\d+)*(?:[eE][+-]?\d+)?)"
)
_MAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w.-]+")
_NAME = re.compile(r"['\"][^\W\d][\w.]*['\"]")
_DIGITS = re.compile(r"\d+")


def signature(type_: str, message: str, frames: Iterable[Frame]) -> str:
    """What this failure has in common with others of its kind, on one line."""
    name = type_ or "unknown"
    said = _said(message, plain=name == "AssertionError")
    places = _places(frames)
    return " | ".join(part for part in (f"{name}: {said}" if said else name, places) if part)


def fingerprint(signature_: str) -> str:
    """A versioned hash of a signature, 16 hexadecimal digits."""
    digest = hashlib.blake2b(signature_.encode("utf-8", "backslashreplace"), digest_size=8)
    return f"{VERSION}:{digest.hexdigest()}"


def _said(message: str, *, plain: bool) -> str:
    """The start of a message with placeholders for what varies.

    What varies most is made equal first, so that the costly rest is done once per kind of message.
    """
    text = message[: _MESSAGE_CHARS * 2]
    for tail in _TAILS:
        text = text.partition(tail)[0]
    if "0x" in text:
        text = _ADDRESS.sub("<address>", text)
    if text.count("-") >= _UUID_DASHES:
        text = _UUID.sub("<id>", text)
    return _masked(text.translate(_ZEROS), plain=plain)


@lru_cache(maxsize=4096)
def _masked(text: str, *, plain: bool) -> str:
    """In an assertion quoted names are values, too."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    text = " ".join(lines[: 1 if plain else _LINES])[:_MESSAGE_CHARS]
    if "@" in text:
        text = _MAIL.sub("<mail>", text)
    return _VARYING.sub(_value if plain else _value_or_name, text)


def _value(match: re.Match[str]) -> str:
    kind = match.lastgroup
    return "#" if kind == "number" else f"<{kind}>"


def _value_or_name(match: re.Match[str]) -> str:
    if match.lastgroup == "text" and _NAME.fullmatch(match[0]):
        return _DIGITS.sub("#", match[0])
    return _value(match)


def _places(frames: Iterable[Frame]) -> str:
    """The deepest own frames; tests' own functions do not count, as one cause breaks many tests."""
    own = [frame for frame in frames if frame.is_own]
    inner = [frame for frame in own if frame.kind == "project" or not frame.function.startswith("test")]
    if inner:
        return " < ".join(f"{frame.file}:{frame.function}" for frame in reversed(inner[-_OWN_FRAMES:]))
    return own[-1].file if own else ""
