"""Searching for expressions of which nobody knows yet whether they are any good."""

from functools import lru_cache

import re2


@lru_cache(maxsize=2048)
def _compiled(expression: str) -> "re2._Regexp | None":
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(expression, options)
    except re2.error:
        return None


def finds(expression: str, text: str) -> bool:
    """Whether the expression is found; one that is not valid finds nothing."""
    found = _compiled(expression)
    return found is not None and found.search(text.encode("utf-8", "replace").decode()) is not None
