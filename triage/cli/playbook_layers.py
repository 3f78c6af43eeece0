"""The playbooks in force for a command: shipped, the team's, a project's own, and files to look at."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from triage.cli.state import State
from triage.errors import UsageError

if TYPE_CHECKING:
    from triage.model.playbook import Playbook
    from triage.model.project import Project
    from triage.playbook.load import Library
    from triage.settings import Settings

SHIPPED, TEAM, PROJECT, GIVEN = "shipped", "team", "project", "given"
OfProject = Annotated[
    str | None, typer.Option("--project", help="Its own playbooks, too: a folder or name.", metavar="PROJECT")
]


@dataclass(frozen=True, slots=True)
class Layers:
    """A library, and the layer of each folder that it came from."""

    library: "Library"
    names: dict[Path, str]
    folders: tuple[Path, ...] = ()

    def layer_of(self, playbook: "Playbook") -> str:
        assert playbook.path is not None
        return self.names.get(playbook.path.parent.resolve(), SHIPPED)

    def without(self, files: Collection[Path]) -> "Library":
        """As if these files were not there: what they replace is in force again."""
        from triage.playbook.load import load_library  # noqa: PLC0415 - not for `--help`

        return load_library(self.folders, skip=files)

    def say(self, state: State) -> None:
        """Which playbooks were left out, and which replaced others."""
        for error in self.library.errors:
            state.console.say(f"warning: left out: {error}")
        for note in self.library.notes:
            state.console.say(f"note: {note}")


def load_layers(state: State, project: str | None = None, given: Iterable[Path] = ()) -> Layers:
    """Load the folders that apply; `given` ones come last.

    Raises:
        UsageError: there is no such project.
        ConfigurationError: its file or the workspace's is not valid.
    """
    from triage.playbook.load import load_library  # noqa: PLC0415 - not for `--help`
    from triage.resources import data_folder  # noqa: PLC0415 - likewise

    settings = state.settings()
    names = {data_folder("playbooks").resolve(): SHIPPED}
    found = _project(project, settings) if project else None
    own = [found.root / one for one in found.playbooks] if found else []
    folders = [(TEAM, settings.playbooks), (PROJECT, own), (GIVEN, given)]
    for name, paths in folders:
        for path in paths:
            names.setdefault(path.resolve(), name)
    extra = tuple(path for _, paths in folders for path in paths)
    return Layers(load_library(extra), names, extra)


def _project(name: str, settings: "Settings") -> "Project":
    from triage.stages.discover import discover, load_project, workspace_paths  # noqa: PLC0415 - see above

    if Path(name).is_dir():
        return load_project(Path(name))
    known = discover(workspace_paths(settings), Path.cwd()).projects if settings.projects else ()
    for project in known:
        if project.name == name:
            return project
    raise UsageError(
        "no such project",
        where=name,
        allowed=", ".join(["a project's folder", *(one.name for one in known)]),
    )
