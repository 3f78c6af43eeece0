"""The originals of files that are being changed, kept until all are written."""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from triage.errors import WorkTreeError
from triage.workspace import publish_folder, remove_folder, write_whole
from triage.worktree.places import Changes, content

_MANIFEST = "manifest.json"
_LEFT_BEHIND = re.compile(r"\.(.+)\.[0-9a-f]{12}\.tmp")  # of triage.workspace.write_whole


@dataclass(frozen=True, slots=True)
class Entry:
    """One file; `kept` is its original's name in the journal, the hashes are SHA-256."""

    path: str
    kept: str
    before: str
    after: str
    is_new: bool


def open_journal(root: Path, changed: Changes, journal: Path) -> tuple[Entry, ...]:
    """Keeps all originals; the journal exists only when it is whole and on disk."""
    journal.parent.mkdir(parents=True, exist_ok=True)
    unfinished = _unfinished(journal)
    remove_folder(unfinished)
    unfinished.mkdir()
    entries = []
    for number, (path, (before, after)) in enumerate(sorted(changed.items())):
        write_whole(unfinished / str(number), before)
        is_new = not (root / path).exists()
        entries.append(Entry(path, str(number), _hash(before), _hash(after), is_new))
    write_whole(unfinished / _MANIFEST, json.dumps([asdict(each) for each in entries]))
    publish_folder(unfinished, journal)
    return tuple(entries)


def close_journal(journal: Path) -> None:
    """From here on the change stands."""
    remove_folder(journal)


def clear_unfinished(journal: Path) -> None:
    """Removes what was killed before it was a journal, or while it was removed."""
    remove_folder(_unfinished(journal))
    for each in journal.parent.glob(f".{journal.name}.*.tmp"):
        if _LEFT_BEHIND.fullmatch(each.name):
            remove_folder(each)


def read_journal(journal: Path) -> tuple[Entry, ...]:
    """The entries of a change that was not finished.

    Raises:
        WorkTreeError: they cannot be read.
    """
    try:
        return tuple(Entry(**each) for each in json.loads((journal / _MANIFEST).read_text("utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise WorkTreeError(
            f"the record of an unfinished change cannot be read: {error}",
            where=str(journal),
            hint="compare the files in it with the project's, then remove the folder",
        ) from error


def put_back(root: Path, entries: Sequence[Entry], journal: Path) -> tuple[list[str], list[str]]:
    """Undoes what was written; (paths put back, paths that hold something else by now and were left)."""
    undone, left = [], []
    for entry in reversed(entries):
        place = root / entry.path
        _clear_behind(place)
        now = _hash(content(place))
        if now == entry.after:
            _restore(place, entry, journal)
            undone.append(entry.path)
        elif now != entry.before:
            left.append(entry.path)
    return undone, left


def _restore(place: Path, entry: Entry, journal: Path) -> None:
    if entry.is_new:
        place.unlink()
    else:
        write_whole(place, (journal / entry.kept).read_bytes())


def _clear_behind(place: Path) -> None:
    """The half-written neighbours of a killed process."""
    for each in list(_neighbours(place)):
        each.unlink(missing_ok=True)


def _neighbours(place: Path) -> Iterator[Path]:
    for each in place.parent.iterdir() if place.parent.is_dir() else ():
        found = _LEFT_BEHIND.fullmatch(each.name)
        if found and found[1] == place.name[:80]:
            yield each


def _unfinished(journal: Path) -> Path:
    return journal.with_name(f".{journal.name}.unfinished")


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
