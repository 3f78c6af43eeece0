"""Opens the history without making start-up pay for SQLAlchemy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from triage.errors import StoreError

if TYPE_CHECKING:
    from triage.store.store import Store

_SQLITE_URL = "sqlite:///"
_MOVE = "move it away, or name another with TRIAGE_DATABASE_URL"
_MAGIC = b"SQLite format 3\0"  # https://www.sqlite.org/fileformat.html#magic_header_string


def default_database(workspace: Path) -> Path:
    """Where a workspace keeps its history unless a URL names another place."""
    return workspace / ".triage" / "triage.db"


def check_place(url_or_path: str | Path) -> None:
    """Looks at the first bytes of an SQLite file only, so that nothing is run that cannot be recorded.

    Raises:
        StoreError: what stands there is no database, or cannot be read.
    """
    if isinstance(url_or_path, str) and not url_or_path.startswith(_SQLITE_URL):
        return
    path = Path(str(url_or_path).removeprefix(_SQLITE_URL).partition("?")[0])
    try:
        if path.is_dir():
            raise StoreError("a folder stands where the history belongs", where=str(path), hint=_MOVE)
        with path.open("rb") as file:
            start = file.read(len(_MAGIC))
    except FileNotFoundError:
        return
    except OSError as error:
        reason = error.strerror or error
        raise StoreError(f"the history cannot be opened: {reason}", where=str(path), hint=_MOVE) from error
    if start and start != _MAGIC:
        raise StoreError("this file is not a database", where=str(path), hint=_MOVE)


def open_store(url_or_path: str | Path) -> Store:
    """Opens, and creates or upgrades where needed, the history at a path or an SQLAlchemy URL.

    Raises:
        StoreError: it cannot be reached, read or written, or a newer triage made it.
    """
    from triage.store.store import Store  # noqa: PLC0415 - SQLAlchemy takes 0.2 s of CPU to import

    return Store(url_or_path)
