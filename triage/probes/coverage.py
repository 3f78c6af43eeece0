"""Coverage of a project's own code, measured by the project's pytest-cov where it has one."""

import json
from pathlib import Path, PurePosixPath

from triage.model.environment import Environment
from triage.model.project import CoverageTarget

_REPORT = "coverage.json"


def coverage_arguments(
    target: CoverageTarget | None, environment: Environment, folder: Path
) -> tuple[str, ...]:
    """What makes pytest write `coverage.json` into the run's folder; nothing without a target."""
    if target is None or not has_plugin(environment):
        return ()
    path = PurePosixPath(target.path)
    source = path.parent if path.suffix == ".py" else path
    return (f"--cov={source}", "--cov-report=", f"--cov-report=json:{folder / _REPORT}")


def has_plugin(environment: Environment) -> bool:
    libraries = environment.python.parent.parent / "lib"
    return any(libraries.glob("python*/site-packages/pytest_cov"))


def covered_percent(target: CoverageTarget | None, folder: Path) -> float | None:
    """Percent of the statements below the target's path, cut to one decimal; None: not measured."""
    if target is None:
        return None
    try:
        files = json.loads((folder / _REPORT).read_text("utf-8"))["files"]
        path = PurePosixPath(target.path)
        parts = [one["summary"] for name, one in files.items() if PurePosixPath(name).is_relative_to(path)]
        statements = sum(int(part["num_statements"]) for part in parts)
        covered = sum(int(part["covered_lines"]) for part in parts)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return covered * 1000 // statements / 10 if statements else None
