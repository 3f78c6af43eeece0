"""Whether a project's folder holds nothing but what is committed."""

from collections.abc import Sequence
from pathlib import Path

from triage.errors import WorkTreeError
from triage.worktree.git import NoGitError, ask

_SHOWN = 5
# https://git-scm.com/docs/git-status#_porcelain_format_version_2: fields before the path
_FIELDS = {"1": 8, "2": 9, "u": 10}
_WORDS = {"1": "modified", "2": "renamed", "u": "in conflict", "?": "untracked"}


def check_clean(root: Path) -> str | None:
    """Looks at what is below `root`, `.triage` and ignored files left out; a note where there is no git.

    Raises:
        WorkTreeError: files are modified, untracked or in conflict; or git cannot tell.
    """
    try:
        found = unclean(root)
    except NoGitError as error:
        return f"{error.what}: what is written can only be taken back by the diff"
    if not found:
        return None
    number = "a file is not as it was" if len(found) == 1 else f"{len(found)} files are not as they were"
    raise WorkTreeError(
        f"{number} committed: {named(found)}",
        where=str(root),
        allowed="a clean work tree, so that `git diff` shows what was written and nothing else",
        hint="commit or stash them, or ask for a branch by `--branch NAME`",
    )


def named(found: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return ", ".join(found[:_SHOWN]) + more


def unclean(root: Path) -> list[str]:
    """Each file below `root` that is not as it was committed, with what is wrong with it.

    Raises:
        WorkTreeError: git cannot tell.
    """
    said = ask(
        root,
        *("status", "--porcelain=v2", "-z", "--untracked-files=all", "--ignore-submodules=none"),
        *("--", ".", ":(exclude,top,glob)**/.triage/**", ":(exclude).triage"),
    )
    return _entries(said)


def _entries(said: str) -> list[str]:
    """Paths with what is wrong with them; a rename is followed by its old name."""
    parts = iter(said.split("\0"))
    found = []
    for part in parts:
        kind = part[:1]
        if kind in _WORDS:
            path = part[2:] if kind == "?" else part.split(" ", _FIELDS[kind])[-1]
            found.append(f"{path} ({_WORDS[kind]})")
        if kind == "2":
            next(parts, None)
    return found
