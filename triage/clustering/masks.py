"""The start of a message with placeholders for what varies from run to run; all in linear time."""

import re
from functools import lru_cache

from triage.clustering.randomness import looks_random

_MESSAGE_CHARS = 600
_LINES = 3
_UUID_DASHES = 4
_TAILS = ("[SQL:", "[parameters:", "(Background on this error")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]+")
_UUID = re.compile(r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b")
_ZEROS = bytes.maketrans(b"123456789", b"000000000")  # ten times as fast as on text
_REST = r"[^\s'\"`:,;()\]]*"  # of a path
_IP = r"(?<![\w:.])(?:[0-9a-fA-F]{0,4}:){3,8}[0-9a-fA-F]{0,4}(?![\w:])"
_QUOTED = (
    r"(?<![\w'])(?:[bBuUrRfF]{1,2})?'[^'\\\n]*(?:(?:\\.|(?<=\w)'(?=\w))[^'\\\n]*)*'(?!\w)"
    r"|(?<![\w\"])(?:[bBuUrRfF]{1,2})?\"[^\"\\\n]*(?:\\.[^\"\\\n]*)*\"(?!\w)"
)
_LONG_WORD = r"(?<![\w+/=-])[\w+/=-]{16,}(?![\w+/=-])"
_HEX = r"\b(?=[a-fA-F]{0,40}\d)[0-9a-fA-F]{7,}\b"
# Most words are plain: a look ahead from their start passes them by, and no other place in them is tried.
_VARYING = re.compile(
    r"(?<!\w)(?=[A-Za-z_])(?:"
    r"(?P<day>[MTWFS][a-z]{2}, 00 [A-Z][a-z]{2} 0000 00:00:00)"
    r"|(?P<temporary>tmp[a-z0_]{8}\b)"
    r"|(?=[A-Za-z_]*(?:[^A-Za-z_\s.,;:)\]>]|:[0-9a-fA-F:/\\]))(?:"
    r"(?P<time>datetime\.\w{1,20}\([^()\n]*\))"
    r"|(?P<link>[a-z][a-z0+]{1,20}://[^\s'\"<>)]*)"
    rf"|(?P<path>[A-Za-z]:\\{_REST}|pytest-of-{_REST})"
    rf"|(?P<ip>{_IP})|(?P<text>{_QUOTED})|(?P<token>{_LONG_WORD})|(?P<hex>{_HEX})))"
    r"|(?=[0-9'\"/:(+=-])(?:"
    r"(?P<time_>0000-00-00(?:[T ]00:00(?::00(?:[.,]0+)?)?(?:Z|[+-]00:?00)?)?|00:00:00(?:[.,]0+)?)"
    r"|(?P<path_>(?<![\w.])/(?:tmp|var|private|home|Users|root|builds|opt|usr|mnt|srv|github|workspaces?|__w"
    rf"|run|dev|data|nix)/{_REST})"
    rf"|(?P<ip_>{_IP})"
    r"|(?P<row_>(?<==)\([^()\n]*\)|(?<=row contains )\([^\n]*\))"
    rf"|(?P<text_>{_QUOTED})|(?P<token_>{_LONG_WORD})|(?P<hex_>{_HEX})"
    r"|(?P<number_>(?:(?<![\w.)\]])[-+])?\d+(?:[.,_]\d+)*(?:[eE][+-]?\d+)?))"
)
_VARYING_IN_WORDS = re.compile(r"(?P<hex>\b(?=[a-fA-F]{0,40}\d)[0-9a-fA-F]{7,}\b)|(?P<number>\d+)")
_KINDS = {name: f"<{name.rstrip('_')}>" for name in (*_VARYING.groupindex, *_VARYING_IN_WORDS.groupindex)}
_KINDS |= {"number_": "#", "day": "<time>", "temporary": "<path>"}
_MAIL = re.compile(r"(?<![\w.+#-])[\w.+#-]+@[\w.#-]+")
_NAME = re.compile(r"['\"][^\W\d][\w.]*['\"]")
_BEFORE_VALUE = re.compile(
    r"(?:\b(?:entry|value|string|literal|input|data|base 0+|float|type \w{1,20}):? "
    r"|(?<!name)=|<[A-Z]\w{0,60} )$"
)
_BEFORE_CHARS = 64
_NAMED = ("<Flask ", "<Blueprint ", "<Enum ", "<Table ", "<Column ")  # reprs whose name tells things apart
_DIGITS = re.compile(r"\d+")
_REPEATED = re.compile(r"(<\w{1,8}>|#)(?:, \1)+")
_BRACES = re.compile(r"\{([^{}\n]*, [^{}\n]*)\}")


def masked(message: str, *, is_assertion: bool) -> str:
    """At most 600 characters on one line.

    Of an assertion only the first line counts, and quoted names are values, too. What varies most is
    made equal first, so that the costly rest is done once per kind of message.
    """
    text = message[: _MESSAGE_CHARS * 2]
    for tail in _TAILS:
        if tail in text:
            text = text.partition(tail)[0]
    if "0x" in text:
        text = _ADDRESS.sub("<address>", text)
    if text.count("-") >= _UUID_DASHES:
        text = _UUID.sub("<id>", text)
    zeros = text.encode("utf-8", "surrogatepass").translate(_ZEROS)
    return _masked(zeros.decode("utf-8", "surrogatepass"), is_assertion)


@lru_cache(maxsize=8192)
def _masked(text: str, is_assertion: bool) -> str:
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    text = "\n".join(lines[: 1 if is_assertion else _LINES])[:_MESSAGE_CHARS]
    text = _VARYING.sub(_value if is_assertion else _value_or_name, text)
    if "@" in text:
        text = _MAIL.sub("<mail>", text)
    if ", " in text:
        text = _REPEATED.sub(r"\1, ..", text)
        if "{" in text:
            text = _BRACES.sub(_in_order, text)
    return text.replace("\n", " ")


def _value(match: re.Match[str]) -> str:
    kind = _KINDS[match.lastgroup or ""]
    found = match[0]
    if kind == "<token>" and not looks_random(found):
        return _VARYING_IN_WORDS.sub(_value, found)
    return "#" if found.isdigit() else kind


def _value_or_name(match: re.Match[str]) -> str:
    found = match[0]
    if match.lastgroup in ("text", "text_") and _NAME.fullmatch(found) and not _is_value(match):
        return _DIGITS.sub("#", found)
    return _value(match)


def _is_value(match: re.Match[str]) -> bool:
    """A quoted word that is what somebody gave, not what something is called."""
    if looks_random(match[0][1:-1]):
        return True
    before = match.string[max(0, match.start() - _BEFORE_CHARS) : match.start()]
    return _BEFORE_VALUE.search(before) is not None and not before.endswith(_NAMED)


def _in_order(match: re.Match[str]) -> str:
    """Sets and dictionaries are written in any order."""
    return "{" + ", ".join(sorted(set(match[1].split(", ")))) + "}"
