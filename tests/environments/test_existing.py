import subprocess
import sys
from pathlib import Path

import pytest

from triage.environments.existing import existing_environment
from triage.errors import ProvisionError
from triage.model.environment import EnvironmentKind
from triage.model.project import EnvironmentSpec
from triage.workspace import WorkspaceFolders


def test_a_folder_can_be_named_and_is_examined_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = WorkspaceFolders(tmp_path)
    spec = EnvironmentSpec(use=sys.prefix, python=">=3.8")
    found = existing_environment(tmp_path, spec, folders)
    assert found.kind is EnvironmentKind.EXISTING
    assert found.version == ".".join(map(str, sys.version_info[:3]))
    assert found.pycache is not None
    assert found.pycache.is_relative_to(folders.environments)
    monkeypatch.setattr(subprocess, "Popen", None)
    assert existing_environment(tmp_path, spec, folders) == found


def test_a_folder_without_an_interpreter_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ProvisionError, match="there is no Python environment") as caught:
        existing_environment(tmp_path, EnvironmentSpec(use=".venv"), WorkspaceFolders(tmp_path))
    assert caught.value.where == str(tmp_path / ".venv")
    assert "bin/python" in (caught.value.allowed or "")


def test_an_environment_without_pytest_is_an_error_and_stays_as_it_is(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    before = sorted((tmp_path / "bare").rglob("*"))
    with pytest.raises(ProvisionError, match="No module named 'pytest'"):
        existing_environment(tmp_path, EnvironmentSpec(use="bare"), WorkspaceFolders(tmp_path))
    assert sorted((tmp_path / "bare").rglob("*")) == before


def test_another_python_than_the_project_allows_is_an_error(tmp_path: Path) -> None:
    spec = EnvironmentSpec(use=sys.executable, python="<3.8")
    with pytest.raises(ProvisionError, match="it has Python 3") as caught:
        existing_environment(tmp_path, spec, WorkspaceFolders(tmp_path))
    assert caught.value.allowed == "Python <3.8"
