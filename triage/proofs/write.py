"""Writes `proof/`: what shows that fixes work, and what is needed to see it again."""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory

from triage.proofs.given import ProofInput, ProofRun
from triage.proofs.manifest import MANIFEST, PROBE_LOG, manifest
from triage.proofs.sources import sha256
from triage.workspace import publish_folder, remove_folder, write_whole

_MAX_LINE = 8_000_000
_KINDS = frozenset({"observed", "intervened"})


def write_proof(folder: Path, given: ProofInput) -> Path:
    """Writes the bundle whole to `folder`, which must not exist yet; gives it back.

    Raises:
        OSError: it exists, or cannot be written.
        ProvisionError: the environment does not say what is installed in it.
    """
    staging = folder.with_name(f".{folder.name}.{token_hex(4)}.tmp")
    try:
        staging.mkdir(parents=True)
        _junit(given.before, staging / "before.xml", given)
        _junit(given.after, staging / "after.xml", given)
        _probe_log(given, staging)
        write_whole(staging / "fixes.diff", given.report.diff.encode("utf-8", "surrogateescape"))
        for path, (before, after) in given.report.changed.items():
            _put(staging / "before" / path, before)
            _put(staging / "after" / path, after)
        files = {path: sha256((staging / path).read_bytes()) for path in bundle_files(staging)}
        write_whole(staging / MANIFEST, manifest(given, files))
        publish_folder(staging, folder)
    except BaseException:
        remove_folder(staging)
        raise
    return folder


def bundle_files(folder: Path) -> Iterator[str]:
    """All that is in it but the manifest, links too, in the order of the paths."""
    for place, names, files in os.walk(folder):
        names.sort()
        links = (name for name in names if Path(place, name).is_symlink())
        for name in sorted([*files, *links]):
            path = Path(place, name).relative_to(folder).as_posix()
            if path != MANIFEST:
                yield path


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, data)


def _junit(run: ProofRun, place: Path, given: ProofInput) -> None:
    _put_masked(place, "junit.xml", given, [run.junit.read_bytes()])


def _probe_log(given: ProofInput, staging: Path) -> None:
    _put_masked(staging / PROBE_LOG, "events.jsonl", given, _records(given.probe_logs))


def _put_masked(place: Path, name: str, given: ProofInput, parts: Iterable[bytes]) -> None:
    """Masked under the name by which it is known to what masks it."""
    with TemporaryDirectory(prefix="triage-") as work:
        file = Path(work, name)
        with file.open("wb") as stream:
            stream.writelines(parts)
        given.mask(Path(work))
        write_whole(place, file.read_bytes())


def _records(logs: Iterable[Path]) -> Iterator[bytes]:
    """The lines of what was seen and changed; tests wrote these files, so nothing in them is trusted."""
    for log in logs:
        with log.open("rb") as file:
            while line := file.readline(_MAX_LINE):
                if line.endswith(b"\n") and _kind(line) in _KINDS:
                    yield line


def _kind(line: bytes) -> object:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    kind = record.get("t") if isinstance(record, dict) else None
    return kind if isinstance(kind, str) else None
