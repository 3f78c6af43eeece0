"""Remembers the validated content of playbook files: no start and no next project validates it anew."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from triage import __version__
from triage.workspace import write_whole
from triage.yamlfile import read_limited

_MOST = 2_000  # files
_in_this_process: dict[str, Any] = {}


def read(path: Path, folder: Path | None, load: Callable[[Path], Any]) -> tuple[Any, str]:
    """The validated data of a file and the hash of its bytes; `folder` None: no other process remembers it.

    Raises:
        ConfigurationError: from `load`, or the file cannot be read.
    """
    content = hashlib.sha256(read_limited(path)).hexdigest()
    if content not in _in_this_process:
        if len(_in_this_process) >= _MOST:
            _in_this_process.clear()
        _in_this_process[content] = load(path) if folder is None else _read(path, content, folder, load)
    return _in_this_process[content], content


def forget() -> None:
    """What this process remembers; the folder keeps its own."""
    _in_this_process.clear()


def _read(path: Path, content: str, folder: Path, load: Callable[[Path], Any]) -> Any:
    entry = folder / f"{content[:32]}-{__version__}.json"
    known = _remembered(entry)
    if known is not None:
        return known
    data = load(path)
    text = json.dumps(data)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(entry, f"{_sum(text)}\n{text}")
    except OSError:
        return data  # a cache that cannot be written costs time, nothing else
    return data


def _remembered(entry: Path) -> Any:
    """The data of an entry; None where there is none, or it is not what was written."""
    try:
        expected, _, text = entry.read_text("utf-8").partition("\n")
        return json.loads(text) if _sum(text) == expected else None
    except (OSError, ValueError):
        return None


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
