"""Projects whose tests mix sessions, or leave rows behind, run before and after the remedies."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.remedies.session_projects import Shape, Sources, Step
from tests.remedies.session_shapes import SHAPES
from triage.model.fix import Proposal, Target
from triage.remedies.edits import applied
from triage.remedies.registry import proposals
from triage.rules.source import SourceTree


def _write(folder: Path, files: Sources) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")


def _outcomes(folder: Path) -> tuple[int, int, str]:
    """(failed and broken, passed, what pytest printed)."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "."]
    done = subprocess.run(
        [*command, "-o", "pythonpath=.", "--rootdir", str(folder)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    counted = {word: int(n) for n, word in re.findall(r"(\d+) (passed|failed|error)", done.stdout)}
    return counted.get("failed", 0) + counted.get("error", 0), counted.get("passed", 0), done.stdout


def _take(folder: Path, step: Step) -> None:
    tree = SourceTree(folder)
    lines = tree.files[step.file].decode().splitlines()
    (line,) = [number for number, text in enumerate(lines, 1) if step.text in text]
    found = proposals([step.remedy], Target("session-mixing", step.file, line, tests=step.tests), tree)
    proposal = [one for one in found if isinstance(one, Proposal)][step.choice]
    for name, data in applied(tree.files, proposal.edits).items():
        (folder / name).write_bytes(data)


@pytest.mark.children
@pytest.mark.parametrize("shape", SHAPES, ids=lambda one: one.name)
def test_a_project_is_cured(shape: Shape, tmp_path: Path) -> None:
    _write(tmp_path, shape.files)
    failed, _, printed = _outcomes(tmp_path)
    assert failed == shape.failing, printed
    for step in shape.steps:
        _take(tmp_path, step)
    failed, passed, printed = _outcomes(tmp_path)
    assert failed == 0, printed
    assert passed == shape.failing + shape.passing
