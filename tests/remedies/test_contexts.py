"""What lacks a context passes after the remedy, in real runs of many shapes at once."""

import ast
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.remedies.context_shapes import AROUND, COMMON, FIXTURE, REQUEST, SHAPES, Shape
from triage.model.diagnosis import Evidence
from triage.model.fix import Edit, Proposal, Refusal, Target
from triage.remedies.edits import applied, compatible
from triage.remedies.registry import proposals
from triage.rules.source import SourceTree

_ENDED = re.compile(r"^(PASSED|FAILED|ERROR) (tests/(\w+)/\S+)", re.MULTILINE)
Ended = dict[str, set[str]]


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8", newline="")


def _run(folder: Path) -> Ended:
    """By shape: how each of its tests ended, with its id."""
    command = [sys.executable, "-B", "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", "tests"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    found: Ended = {}
    for outcome, test, shape in _ENDED.findall(done.stdout):
        found.setdefault(shape, set()).add(f"{outcome} {test}")
    assert found, done.stdout + done.stderr
    return found


def _target(shape: Shape, ended: Ended) -> Target:
    file, text = next((name, text) for name, text in shape.files.items() if "# here" in text)
    line = text[: text.index("# here")].count("\n") + 1
    failed = {each.partition(" ")[2] for each in ended[shape.id] if not each.startswith("PASSED")}
    return Target(
        "flask-app-context", f"tests/{shape.id}/{file}", line, names=shape.names, tests=tuple(sorted(failed))
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("flask_sqlalchemy")
    folder = tmp_path_factory.mktemp("project")
    _write(folder, COMMON)
    for shape in SHAPES:
        _write(folder / "tests" / shape.id, shape.files)
    return folder


@pytest.fixture(scope="module")
def before(project: Path) -> Ended:
    return _run(project)


@pytest.fixture(scope="module")
def found(project: Path, before: Ended) -> dict[str, list[Proposal | Refusal]]:
    tree = SourceTree(project)
    return {shape.id: proposals([shape.remedy], _target(shape, before), tree) for shape in SHAPES}


@pytest.fixture(scope="module")
def after(
    found: dict[str, list[Proposal | Refusal]], project: Path, tmp_path_factory: pytest.TempPathFactory
) -> Ended:
    """All of them at once, each with the proposal that its shape names."""
    edits: list[Edit] = []
    for shape in SHAPES:
        chosen = found[shape.id][shape.choice]
        edits += chosen.edits if isinstance(chosen, Proposal) else []
    tree, folder = SourceTree(project), tmp_path_factory.mktemp("changed")
    _write(
        folder, {file: data.decode() for file, data in {**tree.files, **applied(tree.files, edits)}.items()}
    )
    return _run(folder)


@pytest.mark.children
@pytest.mark.parametrize("shape", [shape.id for shape in SHAPES])
def test_what_failed_without_a_context_passes(before: Ended, after: Ended, shape: str) -> None:
    assert [each for each in before[shape] if not each.startswith("PASSED")]
    assert [each for each in after[shape] if not each.startswith("PASSED")] == []
    assert len({each.partition(" ")[2] for each in before[shape]}) == len(after[shape])


@pytest.mark.children
@pytest.mark.parametrize("shape", [shape.id for shape in SHAPES])
def test_no_assertion_is_lost_or_changed(
    found: dict[str, list[Proposal | Refusal]], project: Path, shape: str
) -> None:
    tree = SourceTree(project)
    for proposal in (each for each in found[shape] if isinstance(each, Proposal)):
        for file, data in applied(tree.files, proposal.edits).items():
            assert _assertions(data) == _assertions(tree.files[file])


def _assertions(data: bytes) -> list[str]:
    nodes = (each for each in ast.walk(ast.parse(data)) if isinstance(each, ast.Assert))
    return sorted(ast.dump(each) for each in nodes)


@pytest.mark.children
def test_each_proposal_says_what_to_judge(found: dict[str, list[Proposal | Refusal]]) -> None:
    made = [each for every in found.values() for each in every if isinstance(each, Proposal)]
    assert len(made) >= len(SHAPES)
    assert all("production" in each.judge for each in made)


THREADED = "def test_it(app):\n    job = run_later(lead)\n    assert job.result() == 3\n"


@pytest.mark.parametrize("remedy", [AROUND, FIXTURE, REQUEST])
def test_what_runs_in_a_thread_of_the_product_is_left_to_a_person(tmp_path: Path, remedy: str) -> None:
    _write(tmp_path, {"test_it.py": THREADED})
    evidence = (Evidence("thread", "test_it.py", 2, "job = run_later(lead)"),)
    target = Target("flask-app-context", "test_it.py", 3, evidence=evidence)
    (refusal,) = proposals([remedy], target, SourceTree(tmp_path))
    assert isinstance(refusal, Refusal)
    assert "thread" in refusal.reason


def test_blocks_round_the_same_lines_clash(tmp_path: Path) -> None:
    """Else both would be applied, one inside the other's half."""
    text = "def test_it(app):\n    first = lead()\n    second = lead()\n    assert first == second\n"
    _write(tmp_path, {"test_it.py": text})
    tree = SourceTree(tmp_path)
    one, other = (
        next(iter(proposals([AROUND], Target("flask-app-context", "test_it.py", line), tree)))
        for line in (2, 3)
    )
    assert isinstance(one, Proposal)
    assert isinstance(other, Proposal)
    assert not compatible(one.edits, other.edits)
