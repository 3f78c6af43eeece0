"""A place in the source that a static rule points at."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Finding:
    """`file` is relative to the project's root, `line` counts from 1.

    `subject` names what the rule speaks of by kind, e.g. `{"fixture": "tenant", "model": "Tenant"}`
    or `{"table": "posts", "column": "user_id"}`, so that a failure can be joined with it.
    `related` are further places (role, file, line) that belong to it.
    """

    rule: str
    file: str
    line: int
    message: str
    symbol: str = ""
    subject: Mapping[str, str] = field(default_factory=dict)
    related: tuple[tuple[str, str, int], ...] = ()
