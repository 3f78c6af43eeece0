"""What a folder's ordinary layout says of its tests and requirements."""

import re
import tomllib
from collections.abc import Mapping
from configparser import Error as ConfigParserError
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

from triage.model.project import EnvironmentSpec

_TEST_FOLDERS = ("tests", "test")
_TEST_EXTRAS = ("test", "tests", "testing", "dev")
TEST_PLACES = "a folder tests/ or this folder with files named test_*.py or *_test.py"
_BASE_FILES = ("requirements.txt", "requirements/base.txt")
_TEST_FILES = (
    "requirements-test.txt",
    "requirements-tests.txt",
    "requirements_test.txt",
    "test-requirements.txt",
    "requirements/test.txt",
    "requirements/tests.txt",
)
# With linters and what builds the documentation: only where nothing is said for tests.
_DEV_FILES = ("requirements-dev.txt", "requirements_dev.txt", "dev-requirements.txt", "requirements/dev.txt")


def project_name(root: Path) -> str:
    """The folder's name as a project name: letters, digits, dot, dash and underscore."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", root.name).strip("-._") or "project"


def infer_tests(root: Path) -> tuple[str, ...] | None:
    """What follows `python -m pytest`: nothing where pytest's own settings say it; None: no tests."""
    if _pytest_settings(root):
        return ()
    for name in _TEST_FOLDERS:
        if (root / name).is_dir() and _has_tests(root / name):
            return (name,)
    loose = any(root.glob("test_*.py")) or any(root.glob("*_test.py"))
    return (".",) if loose or _has_tests(root) else None


def lack_of_tests(root: Path) -> str:
    """A sentence's end for a folder in which `infer_tests` finds nothing."""
    there = [name for name in _TEST_FOLDERS if (root / name).is_dir()]
    if there:
        return f"its folder {there[0]}/ holds no file named test_*.py or *_test.py"
    return "it has neither a project file nor tests"


def infer_environment(root: Path) -> EnvironmentSpec:
    """An existing `.venv`, else requirement files and, where the folder is a package, itself."""
    data = _toml(root / "pyproject.toml")
    stated = _table(data, "project").get("requires-python")
    python = stated if isinstance(stated, str) else None
    for name in (".venv", "venv"):
        if (root / name / "bin" / "python").exists():
            return EnvironmentSpec(use=name)
    base, test, dev = (_there(root, names) for names in (_BASE_FILES, _TEST_FILES, _DEV_FILES))
    asked = test or dev
    package = _package(root, data, beside=bool(base or asked))
    groups = () if asked else _group(_table(data, "dependency-groups"))
    return EnvironmentSpec(python=python, requirements=(*base, *asked), extras=(*package, *groups))


def _there(root: Path, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if (root / name).is_file())


def _package(root: Path, data: Mapping[str, Any], *, beside: bool) -> tuple[str, ...]:
    """The folder itself with its extras for tests; nothing where it is no package.

    A `[project]` without a build system is one only where nothing else says what to install: beside
    requirement files it is most often an application that cannot be built.
    """
    project, setup = _table(data, "project"), _setup(root / "setup.cfg")
    builds = "build-system" in data
    is_package = (
        (root / "setup.py").is_file()
        or (bool(project) and (builds or not beside))
        or (builds and "metadata" in setup)
    )
    if not is_package:
        return ()
    optional = {*_table(project, "optional-dependencies"), *setup.get("options.extras_require", ())}
    wanted = [name for name in _TEST_EXTRAS if name in optional]
    return (f".[{','.join(wanted)}]" if wanted else ".",)


def _group(groups: Mapping[str, Any]) -> tuple[str, ...]:
    """The requirements of the first group for tests (PEP 735), those that are plain strings."""
    for name in _TEST_EXTRAS:
        if isinstance(groups.get(name), list):
            return tuple(one for one in groups[name] if isinstance(one, str))
    return ()


def _setup(path: Path) -> Mapping[str, set[str]]:
    """The names in each section of a `setup.cfg`."""
    parser = RawConfigParser(strict=False)
    try:
        parser.read_string(_read(path))
    except ConfigParserError:
        return {}
    return {name: set(parser.options(name)) for name in parser.sections()}


def _pytest_settings(root: Path) -> bool:
    """True where a settings file of pytest names test paths."""
    options = _table(_table(_toml(root / "pyproject.toml"), "tool"), "pytest")
    if "testpaths" in options or "testpaths" in _table(options, "ini_options"):
        return True
    return any(
        re.search(r"^testpaths\s*=", _read(root / name), re.MULTILINE)
        for name in ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini", "tox.ini", "setup.cfg")
    )


def _has_tests(folder: Path) -> bool:
    return any(
        "site-packages" not in path.parts and ".triage" not in path.parts
        for pattern in ("test_*.py", "*_test.py")
        for path in folder.rglob(pattern)
    )


def _table(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """A table of somebody else's file, empty where something else stands in its place."""
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_read(path))
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        return {}


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8") if path.is_file() else ""
    except (OSError, UnicodeDecodeError):
        return ""
