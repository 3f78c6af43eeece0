"""Folders of playbooks: which of their files are read, and which are none."""

from pathlib import Path

from tests.builders import write_files
from tests.playbook.test_load import OTHER, TEXT
from triage.playbook.load import load_library
from triage.resources import data_folder


def test_a_folder_given_twice_replaces_nothing(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "own", {"broken.yaml": TEXT})
    library = load_library(
        [folder, tmp_path / "own" / ".." / "own", data_folder("playbooks")], tmp_path.parent / "memory"
    )
    assert (library.notes, library.errors) == ((), ())


def test_a_folder_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    loop, file = tmp_path / "loop", tmp_path / "file"
    loop.symlink_to(loop)
    file.write_text("", "utf-8")
    errors = load_library([loop, file], tmp_path.parent / "memory").errors
    assert [error.where for error in errors] == [str(loop), str(file)]


def test_files_that_are_no_playbooks_are_not_read(tmp_path: Path) -> None:
    others = {"other.yml": OTHER, ".hidden.yaml": "5", "notes.md": "x"}
    quiet = {"examples/a.yaml": OTHER, ".git/a.yaml": OTHER, "deep/deeper/a.yaml": OTHER}
    folder = write_files(tmp_path, {**others, **quiet, "sub/other.yaml": OTHER})
    (folder / "link").symlink_to(folder / "sub")
    library = load_library([folder], tmp_path.parent / "memory")
    assert library.notes == (
        f"{folder}/other.yml is not read: playbooks are named <id>.yaml",
        f"{folder}/sub is not read: playbooks stand in the folder itself, not below it",
    )
    assert library.folders == (data_folder("playbooks").resolve(), folder.resolve())
    assert library.errors == ()


def test_a_link_does_not_make_a_playbook_of_another_file(tmp_path: Path) -> None:
    folder = write_files(tmp_path, {"secret": "password: x\n", "own/real.txt": OTHER}) / "own"
    for name, target in {
        "secret": "../secret",
        "gone": "nowhere",
        "loop": "loop.yaml",
        "other": "real.txt",
    }.items():
        (folder / f"{name}.yaml").symlink_to(target)
    library = load_library([folder], tmp_path.parent / "memory")
    said = {Path(error.where or "").stem: error.what for error in library.errors}
    assert said.keys() == {"gone", "loop", "secret"}
    assert said["secret"] == "a link that leads out of its folder"
    assert "other" in library.playbooks
