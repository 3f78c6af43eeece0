"""Source without any finding, so that only the laboratory speaks."""

from pathlib import Path

import pytest

from triage.rules.lookup import Lookup
from triage.rules.source import SourceTree


@pytest.fixture
def lookup(tmp_path: Path) -> Lookup:
    return Lookup(SourceTree(tmp_path))
