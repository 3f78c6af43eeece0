"""A new playbook from a cluster of unknown failures, with its examples and a preview over the history."""

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from triage.errors import UsageError
from triage.junit.example import example_xml
from triage.model.case import ExceptionInfo
from triage.playbook.conditions import module_of
from triage.playbook.draft import deepest_file, exactly, expression, found_in_all, name_of
from triage.playbook.load import Library, load_library
from triage.playbook.match import Matcher
from triage.render.playbook_yaml import playbook_yaml
from triage.replaying import Moves, Past, compare, past_failures
from triage.resources import data_folder
from triage.tools import Tools
from triage.workspace import write_whole

SCHEMA = "playbook.schema.json"
_EXAMPLES = 3
_NEIGHBOURS = 3
_SHOWN = 8  # clusters in a message
_HEAD = (
    "A draft: say why it happens and how it is cured, try the expression, then set `status: stable`.",
    "Check it: triage playbooks check {path}",
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A playbook that was written; `left_out` are failures of the cluster that it does not know."""

    id: str
    path: Path
    examples: tuple[Path, ...]
    cluster: str
    failures: int
    moves: Moves
    left_out: int


def draft(given: str, folder: Path, tools: Tools, *, name: str | None = None, days: int = 90) -> Draft:
    """Writes `<id>.yaml` and its examples into `folder`, and the schema that editors check it by.

    Raises:
        UsageError: no such cluster, or the files are there already; nothing was written.
    """
    since = datetime.now(UTC) - timedelta(days=days)
    members, others = _cluster(given, past_failures(tools, since))
    library = tools.library()
    heads = [one.problem.head for one in members if one.problem.head is not None]
    type_ = max({one.type for one in heads}, key=lambda one: sum(head.type == one for head in heads))
    name = name or name_of(type_, [one.message for one in heads], library.playbooks)
    target = folder / f"{name}.yaml"
    if target.exists() or name in library.playbooks:
        raise UsageError("a playbook of this id is there", where=str(target), hint="give another: --id NAME")
    files = _files(name, members, _neighbours(heads, others))
    data = _data(name, type_, heads, files)
    head = (f"yaml-language-server: $schema={SCHEMA}", *_HEAD)
    text = playbook_yaml(data, [line.format(path=target) for line in head])
    after = _library(tools.settings.playbooks, name, text, files)
    moves = compare([*members, *others], tools.matcher(), Matcher(after.playbooks.values()))
    _write(folder, {f"{name}.yaml": text, **files})
    gained = moves.count[None, name]
    return Draft(
        id=name,
        path=target,
        examples=tuple(folder / one for one in files),
        cluster=members[0].cluster or "",
        failures=len(members),
        moves=moves,
        left_out=max(len(members) - gained, 0),
    )


def _cluster(given: str, past: Iterable[Past]) -> tuple[list[Past], list[Past]]:
    """The failures of the cluster meant, and all others."""
    known = list(past)
    names = dict.fromkeys(one.cluster for one in known if one.playbook is None and one.cluster)
    found = [one for one in names if given in (one, one.partition(":")[2])]
    found = found or [one for one in names if given and one.partition(":")[2].startswith(given)]
    if len(found) != 1:
        raise UsageError(
            f"{len(found)} clusters of unknown failures begin so" if found else "no such cluster",
            where=given,
            allowed=", ".join(list(found or names)[:_SHOWN]) or "no unknown failure is stored",
            hint="triage report, or triage classify REPORT.xml, lists them",
        )
    members = [one for one in known if one.playbook is None and one.cluster == found[0]]
    return members, [one for one in known if not (one.playbook is None and one.cluster == found[0])]


def _neighbours(heads: Sequence[ExceptionInfo], others: Sequence[Past]) -> list[Past]:
    """Failures of the same class that are not of the cluster, one of each kind."""
    names = {one.name for one in heads}
    near: dict[str, Past] = {}
    for one in others:
        head = one.problem.head
        if head is not None and head.name in names:
            near.setdefault(one.playbook or one.cluster or "", one)
    return list(near.values())[:_NEIGHBOURS]


def _files(name: str, members: Sequence[Past], near: Sequence[Past]) -> dict[str, str]:
    """Examples by path: one for each wording of the cluster, and those that must not match."""
    wordings: dict[str, Past] = {}
    for one in members:
        head = one.problem.head
        wordings.setdefault(head.message if head else one.problem.text, one)
    chosen = [(f"seen-{number}", one) for number, one in enumerate(list(wordings.values())[:_EXAMPLES], 1)]
    chosen += [(f"not-{one.playbook or f'cluster-{number}'}", one) for number, one in enumerate(near, 1)]
    return {
        posixpath.join("examples", name, f"{file}.xml"): example_xml(one.test, one.problem, one.source)
        for file, one in chosen
    }


def _data(name: str, type_: str, heads: Sequence[ExceptionInfo], files: Mapping[str, str]) -> dict[str, Any]:
    known = type_ or "failure"
    return {
        "id": name,
        "title": f"To be named: {known}",
        "status": "experimental",
        "category": "product",
        "severity": "medium",
        "level": "specific",
        "why": "To be written: what makes this happen, and why it is wrong.",
        "symptoms": _symptoms(type_, heads),
        "diagnose": {"site": "own-frame"},
        "plan": {
            "title": f"To be named: the cure of {known}",
            "phase": 3,
            "effort_min": {"base": 30, "per_site": 15},
            "steps": [
                "run one of its tests alone and read its failure from the deepest line of your own code",
                "to be written: what to change, and by which command to see that it helped",
            ],
            "risk": "medium",
            "mitigation": "run every test of the files that change",
            "rollback": "revert the commit",
        },
        "examples": {
            "match": [{"from": one} for one in files if "/seen-" in one],
            "no_match": [
                {"from": one, "because": "the same exception, but another failure"}
                for one in files
                if "/not-" in one
            ],
        },
    }


def _symptoms(type_: str, heads: Sequence[ExceptionInfo]) -> list[dict[str, Any]]:
    """Class and wording; where the wording says too little, the place that raised it, too."""
    symptom: dict[str, Any] = {"exception": type_} if type_ else {}
    messages = [one.message for one in heads]
    made = expression(messages)
    if made is not None and found_in_all(made, messages):
        return [{**symptom, "message": made}]
    modules = {module_of(one) for one in heads}
    own = deepest_file(heads)
    if own is not None:
        symptom["frames"] = own
    elif len(modules) == 1 and None not in modules:
        symptom["raised_in"] = modules.pop()
    wordings = list(dict.fromkeys(messages))
    if len(wordings) == 1 and wordings[0].strip():
        symptom["message"] = exactly(wordings[0])
    return [symptom or {"message": "to be written"}]


def _library(folders: Sequence[Path], name: str, text: str, files: Mapping[str, str]) -> Library:
    """The playbooks in force with the draft over them.

    Raises:
        UsageError: the draft is no valid playbook.
    """
    with TemporaryDirectory(prefix="triage-draft-") as temporary:
        _write(Path(temporary), {f"{name}.yaml": text, **files})
        library = load_library([*folders, Path(temporary)])
    if name not in library.playbooks:
        said = "; ".join(one.what for one in library.errors)
        raise UsageError(f"no playbook can be made of this cluster: {said}", where=name)
    return library


def _write(folder: Path, files: Mapping[str, str]) -> None:
    """The playbook last: without its examples it would not hold."""
    for name, text in reversed([*files.items(), (SCHEMA, _schema())]):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text)


def _schema() -> str:
    return (data_folder("schemas") / SCHEMA).read_text("utf-8")
