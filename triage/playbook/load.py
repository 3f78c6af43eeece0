"""Playbook files to `Playbook` values, layer over layer; one bad file never stops the others."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
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
from triage.playbook.expressions import compile_expression
from triage.resources import data_folder
from triage.schema import validate
from triage.yamlfile import read_yaml


@dataclass(frozen=True, slots=True)
class Library:
    """All playbooks in force, by id; `errors` are the files that were left out.

    `fingerprint` names the whole set: two runs with equal fingerprints were judged alike.
    """

    playbooks: Mapping[str, Playbook]
    errors: tuple[ConfigurationError, ...]
    notes: tuple[str, ...]
    fingerprint: str


def load_library(extra: Iterable[Path] = (), cache_folder: Path | None = None) -> Library:
    """Load the shipped playbooks, then `extra` folders over them: a same id replaces, with a note."""
    playbooks: dict[str, Playbook] = {}
    errors: list[ConfigurationError] = []
    notes: list[str] = []
    digest = hashlib.sha256()
    for folder in (data_folder("playbooks"), *extra):
        if not folder.is_dir():
            errors.append(ConfigurationError("no such playbook folder", where=str(folder)))
            continue
        seen: set[str] = set()
        for path in sorted(folder.glob("*.yaml")):
            try:
                playbook, content = load_playbook(path, cache_folder)
                _check_id(playbook, seen)
            except ConfigurationError as error:
                errors.append(error)
                continue
            if playbook.id in playbooks:
                notes.append(f"playbook {playbook.id}: {path} replaces {playbooks[playbook.id].path}")
            playbooks[playbook.id] = playbook
            seen.add(playbook.id)
            digest.update(content.encode())
    return Library(playbooks, tuple(errors), tuple(notes), digest.hexdigest()[:16])


def load_playbook(path: Path, cache_folder: Path | None = None) -> tuple[Playbook, str]:
    """Load one file; gives the playbook and the hash of its content.

    Raises:
        ConfigurationError: not a valid playbook; lists every problem with line and column.
    """
    data, content = cache.read(path, cache_folder, _read_valid)
    return _playbook(data, path), content


def expressions_of(data: Mapping[str, Any]) -> Iterator[str]:
    """Every regular expression of a playbook's data."""
    for symptom in data["symptoms"]:
        yield from (symptom[key] for key in ("message", "unless", "source") if key in symptom)


def _read_valid(path: Path) -> Any:
    document = read_yaml(path)
    validate(document, "playbook")
    for expression in expressions_of(document.data):
        compile_expression(expression, str(path))
    return document.data


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
        phase=tuple(Phase(one) for one in data.get("phase", ())),
        fact=data.get("facts", {}),
        finding=data.get("finding"),
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
