"""The one test that a person means by a node id, or by a part of one."""

import shlex
from collections.abc import Sequence
from difflib import get_close_matches
from typing import TypeVar

from triage.errors import UsageError

T = TypeVar("T")
_SHOWN = 10  # node ids in a message
_COMPARED = 5_000  # node ids that a typing error is looked for in


def fitting(given: str, items: Sequence[tuple[T, str]]) -> list[tuple[T, str]]:
    """The items whose id ends with what was given, else those that hold it."""
    ends = [item for item in items if given and item[1].endswith(given)]
    return ends or [item for item in items if given and given in item[1]]


def no_test(given: str, failing: Sequence[str], where: str, look: str) -> UsageError:
    """`look` is the command that lists the tests of `where`."""
    ids = list(dict.fromkeys(failing))[:_COMPARED]
    close = get_close_matches(given, ids, n=3, cutoff=0.3)
    return UsageError(
        f"no test of {where} has this node id",
        where=given,
        allowed=", ".join(close or ids[:3]) or "no test failed in it",
        hint=f"triage playbooks explain {shlex.quote(close[0])}" if close else look,
    )


def several_tests(given: str, ids: Sequence[str], where: str) -> UsageError:
    more = f", and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
    return UsageError(
        f"{len(ids)} tests of {where} match",
        where=given,
        allowed=", ".join(ids[:_SHOWN]) + more,
        hint="give more of the node id",
    )
