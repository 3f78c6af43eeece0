"""A project's files by their hashes, as a scratch copy sees them, without what tests leave behind."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from triage.rules.ignore import IgnoreFile, is_ignored
from triage.workspace import copy_project

_LEAVINGS = (".db", ".db-journal", ".sqlite", ".sqlite3", ".log", ".pyc")
_LEFT_FILES = frozenset({".coverage", "coverage.xml", "junit.xml"})
_LEFT_FOLDERS = frozenset({"htmlcov", ".pytest_cache", "__pycache__"})
_Chain = tuple[tuple[str, IgnoreFile], ...]


def source_hashes(root: Path) -> dict[str, str]:
    """SHA-256 by path of a project that nobody has copied yet."""
    with TemporaryDirectory(prefix="triage-") as folder:
        copy = Path(folder) / "project"
        copy_project(root, copy)
        return hashes_of(copy)


def hashes_of(copy: Path) -> dict[str, str]:
    """SHA-256 by path of what `copy_project` made; databases, logs and what git ignores are left out."""
    return dict(sorted(_hashes(copy, "", ())))


def digest(hashes: Mapping[str, str]) -> str:
    """One hash over all paths and contents, whatever their order."""
    lines = sorted(f"{path}\0{value}\n" for path, value in hashes.items())
    return sha256("".join(lines).encode("utf-8", "surrogateescape"))


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _hashes(root: Path, folder: str, chain: _Chain) -> Iterator[tuple[str, str]]:
    entries = sorted(os.scandir(root / folder), key=lambda entry: entry.name)
    if any(entry.name == ".gitignore" for entry in entries):
        rules = (root / folder / ".gitignore").read_text("utf-8", errors="replace")
        chain = (*chain, (folder, IgnoreFile.read(rules)))
    for entry in entries:
        path = folder + entry.name
        is_folder = entry.is_dir(follow_symlinks=False)
        if is_ignored(chain, path, entry.name, is_folder=is_folder):
            continue
        if is_folder:
            if entry.name not in _LEFT_FOLDERS:
                yield from _hashes(root, f"{path}/", chain)
        elif entry.is_symlink():
            yield path, sha256(b"link to " + os.fsencode((root / path).readlink()))
        elif not entry.name.endswith(_LEAVINGS) and entry.name not in _LEFT_FILES:
            yield path, sha256((root / path).read_bytes())
