"""Environments to record in: interpreters by version, packages by name, kept between calls in a folder."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

SETUP_TIMEOUT_S = 900
_DRIVERS = ("psycopg[binary]", "psycopg2-binary", "asyncpg", "greenlet", "PyMySQL")
_CURRENT = (
    *("flask", "flask-sqlalchemy", "sqlalchemy>=2.1", "factory_boy", "pytest", "pytest-mock", "pytest-xdist"),
    *("pytest-timeout", "psycopg[binary]", "psycopg2-binary", "asyncpg", "greenlet", "PyMySQL"),
    *("pydantic-settings", "python-decouple", "environs"),
)
_PREVIOUS = (
    *("flask>=2.3,<3", "werkzeug>=2.3,<3", "flask-sqlalchemy", "sqlalchemy>=2.0,<2.1", "pytest>=8,<9"),
    *("asyncpg", "greenlet"),
)
_LEGACY = (
    *("flask==1.1.4", "werkzeug==1.0.1", "jinja2==2.11.3", "markupsafe==2.0.1", "itsdangerous==1.1.0"),
    *("flask-sqlalchemy==2.5.1", "sqlalchemy==1.3.24", "pytest==6.2.5"),
)
_SQLALCHEMY_14 = (
    *(
        "flask>=2.2,<2.3",
        "werkzeug>=2.2,<2.3",
        "flask-sqlalchemy==2.5.1",
        "sqlalchemy>=1.4,<2",
        "pytest>=7,<8",
    ),
    *("factory_boy", "pytest-mock", "pytest-timeout", *_DRIVERS),
)
_PYTHON_310 = (
    *("flask>=2.1,<2.2", "werkzeug>=2.1,<2.2", "flask-sqlalchemy==2.5.1", "sqlalchemy>=1.4,<2"),
    *("pytest>=7.2,<7.3", "pytest-mock", "pytest-timeout", *_DRIVERS),
)
_PYTHON_312 = (
    *("flask>=3.0,<3.1", "werkzeug>=3.0,<3.1", "flask-sqlalchemy", "sqlalchemy>=2.0,<2.1", "pytest>=8,<9"),
    *("factory_boy", "pytest-mock", "pytest-timeout", *_DRIVERS),
)
_PYTHON_313 = (*_CURRENT, "pytest-asyncio", "aiosqlite")

# The interpreter (None: the one that runs this script) and what is installed.
ENVIRONMENTS: Mapping[str, tuple[str | None, tuple[str, ...]]] = {
    "current": (None, _CURRENT),
    "previous": (None, _PREVIOUS),
    "legacy": ("3.8", _LEGACY),
    "sqlalchemy-1.4": ("3.9", _SQLALCHEMY_14),
    "python-3.10": ("3.10", _PYTHON_310),
    "python-3.12": ("3.12", _PYTHON_312),
    "python-3.13": ("3.13", _PYTHON_313),
}
_SHOWN = ("pytest", "sqlalchemy", "flask", "psycopg", "psycopg2-binary", "asyncpg", "pymysql")


@dataclass(frozen=True, slots=True)
class Environment:
    python: Path
    versions: str


def make_environment(name: str, needs: frozenset[str], parent: Path) -> Environment:
    """The environment of that name with `needs` beside its own packages; one that is there is used again.

    Raises:
        LookupError: no such environment, or its interpreter is not installed.
        CalledProcessError: its packages cannot be installed.
    """
    version, requirements = ENVIRONMENTS[name]
    base = interpreter(version)
    content = json.dumps([str(base), requirements, sorted(needs)])
    folder = parent / f"{name}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"
    python, done = folder / "bin" / "python", folder / "versions.txt"
    if not done.is_file():
        _build(base, folder, (*requirements, *sorted(needs)))
        done.write_text(_versions(python, needs), "utf-8")
    return Environment(python, done.read_text("utf-8"))


def interpreter(version: str | None) -> Path:
    """The interpreter of that version, from the folder `TRIAGE_PYTHONS`, PATH, or uv.

    Raises:
        LookupError: none works.
    """
    if version is None:
        return Path(sys.executable)
    for candidate in _candidates(version):
        if candidate.is_file() and _says(candidate) == version:
            return candidate
    raise LookupError(
        f"no Python {version}; TRIAGE_PYTHONS may name a folder that holds {version}*/bin/python"
    )


def _candidates(version: str) -> Iterator[Path]:
    folder = os.environ.get("TRIAGE_PYTHONS")
    if folder:
        yield from sorted(Path(folder).glob(f"{version}*/bin/python"))
    found = shutil.which(f"python{version}")
    if found:
        yield Path(found)
    uv = _uv()
    if uv:
        command = [uv, "python", "find", "--no-python-downloads", version]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SETUP_TIMEOUT_S, check=False)
        if done.returncode == 0:
            yield Path(done.stdout.strip())


def _says(python: Path) -> str | None:
    """The interpreter's version; None for one that does not start, as pyenv's stand-ins."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, timeout=60, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def _uv() -> str | None:
    return os.environ.get("TRIAGE_UV") or shutil.which("uv")


def _build(base: Path, folder: Path, requirements: tuple[str, ...]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    python, uv = folder / "bin" / "python", _uv()
    if uv:
        _run([uv, "venv", "--quiet", "--python", str(base), str(folder)])
        _run([uv, "pip", "install", "--quiet", "--python", str(python), *requirements])
    else:
        _run([str(base), "-m", "venv", str(folder)])
        _run([str(python), "-m", "pip", "install", "--quiet", *requirements])


def _versions(python: Path, needs: frozenset[str]) -> str:
    code = (
        "import json, platform, importlib.metadata as m; print(json.dumps([platform.python_version(),"
        " {(d.metadata['Name'] or '').lower(): d.version for d in m.distributions()}]))"
    )
    running, found = json.loads(_run([str(python), "-c", code]))
    shown = [*_SHOWN, *sorted(need.lower() for need in needs if need.lower() not in _SHOWN)]
    return ", ".join([f"Python {running}", *(f"{one} {found[one]}" for one in shown if one in found)])


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=SETUP_TIMEOUT_S, check=True)
    return done.stdout
