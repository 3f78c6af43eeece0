"""Labels, verdicts, and what they come to: precision and recall with Wilson 95 % intervals."""

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
CORPUS = HERE / "corpus"
FALLBACK = "plain-assertion"
UNKNOWN = "unknown"
_Z = 1.959964

Key = tuple[str, str, str]  # file, classname, name


@dataclass(frozen=True)
class Case:
    key: Key
    ids: frozenset[str]  # several: each is right, and none is claimed
    tricky: str | None
    source: str  # recorded | documented
    author: str  # first | second

    @property
    def held_out(self) -> bool:
        """A third of the first author's tests, by their function's name: their misses are never listed.

        Every miss of the second author's cases was shown to those who write playbooks.
        """
        if self.author != "first":
            return False
        function = re.match(r"\w*", self.key[2])
        digest = hashlib.sha256((function[0] if function else "").encode()).digest()
        return digest[0] % 3 == 0

    @property
    def claim(self) -> str | None:
        """The specific id that must be found, or None."""
        only = next(iter(self.ids)) if len(self.ids) == 1 else UNKNOWN
        return only if is_specific(only) else None


def is_specific(name: str) -> bool:
    return name not in {FALLBACK, UNKNOWN}


def read_cases() -> list[Case]:
    cases = []
    for line in (HERE / "labels.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        key = (row["file"], row["classname"], row["name"])
        ids = frozenset(row["label"].split("|"))
        cases.append(Case(key, ids, row["tricky"], row["source"], row.get("author", "first")))
    return cases


@dataclass(frozen=True)
class Share:
    part: int
    whole: int

    @property
    def value(self) -> float:
        return self.part / self.whole if self.whole else 1.0

    def wilson(self) -> tuple[float, float]:
        """The 95 % interval; https://en.wikipedia.org/wiki/Binomial_proportion_confidence_interval"""
        if not self.whole:
            return (0.0, 1.0)
        n, p = self.whole, self.value
        middle = p + _Z**2 / (2 * n)
        spread = _Z * math.sqrt(p * (1 - p) / n + _Z**2 / (4 * n**2))
        scale = 1 + _Z**2 / n
        return (max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale))

    def __str__(self) -> str:
        low, high = self.wilson()
        return f"{100 * self.value:.1f} % ({100 * low:.1f} to {100 * high:.1f})" if self.whole else "none"


@dataclass(frozen=True)
class Score:
    """`right`, `wrong` and `missed` count by id; an id that was not claimed has no entry."""

    cases: int
    right: Counter[str]
    wrong: Counter[str]
    missed: Counter[str]
    tricky: int
    tricky_specific: tuple[Key, ...]  # tricky negatives that a specific playbook took
    unknown: int  # cases without a verdict
    misses: tuple[tuple[Case, str], ...]

    def precision(self, name: str) -> Share:
        return Share(self.right[name], self.right[name] + self.wrong[name])

    def recall(self, name: str) -> Share:
        return Share(self.right[name], self.right[name] + self.missed[name])

    def overall(self) -> tuple[Share, Share]:
        """Over the specific ids together: precision, recall."""
        right, wrong, missed = (
            sum(count for name, count in counted.items() if is_specific(name))
            for counted in (self.right, self.wrong, self.missed)
        )
        return Share(right, right + wrong), Share(right, right + missed)


def score(cases: Iterable[Case], verdicts: Mapping[Key, str]) -> Score:
    """A case that is not in `verdicts` counts as unknown."""
    right: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    chosen, misses, taken = list(cases), [], []
    unknown = tricky = 0
    for case in chosen:
        said = verdicts.get(case.key, UNKNOWN)
        unknown += said == UNKNOWN
        tricky += case.tricky is not None
        if said in case.ids:
            right[said] += len(case.ids) == 1
            continue
        misses.append((case, said))
        wrong[said] += 1
        if len(case.ids) == 1:
            missed[next(iter(case.ids))] += 1
        if case.tricky is not None and is_specific(said):
            taken.append(case.key)
    return Score(len(chosen), right, wrong, missed, tricky, tuple(taken), unknown, tuple(misses))
