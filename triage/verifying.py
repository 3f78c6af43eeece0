"""Whether all holds that a project's targets, must-haves and plan ask for, and whether a proof repeats."""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import Any

from triage.errors import ConfigurationError, ReportError, RunError
from triage.gates.check import Check
from triage.gates.commands import fails
from triage.gates.must_haves import check_form, must_haves
from triage.gates.phases import Now, phases, targets
from triage.model.environment import Environment
from triage.model.project import Project
from triage.model.terms import RunStatus
from triage.pipeline import Watch, run_project
from triage.proofs.lock import environment_lock
from triage.proofs.outcomes import differences, outcomes
from triage.proofs.read import Bundle, other_sources, read_bundle, tampered
from triage.proofs.sources import sha256, source_hashes
from triage.schema import first_problem
from triage.scratch import Scratch
from triage.stages.discover import load_project
from triage.stages.plan import VALIDATION_TITLE
from triage.stages.provision import provision
from triage.stages.run import RunOptions, run_tests
from triage.text import Masker
from triage.tools import Tools
from triage.workspace import write_whole

MAX_SUMMARY = 200_000_000  # bytes of an earlier run's summary
STATES = ("before", "after")
_LONG_AGO = 1_000_000_000.0  # what is written later has another time, by which bytecode knows its source


@dataclass(frozen=True, slots=True)
class Verified:
    """All checks of one project, in the order in which they are shown; `folder` has the run's files."""

    project: Project
    summary: Mapping[str, Any]
    folder: Path
    checks: tuple[Check, ...]

    @property
    def holds(self) -> bool:
        return all(one.holds for one in self.checks)


def verify(project: Project, tools: Tools, watch: Watch) -> Verified:
    """Runs the project, recorded as any run, and looks at everything that must hold.

    Causes are proven where the settings say so: `probe=False` in those of `tools` saves the time.

    Raises:
        ConfigurationError: a must-have has no valid form; nothing was run.
        ProvisionError, RunError: the project's tests cannot be run.
    """
    check_form(project)
    earlier = planned(tools.folders.runs(project.name))
    result = run_project(project, tools, watch)
    summary = result.summary
    if result.error is not None:
        raise result.error
    if summary["run"]["status"] == RunStatus.NOT_STARTED:
        raise RunError(
            summary["run"]["detail"] or "its tests did not start",
            where=project.name,
            hint=f"see {result.folder / 'output.log'}",
        )
    masker = Masker.from_environment({**tools.environ, **project.test.env})
    checks = [
        *targets(summary),
        *_must_haves(project, tools),
        *_phases(earlier, summary, tools, project.name),
    ]
    cleaned = (replace(one, detail=masker.clean(one.detail)) for one in checks)
    return Verified(project, summary, result.folder, tuple(cleaned))


def _must_haves(project: Project, tools: Tools) -> Iterator[Check]:
    environment = provision(project, tools.folders, tools.options)
    return must_haves(project, lambda words: fails(words, project, environment))


def planned(runs: Path) -> Mapping[str, Any] | None:
    """The newest summary whose plan has phases, of the runs in this folder."""
    folders = sorted((path for path in runs.iterdir() if not path.is_symlink()), key=_age, reverse=True)
    found = (_with_work(folder / "summary.json") for folder in folders)
    return next(filter(None, found), None)


def _age(folder: Path) -> tuple[str, int]:
    """Runs that began in one second are told apart by when they ended."""
    return folder.name.partition("-")[0], folder.stat().st_mtime_ns


