"""The only door to RE2: expressions of playbooks, searched in linear time, all of them at once."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

import re2

from triage.errors import ConfigurationError

MAX_TEXT = 16_384  # characters of a message that take part; the decisive words stand at its head
_NOTHING: frozenset[int] = frozenset()

_UNSUPPORTED = (
    (r"\(\?=|\(\?!", "look-ahead"),
    (r"\(\?<=|\(\?<!", "look-behind"),
    (r"\\[1-9]|\(\?P=", "a back-reference"),
    (r"\(\?>", "an atomic group"),
    (r"[*+?}]\+", "a possessive quantifier"),
    (r"\\Z", r"\Z (write \z)"),
    (r"\(\?\(", "a condition"),
    (r"\(\?(?:R|[0-9]|&|P>)", "recursion"),
    (r"\(\?#", "a comment"),
    (r"\(\?[imsU]*[axLu]", "a flag that RE2 has not (it has i, m, s and U)"),
    (r"\\[KGR]", r"\K, \G or \R"),
)


def _options() -> re2.Options:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 64 << 20
    return options


def compile_expression(expression: str, where: str) -> "re2._Regexp":
    """Compile one expression.

    Raises:
        ConfigurationError: RE2 does not take it; names the construct.
    """
    try:
        return re2.compile(expression, _options())
    except re2.error as error:
        construct = next((name for sign, name in _UNSUPPORTED if re.search(sign, expression)), None)
        said = error.args[0].decode("utf-8", "replace") if isinstance(error.args[0], bytes) else str(error)
        what = f"the expression uses {construct}" if construct else f"the expression is not valid: {said}"
        raise ConfigurationError(
            f"{what}: {expression}",
            where=where,
            allowed="RE2 syntax (linear time): no look-around, no back-references",
        ) from error


class ExpressionSet:
    """Many expressions searched in one pass over a text; `numbers` names them, else their order does."""

    def __init__(self, expressions: Iterable[str], numbers: Mapping[str, int] | None = None) -> None:
        texts = list(dict.fromkeys(expressions))
        self._numbers = {text: numbers[text] if numbers else place for place, text in enumerate(texts)}
        self._in_order = tuple(self._numbers.values())
        self._set = re2.Set.SearchSet(_options())
        for text in texts:
            self._set.Add(text)
        if texts:
            self._set.Compile()

    def number(self, expression: str) -> int:
        return self._numbers[expression]

    def search(self, text: str) -> frozenset[int]:
        """The numbers of the expressions that are found in `text`."""
        if not self._numbers:
            return _NOTHING
        try:
            found = self._set.Match(text[:MAX_TEXT])
        except UnicodeEncodeError:
            found = self._set.Match(_readable(text))
        return frozenset([self._in_order[place] for place in found]) if found else _NOTHING


@lru_cache(maxsize=1024)
def _compiled(expression: str) -> "re2._Regexp":
    return re2.compile(expression, _options())


def has_groups(expression: str) -> bool:
    """Whether `captures` can find anything by it."""
    return bool(_compiled(expression).groupindex)


def captures(expression: str, text: str) -> tuple[tuple[str, str], ...]:
    """The named groups of the first place where `expression` is found, those that took part."""
    match = _compiled(expression).search(_readable(text))
    if match is None:
        return ()
    return tuple((name, value) for name, value in match.groupdict().items() if value is not None)


def _readable(text: str) -> str:
    """What takes part of a text, lone surrogates replaced, which RE2 cannot read."""
    return text[:MAX_TEXT].encode("utf-8", "replace").decode("utf-8")
