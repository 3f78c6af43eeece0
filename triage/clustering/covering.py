"""Finds the template that covers a message, without trying each of them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from triage.clustering.signature import WILD, parts_of


class Cluster(NamedTuple):
    """`signature` may hold `<*>`; `fingerprint` is the first one that the cluster ever had."""

    fingerprint: str
    signature: str

    @property
    def is_template(self) -> bool:
        return WILD in self.signature


class Covering:
    """The templates of one bucket, that with the most fixed words first; among equals the order stays.

    Each is looked for by one of its fixed words, one that few others have.
    """

    def __init__(self, templates: Iterable[Cluster]) -> None:
        split = [(one, parts_of(one.signature).said.split()) for one in templates]
        split.sort(key=lambda each: each[1].count(WILD) - len(each[1]))
        self._split = split
        shared = Counter(word for _, words in split for word in set(words))
        self._by_word: dict[str, list[int]] = {}
        for place, (_, words) in enumerate(split):
            fixed = [word for word in words if word != WILD]
            key = min(fixed, key=shared.__getitem__, default=WILD)
            self._by_word.setdefault(key, []).append(place)

    def __iter__(self) -> Iterator[Cluster]:
        return (one for one, _ in self._split)

    def find(self, said: str) -> Cluster | None:
        if not self._split:
            return None
        words = said.split()
        places = (place for word in {*words, WILD} for place in self._by_word.get(word, ()))
        for place in sorted(places):
            if covers(self._split[place][1], words):
                return self._split[place][0]
        return None


def covers(template: Sequence[str], words: Sequence[str]) -> bool:
    """Whether the words are those of the template, with any or none where it has `<*>`."""
    at = here = 0
    star = mark = -1
    while here < len(words):
        if at < len(template) and template[at] == WILD:
            star, mark = at, here
            at += 1
        elif at < len(template) and template[at] == words[here]:
            at += 1
            here += 1
        elif star >= 0:
            mark += 1
            at, here = star + 1, mark
        else:
            return False
    return all(word == WILD for word in template[at:])
