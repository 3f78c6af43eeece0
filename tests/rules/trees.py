"""Source trees for tests."""

from collections.abc import Mapping
from pathlib import Path

from triage.rules.source import SourceTree


def tree_of(folder: Path, files: Mapping[str, str | bytes], *source: str) -> SourceTree:
    for path, content in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
    return SourceTree(folder, source)
