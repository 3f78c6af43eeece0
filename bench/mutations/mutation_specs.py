"""Mutations as data: where a real package is broken, how, and which line a person would mend."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from triage.yamlfile import read_yaml

HERE = Path(__file__).resolve().parent
STEP = "    "  # one level of indentation in the packages used here
MAX_TEXT = 120  # characters of an anchor or replacement: enough to find a line, too little to copy code
ACTIONS = ("to", "above", "below", "wrap", "unwrap", "drop")


class SpecError(Exception):
    """An entry is malformed, or does not fit the source it speaks of."""


@dataclass(frozen=True)
class Spot:
    """The `nth` line with `anchor` below the only line with `after`; without `after` the only one."""

    file: str
    anchor: str
    after: str = ""
    nth: int = 1


@dataclass(frozen=True)
class Edit(Spot):
    """One of: `to` in place of the anchor's text, a line `above` or `below` it (`dedent` levels to the left),
    the line put into a block (`wrap`), a block's head removed (`unwrap`), the line removed (`drop`)."""

    to: str | None = None
    above: str | None = None
    below: str | None = None
    dedent: int = 0
    wrap: str | None = None
    unwrap: bool = False
    drop: bool = False

    @property
    def action(self) -> str:
        chosen = [name for name in ACTIONS if getattr(self, name) not in (None, False)]
        if len(chosen) != 1:
            raise SpecError(f"{self.file}: {self.anchor!r} needs one of {', '.join(ACTIONS)}")
        return chosen[0]


@dataclass(frozen=True)
class Cause(Spot):
    """The line to mend; `also` are lines of its file that are as right (nearest below it, else above)."""

    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mutation:
    """`symptom` is a text in the exception or message of each failure that the mutation makes by the
    mechanism of its playbook; what else fails only follows from it."""

    id: str
    playbook: str
    note: str
    edits: tuple[Edit, ...]
    cause: Cause
    tests: tuple[str, ...]
    symptom: str


@dataclass(frozen=True)
class Package:
    """`deselect` are tests that fail without any mutation, each with its reason beside it in the file."""

    package: str
    version: str
    sha256: str
    requirements: tuple[str, ...]
    tests: tuple[str, ...]
    source: tuple[str, ...]
    mutations: tuple[Mutation, ...]
    arguments: tuple[str, ...] = ()
    deselect: tuple[str, ...] = ()
    env: Mapping[str, str] | None = None

    def options(self, tests: Sequence[str]) -> list[str]:
        """What follows `python -m pytest`."""
        return [*self.arguments, *(f"--deselect={name}" for name in self.deselect), *tests]


def load_all() -> list[Package]:
    return [load(path) for path in sorted(HERE.glob("*.yaml"))]


def load(path: Path) -> Package:
    """A package with its mutations.

    Raises:
        SpecError: a key is unknown or missing, or a text is no short single line.
    """
    data = read_yaml(path).data
    mutations = tuple(_mutation(one, data["tests"]) for one in data.pop("mutations"))
    package: Package = _made(Package, {**data, "mutations": mutations}, path.name)
    return package


def _mutation(data: dict[str, Any], tests: Sequence[str]) -> Mutation:
    name = str(data.get("id"))
    edits = tuple(_made(Edit, one, name) for one in data.pop("edits"))
    cause = _made(Cause, data.pop("cause"), name)
    spots = [text for one in (*edits, cause) for text in vars(one).values()]
    for text in (each for value in spots for each in (value if isinstance(value, tuple) else (value,))):
        if isinstance(text, str) and (len(text) > MAX_TEXT or "\n" in text):
            raise SpecError(f"{name}: {text[:40]!r}... is not one line of at most {MAX_TEXT} characters")
    for edit in edits:
        edit.action  # noqa: B018 - raises where there is none
    values = {"tests": tests, **data, "edits": edits, "cause": cause}
    mutation: Mutation = _made(Mutation, values, name)
    return mutation


def _made(kind: type, data: Mapping[str, Any], name: str) -> Any:
    known = {one.name for one in fields(kind)}
    if unknown := sorted(set(data) - known):
        raise SpecError(f"{name}: unknown {', '.join(unknown)}; known: {', '.join(sorted(known))}")
    try:
        return kind(
            **{key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}
        )
    except TypeError as error:
        raise SpecError(f"{name}: {error}") from error
