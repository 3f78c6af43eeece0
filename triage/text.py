"""The boundary for text from outside: control characters made visible, secrets masked."""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlsplit

_PLAIN = bytes(range(0x20, 0x7F)) + b"\n\t"
_COLOUR = re.compile(r"(?:\x1b|#x1B)\[[0-9;:]*m")  # the second form is how pytest writes ESC into XML
_INVISIBLE_SET = (  # without lone surrogates, which RE2 cannot read
    r"\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    r"\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f"
)
_INVISIBLE = re.compile(rf"[{_INVISIBLE_SET}\ud800-\udfff]")
_CHANGED = rf"[{_INVISIBLE_SET}]|#x1B\["  # what `clean_text` changes, and a little more

_MIN_SECRET = 6  # shorter values would mask ordinary words
_MIN_ENCODED = 8
_MASK = "***"
_BYTES_PER_CHARACTER = 200  # of an expression, compiled
_SECRET_NAME = re.compile(
    r"(?:^|_)(?:PASS|PASSWD|PASSWORD|PASSPHRASE|PWD|SECRET|TOKEN|KEY|APIKEY|CREDENTIALS?|PRIVATE)(?:_|$)"
    r"|(?:PASSWORD|SECRET|TOKEN|APIKEY)$"
)
_NOT_SECRET_NAME = re.compile(
    r"^(?:OLD)?PWD$|_(?:FILE|PATH|DIR|TYPE|ALGORITHM|ALG|NAME|LENGTH|TTL|EXPIRES?|ID)$"
)
_COMMONPLACE = frozenset(
    (
        *("changeme", "default", "development", "disabled", "enabled", "example", "localhost"),
        *("password", "postgres", "production", "public", "secret", "staging", "testing", "unittest"),
    )
)
_TOKENS = (
    r"gh[oprsu]_[0-9A-Za-z]{20,}",
    r"github_pat_\w{20,}",
    r"glpat-[\w-]{20,}",
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    r"\bxox[abeoprs]-[0-9A-Za-z-]{10,}",
    r"\beyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?",
    r"\b(?:sk|rk)_(?:live|test)_[0-9A-Za-z]{16,}",
    r"\bsk-[\w-]{20,}",
    r"\bAIza[\w-]{35}",
    r"\bnpm_[0-9A-Za-z]{36}",
    r"\bpypi-[\w-]{50,}",
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[^-]|-[^-])*",
)
_BEARER = r"((?i:\bbearer\s+))[\w.~+/=-]{16,}"
_IN_URL = r"(://[^\s/:@'\"]*:)[^\s/@'\"]+(@)"

_KEY = (
    r"(?:pass(?:word|wd|phrase)|pwd|secret|token|apikey"
    r"|(?:api|access|secret|private|encryption|signing|auth)[_-]?key)"
)
_KEYED = (  # `DB_PASSWORD=`, `'token': ` and, of a command, `--password ` or `'--password', `
    rf"(?i:{_KEY}(?:\\?[\"'])?\]?[ \t]*(?:=>|[:=])[ \t]*|--[\w-]*{_KEY}(?:\\?[\"'],)?[ \t]+)"
)
_VALUE = re.compile(
    r"[bBuUrR]{0,2}(?:'((?:[^'\\\n]|\\.)*)|\"((?:[^\"\\\n]|\\.)*)"
    r"|\\'((?:[^'\\\n]|\\(?!'))*)|\\\"((?:[^\"\\\n]|\\(?!\"))*))"
)
_BARE = r"[^\s'\"`,;()\[\]{}<>&]"
_BARE_VALUE = re.compile(rf"({_BARE}+(?:&(?![\w.-]{{1,40}}=){_BARE}*)*)([(\[]?)")
_ABOUT_OPTION = re.compile(
    r"(?i)arguments?|cannot|doesn't|does|expected|expects|flags?|from|given|have|instead|isn't|must|needs"
    r"|options?|parameters?|requires?|should|that|then|this|values?|when|will|with|without"
)
_MIN_KEYED = 4
_MIN_SAID = 6  # behind a colon, where sentences stand, too
_DECIDED_WITHIN = 200
_NO_VALUE = re.compile(
    r"(?i)[=:].*|\?+|%[s(d].*|\$[\d{(].*|\$(?-i:[A-Z_]+)|[{<*].*|[x.]+|none|null|true|false|undefined|unset"
    r"|empty|missing|required|invalid|incorrect|expired|wrong|(?:not|must|no|is|was|should|cannot) .*"
    r"|[^ ]+ .*\b(?:required|invalid|must|missing|should|not|is|are|was|expired|blank|empty|short|match)\b.*",
    re.DOTALL,
)
_CODE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+|\w*(?i:password|passwd|pwd|secret|token|_key)")


