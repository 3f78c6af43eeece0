"""Remembers the validated content of playbook files, so that a start does not validate them anew."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from triage import __version__
from triage.errors import ConfigurationError
from triage.workspace import write_whole


def read(path: Path, folder: Path | None, load: Callable[[Path], Any]) -> tuple[Any, str]:
    """The validated data of a file and the hash of its bytes; `folder` None: nothing is remembered.

    Raises:
        ConfigurationError: from `load`, or the file cannot be read.
    """
    try:
        content = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror}", where=str(path)) from error
    if folder is None:
        return load(path), content
    entry = folder / f"{content[:32]}-{__version__}.json"
    try:
        return json.loads(entry.read_text("utf-8")), content
    except (OSError, ValueError):
        data = load(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(entry, json.dumps(data))
    except OSError:
        return data, content  # a cache that cannot be written costs time, nothing else
    return data, content
