"""Commands of a project's truths, run in its folder with its environment first on the path."""

import os
from collections.abc import Sequence
from pathlib import Path

from triage.errors import RunError
from triage.model.environment import Environment
from triage.model.project import Project
from triage.process.child import capture
from triage.process.environ import child_environment

MAX_S = 600.0  # of one command, where the project allows its tests no less
OUTPUT = 20_000_000


def fails(words: Sequence[str], project: Project, environment: Environment) -> str | None:
    """Why the command does not end with status 0, in a sentence; None where it does."""
    limit_s = min(MAX_S, project.test.timeout_s)
    env = child_environment(
        os.environ, {**_surroundings(environment), **project.test.env}, pass_env=project.environment.pass_env
    )
    program = [_own(words[0], environment, project.root), *words[1:]]
    try:
        capture(program, cwd=project.root, env=env, time_s=limit_s, output_bytes=OUTPUT)
    except RunError as error:
        return f"{error.what}: {error.hint}" if error.hint else error.what
    return None


def _surroundings(environment: Environment) -> dict[str, str]:
    scripts = environment.python.parent
    found = {"PATH": f"{scripts}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    if (scripts.parent / "pyvenv.cfg").is_file():
        found["VIRTUAL_ENV"] = str(scripts.parent)
    if environment.pycache:
        found["PYTHONPYCACHEPREFIX"] = str(environment.pycache)
    return found


def _own(word: str, environment: Environment, root: Path) -> str:
    """`python` is the environment's, whatever its name there; `./x` is the project's."""
    if word in ("python", "python3"):
        return str(environment.python)
    return str(root / word) if "/" in word else word
