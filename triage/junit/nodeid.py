"""pytest's node ids and the two names that its XML makes of them."""

import os
from functools import lru_cache
from pathlib import Path

_PATH_CHARS = 1000
_PATH_PARTS = 40


@lru_cache(maxsize=256)
def xml_names(nodeid: str) -> tuple[str, str]:
    """The `classname` and `name` that pytest writes for a node id (`_pytest/junitxml.py`)."""
    address, bracket, parameters = nodeid.partition("[")
    parts = address.split("::")
    parts[0] = _module(parts[0])
    parts[-1] += bracket + parameters
    return ".".join(parts[:-1]), parts[-1]


def exact_nodeid(classname: str, name: str, file: str | None) -> str | None:
    """The node id where `file` (xunit1) marks where the module ends; else None.

    A test that is inherited from a class in another file gives None, too: `file` is then where it
    is written, not where it was collected.
    """
    if not file or not name:
        return None
    path = file.replace(os.sep, "/")
    module = _module(path)
    if not classname:
        return path if name == module else None
    start = 0 if classname.startswith(module) else classname.find("." + module) + 1
    rest = classname[start + len(module) :]
    if not classname.startswith(module, start) or rest[:1] not in ("", "."):
        return None
    return "::".join([path, *rest.split(".")[1:], name])


def nodeid_below(root: Path, classname: str, name: str) -> str | None:
    """The node id whose file exists below `root`; None where no file or more than one fits."""
    found = []
    parts = (classname or name).split(".")
    for length in range(1, min(len(parts), _PATH_PARTS) + 1):
        path = "/".join(parts[:length]) + ".py"
        if "\0" not in path and len(path) < _PATH_CHARS and not _leaves(path) and (root / path).is_file():
            rest = [*parts[length:], name] if classname else parts[length:]
            found.append("::".join([path, *rest]))
    return found[0] if len(found) == 1 else None


def _module(path: str) -> str:
    return path.replace("/", ".").removesuffix(".py")


def _leaves(path: str) -> bool:
    return path.startswith("/") or ".." in path
