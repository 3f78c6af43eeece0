"""A scratch copy: always in the state that was asked for, whatever tests did to it."""

import os
import time
from pathlib import Path

import pytest

from triage.model.environment import Environment, EnvironmentKind
from triage.model.project import Project, TestSpec
from triage.scratch import Scratch


def environment(folder: Path) -> Environment:
    (folder / "env" / "bin").mkdir(parents=True, exist_ok=True)
    return Environment(
        folder / "env" / "bin" / "python", EnvironmentKind.EXISTING, "k", "3.11", "-", folder / "pyc"
    )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    root = tmp_path / "repo" / "shop"
    (root / "tests").mkdir(parents=True)
    (root / "shop.py").write_text("PRICE = 1\n")
    (root / "tests" / "test_shop.py").write_text("def test_it(): pass\n")
    return Project("shop", root, test=TestSpec(("tests",)))


def test_the_copy_is_laid_as_asked_and_back(project: Project, tmp_path: Path) -> None:
    with Scratch(project, environment(tmp_path), tmp_path / "s") as scratch:
        scratch.lay({"shop.py": b"PRICE = 2\n"})
        assert (scratch.root / "shop.py").read_bytes() == b"PRICE = 2\n"
        assert (project.root / "shop.py").read_bytes() == b"PRICE = 1\n"
        scratch.lay({"tests/test_shop.py": b"def test_other(): pass\n"})
        assert (scratch.root / "shop.py").read_bytes() == b"PRICE = 1\n"
    assert not (tmp_path / "s").exists()


def test_what_tests_wrote_changed_and_removed_is_put_right(project: Project, tmp_path: Path) -> None:
    with Scratch(project, environment(tmp_path), tmp_path / "s") as scratch:
        scratch.lay({"shop.py": b"PRICE = 2\n"})
        (scratch.root / "test.db").write_bytes(b"rows")
        (scratch.root / "shop.py").write_text("broken")
        (scratch.root / "tests" / "test_shop.py").unlink()
        scratch.lay({"shop.py": b"PRICE = 2\n"})
        assert not (scratch.root / "test.db").exists()
        assert (scratch.root / "shop.py").read_bytes() == b"PRICE = 2\n"
        assert (scratch.root / "tests" / "test_shop.py").read_text() == "def test_it(): pass\n"


def test_each_change_has_a_newer_second_so_that_bytecode_is_not_taken_for_it(
    project: Project, tmp_path: Path
) -> None:
    with Scratch(project, environment(tmp_path), tmp_path / "s") as scratch:
        path, seen = scratch.root / "shop.py", []
        for price in (b"2", b"3", b"2"):
            scratch.lay({"shop.py": b"PRICE = " + price + b"\n"})
            seen.append(int(path.stat().st_mtime))
        assert seen == sorted(set(seen))


def test_settings_between_pytests_root_and_the_project_come_along(project: Project, tmp_path: Path) -> None:
    (tmp_path / "repo" / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    (tmp_path / "repo" / "conftest.py").write_text("")
    (tmp_path / "repo" / "other.py").write_text("")
    with Scratch(project, environment(tmp_path), tmp_path / "s", tmp_path / "repo") as scratch:
        assert scratch.root == tmp_path / "s" / "tree" / "shop"
        names = sorted(path.name for path in (tmp_path / "s" / "tree").iterdir())
        assert names == ["conftest.py", "pyproject.toml", "shop"]
        assert f"--rootdir={tmp_path / 's' / 'tree'}" in scratch.project.test.arguments


def test_settings_above_the_copy_are_fenced_off(project: Project, tmp_path: Path) -> None:
    with Scratch(project, environment(tmp_path), tmp_path / "s") as scratch:
        assert (tmp_path / "s" / "pytest.ini").is_file()
        assert f"--rootdir={scratch.root}" in scratch.project.test.arguments


def test_what_the_environment_imports_of_the_project_comes_from_the_copy(
    project: Project, tmp_path: Path
) -> None:
    site = tmp_path / "env" / "lib" / "python3.11" / "site-packages"
    site.mkdir(parents=True)
    (project.root / "lib").mkdir()
    (project.root / "lib" / "a.py").write_text("")
    (site / "shop.pth").write_text(f"{project.root / 'lib'}\n/elsewhere\n")
    (site / "__editable___shop_finder.py").write_text(
        f"MAPPING = {{'tests': {str(project.root / 'tests')!r}}}\n"
    )
    with Scratch(project, environment(tmp_path), tmp_path / "s") as scratch:
        paths = scratch.project.test.env["PYTHONPATH"].split(os.pathsep)
        assert paths == [str(scratch.root / "lib"), str(scratch.root)]


def test_a_copy_that_a_killed_process_left_yesterday_is_removed(project: Project, tmp_path: Path) -> None:
    for name, age_s in (("old", 90_000.0), ("fresh", 60.0)):
        (tmp_path / "scratch" / name).mkdir(parents=True)
        fence = tmp_path / "scratch" / name / "pytest.ini"
        fence.write_text("[pytest]")
        os.utime(fence, (time.time() - age_s,) * 2)
    with Scratch(project, environment(tmp_path), tmp_path / "scratch" / "mine"):
        assert sorted(path.name for path in (tmp_path / "scratch").iterdir()) == ["fresh", "mine"]


def test_the_bytecode_of_the_copy_goes_with_it(project: Project, tmp_path: Path) -> None:
    with Scratch(project, environment(tmp_path), tmp_path / "s") as scratch:
        made = tmp_path / "pyc" / str(scratch.root).lstrip("/")
        made.mkdir(parents=True)
    assert not made.exists()
