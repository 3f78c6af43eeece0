"""Why a test of the newest recorded run failed as it did, clause by clause; nothing is run."""

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from triage.errors import TriageError, UsageError
from triage.model.failure import Failure
from triage.model.playbook import Playbook
from triage.model.project import Project
from triage.model.run import RunArtifacts, TestRun
from triage.model.terms import RunStatus
from triage.playbook.explain import Tried, explain
from triage.probes.injection import event_files
from triage.render.explanation import diagnosis_document, failure_document
from triage.render.summary import SCHEMA_VERSION, tool
from triage.rules.lookup import Lookup
from triage.rules.source import SourceTree
from triage.stages.classify import classify
from triage.stages.discover import load_project
from triage.stages.parse import parse
from triage.text import Masker, clean_text
from triage.tools import Tools
from triage.workspace import file_name

_SHOWN = 10  # node ids in a message
_COMPARED = 5_000  # node ids that a typing error is looked for in
_VERDICTS = {True: "held", False: "missed", None: "cannot be told"}


@dataclass(frozen=True, slots=True)
class _Ran:
    """The newest recorded run of a project; `failing` are the entries of its summary by node id."""

    name: str
    summary: Mapping[str, Any]
    failing: Mapping[str, Mapping[str, Any]]


def explain_test(
    given: str, tools: Tools, *, project: str | None = None, playbook: str | None = None
) -> dict[str, Any]:
    """What is known of one test, as one JSON document; `given` is a node id or a part of one that is unique.

    Raises:
        UsageError: no test, or more than one, is meant; no such playbook; the run's files are gone.
    """
    names = [project] if project else tools.store.projects()
    runs = [ran for name in names if (ran := _newest(name, tools)) is not None]
    if not runs:
        raise UsageError("no run was recorded to its end", where=project, hint="triage run PROJECT")
    readers = {ran.name: _Reader(ran, tools) for ran in runs}
    ran, nodeid = _resolve(clean_text(given), runs, readers, tools)
    return readers[ran.name].document(nodeid, playbook)


class _Reader:
    """One run read again, as far as is asked for."""

    def __init__(self, ran: _Ran, tools: Tools) -> None:
        self._ran, self._tools = ran, tools
        self._run: TestRun | None = None
        self._project: Project | None = None

    @property
    def project(self) -> Project:
        if self._project is None:
            self._project = load_project(Path(self._ran.summary["project"]["root"]))
        return self._project

    @property
    def run(self) -> TestRun:
        if self._run is None:
            environ = {**self._tools.environ, **self.project.test.env}
            masker = Masker.from_environment(environ)
            self._run = parse(_artifacts(self._ran, self._tools), self.project.root, masker)
        return self._run

    def document(self, nodeid: str, playbook: str | None) -> dict[str, Any]:
        known = self._tools.matcher(self.project).playbooks
        asked = known.get(playbook or "")
        if playbook is not None and asked is None:
            raise _no_playbook(playbook, known)
        case = next((one for one in self.run.cases if one.id == nodeid), None)
        if case is None:
            raise UsageError(
                "the files of the run do not hold this test", where=nodeid, hint=_again(self._ran)
            )
        head = _head(self._ran, self._tools.library(self.project).fingerprint)
        head |= {"nodeid": nodeid, "outcome": str(case.outcome)}
        if not case.outcome.is_failing:
            return {**head, "failure": None, "diagnosis": None, "asked": None, "notes": []}
        lookup = Lookup(SourceTree(self.project.root, self.project.source, self.project.test.arguments))
        sorted_ = classify(self.run.cases, self._tools.matcher(self.project), lookup.has_near)
        failure = next(one for one in sorted_.failures if one.case.id == nodeid)
        recorded = self._ran.failing.get(nodeid)
        return {
            **head,
            "failure": failure_document(failure, recorded, known),
            "diagnosis": diagnosis_document(nodeid, self._ran.summary),
            "asked": _asked(asked, failure, lookup) if asked else None,
            "notes": list(_notes(failure, recorded)),
        }


def _newest(name: str, tools: Tools) -> _Ran | None:
    latest = tools.store.latest(name)
    text = tools.store.summary(name, latest.id) if latest else None
    if text is None:
        return None
    summary = json.loads(text)
    return _Ran(name, summary, {one["nodeid"]: one for one in summary["failures"] if one["nodeid"]})


def _artifacts(ran: _Ran, tools: Tools) -> RunArtifacts:
    """What the run left, as the runner handed it to the first reading."""
    run = ran.summary["run"]
    folder = tools.folders.runs(ran.name) / file_name(run["id"])
    events = event_files(folder / "events.jsonl")
    if not events and not (folder / "junit.xml").is_file():
        raise UsageError("the files of the newest run are gone", where=str(folder), hint=_again(ran))
    return RunArtifacts(
        directory=folder,
        junit=folder / "junit.xml",
        events=events,
        output=folder / "output.log",
        status=RunStatus(run["status"]),
        exit_status=run["pytest_exit_status"],
        started_at=datetime.fromisoformat(run["started_at"]),
        duration_s=run["duration_s"],
        command=tuple(run["command"]),
        python=run["python"],
        detail=run.get("detail"),
    )


