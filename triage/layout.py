"""What a folder's ordinary layout says of its tests and requirements."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from triage.model.project import EnvironmentSpec

_TEST_FOLDERS = ("tests", "test")
_TEST_EXTRAS = ("test", "tests", "testing", "dev")
_REQUIREMENTS = (
    "requirements.txt",
    "requirements-test.txt",
    "requirements-tests.txt",
    "requirements-dev.txt",
    "requirements_test.txt",
    "requirements_dev.txt",
    "test-requirements.txt",
    "dev-requirements.txt",
    "requirements/base.txt",
    "requirements/test.txt",
    "requirements/tests.txt",
    "requirements/dev.txt",
)


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


def infer_environment(root: Path) -> EnvironmentSpec:
    """An existing `.venv`, else requirement files, else what `pyproject.toml` declares."""
    project = _table(_toml(root / "pyproject.toml"), "project")
    stated = project.get("requires-python")
    python = stated if isinstance(stated, str) else None
    for name in (".venv", "venv"):
        if (root / name / "bin" / "python").exists():
            return EnvironmentSpec(use=name)
    requirements = tuple(name for name in _REQUIREMENTS if (root / name).is_file())
    if requirements:
        return EnvironmentSpec(python=python, requirements=requirements)
    return EnvironmentSpec(python=python, extras=_extras(root, project))


def _extras(root: Path, project: Mapping[str, Any]) -> tuple[str, ...]:
    if not project:
        return (".",) if (root / "setup.py").is_file() else ()
    optional = _table(project, "optional-dependencies")
    wanted = [name for name in _TEST_EXTRAS if name in optional]
    return (f".[{','.join(wanted)}]" if wanted else ".",)


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
