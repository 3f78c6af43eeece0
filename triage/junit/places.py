"""Which file a traceback speaks of, and whose code it is."""

import posixpath
import re
from functools import lru_cache

_LIBRARY = re.compile(
    r"(?:^|[/\\])(?:(?:site|dist)-packages|lib(?:64)?[/\\]python\d[\d.]*|[Ll]ib[/\\](?:unittest|asyncio)|_pytest|pluggy"
    r"|\.?venv|\.tox|\.nox)[/\\]"
)
_RUNNER = re.compile(
    r"(?:^|[/\\])(?:_pytest|pluggy|xdist)[/\\]"
    r"|[/\\]pytest[/\\]__main__\.py$|[/\\]unittest[/\\](?:case|suite|runner|main|async_case)\.py$"
)
_TEST = re.compile(r"(?:^|[/\\])(?:tests?[/\\].*|test_[^/\\]*|[^/\\]*_test\.py|tests\.py|conftest\.py)$")


@lru_cache(maxsize=2048)
def place(path: str, root: str = "") -> tuple[str, str]:
    """The path relative to `root` where it is inside, and its kind as in `Frame.kind`."""
    if path.startswith("<"):
        return path, "generated"
    relative = _relative(path, root)
    if _LIBRARY.search(relative) or relative.startswith(".."):
        return path, "library"
    if root and posixpath.isabs(relative):
        return path, "library"
    return relative, "test" if _TEST.search(relative) else "project"


def is_runner(path: str) -> bool:
    """True for the test runner's own code, which calls the test."""
    return _RUNNER.search(path) is not None


def _relative(path: str, root: str) -> str:
    if root and path.startswith(root + "/"):
        return path[len(root) + 1 :]
    return path.removeprefix("./")
