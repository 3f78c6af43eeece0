"""How a second pass gets into a project's own pytest: which observers watch, which facts are changed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from triage.model.observation import Intervention
from triage.probes.injection import plugin_folder


def observe_arguments() -> tuple[str, ...]:
    """What pytest must be told beside `injection.plugin_arguments()`."""
    return ("-p", "triage_observe")


def observe_environment(orders: Path) -> dict[str, str]:
    """The plugin's variable; `orders` is the absolute file of `orders_document`.

    Raises:
        ValueError: the path is relative; tests change the directory.
    """
    if not orders.is_absolute():
        raise ValueError(f"not an absolute path: {orders}")
    return {"TRIAGE_PROBE_ORDERS": str(orders)}


def orders_document(observers: Sequence[str], interventions: Sequence[Intervention]) -> dict[str, Any]:
    """What the plugin reads: names of observers, and interventions with the tests that they are for."""
    return {
        "observers": list(dict.fromkeys(observers)),
        "orders": [
            {
                "kind": one.kind,
                "file": one.file,
                "line": one.line,
                "tests": list(one.tests),
                "names": dict(one.names),
            }
            for one in interventions
        ],
    }


def known_observers() -> frozenset[str]:
    return _names("triage_observers")


def known_interventions() -> frozenset[str]:
    return _names("triage_interventions")


def _names(folder: str) -> frozenset[str]:
    files = (plugin_folder() / folder).glob("*.py")
    return frozenset(path.stem.replace("_", "-") for path in files if not path.stem.startswith("_"))
