"""One thing that must hold, and whether it does."""

from dataclasses import dataclass

from triage.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Check:
    """`kind` is `target`, `truth`, `artifact`, `key link` ...; `claim` the sentence that must be true.

    Of what does not hold: `detail` says why, `file` and `line` are the first breach (empty and 0:
    there is no one place), `count` how many breaches there are.
    """

    kind: str
    claim: str
    holds: bool
    detail: str = ""
    file: str = ""
    line: int = 0
    count: int = 0


def outside(path: str, where: str) -> ConfigurationError:
    """For a path of a project file that leads out of the project."""
    return ConfigurationError(
        f"the path {path!r} leads out of the project",
        where=where,
        allowed="a path below the project's folder",
    )
