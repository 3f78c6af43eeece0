"""What every command starts from: its console and its settings."""

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec

import typer

from triage.cli.console import Console
from triage.errors import ExitStatus, TriageError

if TYPE_CHECKING:
    from triage.settings import Settings

P = ParamSpec("P")
_NO_BUG = (
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EIO,
    errno.EMFILE,
    errno.ENFILE,
)


@dataclass(frozen=True, slots=True)
class State:
    """The global options."""

    console: Console
    workspace: Path | None = None
    debug: bool = False

    def settings(self, **options: Any) -> "Settings":
        """The settings in force; `options` are those of the command line, None where not given."""
        from triage.settings import load_settings  # noqa: PLC0415 - `--help` needs no settings

        return load_settings(self.workspace, os.environ, options)


def say_new_workspace(settings: "Settings", state: State) -> None:
    """Names a workspace that nobody asked for, before its folder is made."""
    from triage.settings import FILE_NAME  # noqa: PLC0415 - `--help` needs no settings

    root = settings.workspace
    if state.workspace is None and not (root / FILE_NAME).exists() and not (root / ".triage").exists():
        state.console.say(f"workspace: {root} (history and environments in .triage)")


def state_of(context: typer.Context) -> State:
    state = context.find_root().obj
    assert isinstance(state, State)
    return state


def command(function: Callable[P, ExitStatus]) -> Callable[P, None]:
    """One error boundary: foreseen errors as text, Ctrl-C as 130, anything else as a log and 3."""

    @wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        context: Any = kwargs["context"]  # typer passes arguments by name
        raise typer.Exit(int(_status(function, state_of(context), args, kwargs)))

    return guarded


def _status(
    function: Callable[..., ExitStatus], state: State, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> ExitStatus:
    try:
        return function(*args, **kwargs)
    except TriageError as error:
        if state.debug:
            raise
        state.console.error(str(error))
        return error.exit_status
    except KeyboardInterrupt:
        state.console.error("interrupted; what was finished is recorded")
        return ExitStatus.INTERRUPTED
    except Exception as error:  # the one place that turns bugs into a log
        if state.debug:
            raise
        if isinstance(error, OSError) and error.errno in _NO_BUG:
            state.console.error(f"{error.filename or 'the system'}: {error.strerror}")
            return ExitStatus.NOT_RUN
        from triage.cli.crash import write_log  # noqa: PLC0415 - only a bug needs it

        state.console.error(f"a bug in triage: {type(error).__name__}: {error}\n  log: {write_log(error)}")
        return ExitStatus.BUG
