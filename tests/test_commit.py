"""The commit of a checkout, read from git's files."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.builders import write_files
from triage.commit import head_commit

HASH = "0123456789abcdef0123456789abcdef01234567"
GIT = shutil.which("git")


def git(folder: Path, *arguments: str) -> str:
    settings = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "init.defaultBranch=main")
    done = subprocess.run(
        [GIT or "git", *settings, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.mark.skipif(GIT is None, reason="no git on this machine")
def test_it_is_what_git_says_in_a_checkout_a_worktree_and_after_packing(tmp_path: Path) -> None:
    root = tmp_path / "a"
    root.mkdir()
    git(root, "init", "-q")
    assert head_commit(root) is None
    git(root, "commit", "-q", "--allow-empty", "-m", "x")
    first = git(root, "rev-parse", "HEAD")
    assert head_commit(root) == first
    git(root, "worktree", "add", "-q", "-b", "side", str(tmp_path / "b"))
    git(tmp_path / "b", "commit", "-q", "--allow-empty", "-m", "y")
    (tmp_path / "b" / "deep").mkdir()
    assert head_commit(tmp_path / "b" / "deep") == git(tmp_path / "b", "rev-parse", "HEAD")
    git(root, "pack-refs", "--all")
    assert head_commit(root) == first
    git(root, "checkout", "-q", "--detach")
    assert head_commit(root) == first


@pytest.mark.parametrize(
    "files",
    [
        {".git/HEAD": "ref: refs/heads/main\n", ".git/refs/heads/main": "no hash"},
        {".git/HEAD": "ref: ../../secret\n", "secret": HASH},
        {".git/HEAD": "ref: refs/../../secret\n", "secret": HASH},
        {".git/HEAD": "ref: refs/heads/\0\n"},
        {".git/HEAD": "ref: refs/a\n", ".git/refs/a": "ref: refs/a\n"},
        {".git/HEAD": HASH.upper()},
        {".git/HEAD": ""},
        {".git": "gitdir: nowhere\n"},
        {".git": "gitdir: a\0b\n"},
    ],
)
def test_strange_files_give_no_commit(tmp_path: Path, files: dict[str, str]) -> None:
    assert head_commit(write_files(tmp_path, files)) is None


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    os.mkfifo(tmp_path / ".git" / "HEAD")
    assert head_commit(tmp_path) is None
