"""What other playbooks change over the history, as lines for a person."""

from collections.abc import Iterator, Mapping
from typing import Any

from triage.render.plain import flat
from triage.render.plan_markdown import count


def lines(history: Mapping[str, Any]) -> list[str]:
    """A line for each change of verdict, its first tests below."""
    seen = f"{count(history['failures'], 'failure')} of {count(len(history['sources']), 'source')}"
    changes = [line for one in history["changes"] for line in _change(one)]
    found = [f"over the history ({seen}):", *(changes or ["  no verdict changes"])]
    if history.get("unused"):
        names = ", ".join(history["unused"])
        found.append(flat(f"no failure of the last {history['days']} days was sorted into: {names}"))
    return found


def _change(one: Mapping[str, Any]) -> Iterator[str]:
    before, after = one["before"] or "unknown", one["after"] or "unknown"
    verb = "gains" if one["before"] is None else "loses" if one["after"] is None else "moves"
    subject = after if verb == "gains" else before
    where = "" if verb == "gains" else f" to {after}"
    said = f"{subject} {verb} {one['count']}{where}"
    yield f"  {flat(said)}"
    for test in one["tests"]:
        yield f"    {flat(test)}"
    if one["count"] > len(one["tests"]):
        yield f"    and {one['count'] - len(one['tests'])} more"
