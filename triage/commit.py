"""Which commit a folder is at, read from git's files: git itself would run what a checkout configures."""

from pathlib import Path

_MAX_REF_DEPTH = 5


def head_commit(folder: Path) -> str | None:
    """The full hash that HEAD points at; None outside a git checkout, or before its first commit."""
    git = _git_folder(folder)
    if git is None:
        return None
    return _resolve(git, "HEAD")


def _git_folder(folder: Path) -> Path | None:
    for place in (folder, *folder.parents):
        git = place / ".git"
        if git.is_dir():
            return git
        if git.is_file():  # a linked worktree or a submodule
            target = _read(git).removeprefix("gitdir:").strip()
            return (place / target) if target else None
    return None


def _resolve(git: Path, name: str) -> str | None:
    common = git / _read(git / "commondir").strip() if (git / "commondir").is_file() else git
    for _ in range(_MAX_REF_DEPTH):
        content = _read(git / name).strip() or _read(common / name).strip() or _packed(common, name)
        if not content.startswith("ref:"):
            return content if _is_hash(content) else None
        name = content.removeprefix("ref:").strip()
        if not name.startswith("refs/") or ".." in name:
            return None
    return None


def _packed(git: Path, name: str) -> str:
    for line in _read(git / "packed-refs").splitlines():
        commit, _, ref = line.partition(" ")
        if ref.strip() == name:
            return commit
    return ""


def _is_hash(text: str) -> bool:
    return len(text) in (40, 64) and not set(text) - set("0123456789abcdef")


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace") if path.is_file() else ""  # reading a pipe never ends
    except (OSError, ValueError):  # e.g. a null character in a path that a file names
        return ""
