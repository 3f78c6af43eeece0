"""How a second pass is asked for."""

from pathlib import Path

import pytest

from triage.model.observation import Intervention
from triage.playbook.load import load_library
from triage.probes.second_pass import (
    known_interventions,
    known_observers,
    observe_environment,
    orders_document,
)


def test_a_relative_path_is_refused_because_tests_change_the_directory() -> None:
    with pytest.raises(ValueError, match="not an absolute path"):
        observe_environment(Path("orders.json"))


def test_an_order_names_its_place_its_tests_and_its_target() -> None:
    one = Intervention("supply-value", "tests/a.py", 3, ("t",), {"model": "User"})
    document = orders_document(["b", "a", "b"], [one])
    assert document["observers"] == ["b", "a"]
    assert document["orders"] == [
        {
            "kind": "supply-value",
            "file": "tests/a.py",
            "line": 3,
            "tests": ["t"],
            "names": {"model": "User"},
        }
    ]


def test_every_probe_and_intervention_that_a_playbook_names_is_a_file() -> None:
    playbooks = load_library().playbooks.values()
    probes = {one.diagnose.probe for one in playbooks if one.diagnose.probe}
    changes = {kind for one in playbooks for kind in one.diagnose.interventions}
    assert probes
    assert probes <= known_observers()
    assert changes
    assert changes <= known_interventions()
