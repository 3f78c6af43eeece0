"""Turns what drivers raise into errors for people."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from triage.errors import StoreError

# What drivers and SQLite say, in lower case -> (sentence, next step).
_KNOWN = (
    (
        "database is locked",
        "the history was locked by another process for longer than a minute",
        "run it again when the other process has ended",
    ),
    ("disk is full", "the disk is full", "free some space: nothing of this was stored"),
    (
        "file is not a database",
        "this file is not a database",
        "move it away, or name another with TRIAGE_DATABASE_URL",
    ),
    ("malformed", "the history is damaged", "restore it from a copy, or move it away to begin a new one"),
    ("readonly database", "the history cannot be written", "give this user the right to write the file"),
    (
        "unable to open database file",
        "the history cannot be opened",
        "check that its folder exists and that this user may read and write it",
    ),
)
_LONGEST_REASON = 500


@contextmanager
def trouble(where: str) -> Iterator[None]:
    """Raises StoreError for every error of SQLAlchemy, its driver or the file system inside it."""
    try:
        yield
    except SQLAlchemyError as error:
        reason = str(error.orig) if isinstance(error, DBAPIError) else str(error)
        raise explain(reason, where) from error
    except OSError as error:
        raise explain(str(error), where) from error


def explain(reason: str, where: str) -> StoreError:
    """The error for what a driver says."""
    lowered = reason.lower()
    for sign, what, hint in _KNOWN:
        if sign in lowered:
            return StoreError(what, where=where, hint=hint)
    short = " ".join(reason.split())[:_LONGEST_REASON]
    return StoreError(f"the history cannot be used: {short}", where=where)


def place_of(url: URL) -> str:
    """A file's path, or a URL without its password."""
    if url.get_backend_name() == "sqlite":
        return url.database or ":memory:"
    return url.render_as_string(hide_password=True)
