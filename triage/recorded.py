"""Recorded runs, read again from what they left; nothing is run."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from triage.errors import UsageError
from triage.model.run import RunArtifacts
from triage.model.terms import RunStatus
from triage.probes.injection import event_files
from triage.tools import Tools
from triage.workspace import file_name


@dataclass(frozen=True, slots=True)
class Recorded:
    """A run that was recorded to its end; `failing` are the entries of its summary by node id."""

    name: str
    summary: Mapping[str, Any]
    failing: Mapping[str, Mapping[str, Any]]

    @property
    def again(self) -> str:
        """The command that makes a newer one."""
        return f"triage run {self.summary['project']['root']}"


def recorded_run(name: str, run_id: str, tools: Tools) -> Recorded | None:
    """None where the run was not recorded to its end."""
    text = tools.store.summary(name, run_id)
    if text is None:
        return None
    summary = json.loads(text)
    return Recorded(name, summary, {one["nodeid"]: one for one in summary["failures"] if one["nodeid"]})


def newest_run(name: str, tools: Tools) -> Recorded | None:
    latest = tools.store.latest(name)
    return recorded_run(name, latest.id, tools) if latest else None


def artifacts(ran: Recorded, tools: Tools) -> RunArtifacts:
    """What the run left, as the runner handed it to the first reading.

    Raises:
        UsageError: its files are gone.
    """
    run = ran.summary["run"]
    folder = tools.folders.runs(ran.name) / file_name(run["id"])
    events = event_files(folder / "events.jsonl")
    if not events and not (folder / "junit.xml").is_file():
        raise UsageError("the files of the newest run are gone", where=str(folder), hint=ran.again)
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


def root_of(ran: Recorded) -> Path:
    """The folder of the project as it was when it ran; it may be gone."""
    return Path(ran.summary["project"]["root"])
