"""The command line. Commands import what they need when they run: `--help` stays fast."""

import atexit
import gc
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from triage import __version__
from triage.cli.console import Console, wants_color
from triage.cli.state import State
from triage.errors import ExitStatus

# A short-lived process whose values form no cycles: collecting less often saves a tenth of its time.
GC_THRESHOLD = (100_000, 50, 50)

app = typer.Typer(
    name="triage",
    help="Run the tests of Python projects, sort every failure, locate the cause, plan the cure.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"triage {__version__}")
        raise typer.Exit


@app.callback()
def _globals(
    context: typer.Context,
    workspace: Annotated[
        Path | None,
        typer.Option(help="Default: the nearest folder upwards with triage.yaml.", envvar="TRIAGE_WORKSPACE"),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Only what was asked for, and errors.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more about each step.")] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="Also: NO_COLOR.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    version: Annotated[  # noqa: ARG001 - its callback does the work
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    console = Console(quiet=quiet, verbose=verbose, color=wants_color(no_color=no_color))
    context.obj = State(console=console, workspace=workspace, debug=debug)


def _interrupt(*_: object) -> None:
    """A polite end is like Ctrl-C: what runs is stopped and recorded, no process is left behind."""
    raise KeyboardInterrupt


def main() -> None:
    """The entry point."""
    with suppress(AttributeError):  # a stream that somebody put in its place
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr] # see above
    try:
        from triage.cli import commands  # noqa: PLC0415 - they register themselves on `app`

        commands.register(app)
        gc.set_threshold(*GC_THRESHOLD)
        atexit.register(gc.freeze)  # else the interpreter's end looks for cycles in all that was imported
        signal.signal(signal.SIGTERM, _interrupt)
        app(prog_name="triage")
    except KeyboardInterrupt:  # outside of a command: while it is being imported
        sys.exit(int(ExitStatus.INTERRUPTED))
