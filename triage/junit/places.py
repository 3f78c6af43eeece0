"""Which file a traceback speaks of, and whose code it is."""

import posixpath
import re
from functools import lru_cache

_LIBRARY = re.compile(
    r"(?:^|/)(?:(?:site|dist)-packages|lib(?:64)?/(?:python|pypy)\d[\d.]*|[Ll]ib/(?:unittest|asyncio)|_pytest|pluggy"
    r"|\.?venv|\.tox|\.nox|\.eggs|[^/]+\.egg|python\d+\.zip)/"
    r"|^[A-Za-z]:/(?:[^/]+/)*[Pp]ython[\d.-]*/(?:[^/]+/){0,2}[Ll]ib/"
)
_RUNNER = re.compile(
    r"(?:^|/)(?:_pytest|pluggy|xdist)/"
    r"|/pytest/__main__\.py$|/unittest/(?:case|suite|runner|main|loader|async_case)\.py$"
    r"|/(?:lib(?:64)?/(?:python|pypy)\d[\d.]*|Lib)/doctest\.py$"
)
_TEST = re.compile(r"(?:^|/)(?:tests?/.*|test_[^/]*|[^/]*_test\.py|tests\.py|conftest\.py)$")
_DRIVE = re.compile(r"[A-Za-z]:/")
# Bazel's copies of the sources: bin/x_test.runfiles/_main/package/x_test.py; other folders are other projects
_RUNFILES = re.compile(r"^.*\.runfiles/([^/]+)/")
_FOREIGN = re.compile(r"[~+]|^(?:pypi|pip)_")  # in the names that Bazel gives to what it fetched


@lru_cache(maxsize=2048)
def place(path: str, root: str = "") -> tuple[str, str]:
    """The path relative to `root` where it is inside, and its kind as in `Frame.kind`."""
    if path.startswith("<"):
        return path, "generated"
    path = _with_slashes(path)
    relative = _relative(path, _with_slashes(root))
    if _LIBRARY.search(relative) or relative.startswith(".."):
        return path, "library"
    if ".runfiles/" in relative and (copied := _RUNFILES.match(relative)):
        is_foreign = _FOREIGN.search(copied[1]) is not None
        relative = relative[copied.end() :]
        return (path, "library") if is_foreign else (relative, _kind(relative))
    if root and _is_absolute(relative):
        return path, "library"
    return relative, _kind(relative)


@lru_cache(maxsize=2048)
def is_runner(path: str) -> bool:
    """True for the test runner's own code, which calls the test."""
    return _RUNNER.search(_with_slashes(path)) is not None


def _kind(relative: str) -> str:
    return "test" if _TEST.search(relative) else "project"


def _is_absolute(path: str) -> bool:
    return posixpath.isabs(path) or _DRIVE.match(path) is not None


def _with_slashes(path: str) -> str:
    """A Windows path as the rest of the program writes paths."""
    return path.replace("\\", "/") if "\\" in path else path


def _relative(path: str, root: str) -> str:
    if root and path.startswith(root + "/"):
        return path[len(root) + 1 :]
    return path.removeprefix("./")
