"""How environments are made on this machine."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ProvisionOptions:
    """`uv` is its executable (None: venv and pip); `wheels` a folder that replaces every index.

    `offline` allows only caches and `wheels`; `timeout_s` is for each step of an installation, and
    for waiting until another process has made the same environment.
    """

    uv: Path | None = None
    offline: bool = False
    wheels: Path | None = None
    pass_env: tuple[str, ...] = ()
    timeout_s: float = 1800.0


def options_from(
    environ: Mapping[str, str], *, offline: bool = False, wheels: Path | None = None
) -> ProvisionOptions:
    """What the settings say, with the `uv` that is there; TRIAGE_UV names another, empty: none."""
    uv = environ.get("TRIAGE_UV", shutil.which("uv", path=environ.get("PATH")) or "")
    return ProvisionOptions(
        uv=Path(uv).absolute() if uv else None,
        offline=offline,
        wheels=wheels.absolute() if wheels else None,
    )
