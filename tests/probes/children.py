"""Runs pytest with the plugin over a small project, as the runner does, and reads the records."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.probes.samples import Sources
from triage.probes.injection import event_files, plugin_arguments, plugin_environment, plugin_folder

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Records:
    """`all` are the records of the main process and of every worker, file by file."""

    all: tuple[Record, ...]
    exit_status: int
    folder: Path

    def of(self, kind: str) -> list[Record]:
        return [record for record in self.all if record["t"] == kind]

    def one(self, kind: str) -> Record:
        (record,) = self.of(kind)
        return record

    def fails(self, name: str) -> list[Record]:
        return [record for record in self.of("fail") if record["id"].endswith("::" + name)]

    def fail(self, name: str) -> Record:
        (record,) = self.fails(name)
        return record

    def outcomes(self) -> dict[str, str]:
        """Outcome by node id without the file."""
        return {record["id"].partition("::")[2]: record["o"] for record in self.of("done")}

    def texts(self) -> list[str]:
        """The course of the tests in words, `start test_a` and so on."""
        courses = [record for record in self.all if record["t"] in ("start", "done", "fail")]
        return [f"{record['t']} {record['id'].partition('::')[2]}" for record in courses]


@dataclass(frozen=True, slots=True)
class Child:
    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def out(self) -> Path:
        return self.folder / "out" / "events.jsonl"

    def records(self, timeout_s: float = 120.0) -> Records:
        """Waits for the end; a line that is no JSON fails the test that asks."""
        status = self.process.wait(timeout_s)
        return Records(tuple(read(event_files(self.out))), status, self.folder)

    @property
    def printed(self) -> str:
        return (self.folder / "out" / "printed.txt").read_text(errors="replace")


def read(files: Sequence[Path]) -> list[Record]:
    return [json.loads(line) for file in files for line in file.read_bytes().decode("ascii").splitlines()]


def write(folder: Path, sources: Sources) -> None:
    for name, text in sources.items():
        path = folder / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder / "project" / "pytest.ini").touch()
    (folder / "out").mkdir(exist_ok=True)


def start(
    folder: Path,
    sources: Sources,
    *arguments: str,
    select: Path | None = None,
    python: str = sys.executable,
    environment: Mapping[str, str] | None = None,
) -> Child:
    """Starts it without waiting, so that several run side by side."""
    write(folder, sources)
    out = folder / "out" / "events.jsonl"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV_"))}
    variables = {
        **inherited,
        "PYTHONPATH": str(plugin_folder()),
        "PYTHONDONTWRITEBYTECODE": "1",  # the environment's own bytecode is read, the samples leave none
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        **plugin_environment(out, select=select),
        **(environment or {}),
    }
    with (folder / "out" / "printed.txt").open("wb") as printed:
        process = subprocess.Popen(
            [python, "-m", "pytest", *plugin_arguments(), "-p", "no:cacheprovider", *arguments],
            cwd=folder / "project",
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
        )
    return Child(process, folder)
