"""A copy of a project to try changes in: it sees no settings of the folders above, and leads nowhere back."""

import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Self

from triage.model.environment import Environment
from triage.model.project import Project
from triage.workspace import copy_project, remove_folder

# Where pytest looks for its settings, from a project's folder upwards:
# https://docs.pytest.org/en/stable/reference/customize.html#finding-the-rootdir
_SETTINGS = (
    "pytest.toml",
    ".pytest.toml",
    "pytest.ini",
    ".pytest.ini",
    "pyproject.toml",
    "tox.ini",
    "setup.cfg",
)
_FENCE = "[pytest]\n"  # what stands above the copy must not be found by its pytest
_ABANDONED_S = 24 * 3600.0
_STEP_S = 2.0  # Python's bytecode knows a source by its size and whole seconds
_MAPPED = re.compile(r"['\"]((?:/|[A-Za-z]:)[^'\"\n]+)['\"]")


class Scratch:
    """The copy below `folder`; `project` is the same project with its root there.

    `top` is pytest's root folder of the first run, which may stand above the project or below it.
    """

    def __init__(
        self, project: Project, environment: Environment, folder: Path, top: Path | None = None
    ) -> None:
        clear_abandoned(folder.parent)
        self._origin = project.root
        self._folder = folder
        self._pycache = environment.pycache
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "pytest.ini").write_text(_FENCE, "utf-8")
        tree = folder / "tree"
        top = top if top is not None and _related(top, project.root) else project.root
        self.root = tree / (project.root.relative_to(top) if project.root.is_relative_to(top) else "")
        rootdir = tree if project.root.is_relative_to(top) else self.root / top.relative_to(project.root)
        copied = copy_project(project.root, self.root)
        self.left_out = copied.left_out
        _copy_settings(top, project.root, tree)
        self.project = _moved(project, self.root, rootdir, environment)
        self._laid: dict[str, bytes] = {}
        self._clock = max((path.stat().st_mtime for path in self._files()), default=0.0)
        self._known = {path: path.stat().st_mtime_ns for path in self._files()}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def lay(self, changed: Mapping[str, bytes]) -> None:
        """Puts the copy into the state of the project with these files changed.

        What tests wrote is taken away first, and what they changed is as it was.
        """
        self._sweep()
        wanted = dict(changed)
        for file in self._laid.keys() - wanted.keys():
            self._write(file, (self._origin / file).read_bytes())
        for file, data in wanted.items():
            if self._laid.get(file) != data:
                self._write(file, data)
        self._laid = wanted

    def remove(self) -> None:
        """With the bytecode that was made of it."""
        remove_folder(self._folder)
        if self._pycache is not None:
            shutil.rmtree(self._pycache / str(self._folder).lstrip("/"), ignore_errors=True)

    def _sweep(self) -> None:
        for path in list(self._files()):
            known = self._known.get(path)
            if known is None:
                path.unlink(missing_ok=True)
            elif path.lstat().st_mtime_ns != known:
                self._restore(path)
        for path in self._known.keys() - set(self._files()):
            self._restore(path)

    def _restore(self, path: Path) -> None:
        file = path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else None
        if file is None:
            return  # a settings file above the project; it is not the project's to change
        data = self._laid.get(file)
        self._write(file, data if data is not None else (self._origin / file).read_bytes())

    def _write(self, file: str, data: bytes) -> None:
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)  # it may be read-only
        path.write_bytes(data)
        self._clock += _STEP_S
        os.utime(path, (self._clock, self._clock))
        self._known[path] = path.stat().st_mtime_ns

    def _files(self) -> Iterator[Path]:
        for folder, _, names in os.walk(self._folder / "tree"):
            for name in names:
                path = Path(folder, name)
                if not path.is_symlink():
                    yield path


def clear_abandoned(folder: Path) -> None:
    """Removes copies that a killed process left a day ago or earlier."""
    oldest = time.time() - _ABANDONED_S
    for path in folder.glob("*/pytest.ini"):
        if path.stat().st_mtime < oldest:
            remove_folder(path.parent)


def _related(one: Path, other: Path) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)


def _copy_settings(top: Path, root: Path, tree: Path) -> None:
    """The settings and conftest files between pytest's root folder and the project."""
    folder = root.parent
    while folder.is_relative_to(top) and top != root:
        for name in (*_SETTINGS, "conftest.py"):
            if (folder / name).is_file():
                place = tree / folder.relative_to(top)
                place.mkdir(parents=True, exist_ok=True)
                shutil.copy2(folder / name, place / name)
        if folder == folder.parent:
            break
        folder = folder.parent


def _moved(project: Project, root: Path, rootdir: Path, environment: Environment) -> Project:
    """The project at its new place; what its environment imports of the old one comes from the copy."""
    paths = [project.test.env.get("PYTHONPATH", ""), *_import_paths(project.root, root, environment)]
    env = {**project.test.env, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    arguments = (*project.test.arguments, f"--rootdir={rootdir}")
    return replace(project, root=root, test=replace(project.test, arguments=arguments, env=env))


def _import_paths(old: Path, new: Path, environment: Environment) -> list[str]:
    """Folders of the copy that stand for those from which the environment imports the project."""
    found = ["src"] if (old / "src").is_dir() else []
    for site in sorted(environment.python.parent.parent.glob("lib/python*/site-packages")):
        for path in (*site.glob("*.pth"), *site.glob("__editable__*.py")):
            try:
                text = path.read_text("utf-8")
            except (OSError, UnicodeDecodeError):
                continue
            found += _below(text, old, is_list=path.suffix == ".pth")
    return [str(new / one) for one in dict.fromkeys(found) if (new / one).is_dir()]


def _below(text: str, old: Path, *, is_list: bool) -> Iterator[str]:
    """Import paths inside the project that a file of an editable installation names, relative to it."""
    named = text.splitlines() if is_list else [str(Path(one).parent) for one in _MAPPED.findall(text)]
    for one in named:
        path = Path(one.strip())
        if one.strip().startswith("/") and path.is_relative_to(old):
            yield path.relative_to(old).as_posix()
