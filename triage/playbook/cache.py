"""Remembers the validated content of playbook files, so that a start does not validate them anew."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from triage import __version__
from triage.workspace import write_whole
from triage.yamlfile import read_limited


def read(path: Path, folder: Path | None, load: Callable[[Path], Any]) -> tuple[Any, str]:
    """The validated data of a file and the hash of its bytes; `folder` None: nothing is remembered.

    Raises:
        ConfigurationError: from `load`, or the file cannot be read.
    """
    content = hashlib.sha256(read_limited(path)).hexdigest()
    if folder is None:
        return load(path), content
    entry = folder / f"{content[:32]}-{__version__}.json"
    known = _remembered(entry)
    if known is not None:
        return known, content
    data = load(path)
    text = json.dumps(data)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(entry, f"{_sum(text)}\n{text}")
    except OSError:
        return data, content  # a cache that cannot be written costs time, nothing else
    return data, content


def _remembered(entry: Path) -> Any:
    """The data of an entry; None where there is none, or it is not what was written."""
    try:
        expected, _, text = entry.read_text("utf-8").partition("\n")
        return json.loads(text) if _sum(text) == expected else None
    except (OSError, ValueError):
        return None


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
