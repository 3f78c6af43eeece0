"""Files that triage keeps: folders of a workspace, whole writes, locks, scratch copies."""

import hashlib
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from triage.errors import RunError, TriageError

# https://bford.info/cachedir/
_CACHEDIR_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# Made by triage; safe to delete.\n"
_SAFE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_LATEST = "latest"
_NOT_COPIED = {
    ".git",
    ".hg",
    ".svn",
    ".triage",
    ".tox",
    ".nox",
    ".venv",
    "venv",
    "node_modules",
    "__pycache__",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".hypothesis",
}


@dataclass(frozen=True, slots=True)
class WorkspaceFolders:
    """`<root>/.triage` and what is in it; made when first asked for."""

    root: Path

    @property
    def home(self) -> Path:
        folder = self.root / ".triage"
        for name, content in ((".gitignore", "*\n"), ("CACHEDIR.TAG", _CACHEDIR_TAG)):
            if not (folder / name).exists():
                folder.mkdir(parents=True, exist_ok=True)
                write_whole(folder / name, content)
        return folder

    @property
    def environments(self) -> Path:
        return _made(self.home / "environments")

    @property
    def locks(self) -> Path:
        return _made(self.home / "locks")

    def runs(self, project: str) -> Path:
        return _made(self.home / "runs" / file_name(project))

    def new_run(self, project: str, run_id: str) -> Path:
        """Makes the folder of a run.

        Raises:
            RunError: a run of this id exists.
        """
        folder = self.runs(project) / file_name(run_id)
        try:
            folder.mkdir()
        except FileExistsError:
            raise RunError(f"a run {run_id!r} exists already", where=str(folder)) from None
        return folder

    def set_latest(self, run_folder: Path) -> None:
        """Points `latest` at a run, never through a moment without one."""
        link = run_folder.parent / _LATEST
        temporary = run_folder.parent / f".{_LATEST}.{secrets.token_hex(4)}"
        temporary.symlink_to(run_folder.name)
        temporary.replace(link)


@dataclass(frozen=True, slots=True)
class Copied:
    """What a scratch copy holds: how many files, and what was left out, relative to the source."""

    files: int
    left_out: tuple[str, ...]


def file_name(name: str) -> str:
    """A name that is safe as one path component; a hash keeps names apart that look alike then."""
    if _SAFE_NAME.fullmatch(name) and not name.endswith(".") and name != _LATEST:
        return name
    slug = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:60]
    digest = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:8]
    return f"{slug or 'x'}-{digest}"


def write_whole(path: Path, content: str | bytes) -> None:
    """Writes a file so that readers see the old or the new one, whatever happens meanwhile."""
    data = content.encode() if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name[:80]}.{secrets.token_hex(6)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            with suppress(FileNotFoundError):
                os.fchmod(file.fileno(), stat.S_IMODE(path.stat().st_mode))
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def publish_folder(temporary: Path, final: Path) -> None:
    """Gives a finished folder its name in one step; both must be on the same file system.

    Raises:
        OSError: `final` exists and is not empty.
    """
    temporary.rename(final)
    _sync_folder(final.parent)


def remove_folder(folder: Path) -> None:
    """Removes a folder that others may look at: it loses its name first, then its content."""
    doomed = folder.with_name(f".{folder.name[:80]}.{secrets.token_hex(6)}.tmp")
    with suppress(FileNotFoundError):
        folder.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)


@contextmanager
def locked(
    path: Path, timeout_s: float, *, purpose: str = "", error: type[TriageError] = RunError
) -> Iterator[None]:
    """Holds a lock among processes and threads; the system frees it when its holder dies.

    Raises:
        TriageError: of the kind `error`, when another holds it for longer than `timeout_s`.
    """
    import filelock  # noqa: PLC0415 - not needed to show a help page

    holder = path.with_name(f"{path.name}.holder")
    try:
        with filelock.FileLock(path, timeout=timeout_s, poll_interval=0.02):
            since = time.strftime("%Y-%m-%d %H:%M:%S")
            write_whole(holder, f"process {os.getpid()} since {since}{purpose and f' ({purpose})'}")
            try:
                yield
            finally:
                holder.unlink(missing_ok=True)
    except filelock.Timeout:
        with suppress(OSError):
            holds = holder.read_text(encoding="utf-8")
            raise error(
                f"still locked after {timeout_s:g} s, by {holds}",
                where=str(path),
                hint="wait for it to end, or end it",
            ) from None
        raise error(f"still locked after {timeout_s:g} s", where=str(path)) from None


def copy_project(source: Path, target: Path) -> Copied:
    """Copies a project's files to work on: regular files, and links whose target is inside.

    Version control, environments and caches are left out; no link is followed. Links are written
    anew and relative, so that nothing in the copy leads back to the source.
    """
    root = source.resolve()
    files, left_out = 0, []
    folders = [root]
    while folders:
        folder = folders.pop()
        destination = target / folder.relative_to(root)
        destination.mkdir(parents=True, exist_ok=True)
        for entry in sorted(os.scandir(folder), key=lambda e: e.name):
            path = Path(entry.path)
            if entry.name in _NOT_COPIED or path == target.absolute():
                continue
            if entry.is_dir(follow_symlinks=False) and not (path / "pyvenv.cfg").exists():
                folders.append(path)
            elif _copy(path, destination / entry.name, root):
                files += 1
            else:
                left_out.append(str(path.relative_to(root)))
    return Copied(files, tuple(sorted(left_out)))


def _copy(path: Path, destination: Path, root: Path) -> bool:
    """False for what is no regular file and no link to something that is copied too."""
    mode = path.lstat().st_mode
    if stat.S_ISREG(mode):
        shutil.copy2(path, destination, follow_symlinks=False)
        return True
    if not stat.S_ISLNK(mode):
        return False
    try:
        aim = path.resolve(strict=True)
    except (OSError, RuntimeError):  # dangling, or a loop
        return False
    if not aim.is_relative_to(root) or _NOT_COPIED & set(aim.relative_to(root).parts):
        return False
    destination.symlink_to(os.path.relpath(aim, path.parent))
    return True


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _sync_folder(folder: Path) -> None:
    """Makes a rename last through a power failure (fsync(2), on the directory)."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
