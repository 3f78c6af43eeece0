"""What a check finds, and where in the playbook's file it stands."""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from triage.errors import ConfigurationError, TriageError
from triage.model.playbook import Playbook
from triage.yamlfile import Path_, YamlDocument, read_yaml

# The kinds of fault: docs/reference/playbook-check.md has a section for each.
KINDS = (
    "file",
    "unknown-key",
    "duplicate",
    "expression",
    "reference",
    "review",
    "never",
    "broad",
    "example",
    "unproven",
    "dead",
    "tie",
    "shadowed",
    "neighbour",
    "beats",
    "placeholder",
)
_PLACE = re.compile(r"(?P<file>.+?):(?P<line>\d+)(?::(?P<column>\d+))?", re.DOTALL)
_FILE_KINDS = (
    ("unknown key ", "unknown-key"),
    ("the key ", "duplicate"),
    ("the id ", "duplicate"),
    ("the expression ", "expression"),
    ("its expressions ", "expression"),
    ("the example ", "example"),
)


@dataclass(frozen=True, slots=True)
class CheckProblem:
    """One fault, or with `is_note` what is worth a look; `kind` is one of `KINDS`.

    `where` is the playbook's file, with line and column where they are known; `others` are the
    playbooks that share in it.
    """

    playbook: str
    kind: str
    message: str
    where: str
    allowed: str = ""
    hint: str = ""
    is_note: bool = False
    others: tuple[str, ...] = ()


def fault(
    playbook: Playbook,
    kind: str,
    message: str,
    at: Path_ = (),
    *,
    allowed: str = "",
    hint: str = "",
    is_note: bool = False,
    others: tuple[str, ...] = (),
) -> CheckProblem:
    """A fault of a playbook; `at` is the place in its file: ("symptoms", 0, "message")."""
    return CheckProblem(
        playbook.id, kind, message, _where(playbook, at), allowed, hint, is_note, tuple(sorted(others))
    )


def place_of(where: str) -> tuple[Path, int | None, int | None]:
    """The file, its line and its column, of which the last or both may not be known."""
    found = _PLACE.fullmatch(where)
    if found is None:
        return Path(where), None, None
    return Path(found["file"]), int(found["line"]), int(found["column"]) if found["column"] else None


def faults_of_file(error: ConfigurationError) -> list[CheckProblem]:
    """The faults of a file that was left out; one error may tell several, each with its place."""
    whole = error.where or ""
    file = place_of(whole)[0]
    first, *more = error.what.splitlines()
    told = [(whole, first)]
    for line in map(str.strip, more):
        where, _, sentence = line.removeprefix(str(file)).partition(": ")
        told.append((f"{file}{where}", sentence) if sentence else (whole, line))
    return [
        CheckProblem(
            file.name.removesuffix(".yaml"),
            _kind(sentence),
            sentence,
            where,
            error.allowed or "",
            error.hint or "",
        )
        for where, sentence in told
    ]


def _kind(sentence: str) -> str:
    return next((kind for start, kind in _FILE_KINDS if sentence.startswith(start)), "file")


def _where(playbook: Playbook, at: Path_) -> str:
    if playbook.path is None:
        return playbook.id
    document = _document(playbook.path, playbook.path.absolute()) if at else None
    return document.where(at) if document and at[0] in document.data else str(playbook.path)


@lru_cache(maxsize=64)
def _document(path: Path, _: Path) -> YamlDocument | None:
    """The file as it is named; the absolute path tells files of two working folders apart."""
    try:
        document = read_yaml(path)
    except TriageError:
        return None
    return document if isinstance(document.data, dict) else None
