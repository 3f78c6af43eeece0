"""A branch with one commit, made beside the work tree and the index."""

import tempfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from triage.errors import WorkTreeError
from triage.worktree.git import ask
from triage.worktree.places import Changes

_PLAIN = "100644"
_FILES = (_PLAIN, "100755")
_AUTHOR = ("-c", "user.useConfigOnly=true")  # else git makes an address up from the machine's name
Ask = Callable[..., str]


def commit_to_branch(root: Path, changed: Changes, branch: str, message: str) -> str:
    """Commits the changes on top of HEAD, on a new branch; the hash of the commit.

    Paths are relative to `root`, which may be a folder of a repository. Filters that the repository
    configures (line ends, large files) apply as in any commit; no hook of a commit runs.

    Raises:
        WorkTreeError: the branch exists or has no valid name, git knows no author, or a file is
            not the same in the last commit; the repository is as it was then.
    """
    check_branch(root, branch)
    top = Path(ask(root, "rev-parse", "--show-toplevel"))
    head = _head(top)
    below = _below(top, root)
    with tempfile.TemporaryDirectory(prefix="triage-") as folder:
        scratch = Path(folder)

        def indexed(*arguments: str | Path) -> str:
            return ask(top, *arguments, GIT_INDEX_FILE=str(scratch / "index"))

        indexed("read-tree", head)
        for path, (before, after) in sorted(changed.items()):
            _stage(indexed, head, (below / path).as_posix(), before, after, scratch)
        tree = indexed("write-tree")
        (scratch / "message").write_text(message, "utf-8")
        commit = ask(top, *_AUTHOR, "commit-tree", tree, "-p", head, "-F", scratch / "message")
    # Only where no such branch has appeared meanwhile.
    ask(top, "update-ref", "-m", "triage", f"refs/heads/{branch}", commit, "0" * len(commit))
    return commit


def check_branch(root: Path, branch: str) -> None:
    """What `commit_to_branch` would refuse of the branch alone.

    Raises:
        WorkTreeError: as `commit_to_branch`.
    """
    top = Path(ask(root, "rev-parse", "--show-toplevel"))
    _check_name(top, branch)
    _head(top)
    _check_author(top)


def _below(top: Path, root: Path) -> PurePosixPath:
    return PurePosixPath(root.resolve().relative_to(top.resolve()).as_posix())


def _check_name(top: Path, branch: str) -> None:
    allowed = "a name as of `git branch`, e.g. triage/fixes"
    if branch.startswith("-") or branch in ("HEAD", "@") or "\0" in branch:
        raise WorkTreeError("this is no name of a branch", where=repr(branch), allowed=allowed)
    try:
        ask(top, "check-ref-format", f"refs/heads/{branch}")
    except WorkTreeError as error:
        raise WorkTreeError("this is no name of a branch", where=repr(branch), allowed=allowed) from error
    if ask(top, "for-each-ref", "--count=1", f"refs/heads/{branch}"):
        hint = f"choose another name, or remove it by `git branch -D {branch}`"
        raise WorkTreeError("a branch of this name, or below it, exists", where=repr(branch), hint=hint)
    for above in map(str, PurePosixPath(branch).parents[:-1]):
        found = ask(top, "for-each-ref", "--format=%(refname)", f"refs/heads/{above}")
        if f"refs/heads/{above}" in found.splitlines():
            raise WorkTreeError(
                f"the branch {above!r} exists, so none can be below it",
                where=repr(branch),
                hint="choose another name",
            )


def _head(top: Path) -> str:
    try:
        return ask(top, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    except WorkTreeError as error:
        raise WorkTreeError(
            "there is no commit yet to start a branch from", where=str(top), hint="commit the project first"
        ) from error


def _check_author(top: Path) -> None:
    for name in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
        try:
            ask(top, *_AUTHOR, "var", name)
        except WorkTreeError as error:
            raise WorkTreeError(
                "git does not know who commits",
                where=str(top),
                hint='git config user.name "Your Name"; git config user.email you@example.org',
            ) from error


def _stage(indexed: Ask, head: str, path: str, before: bytes, after: bytes, scratch: Path) -> None:
    """Puts one file into the index of the commit to be, where HEAD has its former content."""
    mode, blob = _in_head(indexed, head, path)
    if mode not in _FILES:
        raise WorkTreeError("is no regular file in the last commit", where=path)
    (scratch / "before").write_bytes(before)
    (scratch / "after").write_bytes(after)
    if blob != (indexed("hash-object", f"--path={path}", scratch / "before") if blob or before else ""):
        raise WorkTreeError(
            "is not the same in the last commit", where=path, hint="commit it, then run the command again"
        )
    made = indexed("hash-object", "-w", f"--path={path}", scratch / "after")
    indexed("update-index", "--add", "--cacheinfo", f"{mode},{made},{path}")


def _in_head(indexed: Ask, head: str, path: str) -> tuple[str, str]:
    """(mode, hash of the content); the hash is empty for a file that HEAD has not."""
    said = indexed("ls-tree", "-z", "--full-tree", head, "--", path)
    if not said:
        return _PLAIN, ""
    mode, _, blob = said.split("\t")[0].split(" ")
    return mode, blob
