"""The examples beside each rule: source that it must leave alone, and source that it must find."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Valid:
    """`files` maps a path to source text."""

    files: Mapping[str, str]
    because: str = ""


@dataclass(frozen=True, slots=True)
class Invalid:
    """`lines` are the findings' (path, line) in order; `subject` is the first finding's."""

    files: Mapping[str, str]
    lines: tuple[tuple[str, int], ...]
    subject: Mapping[str, str] = field(default_factory=dict)