def _with_work(path: Path) -> Mapping[str, Any] | None:
    """None where there is nothing to do, or what tests may have left there instead of a summary."""
    try:
        if path.stat().st_size > MAX_SUMMARY:
            return None
        found: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
        has_work = bool(found["plan"]["phases"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return found if has_work and first_problem(found, "summary") is None else None


def _phases(
    earlier: Mapping[str, Any] | None, summary: Mapping[str, Any], tools: Tools, project: str
) -> Iterator[Check]:
    if earlier is None:
        return iter(())
    failing = {one["nodeid"]: one["outcome"] for one in summary["failures"]}

    def outcome(test: str) -> str | None:
        if test in failing:
            return str(failing[test])
        points = tools.store.test_history(project, test, 1).points
        return str(points[0].outcome) if points and points[0].run == summary["run"]["id"] else None

    holds = not failing and all(gate["holds"] for gate in summary["gates"])
    return phases(earlier, Now(outcome, summary["latent"], holds), validation=VALIDATION_TITLE)


def replay(
    folder: Path, project: Project | None, tools: Tools, say: Callable[[str], None] = lambda _: None
) -> tuple[Check, ...]:
    """Runs the suite of a proof bundle before and after its changes, in a scratch copy, offline.

    `project` is where it is now (None: where it was when the bundle was written). What is no longer
    as it was ends the replay; `say` is told each step that takes long.

    Raises:
        ConfigurationError: it is no bundle.
        UsageError: the project is not there.
        ProvisionError, RunError: its environment cannot be made without a network, or not be started.
    """
    bundle = read_bundle(folder)
    sound = _check("bundle", "every file is as it was written", tuple(tampered(bundle)))
    if not sound.holds:
        return (sound,)
    project = project or load_project(bundle.root)
    others = tuple(other_sources(bundle, source_hashes(project.root)))
    same = _check("source", "the project's source is the recorded one", others)
    if not same.holds:
        return (sound, replace(same, detail=f"not the same source: {same.detail}"))
    environment = provision(project, tools.folders, replace(tools.options, offline=True))
    place = tools.folders.home / "scratch" / f"replay-{token_hex(4)}"
    with (
        Scratch(project, environment, place, (project.root / bundle.rootdir).resolve()) as scratch,
        TemporaryDirectory(prefix="triage-") as out,
    ):
        rerun = _Rerun(bundle, scratch, environment, tools.environ, Path(out))
        return (sound, same, _locked(bundle, environment), *(rerun.check(state, say) for state in STATES))


def _locked(bundle: Bundle, environment: Environment) -> Check:
    recorded, now = set(bundle.manifest["environment"]["packages"]), set(environment_lock(environment.python))
    python = bundle.manifest["environment"]["python"]
    found = [f"Python {python} recorded, {environment.version} now"] if python != environment.version else []
    found += [f"{one} recorded, not installed now" for one in sorted(recorded - now)]
    found += [f"{one} installed now, not recorded" for one in sorted(now - recorded)]
    return _check("environment", "the same packages are installed", tuple(found))


@dataclass(frozen=True, slots=True)
class _Rerun:
    bundle: Bundle
    scratch: Scratch
    environment: Environment
    environ: Mapping[str, str]
    out: Path

    def check(self, state: str, say: Callable[[str], None]) -> Check:
        """The suite in one of the two states, test by test against what was recorded."""
        say(f"running the suite {state} the changes")
        try:
            self._lay(state)
        except OSError as error:  # e.g. a folder where a file should be
            raise ConfigurationError(
                f"the changes cannot be made in a copy of the project: {error.strerror}",
                where=str(self.bundle.folder),
            ) from error
        project = self.scratch.project
        options = RunOptions(pass_env=project.environment.pass_env)
        artifacts = run_tests(project, self.environment, self.out / state, options=options)
        masker = Masker.from_environment({**self.environ, **project.test.env})
        recorded = outcomes(self.bundle.folder / f"{state}.xml", masker)
        claim = f"the suite {state} the changes does what was recorded: {len(recorded)} tests"
        try:
            found = differences(recorded, outcomes(artifacts.junit, masker))
        except ReportError as error:
            found = (f"the run left no whole report: {artifacts.detail or error.what}",)
        return _check(state, claim, found)

    def _lay(self, state: str) -> None:
        """The copy is fresh `before`; only a project that has the fixes in it must lose them first."""
        changed = self.bundle.changed
        if state == "after":
            self.scratch.lay({one["path"]: self.bundle.content(state, one["path"]) for one in changed})
            return
        for one in changed:
            path = self.scratch.root / one["path"]
            if one["before"] is None:
                path.unlink(missing_ok=True)
            elif sha256(path.read_bytes()) != one["before"]:
                write_whole(path, self.bundle.content(state, one["path"]))
                os.utime(path, (_LONG_AGO, _LONG_AGO))


def _check(kind: str, claim: str, found: Sequence[str]) -> Check:
    return Check(kind, claim, holds=not found, detail="\n".join(found), count=len(found))
