"""Finds the words that vary freely among messages of one exception class at one place.

A function of the set of messages alone: neither their order nor how often one is repeated changes
anything. Words, not characters, are compared; the time is linear in their number.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from triage.clustering.signature import WILD

MANY = 8  # different values that show that a word varies freely
MANY_NAMES = 24  # likewise for what looks like a name: of a column, an attribute, a key
_RARE = 4  # a word that varies is so many times rarer than the words around it
_FIXED_SHARE = 0.4  # of the words of a message, at the least
_REPEATED = 4  # a value that is met so often, on average, is a word of its own cause

Words = tuple[str, ...]
Gaps = tuple[Words, ...]  # what stands before each fixed word, and behind the last


@dataclass(slots=True)
class _Shape:
    """Messages with the same fixed words; of each gap how often it is filled, and with what."""

    filled: list[int]
    values: list[set[Words]]
    everything: set[Words] = field(default_factory=set)

    def add(self, gaps: Gaps) -> None:
        for place, gap in enumerate(gaps):
            if gap:
                self.filled[place] += 1
                self.values[place].add(gap)
                self.everything.add(gap)

    def free(self) -> tuple[bool, ...]:
        """The gaps whose words vary freely."""
        is_noisy = len(self.everything) >= _enough(self.everything)
        return tuple(
            bool(values)
            and (len(values) >= _enough(values) or (is_noisy and filled <= _REPEATED * len(values)))
            for filled, values in zip(self.filled, self.values, strict=True)
        )


def templates(messages: Collection[str], *, with_single_words: bool) -> dict[str, str]:
    """The template of each message that has one, with `<*>` for what varies.

    `with_single_words`: many messages of one word each are one template, too.
    """
    if len(messages) < MANY:
        return {}
    words = {message: tuple(message.split()) for message in messages}
    common = Counter(word for each in words.values() for word in dict.fromkeys(each))
    found: dict[str, str] = {}
    shapes: dict[Words, _Shape] = {}
    split = {message: parts for message, each in words.items() if (parts := _split(each, common))}
    for fixed, gaps in split.values():
        if fixed not in shapes:
            shapes[fixed] = _Shape([0] * len(gaps), [set() for _ in gaps])
        shapes[fixed].add(gaps)
    free = {fixed: shape.free() for fixed, shape in shapes.items()}
    for message, (fixed, gaps) in split.items():
        if any(free[fixed]):
            found[message] = " ".join(_filled(fixed, gaps, free[fixed]))
    if with_single_words:
        single = [message for message, each in words.items() if len(each) == 1]
        if len(single) >= MANY_NAMES:
            found |= dict.fromkeys(single, WILD)
    members = Counter(found.values())
    return {message: template for message, template in found.items() if members[template] >= MANY}


def _split(words: Words, common: Counter[str]) -> tuple[Words, Gaps] | None:
    """Fixed words and the gaps around them; None where no word is much rarer than the others."""
    if not words:
        return None
    counts = [common[word] for word in words]
    usual = sorted(counts, reverse=True)[max(0, int(_FIXED_SHARE * len(words) + 0.5) - 1)]
    if min(counts) * _RARE > usual:
        return None
    fixed: list[str] = []
    gaps: list[Words] = []
    gap: list[str] = []
    for word, count in zip(words, counts, strict=True):
        if count * _RARE <= usual:
            gap.append(word)
        else:
            fixed.append(word)
            gaps.append(tuple(gap))
            gap = []
    return tuple(fixed), (*gaps, tuple(gap))


def _filled(fixed: Words, gaps: Gaps, free: Iterable[bool]) -> Iterator[str]:
    for word, gap, is_free in zip((*fixed, ""), gaps, free, strict=True):
        if is_free:
            yield WILD
        else:
            yield from gap
        if word:
            yield word


def _enough(values: Iterable[Words]) -> int:
    return MANY_NAMES if any(_is_name(word) for value in values for word in value) else MANY


def _is_name(word: str) -> bool:
    """Quoted, dotted or with an underscore: what people call a thing in a program."""
    inner = word.strip(".,;:!?()[]")
    return "'" in inner or '"' in inner or "`" in inner or "." in inner or "_" in inner
