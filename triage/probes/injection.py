"""How the plugin gets into a project's own pytest; nothing is installed there.

The runner starts `python -m pytest` with `plugin_folder()` first on PYTHONPATH, `plugin_environment()` in the
environment and `plugin_arguments()` among the arguments.
"""

import glob
import signal
from pathlib import Path

STACK_SIGNAL = signal.SIGRTMIN + 7


def plugin_folder() -> Path:
    """A folder whose only importable name is the plugin, so that it hides nothing of the project's."""
    return Path(__file__).resolve().parent / "plugin"


def plugin_arguments() -> tuple[str, ...]:
    """What pytest must be told; `PYTEST_ADDOPTS` takes the same words where a Makefile starts pytest."""
    return ("-p", "triage_probe")


def plugin_environment(
    out: Path, *, select: Path | None = None, stack_signal: int | None = STACK_SIGNAL
) -> dict[str, str]:
    """The plugin's own variables (PYTHONPATH is left to the caller, who knows what was on it).

    `out` is the absolute file of the records; an xdist worker appends to `OUT.gw0` and so on, and a
    process that gets `stack_signal` appends the stacks of its threads to `OUT.stacks`. `select` is a
    JSON file with a list of node ids: all other tests are deselected.

    Raises:
        ValueError: a path is relative; tests change the directory.
    """
    for path in (out, select):
        if path is not None and not path.is_absolute():
            raise ValueError(f"not an absolute path: {path}")
    found = {"TRIAGE_PROBE_OUT": str(out)}
    if select is not None:
        found["TRIAGE_PROBE_SELECT"] = str(select)
    if stack_signal is not None:
        found["TRIAGE_PROBE_STACK_SIGNAL"] = str(int(stack_signal))
    return found


def event_files(out: Path) -> tuple[Path, ...]:
    """The record files of a run: the main process's, then those of the xdist workers in order."""
    workers = out.parent.glob(f"{glob.escape(out.name)}.gw*")
    ordered = sorted(workers, key=lambda path: (len(path.name), path.name))
    return tuple(path for path in (out, *ordered) if path.is_file())
