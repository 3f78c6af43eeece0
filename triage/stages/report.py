"""What one run has to say, as one value and as the files of its folder."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from triage.errors import TriageError
from triage.model.diagnosis import Diagnosis
from triage.model.failure import Failure
from triage.model.finding import Finding
from triage.model.playbook import Playbook
from triage.model.report import LatentDefect, Pattern, ProjectReport
from triage.render.plan_markdown import plan_markdown
from triage.render.summary import plan_document, summary
from triage.schema import first_problem
from triage.text import clean_text
from triage.workspace import write_whole

CONTEXT_LINES = 3  # shown above and below the line of a cause
REACH_LINES = 12  # how far from it a line that belongs to it may stand to be shown with it
MAX_EXCERPT_LINE = 160
MAX_SOURCE = 4_000_000  # bytes of a file that is looked into


def patterns_of(failures: Iterable[Failure], playbooks: Mapping[str, Playbook]) -> tuple[Pattern, ...]:
    """The playbooks that this run met, most severe first, then by the number of tests."""
    tests: dict[str, list[str]] = {}
    for failure in failures:
        if failure.playbook is not None:
            tests.setdefault(failure.playbook, []).append(failure.case.id)
    patterns = [
        Pattern(name, playbooks[name].title, playbooks[name].category, playbooks[name].severity, tuple(ids))
        for name, ids in tests.items()
    ]
    return tuple(sorted(patterns, key=lambda one: (one.severity.rank, -len(one.tests), one.playbook)))


def latent_of(
    findings: Iterable[Finding], playbooks: Mapping[str, Playbook], diagnoses: Iterable[Diagnosis]
) -> tuple[LatentDefect, ...]:
    """Findings of rules whose playbook calls them defects, those that a diagnosis names left out."""
    owners: dict[str, Playbook] = {}
    for one in playbooks.values():
        for rule in one.diagnose.rules if one.diagnose.latent else ():
            owners.setdefault(rule, one)  # one place is one defect, whoever else knows the rule
    known = {(one.cause.file, one.cause.line) for one in diagnoses}
    latent = [
        LatentDefect(owners[finding.rule].id, finding)
        for finding in findings
        if finding.rule in owners and (finding.file, finding.line) not in known
    ]
    return tuple(
        sorted(
            latent,
            key=lambda one: (playbooks[one.playbook].severity.rank, one.finding.file, one.finding.line),
        )
    )


def write_report(report: ProjectReport, folder: Path) -> dict[str, Any]:
    """Write `summary.json`, `plan.json` and `plan.md`, each whole; gives the summary.

    Raises:
        TriageError: the summary or the plan does not fit its own schema (a bug, nothing is written).
    """
    document = summary(report)
    plan = plan_document(document)
    for name, written in (("summary", document), ("plan", plan)):
        problem = first_problem(written, name)
        if problem:
            raise TriageError(f"the {name} does not fit its schema", where=problem, hint="please report this")
    root = Path(report.root)
    write_whole(folder / "summary.json", _json(document))
    write_whole(folder / "plan.json", _json(plan))
    text = plan_markdown(document, lambda file, line, others: excerpt(root, file, line, others))
    write_whole(folder / "plan.md", text.encode("utf-8", "backslashreplace"))
    return document


def excerpt(root: Path, file: str, line: int, others: Collection[int] = ()) -> str | None:
    """Source lines around `line`, that line marked `>`; None outside of the project or where unreadable.

    `others` of the same file are marked `*`; the excerpt reaches as far as those that stand near.
    """
    try:
        path = (root / file).resolve()
        if not (path.is_relative_to(root.resolve()) and path.is_file()):
            return None
        lines = path.read_bytes().splitlines() if path.stat().st_size <= MAX_SOURCE else []
    except (OSError, RuntimeError, ValueError):  # a loop of links, a null character
        return None
    if not 1 <= line <= len(lines):
        return None
    near = [one for one in others if abs(one - line) <= REACH_LINES]
    first = max(1, min([line, *near]) - CONTEXT_LINES)
    last = max([line, *near]) + CONTEXT_LINES
    shown = [clean_text(one.decode("utf-8", "replace")) for one in lines[first - 1 : last]]
    return "\n".join(_marked(shown, first, {**dict.fromkeys(near, "*"), line: ">"}))


def _marked(lines: Sequence[str], first: int, marks: Mapping[int, str]) -> Iterable[str]:
    for number, text in enumerate(lines, start=first):
        yield f"{marks.get(number, ' ')} {number:4d}  {text[:MAX_EXCERPT_LINE]}".rstrip()


def _json(document: Mapping[str, Any]) -> bytes:
    r"""UTF-8; what has none (a file name of other bytes) as `\udcff`, which JSON reads back."""
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    return text.encode("utf-8", "backslashreplace")