def clean_text(text: str) -> str:
    r"""Make control, bidi, surrogate and other invisible characters visible as pytest does (`#x1B`).

    `\n` and `\t` stay, `\r\n` becomes `\n`; colour codes are removed.
    """
    if text.isascii() and not text.encode().translate(None, _PLAIN):
        return _COLOUR.sub("", text) if "#x1B[" in text else text
    text = _COLOUR.sub("", text).replace("\r\n", "\n")
    return _INVISIBLE.sub(_visible, text)


def _visible(match: re.Match[str]) -> str:
    return f"#x{ord(match[0]):02X}"


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters; what was cut is counted at the end where there is room for it."""
    if len(text) <= limit:
        return text
    note = f"… [+{len(text) - limit:,} characters]"
    if len(note) * 2 > limit:
        note = "…"
    return text[: max(limit - len(note), 0)] + note[:limit]


class Masker:
    """Replaces known secret values, and what looks like a token, by `***`.

    Values count in raw, base64 (all three alignments), URL, JSON, HTML and `repr` form.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        import re2  # noqa: PLC0415 - not needed by `--help`

        forms = {form for value in values if _looks_secret(value) for form in _forms(value)}
        literals = [re2.escape(form) for form in sorted(forms, key=lambda form: (-len(form), form))]
        self._secrets = "|".join([*literals, _BEARER, _IN_URL, *_TOKENS])
        self._expression: Any = re2.compile(self._secrets, options=_options(self._secrets))
        self._keyed: Any = re2.compile(_KEYED, options=_options(_KEYED))

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> "Masker":
        """Masks the values of variables whose names say that they are secret, and URLs' passwords."""
        return cls(value for name, text in env.items() for value in _secrets_of(name, text))

    def suited(self, texts: Iterable[str]) -> "Masker":
        """A masker for these texts alone: one that does nothing where `clean` would change none of them.

        One pass over all of them, far cheaper than cleaning each.
        """
        try:
            doubt = self._doubt.search("\n".join(texts).encode())
        except UnicodeEncodeError:
            return self
        return self if doubt else _AS_IT_IS

    @cached_property
    def _doubt(self) -> Any:
        """Found in every text that `clean` changes, and in few others."""
        import re2  # noqa: PLC0415 - not needed by `--help`

        options = _options(self._secrets)
        options.never_capture = True
        changed = re.sub(r"\\[uU]([0-9a-f]+)", r"\\x{\1}", _CHANGED)
        return re2.compile(f"{changed}|{_KEYED}|{self._secrets}", options=options)

    def mask(self, text: str) -> str:
        """`text` without secrets; surrogates, which RE2 cannot read, are made visible."""
        try:
            text = self._without_known(text)
        except UnicodeEncodeError:
            return self.mask(clean_text(text))
        return _without_keyed(text, self._keyed) if self._keyed.search(text) else text

    def _without_known(self, text: str) -> str:
        return self._expression.sub(_masked, text) if self._expression.search(text) else text

    def clean(self, text: str) -> str:
        """What every text from outside goes through: `clean_text`, then `mask`."""
        return self.mask(clean_text(text))

    def clean_id(self, nodeid: str) -> str:
        """A name of a test: only its parameters can hold a secret, the rest is source code.

        `token=` in them is source code, too, and what stands behind it tells two tests apart.
        """
        if "[" not in nodeid:
            return clean_text(nodeid)
        name, bracket, parameters = clean_text(nodeid).partition("[")
        return name + bracket + self._without_known(parameters)


class _AsItIs(Masker):
    """For texts that were looked at already."""

    def __init__(self) -> None:
        pass

    def mask(self, text: str) -> str:
        return text

    def clean(self, text: str) -> str:
        return text

    def clean_id(self, nodeid: str) -> str:
        return nodeid


