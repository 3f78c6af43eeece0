"""Settings of pytest and coverage that let less be tested, or let more pass."""

import configparser
from collections import Counter
from collections.abc import Iterator

from triage.guard.settings_files import Options, options
from triage.model.fix import Weakening

_SELECTING = frozenset(
    {"testpaths", "python_files", "python_classes", "python_functions", "norecursedirs", "confcutdir"}
    | {"collect_imported_tests", "empty_parameter_set_mark"}
)
_SELECTORS = (
    *("-k", "-m", "--ignore", "--deselect", "--lf", "--last-failed", "--ff", "--sw", "--stepwise", "--co"),
    *(
        "--collect-only",
        "--noconftest",
        "--maxfail",
        "-x",
        "--exitfirst",
        "--confcutdir",
        "-p",
        "-c",
        "--rootdir",
    ),
)
_HARMLESS = (
    *("-q", "-v", "-r", "-s", "-l", "-n", "--tb", "--color", "--strict", "--durations", "--cov", "--junit"),
    *("--quiet", "--verbose", "--showlocals", "--no-header", "--import-mode", "--doctest", "--dist"),
    *("--random", "--log", "--capture"),
)
_STRICT = ("--strict", "--cov", "-W", "--doctest", "--import-mode")
_FLAGS = frozenset({"xfail_strict", "strict", "strict_markers", "strict_config", "strict_xfail"})


def found(path: str, before: bytes | None, after: bytes | None) -> Iterator[Weakening]:
    """`None`: the file does not exist."""
    name = path.rpartition("/")[2]
    try:
        was = {} if before is None else options(name, before)
        now = {} if after is None else options(name, after)
    except (ValueError, configparser.Error) as error:
        yield Weakening("unreadable", path, 1, f"cannot be read: {error}".split("\n")[0])
        return
    if before is None and name.endswith(("pytest.ini", "pytest.toml")):
        yield Weakening(
            "setting-changed", path, 1, "a new file takes the place of all other settings of pytest"
        )
    lines = (after or before or b"").decode("utf-8", "replace").splitlines()
    for option in dict.fromkeys((*was, *now)):
        for kind, said in _compared(option, was, now):
            yield Weakening(kind, path, _line(lines, option), f"{option}: {said}")


def _line(lines: list[str], option: str) -> int:
    plain = option.removeprefix("coverage:")
    return next((number for number, each in enumerate(lines, 1) if each.strip().startswith(plain)), 1)


def _compared(option: str, was: Options, now: Options) -> Iterator[tuple[str, str]]:
    old, new = was.get(option, ()), now.get(option, ())
    became = f"{_said(old)} became {_said(new)}"
    if old == new:
        return
    if option == "addopts":
        yield from _arguments(old, new)
    elif option == "filterwarnings":
        yield from _filters(old, new)
    elif option == "usefixtures":
        yield "autouse-context", f"{_said(new)} for every test: a workaround, it hides every missing context"
    elif option in _SELECTING:
        yield from _of_collection(option, old, new)
    elif option.startswith("coverage:"):
        yield from _of_coverage(option, old, new)
    elif "timeout" in option and _number(new, float("inf")) > _number(old, float("inf")):
        yield "timeout-raised", became
    elif "rerun" in option or "retries" in option:
        yield "rerun-added", became
    elif option in _FLAGS and _is_on(old) and not _is_on(new):
        yield "setting-changed", became


def _of_collection(option: str, old: tuple[str, ...], new: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """More folders or patterns are no loss, unless they are those to leave out."""
    if option == "norecursedirs" or not old or not set(old) <= set(new):
        yield "collection-narrowed", f"{_said(old)} became {_said(new)}"


def _of_coverage(option: str, old: tuple[str, ...], new: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    is_lower = option.endswith("fail_under") and _number(new, 0) < _number(old, 0)
    is_less = option.endswith(("omit", "exclude_lines", "exclude_also")) and set(new) - set(old)
    if is_lower or is_less:
        yield "coverage-lowered", f"{_said(old)} became {_said(new)}"


def _said(words: tuple[str, ...]) -> str:
    return " ".join(words) or "nothing"


def _is_on(words: tuple[str, ...]) -> bool:
    return bool(words) and words[0].lower() in ("true", "1", "yes", "on")


def _number(words: tuple[str, ...], missing: float) -> float:
    try:
        return float(words[0])
    except (IndexError, ValueError):
        return missing


def _filters(old: tuple[str, ...], new: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for each in Counter(new) - Counter(old):
        if not each.startswith(("error", "always")):
            yield "warning-filtered", f"`{each}` is new"
    for each in Counter(old) - Counter(new):
        if each.startswith("error"):
            yield "warning-filtered", f"`{each}` is gone"


def _arguments(old: tuple[str, ...], new: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Each word by itself, and a word with the one that follows, so that values count."""
    was, now = list(_options_of(old)), list(_options_of(new))
    for each in Counter(now) - Counter(was):
        if each.startswith("--cov-fail-under"):
            continue
        if each.startswith(("--rerun", "--flake", "--retries", "--force-flaky")):
            yield "rerun-added", f"`{each}` is new"
        elif each.startswith("--timeout"):
            yield "timeout-raised", f"`{each}` is new"
        elif each.startswith(("-W", "--disable-w", "--disable-pytest-w", "--pythonwarnings")):
            yield "warning-filtered", f"`{each}` is new"
        elif each.startswith(_SELECTORS):
            yield "collection-narrowed", f"`{each}` is new"
        elif not each.startswith(_HARMLESS):
            yield "setting-changed", f"`{each}` is new"
    for each in Counter(was) - Counter(now):
        if each.startswith(_STRICT) and not any(
            one.startswith("--cov") for one in now if each.startswith("--cov=")
        ):
            yield "setting-changed", f"`{each}` is gone or changed"


def _options_of(words: tuple[str, ...]) -> Iterator[str]:
    """Options with their values: `-k "not slow"`, `-k=x`, `--deselect a` as one word each."""
    current = ""
    for each in words:
        if each.startswith("-"):
            if current:
                yield current
            current = each
        else:
            current = f"{current} {each}".strip()
    if current:
        yield current
