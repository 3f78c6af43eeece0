"""Whether a file may be written: its path, its kind, its rights and what it holds."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from triage.errors import WorkTreeError

_WRITE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH

Changes = Mapping[str, tuple[bytes, bytes]]


def check_all(root: Path, changed: Changes) -> None:
    """Looks at every file before any is written.

    Raises:
        WorkTreeError: one cannot be written, or is not what the change was made for.
    """
    for path, (before, _) in changed.items():
        check_place(root, path)
        check_content(root, path, before)


def check_place(root: Path, path: str) -> None:
    """For a path below `root`, with forward slashes.

    Raises:
        WorkTreeError: it leaves the root, or is a link, no file, or may not be written.
    """
    parts = PurePosixPath(path).parts
    if not parts or ".." in parts or PurePosixPath(path).is_absolute() or "\0" in path or ".git" in parts:
        raise _refused(path, "the path does not stay in the project")
    place = root
    for part in parts:
        place /= part
        if place.is_symlink():
            raise _refused(path, f"{place.relative_to(root)} is a link; what it points to is left alone")
    if not place.parent.is_dir():
        raise _refused(path, "its folder does not exist")
    if not _may_write(place.parent):
        raise _refused(path, "its folder is read-only")
    if place.exists() and not place.is_file():
        raise _refused(path, "it is no regular file")
    if place.exists() and not _may_write(place):
        raise _refused(path, "it is read-only")


def check_content(root: Path, path: str, before: bytes) -> None:
    """A file that does not exist counts as empty: the change makes it.

    Raises:
        WorkTreeError: the file is not what the change was made for.
    """
    if content(root / path) != before:
        raise _refused(path, "it was changed since the fix was made", "start again, so that the fix fits it")


def content(place: Path) -> bytes:
    try:
        return place.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise _refused(str(place), f"it cannot be read: {error.strerror}") from error


def _may_write(place: Path) -> bool:
    """The bits count too: the superuser may write all, and still should not."""
    return bool(place.stat().st_mode & _WRITE) and os.access(place, os.W_OK)


def _refused(path: str, why: str, hint: str = "nothing was written; apply the diff by hand") -> WorkTreeError:
    return WorkTreeError(f"cannot be written: {why}", where=path, hint=hint)
