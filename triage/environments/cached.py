"""Environments that are kept by their content and shared by all runs that need the same."""

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

from triage.environments.build import build, relocate
from triage.environments.content_key import environment_key
from triage.environments.health import is_unchanged, marker_of, read_marker, write_marker
from triage.environments.installers import Installer
from triage.environments.interpreters import Interpreter, choose
from triage.environments.options import ProvisionOptions
from triage.environments.requirements import Requirements, read_requirements
from triage.errors import ProvisionError
from triage.model.environment import Environment, EnvironmentKind
from triage.model.project import EnvironmentSpec
from triage.workspace import WorkspaceFolders, locked, publish_folder, remove_folder


def cached_environment(
    root: Path,
    spec: EnvironmentSpec,
    folders: WorkspaceFolders,
    options: ProvisionOptions,
    progress: Callable[[str], None],
) -> Environment:
    """The environment that a specification describes, built where it is not there or not healthy.

    Raises:
        ProvisionError: it cannot be built.
    """
    interpreter = choose(spec.python, root)
    requirements = read_requirements(root, spec.requirements, spec.extras)
    key = environment_key(interpreter, requirements)
    final = folders.environments / key
    if ready := _ready(final, key):
        return ready
    lock = folders.locks / f"{key}.lock"
    with locked(lock, options.timeout_s, purpose=f"environment of {root.name}", error=ProvisionError):
        if ready := _ready(final, key):
            return ready
        return _make(final, interpreter, requirements, root, options, progress)


def _ready(final: Path, key: str, *, reused: bool = True) -> Environment | None:
    marker = read_marker(final)
    python = final / "bin" / "python"
    if marker is None:
        return None
    if not is_unchanged(marker, python):
        try:
            marker = marker_of(python, final, marker.built_by, marker.notes)
        except ProvisionError:
            return None
        write_marker(final, marker)
    return Environment(
        python=python,
        kind=EnvironmentKind.CACHED,
        key=key,
        version=marker.version,
        built_by=marker.built_by,
        pycache=final / "pycache",
        reused=reused,
        notes=marker.notes,
    )


def _make(
    final: Path,
    interpreter: Interpreter,
    requirements: Requirements,
    root: Path,
    options: ProvisionOptions,
    progress: Callable[[str], None],
) -> Environment:
    """Builds under another name beside the final one; the caller holds the lock."""
    remove_folder(final)
    for garbage in final.parent.glob(f".{final.name}.*.tmp"):
        shutil.rmtree(garbage, ignore_errors=True)
    log = final.with_name(f"{final.name}.log")
    log.unlink(missing_ok=True)
    folder = final.with_name(f".{final.name}.{token_hex(4)}.tmp")
    installer = Installer(interpreter, folder, options, log)
    try:
        notes = build(installer, requirements, root, progress)
        relocate(folder, final)
        publish_folder(folder, final)
        write_marker(final, marker_of(final / "bin" / "python", final, installer.name, notes))
    except BaseException as error:
        with suppress(OSError):
            shutil.rmtree(folder)
        remove_folder(final)
        if isinstance(error, ProvisionError) and error.where is None:
            error.where = str(root)
        raise
    made = _ready(final, final.name, reused=False)
    if made is None:
        raise ProvisionError("the new environment is not healthy", where=str(final), hint=f"see {log}")
    return made
