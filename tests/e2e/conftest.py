"""One workspace for all journeys; its environments are kept between sessions, its history is not."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECTS = ("tithi_fixture", "atom_fixture", "blog_fixture")


@dataclass(frozen=True)
class Answer:
    """What one call of the command gave."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Triage = Callable[..., Answer]


def call(*arguments: str, cwd: Path, env: Mapping[str, str] | None = None) -> Answer:
    """Run the command as a user does."""
    done = subprocess.run(
        [sys.executable, "-E", "-P", "-m", "triage", *arguments],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def workspace() -> Path:
    """A workspace of the three projects beside the repository's own."""
    folder = ROOT / ".triage" / "e2e"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("runs", "nightly"):
        shutil.rmtree(folder / ".triage" / name, ignore_errors=True)
    for path in folder.glob(".triage/triage.db*"):
        path.unlink()
    listed = "\n".join(f"  - {ROOT / 'projects' / name}" for name in PROJECTS)
    (folder / "triage.yaml").write_text(f"projects:\n{listed}\n", "utf-8")
    return folder


@pytest.fixture(scope="session")
def triage(workspace: Path) -> Triage:
    def run(*arguments: str, env: Mapping[str, str] | None = None) -> Answer:
        return call(*arguments, cwd=workspace, env=env)

    return run


@pytest.fixture(scope="session")
def fleet(triage: Triage) -> Answer:
    """The first run of all three projects."""
    return triage("run", "--all", "--json", "--jobs", "2")


@pytest.fixture(scope="session")
def summaries(fleet: Answer) -> Mapping[str, Mapping[str, Any]]:
    return {one["project"]["name"]: one for one in fleet.json["projects"]}
