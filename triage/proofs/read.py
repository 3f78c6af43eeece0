"""Reads a proof bundle that anybody may have handed over: nothing in it is trusted."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from triage.errors import ConfigurationError
from triage.proofs.manifest import MANIFEST, digest_of
from triage.proofs.sources import sha256
from triage.proofs.write import bundle_files
from triage.schema import first_problem

MAX_MANIFEST = 200_000_000  # bytes
_WANTED = ("before.xml", "after.xml", "fixes.diff")


@dataclass(frozen=True, slots=True)
class Bundle:
    """A folder with a manifest that fits its schema; whether the files are as it says is another matter."""

    folder: Path
    manifest: Mapping[str, Any]

    @property
    def root(self) -> Path:
        """Where the project was when the bundle was written."""
        return Path(self.manifest["project"]["root"])

    @property
    def rootdir(self) -> str:
        """Where pytest's root folder is, seen from the project's."""
        return str(self.manifest["rootdir"])

    @property
    def source(self) -> Mapping[str, str]:
        files: Mapping[str, str] = self.manifest["source"]["files"]
        return files

    @property
    def changed(self) -> list[Mapping[str, Any]]:
        """`path`, `before` (None: the file is new) and `after` (hashes)."""
        changed: list[Mapping[str, Any]] = self.manifest["changed"]
        return changed

    def content(self, state: str, path: str) -> bytes:
        """A changed file whole; `state` is `before` or `after`."""
        return (self.folder / state / path).read_bytes()


def read_bundle(folder: Path) -> Bundle:
    """The bundle in a folder.

    Raises:
        ConfigurationError: it is none, or paths in it lead elsewhere.
    """
    path = folder / MANIFEST
    hint = "give a folder `proof/` of a run"
    try:
        if path.stat().st_size > MAX_MANIFEST:
            raise ConfigurationError("the manifest is too large", where=str(path), hint=hint)
        manifest = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigurationError(
            f"no proof bundle: {error.strerror or error}", where=str(path), hint=hint
        ) from error
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"the manifest is no JSON: {error}", where=str(path), hint=hint) from error
    if problem := first_problem(manifest, "proof"):
        raise ConfigurationError(f"the manifest is not valid: {problem}", where=str(path), hint=hint)
    paths = [*manifest["files"], *(one["path"] for one in manifest["changed"])]
    if strange := next((one for one in paths if not _is_plain(one)), None):
        raise ConfigurationError(f"the manifest names {strange!r}, outside of the bundle", where=str(path))
    return Bundle(folder, manifest)


def tampered(bundle: Bundle) -> Iterator[str]:
    """A sentence for each file that is not as it was written."""
    if digest_of(bundle.manifest) != bundle.manifest["digest"]:
        yield f"{MANIFEST} was changed"
    recorded: Mapping[str, str] = bundle.manifest["files"]
    there = set(bundle_files(bundle.folder))
    asked = {f"{state}/{one['path']}" for one in bundle.changed for state in ("before", "after")}
    for path in sorted({*recorded, *there, *asked, *_WANTED}):
        file = bundle.folder / path
        if path not in recorded:
            yield f"{path} is not in the manifest"
        elif path not in there or file.is_symlink() or not file.is_file():
            yield f"{path} is missing"
        elif sha256(file.read_bytes()) != recorded[path]:
            yield f"{path} was changed"


def other_sources(bundle: Bundle, now: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each file of the project that is neither as before the fixes nor as after them."""
    after = {one["path"]: one["after"] for one in bundle.changed}
    for path in sorted({*bundle.source, *now}):
        here, recorded = now.get(path), bundle.source.get(path)
        if here == recorded or (path in after and here == after[path]):
            continue
        said = "is missing" if here is None else "is new" if recorded is None else "is another"
        yield f"{path} {said}"


def _is_plain(path: str) -> bool:
    pure = PurePosixPath(path)
    return bool(path) and "\0" not in path and not pure.is_absolute() and ".." not in pure.parts
