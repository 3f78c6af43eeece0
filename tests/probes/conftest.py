"""Marks the tests that run pytest in children: they take longer than all others together."""

from collections.abc import Sequence
from pathlib import Path

import pytest

HERE = Path(__file__).parent
IN_PROCESS = {
    *("test_coverage", "test_injection", "test_leftovers", "test_masking", "test_observing"),
    *("test_progress", "test_second_pass", "test_sequences", "test_spectra"),
}


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == HERE and item.path.stem not in IN_PROCESS:
            item.add_marker("children")
