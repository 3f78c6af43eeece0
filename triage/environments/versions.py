"""Version ranges of interpreters: the part of PEP 440 that `python:` in a project file needs."""

import re
from dataclasses import dataclass

from triage.errors import ProvisionError

_CLAUSE = re.compile(r"(>=|<=|==|!=|~=|>|<|)\s*(\d+(?:\.\d+){0,2})(\.\*)?")
ALLOWED = "clauses such as `>=3.11`, `<3.14`, `==3.12.*` or `3.12`, separated by commas"

Version = tuple[int, ...]
_PARTS = 3  # of a whole version


@dataclass(frozen=True, slots=True)
class _Clause:
    operator: str
    version: Version
    is_prefix: bool

    def holds(self, version: Version) -> bool:
        padded = self.version + (0,) * (len(version) - len(self.version))
        prefix = self.version if self.is_prefix else padded
        same = version[: len(prefix)] == prefix
        answers = {
            "==": same,
            "!=": not same,
            ">=": version >= padded,
            "<=": version <= padded,
            ">": version > padded,
            "<": version < padded,
            "~=": version >= padded and version[: len(self.version) - 1] == self.version[:-1],
        }
        return answers[self.operator]


@dataclass(frozen=True, slots=True)
class VersionRange:
    text: str
    clauses: tuple[_Clause, ...] = ()

    def holds(self, version: Version) -> bool:
        return all(clause.holds(version) for clause in self.clauses)


def parse_range(text: str) -> VersionRange:
    """A bare `3.12` means any 3.12.

    Raises:
        ProvisionError: not a range of versions.
    """
    clauses = []
    for part in text.split(",") if text.strip() else ():
        match = _CLAUSE.fullmatch(part.strip())
        if not match:
            raise ProvisionError(
                f"{part.strip()!r} is no range of Python versions",
                where="environment.python",
                allowed=ALLOWED,
            )
        operator, digits, star = match.groups()
        version = tuple(map(int, digits.split(".")))
        bare = not operator
        clauses.append(_Clause(operator or "==", version, bool(star) or (bare and len(version) < _PARTS)))
    return VersionRange(text.strip(), tuple(clauses))


def shown(version: Version) -> str:
    return ".".join(map(str, version))