def _resolve(
    given: str, runs: Sequence[_Ran], readers: Mapping[str, _Reader], tools: Tools
) -> tuple[_Ran, str]:
    """The one test meant: a whole node id first, then an end, then a part; failing tests before others."""
    failing = [(ran, nodeid) for ran in runs for nodeid in ran.failing]
    whole = [item for item in failing if item[1] == given] or [
        (ran, given) for ran in runs if _was_in(ran, given, tools)
    ]
    found = whole or _parts(given, failing)
    if not found:
        others = [(ran, case.id) for ran in runs for case in _cases(readers[ran.name])]
        found = [item for item in others if item[1] == given] or _parts(given, others)
    if not found:
        raise _no_test(given, failing)
    if len(found) > 1:
        raise _ambiguous(given, found)
    return found[0]


def _was_in(ran: _Ran, nodeid: str, tools: Tools) -> bool:
    points = tools.store.test_history(ran.name, nodeid, 1).points
    return bool(points) and points[0].run == ran.summary["run"]["id"]


def _cases(reader: _Reader) -> Iterable[Any]:
    """None where the project or its files are gone: another project may have the test."""
    try:
        return reader.run.cases
    except TriageError:
        return ()


def _parts(given: str, items: Sequence[tuple[_Ran, str]]) -> list[tuple[_Ran, str]]:
    ends = [item for item in items if given and item[1].endswith(given)]
    return ends or [item for item in items if given and given in item[1]]


def _no_test(given: str, failing: Sequence[tuple[_Ran, str]]) -> UsageError:
    ids = list(dict.fromkeys(nodeid for _, nodeid in failing))[:_COMPARED]
    close = get_close_matches(given, ids, n=3, cutoff=0.3)
    return UsageError(
        "no test of the newest run has this node id",
        where=given,
        allowed=", ".join(close or ids[:3]) or "no test failed in it",
        hint=f"triage playbooks explain {shlex.quote(close[0])}" if close else "triage report --json",
    )


def _ambiguous(given: str, found: Sequence[tuple[_Ran, str]]) -> UsageError:
    names = list(dict.fromkeys(ran.name for ran, _ in found))
    if len(names) > 1:
        what, allowed = "several projects have such a test", ", ".join(names)
        return UsageError(what, where=given, allowed=allowed, hint=f"add --project {names[0]}")
    ids = [nodeid for _, nodeid in found]
    more = f", and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
    return UsageError(
        f"{len(ids)} tests of {names[0]} match",
        where=given,
        allowed=", ".join(ids[:_SHOWN]) + more,
        hint="give more of the node id",
    )


def _no_playbook(name: str, known: Mapping[str, Playbook]) -> UsageError:
    close = get_close_matches(name, list(known), n=1)
    return UsageError(
        "no such playbook",
        where=name,
        allowed=", ".join(sorted(known)),
        hint=f"--playbook {close[0]}" if close else "triage playbooks list",
    )


def _again(ran: _Ran) -> str:
    return f"triage run {ran.summary['project']['root']}"


def _head(ran: _Ran, fingerprint: str) -> dict[str, Any]:
    project, run = ran.summary["project"], ran.summary["run"]
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": tool(fingerprint),
        "project": {"name": project["name"], "root": project["root"]},
        "run": {"id": run["id"], "started_at": run["started_at"]},
    }


def _asked(playbook: Playbook, failure: Failure, lookup: Lookup) -> dict[str, Any]:
    problems = failure.case.problems or (failure.problem,)
    tried = [one for problem in problems for one in explain(playbook, problem, lookup.has_near)]
    lost = {one.playbook: one.reason for one in failure.also}
    won = failure.playbook == playbook.id
    return {
        "playbook": playbook.id,
        "title": playbook.title,
        "verdict": "won" if won else "lost" if playbook.id in lost else "does not match",
        "reason": lost.get(playbook.id, ""),
        "symptoms": [_tried(one) for one in tried],
    }


def _tried(one: Tried) -> dict[str, Any]:
    return {
        "symptom": one.symptom,
        "phase": str(one.phase),
        "role": one.role,
        "exception": one.exception or None,
        "held": one.held,
        "conditions": [
            {
                "condition": each.condition,
                "wanted": each.wanted,
                "seen": each.seen,
                "verdict": _VERDICTS[each.held],
            }
            for each in one.conditions
        ],
    }


def _notes(failure: Failure, recorded: Mapping[str, Any] | None) -> Iterable[str]:
    if recorded is None:
        yield "the summary of the run does not name this failure"
    elif recorded["playbook"] != failure.playbook:
        yield (
            f"recorded as {recorded['playbook'] or 'unknown'}, by its facts it is "
            f"{failure.playbook or 'unknown'}: running it again decided, "
            "or the source or the playbooks changed since"
        )
