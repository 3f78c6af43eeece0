"""The examples beside each remedy: what it makes of source, and source that it must not touch."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Spot:
    """The target of an example: what a diagnosis would say of it."""

    file: str
    line: int
    names: Mapping[str, str] = field(default_factory=dict)
    tests: tuple[str, ...] = ()
    playbook: str = ""
    symbol: str = ""
    change: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Cured:
    """`after` holds the changed files only, `choice` counts the remedy's proposals from 0."""

    before: Mapping[str, str]
    spot: Spot
    after: Mapping[str, str]
    choice: int = 0


@dataclass(frozen=True, slots=True)
class Untouched:
    """No proposal may come of it."""

    before: Mapping[str, str]
    spot: Spot
    because: str
