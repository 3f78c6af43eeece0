"""Asks git, without what the caller's environment says of other repositories."""

import os
from pathlib import Path

from triage.errors import RunError, WorkTreeError
from triage.process.child import capture
from triage.process.environ import child_environment

_PASSED = ("GIT_AUTHOR_*", "GIT_COMMITTER_*", "GIT_CONFIG_*", "GIT_CEILING_DIRECTORIES", "EMAIL")
# A file system monitor is a program that a repository names; it is not needed to look once.
_SETTINGS = ("-c", "core.fsmonitor=false", "-c", "core.quotePath=false")
_MOST_BYTES = 50_000_000


class NoGitError(WorkTreeError):
    """There is no git, or the folder is in no work tree of it."""


def ask(folder: Path, *arguments: str | Path, time_s: float = 120.0, **environment: str) -> str:
    """What git prints, less surrounding white space; `environment` are further variables.

    Raises:
        NoGitError: see there.
        WorkTreeError: git fails, with its last words.
    """
    # English, for the words below; no lock on the user's index only to refresh it.
    fixed = {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", **environment}
    env = child_environment(os.environ, fixed, pass_env=_PASSED)
    try:
        return capture(
            ["git", *_SETTINGS, *arguments], cwd=folder, env=env, time_s=time_s, output_bytes=_MOST_BYTES
        )
    except RunError as error:
        said = error.hint or ""
        if error.what.startswith("cannot start"):
            raise NoGitError("git cannot be started", where=str(folder)) from error
        if "not a git repository" in said or "must be run in a work tree" in said:
            raise NoGitError("this is in no work tree of git", where=str(folder)) from error
        raise WorkTreeError(f"git says: {said or error.what}", where=str(folder)) from error
