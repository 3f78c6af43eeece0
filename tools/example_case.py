"""The cases below `tools/example_cases/`: which project fails how, and in which variants it is recorded."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from triage.playbook.examples import FINDINGS, SESSIONS

TOP = Path(__file__).resolve().parents[1]
CASES = TOP / "tools" / "example_cases"
EXAMPLES = TOP / "playbooks" / "examples"
_KEYS = frozenset(
    (
        *("name", "test", "use", "files", "folder", "arguments", "env", "needs", "runner", "tb"),
        *("databases", "environment", "environments", "findings", "sessions"),
        *("documented", "message", "error"),
    )
)


@dataclass(frozen=True, slots=True)
class Documented:
    """A failure text that cannot be provoked; its message is the first `E` line where none is given."""

    text: str
    message: str | None = None
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """One variant of a case. Variants of one `group` that say the same are stored once."""

    playbook: str
    name: str
    group: str
    database: str = "sqlite"
    environment: str = "current"
    needs: frozenset[str] = frozenset()
    runner: str = "pytest"
    style: str = "short"
    files: Mapping[str, str] = field(default_factory=dict)
    folder: str = "."
    arguments: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    documented: Documented | None = None

    @property
    def label(self) -> str:
        return f"{self.playbook}/{self.name}"

    @property
    def target(self) -> Path:
        return EXAMPLES / self.playbook / f"{self.name}.xml"


def read_cases(playbook: str) -> Iterator[Case]:
    """Every variant of every case of a playbook.

    Raises:
        ValueError: a case has a key that nothing reads.
    """
    common = yaml.safe_load((CASES / "common.yaml").read_text("utf-8"))
    data = yaml.safe_load((CASES / f"{playbook}.yaml").read_text("utf-8"))
    for one in data["cases"]:
        unknown = set(one) - _KEYS
        if unknown:
            raise ValueError(f"{playbook}/{one['name']}: unknown keys {sorted(unknown)}")
        yield from _variants(playbook, one, common)


def _variants(playbook: str, one: dict[str, Any], common: Mapping[str, Any]) -> Iterator[Case]:
    databases, environments, runners, styles = (
        _several(one, key) for key in ("databases", "environments", "runner", "tb")
    )
    variants = product(databases or ("",), environments or ("",), runners or ("",), styles or ("",))
    for database, environment, runner, style in variants:
        group = f"{database}-{one['name']}" if database else one["name"]
        yield Case(
            playbook,
            "-".join(part for part in (group, environment, runner, style) if part),
            group,
            database or "sqlite",
            environment or one.get("environment", "current"),
            frozenset(one.get("needs", ())),
            runner or _single(one.get("runner")) or "pytest",
            style or _single(one.get("tb")) or "short",
            _files(playbook, one, common),
            one.get("folder", "."),
            tuple(one.get("arguments", ())),
            one.get("env", {}),
            _properties(one),
            _documented(one),
        )


def _several(one: Mapping[str, Any], key: str) -> list[str]:
    """The values of a key that makes variants; a single value changes no name."""
    value = one.get(key)
    return value if isinstance(value, list) else []


def _single(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _files(playbook: str, one: Mapping[str, Any], common: Mapping[str, Any]) -> Mapping[str, str]:
    use = one.get("use", {})
    files: dict[str, str] = dict(common[use] if isinstance(use, str) else use) | one.get("files", {})
    if "test" in one:
        files[f"{one.get('folder', '.')}/test_{playbook.replace('-', '_')}.py"] = one["test"]
    return files


def _properties(one: Mapping[str, Any]) -> Mapping[str, str]:
    properties = {FINDINGS: " ".join(one["findings"])} if "findings" in one else {}
    if "sessions" in one:
        properties[SESSIONS] = str(one["sessions"])
    return properties


def _documented(one: Mapping[str, Any]) -> Documented | None:
    if "documented" not in one:
        return None
    return Documented(one["documented"], one.get("message"), one.get("error", False))
