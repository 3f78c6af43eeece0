"""Playbook files to `Playbook` values, layer over layer; one bad file never stops the others.

The files of a project are not trusted: their number, size and expressions are limited, and nothing that they
name may lie outside of their folder.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any

from triage.errors import ConfigurationError
from triage.model.playbook import (
    Cascade,
    Diagnose,
    Effort,
    Example,
    PlanTemplate,
    Playbook,
    Remedy,
    Symptom,
)
from triage.model.terms import Applicability, Category, Level, Phase, Risk, Severity
from triage.playbook import cache
from triage.playbook.shapes import check_expression
from triage.resources import data_folder
from triage.schema import validate
from triage.yamlfile import Path_, YamlDocument, read_yaml

MAX_FILES = 1_000  # of one folder
MAX_SIZE = 400_000  # instructions of RE2 in all extra folders; the shipped one has 30,000
MAX_LINES = 20  # of one error
_SIZE = "_size"  # beside the data of a file: what its expressions cost
_EXPRESSIONS = ("message", "unless", "source")


@dataclass(frozen=True, slots=True)
class Library:
    """All playbooks in force, by id; `errors` are the files that were left out.

    `fingerprint` names the whole set: two runs with equal fingerprints were judged alike. `folders` are
    those that were read, later ones over earlier ones.
    """

    playbooks: Mapping[str, Playbook]
    errors: tuple[ConfigurationError, ...]
    notes: tuple[str, ...]
    fingerprint: str
    folders: tuple[Path, ...] = ()


class _Layers:
    """Takes in folder after folder; what is wrong with one of their files is kept as an error."""

    def __init__(self, cache_folder: Path | None, skip: Collection[Path] = ()) -> None:
        self._cache = cache_folder
        self._skip = {path.parent.resolve() / path.name for path in skip}
        self._digest = hashlib.sha256()
        self._playbooks: dict[str, Playbook] = {}
        self._errors: list[ConfigurationError] = []
        self._notes: list[str] = []
        self._size = 0
        self._folders: dict[Path, None] = {}

    def add(self, folder: Path, *, limit: int | None = None) -> None:
        """A folder counts once, where it comes first."""
        seen: set[str] = set()
        try:
            place = folder.resolve()
            if place in self._folders:
                return
            self._folders[place] = None
            for path in self._files(folder):
                try:
                    self._take(path, seen, limit)
                except ConfigurationError as error:
                    self._errors.append(_shortened(error))
        except (OSError, RuntimeError) as error:  # a loop of links is a RuntimeError before Python 3.13
            what = "no such playbook folder"
            if not isinstance(error, FileNotFoundError):
                what = f"the playbook folder cannot be read: {getattr(error, 'strerror', error)}"
            self._errors.append(ConfigurationError(what, where=str(folder)))

    def library(self) -> Library:
        digest = self._digest.hexdigest()[:16]
        return Library(self._playbooks, tuple(self._errors), tuple(self._notes), digest, tuple(self._folders))

    def _files(self, folder: Path) -> list[Path]:
        paths = sorted(folder.iterdir())
        for path in paths:
            if path.suffix == ".yml":
                self._notes.append(f"{path} is not read: playbooks are named <id>.yaml")
            elif not path.suffix and _holds_playbooks(path):
                self._notes.append(f"{path} is not read: playbooks stand in the folder itself, not below it")
        found = [path for path in paths if path.suffix == ".yaml" and not path.name.startswith(".")]
        if len(found) > MAX_FILES:
            what = f"{len(found):,} playbooks in one folder; those after the first {MAX_FILES:,} are left out"
            self._errors.append(ConfigurationError(what, where=str(folder), allowed=f"{MAX_FILES:,}"))
        return [path for path in found[:MAX_FILES] if folder.resolve() / path.name not in self._skip]

    def _take(self, path: Path, seen: set[str], limit: int | None) -> None:
        if limit is not None:
            _check_inside(path)
        data, content = _read(path, self._cache)
        playbook = _playbook(data, path)
        _check_id(playbook, seen)
        size = data.get(_SIZE, 0)
        if limit is not None and self._size + size > limit:
            raise ConfigurationError(
                "its expressions and those of the playbooks before it are too large together",
                where=str(path),
                allowed=f"{limit:,} instructions of RE2; this one has {size:,}",
            )
        if limit is not None:
            self._size += size
        known = self._playbooks.get(playbook.id)
        if known is not None:
            self._notes.append(f"playbook {playbook.id}: {path} replaces {known.path}")
        self._playbooks[playbook.id] = playbook
        seen.add(playbook.id)
        self._digest.update(content.encode())


def load_library(
    extra: Iterable[Path] = (), cache_folder: Path | None = None, *, skip: Collection[Path] = ()
) -> Library:
    """Load the shipped playbooks, then `extra` folders over them: a same id replaces, with a note.

    The files in `skip` are passed over, as if they were not there.
    """
    layers = _Layers(cache_folder, skip)
    layers.add(data_folder("playbooks"))
    for folder in extra:
        layers.add(folder, limit=MAX_SIZE)
    return layers.library()


def load_playbook(path: Path, cache_folder: Path | None = None) -> tuple[Playbook, str]:
    """Load one file; gives the playbook and the hash of its content.

    Raises:
        ConfigurationError: not a valid playbook; lists every problem with line and column.
    """
    data, content = _read(path, cache_folder)
    return _playbook(data, path), content


def expressions_of(data: Mapping[str, Any]) -> Iterator[str]:
    """Every regular expression of a playbook's data."""
    return (expression for _, expression in _placed_expressions(data))


