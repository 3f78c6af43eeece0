"""What an ordinary layout says."""

import os
from pathlib import Path

import pytest

from tests.builders import write_files
from triage.layout import infer_environment, infer_tests, project_name
from triage.model.project import EnvironmentSpec

T = "def test_a(): pass\n"
BUILDS = '[build-system]\nrequires = ["setuptools"]\n'


@pytest.mark.parametrize(
    ("files", "tests"),
    [
        ({"tests/test_a.py": T}, ("tests",)),
        ({"test/a_test.py": T}, ("test",)),
        ({"tests/helper.py": ""}, None),
        ({"test_a.py": T}, (".",)),
        ({"app/test_a.py": T}, (".",)),
        ({"app/a.py": ""}, None),
        ({"pytest.ini": "[pytest]\ntestpaths = x\n"}, ()),
        ({"pytest.ini": "[pytest]\n", "tests/test_a.py": T}, ("tests",)),
        ({"setup.cfg": "[tool:pytest]\ntestpaths=x\n"}, ()),
        ({"pyproject.toml": '[tool.pytest.ini_options]\ntestpaths = ["x"]\n'}, ()),
        ({"pyproject.toml": '[tool.pytest]\ntestpaths = ["x"]\n'}, ()),
        ({"pytest.toml": '[pytest]\ntestpaths = ["x"]\n'}, ()),
        ({".venv/lib/site-packages/x/test_a.py": T}, None),
        ({".triage/runs/test_a.py": T}, None),
        ({}, None),
    ],
)
def test_tests_are_found_where_they_usually_are(
    tmp_path: Path, files: dict[str, str], tests: tuple[str, ...] | None
) -> None:
    assert infer_tests(write_files(tmp_path, files)) == tests


@pytest.mark.parametrize(
    ("files", "spec"),
    [
        ({".venv/bin/python": "", "requirements.txt": ""}, EnvironmentSpec(use=".venv")),
        (
            {"requirements.txt": "", "requirements/test.txt": "", "pyproject.toml": "[project]\n"},
            EnvironmentSpec(requirements=("requirements.txt", "requirements/test.txt")),
        ),
        (
            {
                "pyproject.toml": '[project]\nname = "a"\nrequires-python = ">=3.12"\n'
                "[project.optional-dependencies]\ndev = []\ntest = []\ndocs = []\n"
            },
            EnvironmentSpec(python=">=3.12", extras=(".[test,dev]",)),
        ),
        ({"pyproject.toml": '[project]\nname = "a"\n'}, EnvironmentSpec(extras=(".",))),
        ({"setup.py": ""}, EnvironmentSpec(extras=(".",))),
        (
            {
                "pyproject.toml": BUILDS + '[project]\nname = "a"\n',
                "requirements/tests.txt": "",
                "requirements/dev.txt": "",
            },
            EnvironmentSpec(requirements=("requirements/tests.txt",), extras=(".",)),
        ),
        (
            {"pyproject.toml": '[project]\nname = "an application"\n', "requirements.txt": ""},
            EnvironmentSpec(requirements=("requirements.txt",)),
        ),
        (
            {"setup.py": "", "requirements.txt": "", "requirements-dev.txt": ""},
            EnvironmentSpec(requirements=("requirements.txt", "requirements-dev.txt"), extras=(".",)),
        ),
        (
            {
                "pyproject.toml": BUILDS,
                "setup.cfg": "[metadata]\nname = a\n[options.extras_require]\ntest = pytest\ndocs = x\n",
            },
            EnvironmentSpec(extras=(".[test]",)),
        ),
        ({"setup.cfg": "[metadata]\nname = a\n"}, EnvironmentSpec()),
        ({"setup.cfg": "not = a section\n[", "setup.py": ""}, EnvironmentSpec(extras=(".",))),
        (
            {
                "pyproject.toml": '[dependency-groups]\ndev = ["ruff"]\n'
                'test = ["pytest>8", {include-group="x"}]\n'
            },
            EnvironmentSpec(extras=("pytest>8",)),
        ),
        (
            {"pyproject.toml": '[dependency-groups]\ntest = ["pytest"]\n', "requirements-test.txt": ""},
            EnvironmentSpec(requirements=("requirements-test.txt",)),
        ),
        ({"pyproject.toml": "dependency-groups = 3\nbuild-system = 4\n"}, EnvironmentSpec()),
        ({}, EnvironmentSpec()),
    ],
)
def test_requirements_are_found_where_they_usually_are(
    tmp_path: Path, files: dict[str, str], spec: EnvironmentSpec
) -> None:
    assert infer_environment(write_files(tmp_path, files)) == spec


@pytest.mark.parametrize(
    "text",
    [
        "project = 3\ntool = 4\n",
        "[project]\nrequires-python = 3\noptional-dependencies = 5\n",
        "[tool]\npytest = 1\n",
        "[tool.pytest]\nini_options = 1\n",
        "not toml [",
        "\x00",
        "a = " + "[" * 5000,
    ],
)
def test_a_strange_pyproject_says_nothing_and_breaks_nothing(tmp_path: Path, text: str) -> None:
    root = write_files(tmp_path, {"pyproject.toml": text, "tests/test_a.py": T})
    assert infer_tests(root) == ("tests",)
    assert infer_environment(root).python is None


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pyproject.toml")
    os.mkfifo(tmp_path / "tox.ini")
    assert infer_tests(tmp_path) is None


@pytest.mark.parametrize(
    ("folder", "name"), [("shop", "shop"), ("my shop!", "my-shop"), ("日本", "project"), ("..x", "x")]
)
def test_a_folder_gives_a_name_that_a_project_may_have(tmp_path: Path, folder: str, name: str) -> None:
    assert project_name(tmp_path / folder) == name
