"""Tells random words (hashes, keys, base64) from words that people chose."""

import re

_HEX = re.compile(r"(?=[a-fA-F]*\d)[0-9a-fA-F]{8,}")
_TEMPORARY = re.compile(r"tmp[a-z0-9_]{8}")  # as `tempfile` calls what it makes
_PLAIN = re.compile(r"[\w+/=-]{16,}")
_CHANGES = re.compile(r"(?<=\d)[A-Za-z]|(?<=[A-Za-z])\d|(?<=[a-z])[A-Z]|(?<=[A-Z])[a-z]")
_DIGIT_CHANGES = re.compile(r"(?<=\d)[A-Za-z]|(?<=[A-Za-z])\d")
_CHANGES_SHARE = 0.45  # base64 has 0.62 changes of its kind of character for each character
_DIGIT_SHARE = 0.25  # letters and digits of base 36 have 0.4; words with numbers in them up to 0.2


def looks_random(text: str) -> bool:
    """Whether a word of letters and digits is a hash, a key, base64 or a temporary file."""
    if _HEX.fullmatch(text) or _TEMPORARY.fullmatch(text):
        return True
    if not _PLAIN.fullmatch(text) or not any(map(str.isdigit, text)):
        return False
    if len(_DIGIT_CHANGES.findall(text)) >= _DIGIT_SHARE * len(text):
        return True
    return len(_CHANGES.findall(text)) >= _CHANGES_SHARE * len(text)
