"""An environment that somebody else made: looked at, never changed."""

import hashlib
from pathlib import Path

from triage.environments.health import Marker, is_unchanged, marker_of, read_marker, write_marker
from triage.environments.versions import parse_range, shown
from triage.errors import ProvisionError
from triage.model.environment import Environment, EnvironmentKind
from triage.model.project import EnvironmentSpec
from triage.workspace import WorkspaceFolders

_HINT = "name an environment with pytest in it, or leave `environment.use` out to have one made"


def existing_environment(root: Path, spec: EnvironmentSpec, folders: WorkspaceFolders) -> Environment:
    """The environment that `use` names: a folder, or an interpreter; relative to the project or absolute.

    Raises:
        ProvisionError: it is missing, has no pytest, or another Python than the project allows.
    """
    python = _python_of(root / Path(spec.use or ".venv").expanduser())
    digest = hashlib.sha256(str(python).encode(errors="surrogateescape")).hexdigest()[:16]
    notebook = folders.environments / f"existing-{digest}"
    marker = read_marker(notebook)
    if marker is None or not is_unchanged(marker, python):
        notebook.mkdir(exist_ok=True)
        marker = _examined(python, notebook)
    _check_version(marker, spec, python)
    return Environment(
        python=python,
        kind=EnvironmentKind.EXISTING,
        key=notebook.name,
        version=marker.version,
        built_by="-",
        pycache=notebook / "pycache",
        reused=True,
    )


def _python_of(path: Path) -> Path:
    candidates = [path] if path.is_file() else [path / "bin/python", path / "bin/python3"]
    for candidate in candidates:
        if candidate.is_file():
            return candidate.absolute()
    raise ProvisionError(
        "there is no Python environment",
        where=str(path),
        allowed="a folder with bin/python in it, or the path of an interpreter",
        hint=_HINT,
    )


def _examined(python: Path, notebook: Path) -> Marker:
    try:
        marker = marker_of(python, notebook, "-")
    except ProvisionError as error:
        raise ProvisionError(error.what, where=error.where, hint=_HINT) from error
    write_marker(notebook, marker)
    return marker


def _check_version(marker: Marker, spec: EnvironmentSpec, python: Path) -> None:
    if not spec.python or "/" in spec.python:
        return
    allowed = parse_range(spec.python)
    version = tuple(map(int, marker.version.split(".")))
    if not allowed.holds(version):
        raise ProvisionError(
            f"it has Python {shown(version)}", where=str(python), allowed=f"Python {allowed.text}", hint=_HINT
        )
