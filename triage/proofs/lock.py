"""What is installed in an environment, asked of its own Python."""

import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory

from triage.errors import ProvisionError, RunError
from triage.process.child import capture
from triage.process.environ import child_environment

_ASK = """
import json
from importlib.metadata import distributions
found = {(one.metadata["Name"] or "").lower().replace("_", "-"): one.version for one in distributions()}
print(json.dumps(sorted(f"{name}=={version}" for name, version in found.items() if name)))
"""
_START_S = 60.0


def environment_lock(python: Path) -> tuple[str, ...]:
    """`name==version`, in the order of the names.

    Raises:
        ProvisionError: the interpreter does not answer.
    """
    env = child_environment(os.environ, {})
    try:
        with TemporaryDirectory(prefix="triage-") as folder:
            answer = capture([python, "-I", "-B", "-c", _ASK], cwd=Path(folder), env=env, time_s=_START_S)
        return tuple(json.loads(answer.splitlines()[-1]))
    except (RunError, ValueError, IndexError) as error:
        raise ProvisionError(
            f"the environment does not say what is installed: {error}", where=str(python)
        ) from error
