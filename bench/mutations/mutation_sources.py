"""The packages under mutation: source distribution, environment, and the run without any mutation."""

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

from mutation_specs import Package


class SourceError(Exception):
    """A package cannot be had as its file says, or its own tests fail."""


@dataclass(frozen=True)
class Ready:
    """`tree` is the unpacked source, never edited; `python` the interpreter of its environment."""

    package: Package
    tree: Path
    environment: Path

    @property
    def python(self) -> Path:
        return self.environment / "bin" / "python"


def prepare(package: Package, cache: Path) -> Ready:
    """Download, unpack and install, each once.

    Raises:
        SourceError: the archive is not the one that the file names.
    """
    folder = cache / f"{package.package}-{package.version}"
    archive = _downloaded(package, folder)
    tree = folder / "source"
    if not tree.is_dir():
        with tarfile.open(archive) as file:
            file.extractall(folder / "unpacking", filter="data")
        (only,) = (folder / "unpacking").iterdir()
        only.rename(tree)
        (folder / "unpacking").rmdir()
    return Ready(package, tree, _installed(package, folder))


def _downloaded(package: Package, folder: Path) -> Path:
    found = list(folder.glob("*.tar.gz"))
    if not found:
        folder.mkdir(parents=True, exist_ok=True)
        wanted = f"{package.package}=={package.version}"
        options = ("--no-binary", ":all:", "--no-deps", "--dest", str(folder), wanted)
        _call([_pip(folder.parent), "download", "--quiet", "--disable-pip-version-check", *options])
        found = list(folder.glob("*.tar.gz"))
    digest = hashlib.sha256(found[0].read_bytes()).hexdigest()
    if digest != package.sha256:
        raise SourceError(f"{found[0]}: sha256 is {digest}, not {package.sha256}")
    return found[0]


def _pip(cache: Path) -> str:
    """A pip of our own: an environment made by uv has none, and uv downloads no archives."""
    pip = cache / "pip" / "bin" / "pip"
    if not pip.is_file():
        _call([sys.executable, "-m", "venv", str(cache / "pip")])
    return str(pip)


def _installed(package: Package, folder: Path) -> Path:
    environment, listed = folder / "environment", folder / "requirements.txt"
    text = "\n".join(package.requirements) + "\n"
    if listed.is_file() and listed.read_text("utf-8") == text:
        return environment
    shutil.rmtree(environment, ignore_errors=True)
    python = str(environment / "bin" / "python")
    if uv := shutil.which("uv"):
        _call([uv, "venv", "--quiet", "--python", sys.executable, str(environment)])
        _call([uv, "pip", "install", "--quiet", "--no-deps", "--python", python, *package.requirements])
    else:
        _call([sys.executable, "-m", "venv", str(environment)])
        _call([python, "-m", "pip", "install", "--quiet", "--no-deps", *package.requirements])
    listed.write_text(text, "utf-8")  # last: an interrupted installation is made anew
    return environment


def _call(command: list[str]) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SourceError(f"{' '.join(command[:5])} ...: {(done.stderr or done.stdout)[-500:]}")


def outcomes(ready: Ready, tree: Path, tests: tuple[str, ...], report: Path) -> dict[str, str]:
    """Test (class name and name of the report) to `passed`, `failed` or `skipped`, of a plain pytest run."""
    command = [str(ready.python), "-m", "pytest", "-q", f"--junitxml={report}", *ready.package.options(tests)]
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **(ready.package.env or {})}
    done = subprocess.run(command, cwd=tree, env=env, check=False, capture_output=True, text=True)
    if not report.is_file():
        raise SourceError(f"{ready.package.package}: no report: {(done.stdout + done.stderr)[-500:]}")
    found: dict[str, str] = {}
    for case in ET.parse(report).iter("testcase"):
        bad = case.find("failure") is not None or case.find("error") is not None
        state = "failed" if bad else "skipped" if case.find("skipped") is not None else "passed"
        found[f"{case.get('classname')}::{case.get('name')}"] = state
    return found
