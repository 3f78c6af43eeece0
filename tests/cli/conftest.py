"""The command, called in this process as its entry point calls it."""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.builders import write_files
from triage.cli.main import main

HEAD = f"environment: {{use: {sys.prefix}}}\ntest: {{env: {{PYTEST_DISABLE_PLUGIN_AUTOLOAD: '1'}}}}\n"


@dataclass(frozen=True)
class Answer:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Fails where standard output holds anything beside one document."""
        return json.loads(self.out)


Triage = Callable[..., Answer]


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [name for name in os.environ if name.startswith("TRIAGE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TRIAGE_PROBE", "0")  # further runs are what few of these tests are about
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def triage(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Triage:
    def call(*arguments: str, cwd: Path) -> Answer:
        monkeypatch.chdir(cwd)
        monkeypatch.setattr(sys, "argv", ["triage", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return Answer(int(ended.value.code or 0), said.out, said.err)

    return call


def project(root: Path, text: str = "def test_a(): pass\n", more: str = "") -> Path:
    return write_files(root, {"triage.yaml": f"name: {root.name}\n{HEAD}{more}", "test_a.py": text})


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two projects, one of which fails; shared, so that their environment is looked at once."""
    folder = tmp_path_factory.mktemp("fleet")
    project(folder / "good")
    project(folder / "bad", "def test_a():\n    raise LookupError('##[error] é <b>')\n")
    write_files(folder, {"triage.yaml": "projects: [good, bad]\njobs: 2\n"})
    return folder
