"""Finds the Python interpreter that an environment is made with."""

import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from triage.environments.versions import ALLOWED, Version, VersionRange, parse_range, shown
from triage.errors import ProvisionError, RunError
from triage.process.child import capture

_ASK = """
import json, sys, sysconfig
print(json.dumps([getattr(sys, "_base_executable", sys.executable), list(sys.version_info[:3]),
    sys.implementation.cache_tag, sysconfig.get_platform(), sys.base_prefix]))
"""
_OLDEST = (3, 8)  # the plugin that watches the tests runs on 3.8 and later
_NAME = re.compile(r"python(3(?:\.\d+)?)?")
_MANAGED = (".pyenv/versions", ".local/share/uv/python", ".local/share/mise/installs/python")


@dataclass(frozen=True, slots=True)
class Interpreter:
    """Who it is, so that environments of different interpreters are never mixed up."""

    path: Path
    version: Version
    cache_tag: str
    platform: str
    base_prefix: str

    @property
    def identity(self) -> tuple[str, ...]:
        return (self.cache_tag, shown(self.version), self.platform, self.base_prefix)


def choose(wanted: str | None, root: Path) -> Interpreter:
    """The interpreter for a version range or a path (relative to `root`); None: the running one.

    The running one wins where it fits, else the newest that does.

    Raises:
        ProvisionError: none fits; names those that were found.
    """
    if wanted and ("/" in wanted or os.sep in wanted or _NAME.fullmatch(wanted)):
        return _at(wanted, root)
    allowed = parse_range(wanted or "")
    if allowed.holds(sys.version_info[:3]):
        return _running()
    seen: list[str] = []
    for path in sorted(_candidates(), key=lambda path: _rank(path, allowed), reverse=True):
        found = ask(path)
        if found and found.version >= _OLDEST and allowed.holds(found.version):
            return found
        if found:
            seen.append(f"{shown(found.version)} ({path})")
    raise ProvisionError(
        f"no Python {allowed.text} here; found {', '.join([_own_name(), *seen[:8]])}",
        where="environment.python",
        allowed=f"{ALLOWED}, or the path of an interpreter",
        hint=f"install Python {allowed.text}, or name an interpreter by its path",
    )


def ask(path: Path) -> Interpreter | None:
    """What an interpreter says of itself; None when it does not start."""
    try:
        answer = capture([path, "-I", "-S", "-c", _ASK], time_s=15)
        base, version, tag, platform, prefix = json.loads(answer.splitlines()[-1])
    except (RunError, ValueError, IndexError):
        return None
    return Interpreter(Path(base), tuple(version), tag, platform, prefix)


def _at(wanted: str, root: Path) -> Interpreter:
    on_path = [path for path in _on_path() if path.name == wanted]
    path = on_path[0] if on_path else root / Path(wanted).expanduser()
    found = ask(path) if path.is_file() else None
    if found is None:
        problem = "does not start" if path.is_file() else "does not exist"
        raise ProvisionError(
            f"the interpreter {path} {problem}",
            where="environment.python",
            allowed=f"{ALLOWED}, or the path of an interpreter",
        )
    return found


def _running() -> Interpreter:
    """The running interpreter, without starting it once more."""
    import sysconfig  # noqa: PLC0415 - only runs need it

    return Interpreter(
        path=Path(getattr(sys, "_base_executable", sys.executable)),
        version=sys.version_info[:3],
        cache_tag=sys.implementation.cache_tag or "",
        platform=sysconfig.get_platform(),
        base_prefix=sys.base_prefix,
    )


def _own_name() -> str:
    return f"{shown(sys.version_info[:3])} ({sys.executable})"


def _candidates() -> Iterator[Path]:
    """Interpreters on PATH and where version managers put theirs, each once."""
    seen: set[Path] = set()
    home = Path(os.environ.get("HOME", "/nonexistent"))
    managed = [home / folder for folder in _MANAGED]
    if "PYENV_ROOT" in os.environ:
        managed.append(Path(os.environ["PYENV_ROOT"]) / "versions")
    for path in (*_on_path(), *(p for folder in managed for p in folder.glob("*/bin/python3"))):
        real = path.resolve()
        if real not in seen and os.access(path, os.X_OK):
            seen.add(real)
            yield path


def _on_path() -> Iterator[Path]:
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        if folder and Path(folder).is_dir():
            yield from (p for p in Path(folder).glob("python*") if _NAME.fullmatch(p.name))


def _rank(path: Path, allowed: VersionRange) -> tuple[bool, Version]:
    """Asks the likely ones first: names and folders tell versions, though not for certain."""
    digits = re.findall(r"3\.\d+(?:\.\d+)?", str(path.resolve())) or ["0"]
    hint = tuple(map(int, digits[-1].split(".")))
    return allowed.holds((*hint, *(0,) * (3 - len(hint)))), hint
