"""Names an environment after what is in it."""

import hashlib

from triage.environments.interpreters import Interpreter
from triage.environments.requirements import BUILD_FILES, Requirements

_FORMAT = "triage-env-1"  # changes whenever environments of old are not fit any more


def environment_key(interpreter: Interpreter, requirements: Requirements) -> str:
    """16 hex digits; order, comments and folders of requirement lines do not count."""
    digest = hashlib.sha256()

    def add(*parts: str) -> None:
        for part in parts:
            data = part.encode(errors="surrogateescape")
            digest.update(len(data).to_bytes(8, "big") + data)

    add(_FORMAT, *interpreter.identity)
    for path, lines in requirements.files:
        add(path.name, *sorted(lines))
    add("extras", *sorted(requirements.plain))
    for project in requirements.local:
        add("local", str(project.folder), project.extras)
        for name in BUILD_FILES:
            file = project.folder / name
            add(name, file.read_bytes().decode(errors="surrogateescape") if file.is_file() else "")
    return digest.hexdigest()[:16]
