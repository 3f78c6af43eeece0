"""The folder on PYTHONPATH and the plugin's variables."""

import pkgutil
import signal
from pathlib import Path

import pytest

from triage.probes.injection import (
    STACK_SIGNAL,
    event_files,
    plugin_arguments,
    plugin_environment,
    plugin_folder,
)


def test_every_name_that_the_folder_makes_importable_says_whose_it_is() -> None:
    names = [module.name for module in pkgutil.iter_modules([str(plugin_folder())])]
    folders = [
        path.name for path in plugin_folder().iterdir() if path.is_dir() and path.name != "__pycache__"
    ]
    assert "triage_probe" in names
    assert all(name.startswith("triage_") for name in (*names, *folders))
    assert not (plugin_folder() / "__init__.py").exists()


def test_arguments_name_the_file_in_the_folder() -> None:
    flag, name = plugin_arguments()
    assert flag == "-p"
    assert (plugin_folder() / f"{name}.py").is_file()


def test_environment_names_the_records_and_a_signal_that_nothing_else_uses(tmp_path: Path) -> None:
    found = plugin_environment(tmp_path / "events.jsonl")
    assert found == {
        "TRIAGE_PROBE_OUT": str(tmp_path / "events.jsonl"),
        "TRIAGE_PROBE_STACK_SIGNAL": str(int(STACK_SIGNAL)),
    }
    assert signal.SIGRTMIN < STACK_SIGNAL < signal.SIGRTMAX


def test_environment_takes_a_selection_and_leaves_out_the_signal(tmp_path: Path) -> None:
    found = plugin_environment(tmp_path / "e", select=tmp_path / "ids.json", stack_signal=None)
    assert found == {
        "TRIAGE_PROBE_OUT": str(tmp_path / "e"),
        "TRIAGE_PROBE_SELECT": str(tmp_path / "ids.json"),
    }


@pytest.mark.parametrize("paths", [("events.jsonl", "/ids.json"), ("/events.jsonl", "ids.json")])
def test_relative_paths_are_refused(paths: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match=r"not an absolute path: (events.jsonl|ids.json)"):
        plugin_environment(Path(paths[0]), select=Path(paths[1]))


def test_event_files_are_the_main_one_and_then_the_workers_in_order(tmp_path: Path) -> None:
    out = tmp_path / "events[1].jsonl"
    names = [f"{out.name}{end}" for end in (".gw10", ".gw2", "", ".stacks", ".gw2.bak/")]
    for name in names[:4]:
        (tmp_path / name).touch()
    assert [path.name for path in event_files(out)] == [out.name, f"{out.name}.gw2", f"{out.name}.gw10"]
    assert event_files(tmp_path / "other.jsonl") == ()
