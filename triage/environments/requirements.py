"""Reads requirement files as far as it takes to know their content and their local projects."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from triage.errors import ProvisionError

_INCLUDE = re.compile(r"(?:-r|-c|--requirement|--constraint)(?:\s+|=|(?=\S))(?P<file>.+)")
_EDITABLE = re.compile(r"(?:-e|--editable)(?:\s+|=)(?P<path>.+)")
_LOCAL = re.compile(r"(?P<path>(?:\.{1,2}|\.{0,2}/[^\[]*|[^\[@:=<>\s]+/[^\[@:]*))(?:\[(?P<extras>[^\]]*)\])?")
_COMMENT = re.compile(r"(^|\s)#.*$")
BUILD_FILES = ("pyproject.toml", "setup.cfg", "setup.py")


@dataclass(frozen=True, slots=True)
class LocalProject:
    """A folder with source to be seen by the tests, and the extras that it is wanted with."""

    folder: Path
    extras: str = ""


@dataclass(frozen=True, slots=True)
class Requirements:
    """`files` are all that were read, nested ones included, each with its lines.

    `direct` are those to install from; `local` the projects that they and the extras name;
    `plain` what the extras ask for beside them.
    """

    files: tuple[tuple[Path, tuple[str, ...]], ...] = ()
    direct: tuple[Path, ...] = ()
    local: tuple[LocalProject, ...] = ()
    plain: tuple[str, ...] = ()

    @property
    def names_local_projects(self) -> bool:
        """True where a file names a local project, which must not be installed from there."""
        return any(_local_in(line, path.parent) for path, lines in self.files for line in lines)


def read_requirements(root: Path, names: tuple[str, ...], extras: tuple[str, ...]) -> Requirements:
    """Reads requirement files and what they include.

    Raises:
        ProvisionError: a file is missing, or a local project has nothing to build from.
    """
    files: dict[Path, tuple[str, ...]] = {}
    for name in names:
        _read(root / name, files, root)
    local = [
        found for path, lines in files.items() for line in lines if (found := _local_in(line, path.parent))
    ]
    plain = []
    for extra in extras:
        found = _local_in(extra, root)
        if found:
            local.append(found)
        else:
            plain.append(extra)
    for project in local:
        _check(project, root)
    return Requirements(
        tuple(files.items()), tuple(root / name for name in names), tuple(dict.fromkeys(local)), tuple(plain)
    )


def without_local_projects(path: Path, lines: tuple[str, ...]) -> Iterator[str]:
    """The lines of a file and of those it includes, fit to stand in another folder."""
    for line in lines:
        if _local_in(line, path.parent):
            continue
        include = _INCLUDE.fullmatch(line)
        if include and line.startswith(("-r", "--requirement")):
            nested = path.parent / include["file"].strip()
            yield from without_local_projects(nested, _lines(nested)) if _is_file(include) else (line,)
        elif include and _is_file(include):
            yield f"-c {(path.parent / include['file'].strip()).resolve()}"
        else:
            yield line


def _is_file(include: re.Match[str]) -> bool:
    return "://" not in include["file"]


def _read(path: Path, files: dict[Path, tuple[str, ...]], root: Path) -> None:
    if path in files:
        return
    if not _exists(path):
        found = sorted(p.name for p in root.glob("*requirements*.txt"))
        raise ProvisionError(
            "the requirement file does not exist",
            where=str(path),
            allowed=f"there are {', '.join(found)}" if found else None,
            hint="correct `environment.requirements` in the project file",
        )
    files[path] = _lines(path)
    for line in files[path]:
        include = _INCLUDE.fullmatch(line)
        if include and _is_file(include):
            _read((path.parent / include["file"].strip()).resolve(), files, root)


def _lines(path: Path) -> tuple[str, ...]:
    """Logical lines without comments (https://pip.pypa.io/en/stable/reference/requirements-file-format/)."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ProvisionError(f"cannot read the requirement file: {error}", where=str(path)) from error
    if "\0" in text:
        raise ProvisionError("the requirement file is no text: it holds a NUL byte", where=str(path))
    joined = re.sub(r"\\\r?\n", "", text)
    return tuple(line for raw in joined.splitlines() if (line := _COMMENT.sub("", raw).strip()))


def _local_in(line: str, folder: Path) -> LocalProject | None:
    """The local project that a line names: `.`, `./lib[test]`, `-e ../shared`; archives are none."""
    editable = _EDITABLE.fullmatch(line)
    words = (editable["path"] if editable else line).split()[:1] or [""]
    match = _LOCAL.fullmatch(words[0].removeprefix("file://"))
    if not match or (line.startswith("-") and not editable):
        return None
    path = (folder / match["path"]).resolve()
    return None if _exists(path) else LocalProject(path, match["extras"] or "")


def _exists(path: Path) -> bool:
    """True for a file; False, not an error, for a name that no file can have."""
    try:
        return path.is_file()
    except OSError:
        return False


def _check(project: LocalProject, root: Path) -> None:
    if not any((project.folder / name).is_file() for name in BUILD_FILES):
        raise ProvisionError(
            "the folder cannot be installed: nothing says how to build it",
            where=str(project.folder),
            allowed=" or ".join(BUILD_FILES),
            hint="leave it out of `environment.extras`; what lies in the project's root is importable anyway"
            if project.folder == root
            else None,
        )
