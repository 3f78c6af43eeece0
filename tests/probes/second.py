"""Runs pytest with both plugins over a small project, as a second pass does, and reads what they saw."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.probes.children import Records, start
from triage.probes.second_pass import observe_arguments, observe_environment

Order = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """What one second pass left: `records` are all lines."""

    records: Records
    printed: str

    def observed(self, name: str) -> dict[str, Any]:
        """The only observation about the test of this name."""
        (found,) = self.observations(name)
        return found

    def observations(self, name: str) -> list[dict[str, Any]]:
        return [one for one in self.records.of("observed") if one["id"].endswith("::" + name)]

    def applied(self, name: str | None = None) -> list[dict[str, Any]]:
        found = self.records.of("intervened")
        return [one for one in found if name is None or str(one["id"]).endswith("::" + name)]

    def outcome(self, name: str) -> str:
        (found,) = [str(o) for test, o in self.records.outcomes().items() if test.endswith(name)]
        return found

    def messages(self, name: str) -> list[str]:
        """Class and message of what the test failed with, phase by phase."""
        heads = [record["chain"][0] for record in self.records.fails(name)]
        return [f"{head['type']}: {head['msg']}" for head in heads]

    def errors(self) -> list[str]:
        """What went wrong inside the plugins; a test asserts that there is none."""
        return [f"{one['where']}: {one['text']}" for one in self.records.of("probe_error")]


def order(kind: str, file: str, line: int, tests: Sequence[str] = (), /, **names: str) -> Order:
    return {"kind": kind, "file": file, "line": line, "tests": list(tests), "names": names}


def second_pass(
    folder: Path,
    sources: Mapping[str, str],
    *arguments: str,
    observers: Sequence[str] = (),
    orders: Sequence[Order] = (),
    python: str = sys.executable,
) -> Seen:
    """One child run in `folder`/project; called twice it starts from the same sources."""
    (folder / "out").mkdir(parents=True, exist_ok=True)
    asked = folder / "out" / "orders.json"
    asked.write_text(json.dumps({"observers": list(observers), "orders": list(orders)}), "utf-8")
    for stale in (folder / "out").glob("events.jsonl*"):
        stale.unlink()
    child = start(
        folder,
        sources,
        *observe_arguments(),
        *arguments,
        python=python,
        environment=observe_environment(asked),
    )
    return Seen(child.records(), child.printed)


def line_of(sources: Mapping[str, str], file: str, text: str) -> int:
    """The number of the only line that holds `text`."""
    (found,) = [number for number, line in enumerate(sources[file].splitlines(), 1) if text in line]
    return found
