"""Where triage works and how: workspace file < environment < command line."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from triage.errors import ConfigurationError, UsageError
from triage.schema import validate
from triage.yamlfile import YamlDocument, read_yaml

FILE_NAME = "triage.yaml"
_YAML = "a regular YAML file in UTF-8, without anchors, aliases and tags"
_PAGES = "see docs/reference/project-file.md or docs/reference/workspace-file.md for a whole example"
_WORKSPACE_KEYS = {
    *("projects", "database_url", "jobs", "offline", "wheels", "fail_on", "notify", "probe", "reruns"),
}
_KEYS_OF_BOTH = {"playbooks"}
_TRUE = ("1", "true", "yes", "on")
_FALSE = ("0", "false", "no", "off", "")
MAX_DIGITS = 6  # of a count
FAIL_ON = ("new", "any", "never")
_DATABASE_URLS = "sqlite:///path, postgresql+psycopg://user@host/database"
_DATABASE_URL = re.compile(r"sqlite:///(?!:memory:)[^?].*|(?:postgresql(?:\+psycopg)?|postgres)://.+")


@dataclass(frozen=True, slots=True)
class Notification:
    """A command that gets the path of the nightly report (JSON) as its last argument."""

    command: tuple[str, ...]
    when: str = "new"


@dataclass(frozen=True, slots=True)
class Settings:
    """`projects` are paths or globs relative to `workspace`; `database_url` None: SQLite inside it.

    With `probe` failing tests run again to prove their causes; those of which no change proves
    anything run `reruns` times more, to tell chance from defects. `localise` ranks suspicious lines
    for failures that no playbook knows.
    """

    workspace: Path
    projects: tuple[str, ...] = ()
    database_url: str | None = None
    playbooks: tuple[Path, ...] = ()
    jobs: int = 1
    offline: bool = False
    wheels: Path | None = None
    fail_on: str = "new"
    notify: tuple[Notification, ...] = ()
    probe: bool = True
    reruns: int = 2
    localise: bool = False


def find_workspace(start: Path) -> Path:
    """The nearest folder upwards with a workspace file, else with a project file, else `start`."""
    nearest: Path | None = None
    for folder in (start, *start.parents):
        path = folder / FILE_NAME
        if path.is_file():
            if is_workspace_file(read_file(path)):
                return folder
            nearest = nearest or folder
    return nearest or start


def read_file(path: Path) -> YamlDocument:
    """A workspace file or project file.

    Raises:
        ConfigurationError: it cannot be read or is not acceptable YAML; says where and what to do.
    """
    try:
        return read_yaml(path)
    except ConfigurationError as error:
        hint = f"{error.hint}; {_PAGES}" if error.hint else _PAGES
        raise ConfigurationError(
            error.what, where=error.where, allowed=error.allowed or _YAML, hint=hint
        ) from error


def is_workspace_file(document: YamlDocument) -> bool:
    """True where the file speaks of a fleet, not of one project (both have the same name)."""
    return isinstance(document.data, dict) and bool(_WORKSPACE_KEYS & document.data.keys())


def _is_of_both(document: YamlDocument) -> bool:
    """True where every key means the same in both kinds of file."""
    return isinstance(document.data, dict) and 0 < len(document.data) == len(
        _KEYS_OF_BOTH & document.data.keys()
    )


def load_settings(
    workspace: Path | None, environ: Mapping[str, str], options: Mapping[str, Any] | None = None
) -> Settings:
    """Gather the settings; `options` are those of the command line, None where not given.

    Raises:
        UsageError: the workspace is no folder.
        ConfigurationError: a file or variable is not valid.
    """
    root = (workspace or find_workspace(Path.cwd())).resolve()
    if not root.is_dir():
        raise UsageError("no such workspace folder", where=str(root), hint="give --workspace a folder")
    settings = _from_file(Settings(root), root / FILE_NAME)
    settings = _from_environment(settings, environ)
    given = {name: value for name, value in (options or {}).items() if value is not None}
    return replace(settings, **given)


def _from_file(settings: Settings, path: Path) -> Settings:
    if not path.is_file():
        return settings
    document = read_file(path)
    if not (is_workspace_file(document) or _is_of_both(document)):
        return settings
    validate(document, "workspace")
    data = document.data
    root = settings.workspace
    return replace(
        settings,
        projects=tuple(data.get("projects", ())),
        database_url=_database_url(document.where(("database_url",)), data.get("database_url")),
        playbooks=tuple(root / one for one in data.get("playbooks", ())),
        jobs=data.get("jobs", 1),
        offline=data.get("offline", False),
        wheels=root / data["wheels"] if "wheels" in data else None,
        fail_on=data.get("fail_on", "new"),
        notify=tuple(
            Notification(tuple(one["command"]), one.get("when", "new")) for one in data.get("notify", ())
        ),
        probe=data.get("probe", True),
        reruns=data.get("reruns", settings.reruns),
    )


def _from_environment(settings: Settings, environ: Mapping[str, str]) -> Settings:
    changes: dict[str, Any] = {}
    if environ.get("TRIAGE_DATABASE_URL"):
        name = "TRIAGE_DATABASE_URL"
        changes["database_url"] = _database_url(name, environ[name])
    if environ.get("TRIAGE_PLAYBOOKS"):
        changes["playbooks"] = tuple(Path(one) for one in environ["TRIAGE_PLAYBOOKS"].split(":") if one)
    if environ.get("TRIAGE_WHEELS"):
        changes["wheels"] = Path(environ["TRIAGE_WHEELS"])
    if "TRIAGE_OFFLINE" in environ:
        changes["offline"] = _flag("TRIAGE_OFFLINE", environ["TRIAGE_OFFLINE"])
    if environ.get("TRIAGE_JOBS"):
        changes["jobs"] = _count("TRIAGE_JOBS", environ["TRIAGE_JOBS"])
    if "TRIAGE_PROBE" in environ:
        changes["probe"] = _flag("TRIAGE_PROBE", environ["TRIAGE_PROBE"])
    if environ.get("TRIAGE_RERUNS"):
        changes["reruns"] = _count("TRIAGE_RERUNS", environ["TRIAGE_RERUNS"])
    if environ.get("TRIAGE_FAIL_ON"):
        changes["fail_on"] = _choice("TRIAGE_FAIL_ON", environ["TRIAGE_FAIL_ON"], FAIL_ON)
    return replace(settings, **changes)


def _database_url(where: str, value: str | None) -> str | None:
    """The value is not repeated: it may hold a password."""
    if value is not None and not _DATABASE_URL.fullmatch(value):
        raise ConfigurationError("not a database URL", where=where, allowed=_DATABASE_URLS)
    return value


def _flag(name: str, value: str) -> bool:
    if value.lower() not in (*_TRUE, *_FALSE):
        raise ConfigurationError(f"{value!r} is not a yes or no", where=name, allowed="1 or 0")
    return value.lower() in _TRUE


def _count(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= MAX_DIGITS and int(value)):
        raise ConfigurationError(f"{value!r} is not a count", where=name, allowed="a whole number from 1")
    return int(value)


def _choice(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise ConfigurationError(f"{value!r} is not known", where=name, allowed=", ".join(allowed))
    return value
