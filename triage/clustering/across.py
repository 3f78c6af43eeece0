"""Clusters of several projects that are one cause: in a library, or without code of their own."""

from collections.abc import Iterable, Mapping
from typing import Any

from triage.clustering.signature import VERSION, joined, parts_of


def shared(summaries: Mapping[str, Iterable[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Of the `clusters` of each project's summary, those that two or more have; most tests first.

    Own places differ from project to project and do not take part where the exception is a class
    of a library. A built-in class with the same words at other own places is another cause.
    """
    groups: dict[str, list[dict[str, Any]]] = {}
    for project, clusters in summaries.items():
        for one in clusters:
            if one["fingerprint"].startswith(f"{VERSION}:"):
                entry = {"project": project, "fingerprint": one["fingerprint"], "count": one["count"]}
                groups.setdefault(_words(one["signature"]), []).append(entry)
    found = [
        {"signature": words, "count": sum(one["count"] for one in entries), "projects": entries}
        for words, entries in groups.items()
        if len({one["project"] for one in entries}) > 1
    ]
    return sorted(found, key=lambda one: (-one["count"], one["signature"]))


def _words(signature: str) -> str:
    parts = parts_of(signature)
    return joined(parts._replace(places="")) if "." in parts.type and parts.said else signature
