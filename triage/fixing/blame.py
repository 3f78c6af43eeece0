"""Which of several cures made by together break a test, by halving."""

from collections.abc import Callable, Sequence
from typing import TypeVar

_T = TypeVar("_T")
Breaks = Callable[[Sequence[_T]], bool]


def culprit(chosen: Sequence[_T], breaks: Breaks[_T]) -> _T | None:
    """The last of the shortest leading part that breaks something; None where even all of them do not.

    About log2(n) + 1 runs; `breaks` runs the broken tests with only these cures.
    """
    if not chosen or not breaks(chosen):
        return None
    low, high = 0, len(chosen)  # the first `low` break nothing, the first `high` do
    while high - low > 1:
        middle = (low + high) // 2
        if breaks(chosen[:middle]):
            high = middle
        else:
            low = middle
    return chosen[high - 1]
