"""What a run needs beside the project; made once and shared by all projects of a call."""

import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Self

from triage.errors import TriageError
from triage.playbook.load import Library, load_library
from triage.playbook.match import Matcher
from triage.schema import warm
from triage.settings import Settings
from triage.store import opening
from triage.workspace import WorkspaceFolders

if TYPE_CHECKING:
    from triage.environments.options import ProvisionOptions
    from triage.model.project import Project
    from triage.store.store import Store


@dataclass
class Tools:
    """Made lazily, each once; safe for the threads of a fleet."""

    settings: Settings
    environ: Mapping[str, str]
    _store: "Store | None" = None
    _libraries: dict[tuple[Path, ...], tuple[Library, Matcher]] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @cached_property
    def folders(self) -> WorkspaceFolders:
        return WorkspaceFolders(self.settings.workspace)

    @cached_property
    def options(self) -> "ProvisionOptions":
        from triage.environments.options import options_from  # noqa: PLC0415 - `classify` needs none

        return options_from(self.environ, offline=self.settings.offline, wheels=self.settings.wheels)

    @property
    def store(self) -> "Store":
        with self._lock:
            if self._store is None:
                place = self.settings.database_url or opening.default_database(self.settings.workspace)
                if isinstance(place, Path):
                    place = self.folders.home / place.name
                self._store = opening.open_store(place)
            return self._store

    def library(self, project: "Project | None" = None) -> Library:
        """The playbooks in force, those of the project included."""
        return self._known(project)[0]

    def matcher(self, project: "Project | None" = None) -> Matcher:
        return self._known(project)[1]

    def libraries(self) -> tuple[Library, ...]:
        """All that were asked for so far, the workspace's first."""
        self.library()
        with self._lock:
            known = sorted(self._libraries.items(), key=lambda item: len(item[0]))
            return tuple(library for _, (library, _) in known)

    def preload(self, project: str, run_id: str, started: datetime) -> None:
        """Does what later stages need while the tests run; its own errors come up again there.

        The run is noted in the history, so that one that is killed leaves a trace.
        """
        threading.Thread(target=self._load, args=(project, run_id, started), daemon=True).start()

    def close(self) -> None:
        if self._store is not None:
            self._store.close()

    def _load(self, project: str, run_id: str, started: datetime) -> None:
        with suppress(TriageError, OSError):
            self.store.begin_run(project, run_id, started)
            self.library()
            import_module("triage.judgement")
            warm("summary")

    def _known(self, project: "Project | None") -> tuple[Library, Matcher]:
        own = tuple(project.root / one for one in project.playbooks) if project else ()
        folders = tuple(dict.fromkeys((*self.settings.playbooks, *own)))
        with self._lock:
            if folders not in self._libraries:
                library = load_library(folders, self.folders.home / "cache" / "playbooks")
                self._libraries[folders] = (library, Matcher(library.playbooks.values()))
            return self._libraries[folders]
