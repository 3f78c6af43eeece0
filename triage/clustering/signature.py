"""What one failure has in common with others of its kind, as one line of text.

On the exception, its masked message and the project's own frames, never on the whole text, whose
library frames and values would make one cluster of each failure.
"""

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from triage.clustering.masks import masked
from triage.model.case import Frame
from triage.text import shorten

VERSION = "v2"
WILD = "<*>"  # in a signature of many failures: any words, or none
_BETWEEN = " | "
_OWN_FRAMES = 3
_SHORTEST_HEAD = 24


class Parts(NamedTuple):
    """`said` is the masked message, `places` the own frames, deepest first; both may be empty."""

    type: str
    said: str
    places: str


def signature(type_: str, message: str, frames: Iterable[Frame]) -> str:
    """`TYPE: MESSAGE | PLACES`, without what is empty."""
    name = _plain(type_).replace(": ", ":") or "unknown"
    said = _plain(masked(message, is_assertion=name == "AssertionError"))
    return joined(Parts(name, said, _places(frames)))


def joined(parts: Parts) -> str:
    head = f"{parts.type}: {parts.said}" if parts.said else parts.type
    return f"{head}{_BETWEEN}{parts.places}" if parts.places else head


def parts_of(signature_: str) -> Parts:
    """The opposite of `joined`."""
    head, between, places = signature_.rpartition(_BETWEEN)
    name, _, said = (head if between else places).partition(": ")
    return Parts(name, said, places if between else "")


@lru_cache(maxsize=1024)
def fingerprint(signature_: str) -> str:
    """A versioned hash of a signature, 16 hexadecimal digits."""
    digest = hashlib.blake2b(signature_.encode("utf-8", "backslashreplace"), digest_size=8)
    return f"{VERSION}:{digest.hexdigest()}"


def shortened(signature_: str, limit: int) -> str:
    """About `limit` characters of it: the message is cut, the places tell two causes apart and stay."""
    head, between, places = signature_.rpartition(_BETWEEN)
    if len(signature_) <= limit:
        return signature_
    if not between:
        return shorten(signature_, limit)
    room = max(limit - len(between) - len(places), _SHORTEST_HEAD)
    return (head if len(head) <= room else head[: room - 1] + "…") + between + places


def _plain(text: str) -> str:
    """Without what has a meaning in a signature."""
    if "\n" in text or "\r" in text:
        text = " ".join(text.split())
    if "| " in text or " |" in text:
        text = text.replace("|", "¦")
    return text.replace(WILD, "<>") if WILD in text else text


def _places(frames: Iterable[Frame]) -> str:
    """The deepest own frames; tests' own functions do not count, as one cause breaks many tests."""
    inner: list[str] = []
    file = ""
    for frame in frames:
        if frame.kind == "project" or (frame.kind == "test" and not frame.function.startswith("test")):
            inner.append(f"{frame.file}:{frame.function}")
        elif frame.kind == "test":
            file = frame.file
    if inner:
        file = inner[0] if len(inner) == 1 else " < ".join(list(dict.fromkeys(reversed(inner)))[:_OWN_FRAMES])
    return _plain(file)
