"""Opens the history without making start-up pay for SQLAlchemy."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from triage.store.store import Store


def default_database(workspace: Path) -> Path:
    """Where a workspace keeps its history unless a URL names another place."""
    return workspace / ".triage" / "triage.db"


def open_store(url_or_path: str | Path) -> Store:
    """Opens, and creates or upgrades where needed, the history at a path or an SQLAlchemy URL.

    Raises:
        StoreError: it cannot be reached, read or written, or a newer triage made it.
    """
    from triage.store.store import Store  # noqa: PLC0415 - SQLAlchemy takes 0.2 s of CPU to import

    return Store(url_or_path)
