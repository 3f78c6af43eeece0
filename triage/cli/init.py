"""`triage init`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from triage.cli.state import command, state_of
from triage.errors import ExitStatus, UsageError

if TYPE_CHECKING:
    from triage.model.project import Project


@command
def init(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="A folder with tests.")] = Path(),
) -> ExitStatus:
    """Write a project file for a folder, from what is found there."""
    from shlex import quote  # noqa: PLC0415 - not for `--help`

    from triage.layout import TEST_PLACES, infer_tests, lack_of_tests  # noqa: PLC0415 - not for `--help`
    from triage.settings import FILE_NAME  # noqa: PLC0415 - not for `--help`
    from triage.stages.discover import load_project  # noqa: PLC0415 - likewise
    from triage.workspace import write_whole  # noqa: PLC0415 - likewise

    state = state_of(context)
    path = folder.resolve() / FILE_NAME
    if path.exists():
        raise UsageError(
            "there is a project file already", where=str(path), hint="edit it, or remove it first"
        )
    if path.parent.is_dir() and infer_tests(path.parent) is None:
        raise UsageError(
            f"nothing to write a project file from: {lack_of_tests(path.parent)}",
            where=str(path.parent),
            allowed=TEST_PLACES,
            hint=f"add a first test, or write {FILE_NAME} by hand (docs/reference/project-file.md)",
        )
    project = load_project(folder)
    write_whole(path, _text(project))
    state.console.say(f"wrote {path}; next: triage run {quote(str(folder))}")
    return ExitStatus.OK


def _text(project: "Project") -> str:
    """The project file as YAML; JSON's strings and lists are YAML too."""
    from json import JSONEncoder  # noqa: PLC0415 - not for `--help`

    dumps = JSONEncoder(ensure_ascii=False).encode  # YAML has no pairs of surrogates

    spec = project.environment
    lines = [
        "# Checked by: triage run; all keys: docs/reference/project-file.md",
        f"name: {dumps(project.name)}",
    ]
    parts = {
        "python": spec.python,
        "use": spec.use,
        "requirements": list(spec.requirements),
        "extras": list(spec.extras),
    }
    stated = {key: value for key, value in parts.items() if value}
    if stated:
        lines += ["environment:", *(f"  {key}: {dumps(value)}" for key, value in stated.items())]
    lines += [
        "test:",
        f"  arguments: {dumps(list(project.test.arguments))}",
        f"  timeout_s: {project.test.timeout_s:g}",
        "targets:",
        "  pass_rate: 100",
        "  errors: 0",
    ]
    return "\n".join(lines) + "\n"
