"""Small projects with defects of models, or with state that tests share, cured for real."""

import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.remedies.model_shapes import SHAPES, Shape
from triage.model.fix import Proposal, Target
from triage.remedies.edits import applied
from triage.remedies.registry import proposals
from triage.rules.source import SourceTree

pytestmark = pytest.mark.children


def _run(folder: Path) -> Mapping[str, int]:
    """Failures by the name of the shape; one child runs them all."""
    report = folder.parent / "report.xml"
    names = [f"test_{one.name}.py" for one in SHAPES]
    options = ("-q", "-p", "no:cacheprovider", "-p", "no:randomly", f"--junitxml={report}", "--tb=no")
    command = [sys.executable, "-B", "-m", "pytest", *options, "--import-mode=prepend", *names]
    subprocess.run(command, cwd=folder, check=False, capture_output=True, timeout=300)
    failed = dict.fromkeys((one.name for one in SHAPES), 0)
    seen = set()
    for case in ET.parse(report).iter("testcase"):
        name = case.get("classname", "").split(".")[0] or case.get("name", "")
        shape = name.removeprefix("test_")
        seen.add(shape)
        failed[shape] += len(case.findall("failure")) + len(case.findall("error"))
    assert seen == set(failed), "each shape's tests must have run"
    return failed


def _proposed(shape: Shape, tree: SourceTree) -> Proposal:
    spot = shape.spot
    target = Target("", spot.file, spot.line, names=spot.names, message=spot.message)
    found = proposals([shape.remedy], target, tree)
    chosen = [one for one in found if isinstance(one, Proposal)]
    assert chosen, f"{shape.name}: {found}"
    return chosen[0]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """Failures before and after all remedies; no two shapes share a file."""
    folder = tmp_path_factory.mktemp("shapes") / "project"
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\n", "utf-8")
    for shape in SHAPES:
        for name, text in shape.files.items():
            (folder / name).write_text(text, "utf-8")
    before = _run(folder)
    tree = SourceTree(folder)
    edits = [edit for shape in SHAPES for edit in _proposed(shape, tree).edits]
    for name, data in applied(tree.files, edits).items():
        (folder / name).write_bytes(data)
    return before, _run(folder)


@pytest.mark.parametrize("shape", [one.name for one in SHAPES])
def test_a_shape_fails_before_its_remedy_and_passes_after(
    shape: str, runs: tuple[Mapping[str, int], Mapping[str, int]]
) -> None:
    before, after = runs
    assert before[shape] > 0
    assert after[shape] == 0
