"""Builds an environment in a folder of its own, so that it can be published when it is whole."""

import os
import shutil
import tomllib
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from triage.environments.installers import Installer
from triage.environments.requirements import BUILD_FILES, LocalProject, Requirements, without_local_projects
from triage.errors import ProvisionError
from triage.workspace import copy_project

_SCRIPT_HEAD = 4096
_PYTEST_ADDED = "the requirements do not name pytest: its newest release that fits was installed"


def build(
    installer: Installer, requirements: Requirements, root: Path, progress: Callable[[str], None]
) -> tuple[str, ...]:
    """Fills the installer's folder; returns notes for people.

    Raises:
        ProvisionError: something cannot be installed.
    """
    installer.create()
    notes: list[str] = []
    scratch = installer.folder / "build"
    scratch.mkdir()
    wanted: list[str | Path] = [*_files(requirements, scratch), *requirements.plain]
    if not _mentions_pytest(requirements):
        wanted.append("pytest")
        notes.append(_PYTEST_ADDED)
    progress(f"installing requirements with {installer.name}")
    notes += _install(installer, wanted, requirements.local, root, scratch)
    if not any(_site_packages(installer.folder).glob("pytest-*.dist-info")):
        installer.install(["pytest"], root)
        notes.append(_PYTEST_ADDED)
    shutil.rmtree(scratch)
    return tuple(notes)


def relocate(folder: Path, final: Path) -> None:
    """Makes the scripts of an environment name the place that it is about to get."""
    for path in (folder / "pyvenv.cfg", *(folder / "bin").iterdir()):
        if not path.is_symlink() and path.is_file():
            _replace(path, str(folder), str(final))


def _install(
    installer: Installer, wanted: list[str | Path], local: Sequence[LocalProject], root: Path, scratch: Path
) -> list[str]:
    copies = {scratch / f"source{number}": project for number, project in enumerate(local)}
    for copy, project in copies.items():
        copy_project(project.folder, copy)
    editable = [word for copy, project in copies.items() for word in ("-e", _with_extras(copy, project))]
    try:
        installer.install([*wanted, *editable], root)
    except ProvisionError as error:
        declared = [dependency for project in local for dependency in _declared(project)]
        if not local or None in declared:
            raise
        if wanted or declared:
            with suppress(ProvisionError):
                installer.install([*wanted, *(each for each in declared if each)], root)
                return [_not_built(installer.folder, local, error)]
            raise
        return [_not_built(installer.folder, local, error)]
    for copy, project in copies.items():
        _point_at_source(installer.folder, copy, project.folder)
    return []


def _mentions_pytest(requirements: Requirements) -> bool:
    """A plugin of pytest (`pytest-cov`) brings it too; a mention in a build file need not mean much."""
    lines = [*requirements.plain, *(line for _, lines in requirements.files for line in lines)]
    built = [p.folder / name for p in requirements.local for name in BUILD_FILES]
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in built if path.is_file()]
    return any(line.lower().startswith("pytest") for line in lines) or any("pytest" in text for text in texts)


def _not_built(folder: Path, local: Iterable[LocalProject], error: ProvisionError) -> str:
    """Puts the source on the path of an environment whose installer could not."""
    roots = [p.folder / "src" if (p.folder / "src").is_dir() else p.folder for p in local]
    path_file = _site_packages(folder) / "triage_sources.pth"
    path_file.write_text("".join(f"{path}\n" for path in roots), encoding="utf-8")
    lines = [line.strip()[:160] for line in error.what.splitlines()]
    reason = next((line for line in reversed(lines) if "rror:" in line and "ERROR:" not in line), lines[-1])
    cure = "its dependencies were installed and its source put on the path"
    return f"the project itself could not be built ({reason}): {cure}"


def _declared(project: LocalProject) -> list[str | None]:
    """The dependencies that pyproject.toml states; `[None]` where only a build can tell them."""
    try:
        table = tomllib.loads((project.folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        extras = [name.strip() for name in project.extras.split(",") if name.strip()]
        if "dependencies" in table.get("dynamic", ()):
            return [None]
        optional = table.get("optional-dependencies", {})
        return [*table.get("dependencies", ()), *(each for name in extras for each in optional[name])]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return [None]


def _files(requirements: Requirements, scratch: Path) -> list[str | Path]:
    """`-r` arguments; a file that names a local project is replaced by one that does not."""
    if not requirements.names_local_projects:
        return [word for path in requirements.direct for word in ("-r", path)]
    lines_of = dict(requirements.files)
    words: list[str | Path] = []
    for number, path in enumerate(requirements.direct):
        copy = scratch / f"requirements{number}.txt"
        copy.write_text("\n".join(without_local_projects(path, lines_of[path])), encoding="utf-8")
        words += ["-r", copy]
    return words


def _with_extras(copy: Path, project: LocalProject) -> str:
    return f"{copy}[{project.extras}]" if project.extras else str(copy)


def _point_at_source(folder: Path, copy: Path, source: Path) -> None:
    """Turns an editable install of a copy into one of the working tree, as the build backend laid it out."""
    packages = _site_packages(folder)
    named = [*packages.glob("*.pth"), *packages.glob("*.egg-link"), *packages.glob("__editable__*.py")]
    for path in (*named, *packages.glob("*.dist-info/direct_url.json"), *(folder / "bin").iterdir()):
        if not path.is_symlink() and path.is_file():
            _replace(path, str(copy), str(source))


def _replace(path: Path, old: str, new: str) -> None:
    data = path.read_bytes()
    before, after = os.fsencode(old), os.fsencode(new)
    if before in data and b"\0" not in data[:_SCRIPT_HEAD]:
        path.write_bytes(data.replace(before, after))


def _site_packages(folder: Path) -> Path:
    found = sorted((folder / "lib").glob("python3*/site-packages"))
    if not found:
        raise ProvisionError("the new environment has no folder for packages", where=str(folder))
    return found[0]
