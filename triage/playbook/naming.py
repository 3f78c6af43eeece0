"""The id of a drafted playbook, of words that people chose: never of values, which may be secret."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import count

from triage.clustering.randomness import looks_random

_WORDS = 5
_MAX_CHARS = 50  # the schema allows 60; a number may follow
_WORD = re.compile(r"[a-z]{3,20}")
_CHOSEN = re.compile(r"[A-Z]?[a-z]+|[A-Z]{3,12}")  # no mixture of cases, as keys have
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_CONSONANTS = re.compile(r"[^aeiouy]{5}")
_AROUND = ".,:;!?()[]{}<>"  # no quotes: what stands in them is a value
_SAY_NOTHING = frozenset(("and", "are", "but", "errno", "for", "the", "was"))


def name_of(exception: str, messages: Sequence[str], taken: Iterable[str]) -> str:
    """An id that no playbook has, from the exception's name and the words that all messages share."""
    last = exception.rpartition(".")[2].removesuffix("Error").removesuffix("Exception")
    said = [_words(one) for one in messages]
    shared = [word for word in said[0] if all(word in one for one in said)] if said else []
    named = list(dict.fromkeys([*_of_class(last), *shared]))[:_WORDS]
    while len("-".join(named)) > _MAX_CHARS:
        named.pop()
    base = "-".join(named) or "unknown-failure"
    names = set(taken)
    free = (base if number == 1 else f"{base}-{number}" for number in count(1))
    return next(one for one in free if one not in names)


def _of_class(name: str) -> list[str]:
    """Its words, single letters and numbers left out."""
    words = [one.casefold() for one in re.split(r"[\W_]+", _CAMEL.sub("_", _folded(name)))]
    return [one for one in words if re.fullmatch(r"[a-z][a-z0-9]{1,19}", one) and not _is_random(one)]


def _words(message: str) -> list[str]:
    """Of the first line, whole ones between spaces."""
    line = next((one for one in message.splitlines() if one.strip()), "")
    cores = [_folded(one.strip(_AROUND)) for one in line.split()]
    words = [one.casefold() for one in cores if _CHOSEN.fullmatch(one)]
    return [one for one in words if _WORD.fullmatch(one) and one not in _SAY_NOTHING and not _is_random(one)]


def _folded(text: str) -> str:
    """Letters without their accents."""
    return "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))


def _is_random(word: str) -> bool:
    return looks_random(word) or _CONSONANTS.search(word) is not None
