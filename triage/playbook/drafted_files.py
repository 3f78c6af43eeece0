"""The folder that a drafted playbook is written into, with examples and schema: all of it or nothing."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from triage.errors import UsageError
from triage.resources import data_folder
from triage.workspace import write_whole

SCHEMA = "playbook.schema.json"


def check_folder(folder: Path) -> None:
    """Raises UsageError where it is no folder, and none can be made there."""
    try:
        whole = folder.resolve()
        place = next(one for one in (whole, *whole.parents) if one.exists())
        if not place.is_dir():
            raise UsageError("it is no folder", where=str(place), hint="give a folder: --into FOLDER")
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: a loop of links, before Python 3.13
        said = getattr(error, "strerror", None) or error
        raise UsageError(f"the folder cannot be used: {said}", where=str(folder)) from error


def names_in(folder: Path) -> set[str]:
    """Ids that files in it have, or had before they were renamed: their examples are not written over."""
    return {*(one.stem for one in folder.glob("*.yaml")), *(one.name for one in folder.glob("examples/*"))}


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """The playbook last: without its examples it would not hold; nothing stays where it cannot be written."""
    made: list[Path] = []
    order = sorted([*files.items(), (SCHEMA, _schema())], key=lambda one: one[0].endswith(".yaml"))
    try:
        for name, text in order:
            path = folder / name
            made += [one for one in reversed(path.parents) if not one.exists()]
            path.parent.mkdir(parents=True, exist_ok=True)
            made += [] if path.exists() else [path]
            write_whole(path, text)
    except OSError as error:
        _remove(made)
        said = error.strerror or error
        raise UsageError(f"the playbook cannot be written: {said}", where=str(folder)) from error


def _remove(made: Sequence[Path]) -> None:
    for path in reversed(made):
        with suppress(OSError):
            path.rmdir() if path.is_dir() else path.unlink()


def _schema() -> str:
    return (data_folder("schemas") / SCHEMA).read_text("utf-8")
