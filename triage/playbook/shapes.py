"""Expressions that no playbook may have: too large, or exponential in every engine but RE2.

RE2 searches both in linear time. They are refused all the same: the size costs memory and time for each
message, and who copies the expression into another tool brings that tool to a halt.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import re2

from triage.errors import ConfigurationError
from triage.playbook.expressions import compile_expression
from triage.playbook.grammar import Atom, Choice, Concat, Node, Repeat, parse

MAX_LENGTH = 2_000  # characters
MAX_MEMORY = 512 << 10  # bytes for RE2, some 8,000 instructions; the largest shipped one has 200
_LOOP = 10  # a repetition that may take so many more turns counts as one without end
_NEST = 3  # a repetition of more turns counts so if one without end stands in it
_MAX_PLACES = 250  # of one repetition; larger ones are left to RE2
_MAX_STEPS = 200_000
_ADVICE = (
    ("not valid: missing ):", r"a bracket of the text itself is written \("),
    ("not valid: unexpected ):", r"a bracket of the text itself is written \)"),
    ("not valid: missing ]:", r"a bracket of the text itself is written \["),
    ("not valid: invalid character class range:", r"a bracket of the text itself is written \["),
    (
        "not valid: no argument for repetition operator:",
        r"a character of the text itself is written \*, \+ or \?",
    ),
    ("not valid: bad repetition operator:", r"a character of the text itself is written \*, \+ or \?"),
    ("not valid: trailing \\", r"a backslash of the text itself is written \\"),
)
_LETTERS = "".join(map(chr, range(128))) + "é中\u2028\U0001f600"


def check_expression(expression: str, where: str) -> int:
    """Its size, in instructions of RE2.

    Raises:
        ConfigurationError: RE2 does not take it, it is too large, or exponential elsewhere.
    """
    if len(expression) > MAX_LENGTH:
        raise ConfigurationError(
            f"the expression has {len(expression):,} characters",
            where=where,
            allowed=f"at most {MAX_LENGTH:,}",
        )
    size = _size(expression, where)
    loop = exponential(expression)
    if loop is not None:
        raise ConfigurationError(
            f"the expression is exponential for engines that backtrack: "
            f"{loop} can take the same text in many ways: {expression}",
            where=where,
            allowed="one repetition for one stretch of text: a+ for (a+)+, [ab]* for (a|[ab])*",
        )
    return size


def _size(expression: str, where: str) -> int:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MAX_MEMORY
    try:
        return int(re2.compile(expression, options).programsize)
    except re2.error as error:
        if b"too large" in error.args[0]:  # to compile it with more memory may take seconds
            raise ConfigurationError(
                f"the expression is too large once its repetitions are written out: {expression}",
                where=where,
                allowed="small counts; `+` or `*` where the number does not matter",
            ) from error
        try:
            compile_expression(expression, where)
        except ConfigurationError as refused:
            refused.hint = _advice(refused.what)
            raise
        raise


def _advice(said: str) -> str | None:
    """The usual slip behind what RE2 says."""
    return next((hint for words, hint in _ADVICE if words in said), None)


def exponential(expression: str) -> str | None:
    """The repetition that can read one text in exponentially many ways; None: there is none.

    It is one whose automaton has two different ways from a place back to it that read the same characters
    (exponential degree of ambiguity; Allauzen, Mohri and Rastogi, 2008).
    """
    try:
        loops = _loops(parse(expression))
        return next((one.text for one in loops if _Automaton(expression).is_ambiguous(one)), None)
    except ValueError:
        return None


def _loops(node: Node) -> Iterator[Repeat]:
    """The outermost repetitions, without end or of many turns, of more than one character."""
    if isinstance(node, Repeat):
        if (_is_loop(node) or _is_many(node)) and not isinstance(node.item, Atom):
            yield node
        else:
            yield from _loops(node.item)
    elif isinstance(node, (Concat, Choice)):
        for one in node.items:
            yield from _loops(one)


def _is_loop(node: Repeat) -> bool:
    return node.high is None or node.high - node.low >= _LOOP


def _is_many(node: Repeat) -> bool:
    turns = node.high or 0
    return turns >= _LOOP or (turns > _NEST and _has_loop(node.item))


def _has_loop(node: Node) -> bool:
    if isinstance(node, Repeat):
        return _is_loop(node) or _has_loop(node.item)
    return isinstance(node, (Concat, Choice)) and any(map(_has_loop, node.items))


@dataclass(frozen=True, slots=True)
class _Part:
    """What a part of an expression can begin and end with; whether it can be empty."""

    first: tuple[int, ...] = ()
    last: tuple[int, ...] = ()
    is_empty: bool = True


@dataclass(slots=True)
class _Automaton:
    """Positions of an expression and which may follow which, each way counted (Glushkov)."""

    expression: str
    masks: list[int] = field(default_factory=list)
    ways: Counter[tuple[int, int]] = field(default_factory=Counter)

    def is_ambiguous(self, loop: Repeat) -> bool:
        """All places of a loop reach one another, so that any two ways apart and together are enough.

        Raises:
            ValueError: too large to tell.
        """
        turn = self._part(loop.item)
        if loop.low >= _LOOP and turn.is_empty and self.masks:
            return True  # any of the turns that are asked for may be the empty ones
        self._loop(turn)
        return any(count > 1 for count in self.ways.values()) or self._meets_again()

    def _meets_again(self) -> bool:
        after: dict[int, list[int]] = {}
        for source, target in self.ways:
            after.setdefault(source, []).append(target)
        todo = deque((one, one) for one in range(len(self.masks)))
        seen = set(todo)
        for _ in range(_MAX_STEPS):
            if not todo:
                return False
            left, right = todo.popleft()
            for pair in self._both(after.get(left, ()), after.get(right, ())):
                if left != right and pair[0] == pair[1]:
                    return True
                if pair not in seen:
                    seen.add(pair)
                    todo.append(pair)
        return False

    def _both(self, left: Sequence[int], right: Sequence[int]) -> Iterator[tuple[int, int]]:
        return ((one, two) for one in left for two in right if self.masks[one] & self.masks[two])

    def _part(self, node: Node) -> _Part:
        if isinstance(node, Atom):
            self.masks.append(_mask(node, self.expression))
            if len(self.masks) > _MAX_PLACES:
                raise ValueError(self.expression)
            place = (len(self.masks) - 1,)
            return _Part(place, place, is_empty=False)
        if isinstance(node, Choice):
            return _either([self._part(one) for one in node.items])
        if isinstance(node, Concat):
            return self._row(self._part(one) for one in node.items)
        return self._repeat(node) if isinstance(node, Repeat) else _Part()

    def _repeat(self, node: Repeat) -> _Part:
        if node.high == 0:
            return _Part()
        if _is_loop(node):
            part = self._part(node.item)
            self._loop(part)
            return _Part(part.first, part.last, part.is_empty or node.low == 0)
        copies = [self._part(node.item) for _ in range(node.high or 1)]
        return self._row(
            _Part(one.first, one.last, one.is_empty or turn >= node.low) for turn, one in enumerate(copies)
        )

    def _row(self, parts: Iterable[_Part]) -> _Part:
        whole = _Part()
        for part in parts:
            self._join(whole.last, part.first)
            whole = _Part(
                (*whole.first, *part.first) if whole.is_empty else whole.first,
                (*whole.last, *part.last) if part.is_empty else part.last,
                whole.is_empty and part.is_empty,
            )
        return whole

    def _loop(self, part: _Part) -> None:
        self._join(part.last, part.first)

    def _join(self, sources: Iterable[int], targets: Sequence[int]) -> None:
        self.ways.update((source, target) for source in sources for target in targets)


def _either(parts: Sequence[_Part]) -> _Part:
    return _Part(
        tuple(place for part in parts for place in part.first),
        tuple(place for part in parts for place in part.last),
        any(part.is_empty for part in parts),
    )


def _mask(atom: Atom, expression: str) -> int:
    """Which of the letters of all expressions, and of this one, the atom stands for: a bit for each."""
    others = "".join(sorted({one for one in expression if not one.isascii()}))
    return _mask_over(atom, _LETTERS + others)


@lru_cache(maxsize=512)
def _mask_over(atom: Atom, letters: str) -> int:
    flags = atom.flags.replace("U", "")
    found = re2.compile(f"(?{flags}:{atom.text})" if flags else atom.text)
    return sum(1 << place for place, letter in enumerate(letters) if found.fullmatch(letter))
