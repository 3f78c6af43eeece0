"""The options of pytest and coverage, from whichever file they stand in."""

import configparser
import json
import shlex
import tomllib
from collections.abc import Iterator, Mapping

Options = Mapping[str, tuple[str, ...]]
NAMES = (
    "pytest.ini",
    ".pytest.ini",
    "pytest.toml",
    ".pytest.toml",
    "tox.ini",
    "setup.cfg",
    "pyproject.toml",
    ".coveragerc",
)
_SECTIONS = {"pytest.ini": "pytest", ".pytest.ini": "pytest", "tox.ini": "pytest", "setup.cfg": "tool:pytest"}
_LINES = ("filterwarnings", "markers", "required_plugins")


def options(name: str, content: bytes) -> Options:
    """Values by option, a list's members apart; those of coverage begin with `coverage:`.

    Raises:
        ValueError, configparser.Error: the file cannot be read.
    """
    if name.endswith(".toml"):
        return dict(_of_toml(name, tomllib.loads(content.decode("utf-8-sig"))))
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.read_string(content.decode("utf-8-sig"))
    found = {}
    if _SECTIONS.get(name) in parser:
        found = {key: _split(key, text) for key, text in parser[_SECTIONS[name]].items()}
    for section in parser.sections():
        plain = section.removeprefix("coverage:")
        if plain in ("report", "run") and (name == ".coveragerc" or plain != section):
            found |= {f"coverage:{key}": _split(key, text) for key, text in parser[section].items()}
    return found


def has_options(name: str) -> bool:
    return name in NAMES


def _of_toml(name: str, data: Mapping[str, object]) -> Iterator[tuple[str, tuple[str, ...]]]:
    tool = _table(data, "tool")
    own = _table(data, "pytest") if name.endswith("pytest.toml") else _table(tool, "pytest")
    for key, given in {**own, **_table(own, "ini_options")}.items():
        if not isinstance(given, dict):
            yield key, _listed(key, given)
    for section in ("report", "run"):
        for key, given in _table(_table(tool, "coverage"), section).items():
            yield f"coverage:{key}", _listed(key, given)


def _table(data: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = data.get(name)
    return found if isinstance(found, dict) else {}


def _listed(key: str, given: object) -> tuple[str, ...]:
    if isinstance(given, list):
        return tuple(each if isinstance(each, str) else json.dumps(each, default=str) for each in given)
    return _split(key, given) if isinstance(given, str) else (json.dumps(given, default=str),)


def _split(key: str, text: str) -> tuple[str, ...]:
    if key in _LINES:
        return tuple(each.strip() for each in text.splitlines() if each.strip())
    try:
        return tuple(shlex.split(text, comments=True))
    except ValueError:
        return tuple(text.split())