def outside(source: str) -> bool:
    """Whether the path of an example may lead out of its playbook's folder, on any system."""
    path = PureWindowsPath(source)  # knows both kinds of separator
    return bool(path.anchor) or ".." in path.parts or source.startswith("~")


def _placed_expressions(data: Mapping[str, Any]) -> Iterator[tuple[Path_, str]]:
    for place, symptom in enumerate(data["symptoms"]):
        for key in _EXPRESSIONS:
            if key in symptom:
                yield ("symptoms", place, key), symptom[key]


def _read(path: Path, cache_folder: Path | None) -> tuple[Any, str]:
    return cache.read(path, cache_folder, _read_valid)


def _read_valid(path: Path) -> Any:
    document = read_yaml(path)
    validate(document, "playbook")
    _check_examples(document)
    size = sum(check_expression(one, document.where(at)) for at, one in _placed_expressions(document.data))
    return {**document.data, _SIZE: size}


def _check_examples(document: YamlDocument) -> None:
    for kind, examples in document.data.get("examples", {}).items():
        for place, example in enumerate(examples):
            if outside(example["from"]):
                raise ConfigurationError(
                    f"the example {example['from']!r} is outside of the playbook's folder",
                    where=document.where(("examples", kind, place, "from")),
                    allowed="a path below it, with / between folders: examples/<id>/*.xml",
                )


def _shortened(error: ConfigurationError) -> ConfigurationError:
    """A hostile file has as many faults as it has lines."""
    lines = error.what.splitlines()
    if len(lines) <= MAX_LINES:
        return error
    what = "\n".join([*lines[:MAX_LINES], f"  ... and {len(lines) - MAX_LINES:,} more"])
    return ConfigurationError(what, where=error.where, allowed=error.allowed, hint=error.hint)


def _holds_playbooks(path: Path) -> bool:
    """Whether YAML files lie in a folder where none belong; a link is not followed."""
    if path.name == "examples" or path.name.startswith(".") or path.is_symlink() or not path.is_dir():
        return False
    return next(path.glob("*.yaml"), None) is not None


def _check_inside(path: Path) -> None:
    """What is wrong with a file is quoted, so no link may turn another file into a playbook."""
    try:
        inside = path.resolve().is_relative_to(path.parent.resolve())
    except (OSError, RuntimeError):  # a loop of links
        inside = False
    if not inside:
        raise ConfigurationError("a link that leads out of its folder", where=str(path), allowed="a file")


def _check_id(playbook: Playbook, seen: set[str]) -> None:
    assert playbook.path is not None
    if playbook.id in seen:
        raise ConfigurationError(f"the id {playbook.id!r} a second time", where=str(playbook.path))
    if playbook.path.stem != playbook.id:
        raise ConfigurationError(
            f"the id {playbook.id!r} differs from the file name",
            where=str(playbook.path),
            allowed=f"a file named {playbook.id}.yaml",
        )


def _playbook(data: Mapping[str, Any], path: Path) -> Playbook:
    examples = data.get("examples", {})
    cascade = data.get("cascade", {})
    return Playbook(
        id=data["id"],
        title=data["title"],
        status=data["status"],
        category=Category(data["category"]),
        severity=Severity(data["severity"]),
        level=Level(data["level"]),
        why=" ".join(data["why"].split()),
        symptoms=tuple(_symptom(one) for one in data["symptoms"]),
        plan=_plan(data["plan"]),
        applies_to=data.get("applies_to", {}),
        beats=tuple(data.get("beats", ())),
        cascade=Cascade(tuple(cascade.get("of", ())), cascade.get("scope", "")),
        diagnose=_diagnose(data.get("diagnose", {})),
        remedies=tuple(
            Remedy(one["use"], Applicability(one["applicability"]), one.get("note", ""))
            for one in data.get("remedies", ())
        ),
        known_limits=tuple(data.get("known_limits", ())),
        references=tuple(data.get("references", ())),
        match_examples=tuple(Example(one["from"]) for one in examples.get("match", ())),
        no_match_examples=tuple(Example(one["from"], one["because"]) for one in examples.get("no_match", ())),
        review_by=data.get("review_by", ""),
        path=path,
    )


def _symptom(data: Mapping[str, Any]) -> Symptom:
    return Symptom(
        exception=_strings(data.get("exception")),
        exact=data.get("exact", False),
        message=data.get("message"),
        unless=data.get("unless"),
        where=data.get("where", "any"),
        raised_in=_strings(data.get("raised_in")),
        frames=_strings(data.get("frames")),
        source=data.get("source"),
        own=data.get("own"),
        same=data.get("same", {}),
        own_raise=data.get("own_raise"),
        phase=tuple(Phase(one) for one in data.get("phase", ())),
        fact=data.get("facts", {}),
        finding=data.get("finding"),
        certain=data.get("certain", False),
    )


def _plan(data: Mapping[str, Any]) -> PlanTemplate:
    effort = data["effort_min"]
    return PlanTemplate(
        phase=data["phase"],
        effort=Effort(effort["base"], effort.get("per_site", 0)),
        title=data["title"],
        steps=tuple(data["steps"]),
        alternatives=tuple(data.get("alternatives", ())),
        risk=Risk(data["risk"]),
        mitigation=data["mitigation"],
        rollback=data["rollback"],
        changes_schema=data.get("changes_schema", False),
    )


def _diagnose(data: Mapping[str, Any]) -> Diagnose:
    return Diagnose(
        probe=data.get("probe"),
        interventions=_strings(data.get("intervention")),
        rules=tuple(data.get("rules", ())),
        site=data.get("site", "test-frame"),
        explanation=_strings(data.get("explanation")),
        latent=data.get("latent", False),
        reruns=data.get("reruns", True),
    )


def _strings(value: str | list[str] | None) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)
