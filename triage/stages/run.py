"""Stage: runs a project's tests with the plugin in them, whatever they do."""

import json
import os
import re
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from triage.model.environment import Environment
from triage.model.project import Project
from triage.model.run import RunArtifacts
from triage.model.terms import RunStatus
from triage.probes import injection
from triage.process.child import Finished, Limits, run
from triage.process.environ import child_environment
from triage.text import clean_text, shorten
from triage.workspace import write_whole

_TAIL = 65_536
_DETAIL = 400
_TELLING = re.compile(
    r"(?:ERROR(?!: usage)|error|Fatal Python error)\b|[^:]{1,40}: error: |[^\s:]+: No module named"
    r"|ImportError while loading|!{3,} .* !{3,}|(?:E   |INTERNALERROR> )[\w.]*(?:Error|Exception|Exit)\b"
)

# pytest's exit statuses: https://docs.pytest.org/en/stable/reference/exit-codes.html
_OK, _FAILED, _INTERRUPTED, _INTERNAL, _USAGE, _NO_TESTS = range(6)


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Limits beside the project's own; `arguments` and `env` are for further plugins of triage.

    `timeout_s` stands for the project's own limit (None: that one). `pass_env` are names or globs of
    variables that the tests may see beyond the usual ones.
    """

    output_bytes: int = 20_000_000
    grace_s: float = 10.0
    memory_bytes: int | None = None
    pass_env: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float | None = None


def run_tests(
    project: Project,
    environment: Environment,
    out: Path,
    *,
    selection: Sequence[str] | None = None,
    options: RunOptions | None = None,
    on_tick: Callable[[], None] | None = None,
) -> RunArtifacts:
    """Runs the tests with everything that comes of it in the folder `out`.

    `selection` are node ids, of which alone to run (None: all). `on_tick` is called about four times
    a second. What tests do never raises: it is in the status.

    Raises:
        RunError: the interpreter cannot be started.
    """
    options = options or RunOptions()
    out = out.absolute()
    out.mkdir(parents=True, exist_ok=True)
    for stale in ("junit.xml", "events.jsonl*", "output.log"):
        for path in out.glob(stale):
            path.unlink()
    command = _command(project, environment, out, options)
    limit_s = options.timeout_s or project.test.timeout_s
    started_at = datetime.now(UTC)
    finished = run(
        command,
        cwd=project.root,
        env=_variables(project, environment, out, selection, options),
        output=out / "output.log",
        limits=Limits(
            limit_s,
            options.output_bytes,
            options.grace_s,
            injection.STACK_SIGNAL,
            options.memory_bytes,
        ),
        on_tick=on_tick,
    )
    events = injection.event_files(out / "events.jsonl")
    status, detail = _judge(finished, out, has_events=bool(events), limit_s=limit_s)
    return RunArtifacts(
        directory=out,
        junit=out / "junit.xml",
        events=events,
        output=out / "output.log",
        status=status,
        exit_status=finished.exit_status,
        started_at=started_at,
        duration_s=finished.duration_s,
        command=tuple(command),
        python=environment.version,
        detail=detail,
        notes=_notes(finished, options),
        by_triage=finished.interrupted and not finished.timed_out,
    )


def _command(project: Project, environment: Environment, out: Path, options: RunOptions) -> list[str]:
    """The last word wins in pytest, so ours follow the project's arguments and its `addopts`.

    A cache folder of the run's own, rather than no cache plugin: `--lf` in `addopts` and the `cache`
    fixture stay known, and the project's folder clean. Captured output is left out of the failure
    texts: it decides nothing and has no bounds. One file that cannot be imported does not hide what
    the others do.
    """
    return [
        str(environment.python),
        *("-m", "pytest", *project.test.arguments),
        f"--junitxml={out / 'junit.xml'}",
        *("-o", "junit_family=xunit1", "-o", "junit_logging=no", "-o", f"cache_dir={out / 'cache'}"),
        *("-o", "console_output_style=classic"),  # progress is ours; computing percents costs time
        *("--tb=short", "--show-capture=no", "--color=no", "--maxfail=0"),
        "--continue-on-collection-errors",
        *injection.plugin_arguments(),
        *options.arguments,
    ]


def _variables(
    project: Project,
    environment: Environment,
    out: Path,
    selection: Sequence[str] | None,
    options: RunOptions,
) -> dict[str, str]:
    chosen = out / "selection.json" if selection is not None else None
    if chosen:
        write_whole(chosen, json.dumps(list(selection or ())))
    defaults = {
        **_activation(environment),
        "COVERAGE_FILE": str(out / "coverage.db"),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(out / "hypothesis"),
    }
    env = child_environment(os.environ, {**defaults, **project.test.env}, pass_env=options.pass_env)
    paths = [project.test.env.get("PYTHONPATH", ""), str(injection.plugin_folder())]
    env["PYTHONPATH"] = os.pathsep.join(filter(None, paths))  # ours last: it must hide nothing
    return env | injection.plugin_environment(out / "events.jsonl", select=chosen) | dict(options.env)


def _activation(environment: Environment) -> dict[str, str]:
    """What an activated environment sets, so that tests find its commands; bytecode out of the tree."""
    scripts = environment.python.parent
    variables = {"PATH": f"{scripts}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    if (scripts.parent / "pyvenv.cfg").is_file():
        variables["VIRTUAL_ENV"] = str(scripts.parent)
    if environment.pycache:
        variables["PYTHONPYCACHEPREFIX"] = str(environment.pycache)
    return variables


def _judge(
    finished: Finished, out: Path, *, has_events: bool, limit_s: float
) -> tuple[RunStatus, str | None]:
    """The status as far as it can be told from outside; exit status 0 alone is no success."""
    has_report = _is_whole(out / "junit.xml")
    if finished.timed_out or finished.interrupted:
        return _stopped(finished, limit_s)
    if finished.exit_status in (_OK, _FAILED) and has_report:
        return RunStatus.COMPLETED, None
    if finished.output_exceeded:
        return _stopped(finished, limit_s)
    if finished.exit_status < 0:
        return RunStatus.CRASHED, f"pytest was ended by {_signal_name(-finished.exit_status)}"
    said = _last_words(out / "output.log", any_line=not has_events)
    return _broken(finished.exit_status, said, has_report, has_events)


def _stopped(finished: Finished, limit_s: float) -> tuple[RunStatus, str]:
    by_force = ", by force" if finished.killed else ""
    if finished.timed_out:
        return RunStatus.TIMED_OUT, f"stopped after {limit_s:g} s, the time limit{by_force}"
    if finished.interrupted:
        return RunStatus.INTERRUPTED, f"stopped because triage was interrupted{by_force}"
    return RunStatus.INTERRUPTED, f"stopped for printing too much{by_force}"


def _broken(status: int, said: str, has_report: bool, has_events: bool) -> tuple[RunStatus, str]:
    if status == _NO_TESTS:
        return RunStatus.NO_TESTS, "pytest found no tests"
    if status == _USAGE or not has_events:
        return RunStatus.NOT_STARTED, f"pytest did not start (exit status {status}){said}"
    if status == _INTERNAL:
        return RunStatus.CRASHED, f"pytest had an internal error{said}"
    if not has_report:
        return RunStatus.CRASHED, f"pytest vanished with exit status {status} and no report{said}"
    return RunStatus.INTERRUPTED, f"pytest was interrupted (exit status {status}){said}"


def _is_whole(report: Path) -> bool:
    """True when the XML file has its end; whether it can be read is another matter."""
    try:
        with report.open("rb") as file:
            file.seek(max(0, report.stat().st_size - 64))
            return file.read().rstrip().endswith((b"</testsuites>", b"</testsuite>", b"/>"))
    except OSError:
        return False


def _last_words(output: Path, *, any_line: bool) -> str:
    """What pytest said of its end: the first and the last line that look like a complaint.

    `any_line`: the last one of all, where none does.
    """
    with output.open("rb") as file:
        file.seek(max(0, output.stat().st_size - _TAIL))
        lines = clean_text(file.read().decode(errors="replace")).splitlines()
    telling = [line.strip(" !=") for line in lines if _TELLING.match(line)]
    if not telling and any_line:
        telling = [line.strip() for line in lines if line.strip()][-1:]
    chosen = dict.fromkeys([*telling[:1], *telling[-1:]])
    words = "; ".join(re.sub(r"^(E  |INTERNALERROR>|ERROR:) +", "", line).rstrip(".:") for line in chosen)
    return f": {shorten(words, _DETAIL)}" if words else ""


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _notes(finished: Finished, options: RunOptions) -> tuple[str, ...]:
    notes = []
    if finished.leftovers:
        count, names = len(finished.leftovers), "; ".join(map(clean_text, finished.leftovers[:5]))
        notes.append(f"the tests left {count} process{'es' if count > 1 else ''} behind, now ended: {names}")
    if finished.output_exceeded:
        notes.append(f"the output was cut at {options.output_bytes / 1e6:g} MB")
    return tuple(notes)