_AS_IT_IS = _AsItIs()


def _options(secrets: str) -> Any:
    import re2  # noqa: PLC0415 - not needed by `--help`

    options = re2.Options()
    options.log_errors = False
    options.max_mem += _BYTES_PER_CHARACTER * len(secrets)  # private keys are long and many
    return options


def _masked(match: Any) -> str:
    bearer, url, at = match.groups()
    return f"{bearer or url or ''}{_MASK}{at or ''}"


def _without_keyed(text: str, keyed: Any) -> str:
    """Without the values that stand behind a key whose name says that they are secret."""
    parts: list[str] = []
    end = 0
    for head in keyed.finditer(text):
        if head.start() >= end and (found := _keyed_value(text, head.end(), head[0])):
            parts += (text[end : found[0]], _MASK)
            end = found[1]
    return "".join([*parts, text[end:]])


def _keyed_value(text: str, start: int, key: str) -> tuple[int, int] | None:
    """From where to where it stands; None for a placeholder, for code and for what a sentence says."""
    until = start + _DECIDED_WITHIN
    separator = key.strip("\\\"'] \t")[-1:]
    if quoted := _VALUE.match(text, start, until):
        value = quoted[quoted.lastindex or 0]
        is_said = separator == ":" and not key.rstrip(" \t:").endswith(("'", '"')) and "oken" in key
        if len(value) < _MIN_KEYED or _NO_VALUE.fullmatch(value) or (is_said and not _is_chosen(value)):
            return None
        whole = _VALUE.match(text, start) or quoted
        return whole.span(whole.lastindex or 0)
    bare = _BARE_VALUE.match(text, start, until)
    if bare is None or bare[2] or len(bare[1]) < _MIN_KEYED or _NO_VALUE.fullmatch(bare[1]):
        return None
    if _CODE.fullmatch(bare[1]) or (bare[1][0] in "/~." and "pwd" in key.lower()):
        return None
    if not _is_told(bare[1], key):
        return None
    return (_BARE_VALUE.match(text, start) or bare).span(1)


def _is_told(value: str, key: str) -> bool:
    """Whether what stands without quotes is a value, not the next word of a sentence or of source code."""
    if key.endswith("="):
        return value.lower() not in _COMMONPLACE
    if key.startswith("--"):
        return not _ABOUT_OPTION.fullmatch(value)
    return key.rstrip()[-1] != "=" and _is_chosen(value)


def _is_chosen(value: str) -> bool:
    """No word of a sentence."""
    return len(value) >= _MIN_SAID and any(map(str.isdigit, value))


def _secrets_of(name: str, text: str) -> Iterator[str]:
    upper = name.upper()
    if "://" in text:
        yield from _url_password(text)
    elif _SECRET_NAME.search(upper) and not _NOT_SECRET_NAME.search(upper):
        yield text


def _url_password(text: str) -> Iterator[str]:
    try:
        password = urlsplit(text).password
    except ValueError:  # e.g. a broken IPv6 host
        return
    if password:
        yield password
        yield unquote(password)


def _looks_secret(value: str) -> bool:
    return len(value.strip()) >= _MIN_SECRET and value.strip().lower() not in _COMMONPLACE


def _forms(value: str) -> Iterator[str]:
    text = value.strip()
    shown = clean_text(text)  # what is masked has been cleaned before
    encoded = text.encode("utf-8", "replace")
    yield from (shown, repr(shown)[1:-1], html.escape(shown), json.dumps(text)[1:-1])
    yield from (quote(encoded), quote(encoded, safe=""), quote_plus(encoded))
    yield from _base64_forms(encoded)
    lines = shown.splitlines()
    yield from (line.strip() for line in lines if len(lines) > 1 and len(line.strip()) >= _MIN_ENCODED)


def _base64_forms(raw: bytes) -> Iterator[str]:
    """What stays the same of `raw` in base64, whatever stands before and after it."""
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw).decode()
        first = (shift * 8 + 5) // 6  # characters that the bytes before share in
        last = (shift + len(raw)) * 8 // 6  # characters that the bytes after share in
        if last - first >= _MIN_ENCODED:
            yield encoded[first:last]
            yield encoded[first:last].replace("+", "-").replace("/", "_")
