"""Why a test of the newest recorded run failed as it did, clause by clause; nothing is run."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from triage.errors import TriageError, UsageError
from triage.explaining.asked import asked_document, named
from triage.explaining.which import fitting, no_test, several_tests
from triage.model.failure import Failure
from triage.model.project import Project
from triage.model.run import TestRun
from triage.recorded import Recorded, artifacts, newest_run
from triage.render.explanation import diagnosis_document, failure_document
from triage.render.summary import SCHEMA_VERSION, tool
from triage.rules.lookup import Lookup
from triage.rules.source import SourceTree
from triage.stages.classify import classify
from triage.stages.discover import load_project
from triage.stages.parse import parse
from triage.text import Masker, clean_text
from triage.tools import Tools


def explain_test(
    given: str, tools: Tools, *, project: str | None = None, playbook: str | None = None
) -> dict[str, Any]:
    """What is known of one test, as one JSON document; `given` is a node id or a part of one that is unique.

    Raises:
        UsageError: no test, or more than one, is meant; no such playbook; the run's files are gone.
    """
    names = [project] if project else tools.store.projects()
    runs = [ran for name in names if (ran := newest_run(name, tools)) is not None]
    if not runs:
        raise UsageError("no run was recorded to its end", where=project, hint="triage run PROJECT")
    readers = {ran.name: _Reader(ran, tools) for ran in runs}
    ran, nodeid = _resolve(clean_text(given), runs, readers, tools)
    return readers[ran.name].document(nodeid, playbook)


class _Reader:
    """One run read again, as far as is asked for."""

    def __init__(self, ran: Recorded, tools: Tools) -> None:
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
            self._run = parse(artifacts(self._ran, self._tools), self.project.root, masker)
        return self._run

    def document(self, nodeid: str, playbook: str | None) -> dict[str, Any]:
        known = self._tools.matcher(self.project).playbooks
        asked = named(playbook, known)
        case = next((one for one in self.run.cases if one.id == nodeid), None)
        if case is None:
            raise UsageError("the files of the run do not hold this test", where=nodeid, hint=self._ran.again)
        head = _head(self._ran, self._tools.library(self.project).fingerprint)
        head |= {"nodeid": nodeid, "outcome": str(case.outcome)}
        if not case.outcome.is_failing:
            return {**head, "failure": None, "diagnosis": None, "asked": None, "notes": []}
        lookup = Lookup(SourceTree(self.project.root, self.project.source, self.project.test.arguments))
        matcher, known_clusters = self._tools.matcher(self.project), self._tools.store.known_clusters
        sorted_ = classify(self.run.cases, matcher, lookup.has_near, known_clusters)
        failure = next(one for one in sorted_.failures if one.case.id == nodeid)
        recorded = _with_signature(self._ran.failing.get(nodeid), self._ran.summary)
        return {
            **head,
            "failure": failure_document(failure, recorded, known),
            "diagnosis": diagnosis_document(nodeid, self._ran.summary),
            "asked": asked_document(asked, failure, lookup.has_near),
            "notes": list(_notes(failure, recorded)),
        }


def _with_signature(
    recorded: Mapping[str, Any] | None, summary: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    """The summary tells a cluster's words apart from the failures in it."""
    if recorded is None or not recorded.get("cluster"):
        return recorded
    words = {one["fingerprint"]: one["signature"] for one in summary.get("clusters", ())}
    return {**recorded, "signature": words.get(recorded["cluster"])}


def _resolve(
    given: str, runs: Sequence[Recorded], readers: Mapping[str, _Reader], tools: Tools
) -> tuple[Recorded, str]:
    """The one test meant: a whole node id first, then an end, then a part; failing tests before others."""
    failing = [(ran, nodeid) for ran in runs for nodeid in ran.failing]
    whole = [item for item in failing if item[1] == given] or [
        (ran, given) for ran in runs if _was_in(ran, given, tools)
    ]
    found = whole or fitting(given, failing)
    if not found:
        others = [(ran, case.id) for ran in runs for case in _cases(readers[ran.name])]
        found = [item for item in others if item[1] == given] or fitting(given, others)
    if not found:
        raise no_test(given, [nodeid for _, nodeid in failing], "the newest run", "triage report --json")
    if len(found) > 1:
        raise _ambiguous(given, found)
    return found[0]


def _was_in(ran: Recorded, nodeid: str, tools: Tools) -> bool:
    points = tools.store.test_history(ran.name, nodeid, 1).points
    return bool(points) and points[0].run == ran.summary["run"]["id"]


def _cases(reader: _Reader) -> Iterable[Any]:
    """None where the project or its files are gone: another project may have the test."""
    try:
        return reader.run.cases
    except TriageError:
        return ()


def _ambiguous(given: str, found: Sequence[tuple[Recorded, str]]) -> UsageError:
    names = list(dict.fromkeys(ran.name for ran, _ in found))
    if len(names) > 1:
        what, allowed = "several projects have such a test", ", ".join(names)
        return UsageError(what, where=given, allowed=allowed, hint=f"add --project {names[0]}")
    return several_tests(given, [nodeid for _, nodeid in found], names[0])


def _head(ran: Recorded, fingerprint: str) -> dict[str, Any]:
    project, run = ran.summary["project"], ran.summary["run"]
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": tool(fingerprint),
        "project": {"name": project["name"], "root": project["root"]},
        "run": {"id": run["id"], "started_at": run["started_at"]},
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
