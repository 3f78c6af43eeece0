import sys
from pathlib import Path

import pytest

from triage.environments.options import ProvisionOptions
from triage.errors import ProvisionError
from triage.model.environment import EnvironmentKind
from triage.model.project import EnvironmentSpec, Project
from triage.model.terms import RunStatus
from triage.stages.provision import provision
from triage.stages.run import run_tests
from triage.workspace import WorkspaceFolders


def test_a_project_that_names_an_environment_gets_it(tmp_path: Path) -> None:
    spec = EnvironmentSpec(use=sys.prefix, requirements=("does-not-matter.txt",))
    environment = provision(Project("shop", tmp_path, spec), WorkspaceFolders(tmp_path), ProvisionOptions())
    assert (environment.kind, environment.python) == (
        EnvironmentKind.EXISTING,
        Path(sys.prefix, "bin/python"),
    )


def test_a_project_whose_requirements_are_missing_is_one_clear_error(tmp_path: Path) -> None:
    project = Project("shop", tmp_path, EnvironmentSpec(requirements=("requirements.txt",)))
    with pytest.raises(ProvisionError, match="does not exist"):
        provision(project, WorkspaceFolders(tmp_path), ProvisionOptions())


@pytest.mark.campaign
def test_requirements_come_from_the_index(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("pytest\niniconfig\n")
    (tmp_path / "test_a.py").write_text("import iniconfig\ndef test_a(): pass\n")
    project = Project("shop", tmp_path, EnvironmentSpec(requirements=("requirements.txt",)))
    folders = WorkspaceFolders(tmp_path)
    environment = provision(project, folders, ProvisionOptions())
    assert (environment.kind, environment.notes) == (EnvironmentKind.CACHED, ())
    assert run_tests(project, environment, tmp_path / "out").status is RunStatus.COMPLETED
