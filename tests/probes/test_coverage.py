"""Coverage of a project's own code."""

import json
from pathlib import Path

import pytest

from triage.model.environment import Environment, EnvironmentKind
from triage.model.project import CoverageTarget
from triage.probes.coverage import coverage_arguments, covered_percent


def environment(root: Path, *, plugin: bool) -> Environment:
    if plugin:
        (root / "lib" / "python3.12" / "site-packages" / "pytest_cov").mkdir(parents=True)
    return Environment(root / "bin" / "python", EnvironmentKind.CACHED, "k", "3.12", "-")


def write(folder: Path, **files: tuple[int, int]) -> None:
    content = {
        name.replace("__", "/") + ".py": {"summary": {"covered_lines": covered, "num_statements": of}}
        for name, (covered, of) in files.items()
    }
    (folder / "coverage.json").write_text(json.dumps({"files": content}))


@pytest.mark.parametrize(
    ("path", "source"), [("app", "app"), ("app/models.py", "app"), ("models.py", "."), ("./app/", "app")]
)
def test_the_plugin_measures_the_folder_of_the_target(tmp_path: Path, path: str, source: str) -> None:
    found = coverage_arguments(CoverageTarget(path, 90), environment(tmp_path, plugin=True), tmp_path)
    assert found == (f"--cov={source}", "--cov-report=", f"--cov-report=json:{tmp_path}/coverage.json")


def test_nothing_is_asked_for_without_a_target_or_a_plugin(tmp_path: Path) -> None:
    assert coverage_arguments(CoverageTarget("app", 90), environment(tmp_path, plugin=False), tmp_path) == ()
    assert coverage_arguments(None, environment(tmp_path, plugin=True), tmp_path) == ()


@pytest.mark.parametrize(
    ("path", "percent"), [("app", 75.0), ("app/a.py", 50.0), (".", 60.0), ("./app", 75.0), ("ap", None)]
)
def test_only_files_below_the_path_count(tmp_path: Path, path: str, percent: float | None) -> None:
    write(tmp_path, app__a=(5, 10), app__b=(10, 10), other=(0, 5))
    assert covered_percent(CoverageTarget(path, 90), tmp_path) == percent


def test_nearly_all_is_not_all(tmp_path: Path) -> None:
    write(tmp_path, app=(9999, 10000))
    assert covered_percent(CoverageTarget("app.py", 100), tmp_path) == 99.9
    write(tmp_path, app=(29, 29))
    assert covered_percent(CoverageTarget("app.py", 100), tmp_path) == 100.0


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"files": []}', '{"files": {"app/a.py": {}}}', '{"files": {"app/a.py": 3}}', "\0"],
)
def test_a_report_that_says_nothing_is_not_measured(tmp_path: Path, text: str) -> None:
    (tmp_path / "coverage.json").write_text(text)
    assert covered_percent(CoverageTarget("app", 90), tmp_path) is None
    assert covered_percent(CoverageTarget("app", 90), tmp_path / "nowhere") is None
    assert covered_percent(None, tmp_path) is None
