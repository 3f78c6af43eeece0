"""Looks whether an environment can run tests."""

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from triage.environments.versions import Version, shown
from triage.errors import ProvisionError, RunError
from triage.process.child import capture
from triage.process.environ import child_environment
from triage.workspace import write_whole

MARKER = "triage-environment.json"
_ASK = """
import json, sys, sysconfig, pytest
print(json.dumps([list(sys.version_info[:3]), pytest.__version__, sysconfig.get_path("purelib")]))
"""
_START_S = 60.0


@dataclass(frozen=True, slots=True)
class Health:
    """A healthy environment: its Python, its pytest, and where its packages are."""

    version: Version
    pytest: str
    site_packages: Path


@dataclass(frozen=True, slots=True)
class Marker:
    """What is known of an environment; written last, so that a folder without it is garbage.

    `stamp` changes when the interpreter or a package does, and tells so without starting anything.
    """

    version: str
    pytest: str
    site_packages: str
    built_by: str
    stamp: str
    notes: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()


def examine(python: Path, folder: Path) -> Health:
    """Starts the interpreter and pytest in `folder`, where nothing can shadow a module.

    Raises:
        ProvisionError: one of them does not start, with its last words.
    """
    env = child_environment(os.environ, {})
    try:
        answer = capture([python, "-B", "-c", _ASK], cwd=folder, env=env, time_s=_START_S)
        capture([python, "-B", "-m", "pytest", "--version"], cwd=folder, env=env, time_s=_START_S)
        version, pytest, site_packages = json.loads(answer.splitlines()[-1])
    except (RunError, ValueError, IndexError) as error:
        words = error.hint or error.what if isinstance(error, RunError) else "it does not answer"
        raise ProvisionError(
            f"pytest does not start in this environment: {words}", where=str(python)
        ) from error
    return Health(tuple(version), pytest, Path(site_packages))


def stamp(python: Path, site_packages: Path) -> str | None:
    """A fingerprint of the interpreter and of the packages' folders; None when something is missing."""
    try:
        real = python.resolve(strict=True)
        parts = [(str(real), real.stat().st_mtime_ns)]
        with os.scandir(site_packages) as entries:
            parts += sorted((entry.name, entry.stat().st_mtime_ns) for entry in entries)
    except OSError:
        return None
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def write_marker(folder: Path, marker: Marker) -> None:
    write_whole(folder / MARKER, json.dumps(asdict(marker), indent=1))


def read_marker(folder: Path) -> Marker | None:
    """None when there is none, or none that this version of triage can read."""
    try:
        fields: dict[str, Any] = json.loads((folder / MARKER).read_text(encoding="utf-8"))
        fields["notes"], fields["packages"] = tuple(fields["notes"]), tuple(fields["packages"])
        return Marker(**fields)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def marker_of(python: Path, folder: Path, built_by: str, notes: tuple[str, ...] = ()) -> Marker:
    """Examines an environment and says what it is.

    Raises:
        ProvisionError: it cannot run tests.
    """
    health = examine(python, folder)
    return Marker(
        version=shown(health.version),
        pytest=health.pytest,
        site_packages=str(health.site_packages),
        built_by=built_by,
        stamp=stamp(python, health.site_packages) or "",
        notes=notes,
        packages=tuple(
            sorted(p.name.removesuffix(".dist-info") for p in health.site_packages.glob("*.dist-info"))
        ),
    )


def is_unchanged(marker: Marker, python: Path) -> bool:
    return bool(marker.stamp) and stamp(python, Path(marker.site_packages)) == marker.stamp
