"""Writes changes to a project's folder: all of them, or none."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from triage.errors import WorkTreeError
from triage.workspace import write_whole
from triage.worktree.journal import (
    Entry,
    clear_unfinished,
    close_journal,
    open_journal,
    put_back,
    read_journal,
)
from triage.worktree.places import Changes, check_all, check_content

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def apply(root: Path, changed: Changes, journal: Path) -> None:
    """Each file becomes its second bytes where it holds the first; modes are kept.

    `journal` is a folder that does not exist yet; while it does, `recover` can undo a killed process.
    Whoever calls holds a lock on the project.

    Raises:
        WorkTreeError: a file cannot be written or is another by now; nothing was changed then.
    """
    real = {path: both for path, both in changed.items() if both[0] != both[1]}
    check_all(root, real)
    if not real:
        return
    entries = _opened(root, real, journal)
    try:
        _write(root, real)
        # A signal from here on comes after the whole change, which stands.
        with _undisturbed():
            close_journal(journal)
    except BaseException as error:
        _undo(root, entries, journal)
        if isinstance(error, OSError):
            raise _failed(error, root) from error
        raise


def recover(root: Path, journal: Path) -> tuple[str, ...]:
    """Undoes a change whose process was killed; a line for each file, nothing where none was.

    Raises:
        WorkTreeError: the journal cannot be read.
    """
    if not journal.exists():
        clear_unfinished(journal)
        return ()
    entries = read_journal(journal)
    undone, left = put_back(root, entries, journal)
    close_journal(journal)
    clear_unfinished(journal)
    said = [f"{path}: put back, for an earlier run was killed while it wrote" for path in undone]
    said += [f"{path}: left as it is, for it was changed since an earlier run was killed" for path in left]
    return tuple(said) or ("an earlier run was killed before it wrote anything",)


def _opened(root: Path, changed: Changes, journal: Path) -> tuple[Entry, ...]:
    if journal.exists():
        raise WorkTreeError(
            "an earlier change was not finished", where=str(journal), hint="run the command again to undo it"
        )
    try:
        return open_journal(root, changed, journal)
    except BaseException as error:
        with _undisturbed(), suppress(OSError):
            close_journal(journal)
            clear_unfinished(journal)
        if isinstance(error, OSError):
            raise _failed(error, journal) from error
        raise


def _write(root: Path, changed: Changes) -> None:
    for path, (before, after) in sorted(changed.items()):
        check_content(root, path, before)
        write_whole(root / path, after)


def _undo(root: Path, entries: tuple[Entry, ...], journal: Path) -> None:
    """Where even this fails the journal stays, for `recover`."""
    with _undisturbed():
        try:
            if journal.exists():
                put_back(root, entries, journal)
                close_journal(journal)
        except OSError as error:
            raise WorkTreeError(
                f"what was written could not be put back: {error.strerror or error}",
                where=str(journal),
                hint="the originals are in this folder; run the command again to put them back",
            ) from error


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Signals that end a process wait; other threads than the main one get none."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)


def _failed(error: OSError, place: Path) -> WorkTreeError:
    return WorkTreeError(
        f"cannot be written: {error.strerror or error}",
        where=str(error.filename or place),
        hint="nothing was changed; make room or give the right to write, then run the command again",
    )
