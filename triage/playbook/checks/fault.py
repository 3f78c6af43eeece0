"""What a check finds, and where in the playbook's file it stands."""

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
)
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


def faults_of_file(error: ConfigurationError) -> list[CheckProblem]:
    """The faults of a file that was left out; one error may tell several, each with its place."""
    first, *more = error.what.splitlines()
    told = [(error.where or "", first)]
    for line in more:
        where, _, sentence = line.strip().partition(": ")
        told.append((where, sentence) if sentence else (error.where or "", where))
    name = Path((error.where or "").partition(":")[0]).name.removesuffix(".yaml")
    return [
        CheckProblem(name, _kind(sentence), sentence, where, error.allowed or "", error.hint or "")
        for where, sentence in told
    ]


def _kind(sentence: str) -> str:
    return next((kind for start, kind in _FILE_KINDS if sentence.startswith(start)), "file")


def _where(playbook: Playbook, at: Path_) -> str:
    if playbook.path is None:
        return playbook.id
    document = _document(playbook.path) if at else None
    return document.where(at) if document and at[0] in document.data else str(playbook.path)


@lru_cache(maxsize=64)
def _document(path: Path) -> YamlDocument | None:
    try:
        document = read_yaml(path)
    except TriageError:
        return None
    return document if isinstance(document.data, dict) else None
