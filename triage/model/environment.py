"""A Python environment that a project's tests run in."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class EnvironmentKind(StrEnum):
    CACHED = "cached"
    EXISTING = "existing"


@dataclass(frozen=True, slots=True)
class Environment:
    """`python` is its interpreter; `key` identifies its content; `pycache` takes its bytecode.

    `built_by` is the installer (`uv`, `pip`, `-`) and `notes` are sentences for people.
    """

    python: Path
    kind: EnvironmentKind
    key: str
    version: str
    built_by: str
    pycache: Path | None = None
    reused: bool = False
    notes: tuple[str, ...] = ()
