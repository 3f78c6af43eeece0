"""Objects without a session, in real runs: each shape fails of it, and passes with its remedy."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.remedies.detached_project import CONFTEST, PLAIN, SHOP
from tests.remedies.detached_shapes import SHAPES
from triage.model.fix import Proposal, Refusal, Target
from triage.model.terms import Applicability
from triage.remedies.edits import applied
from triage.remedies.registry import proposals
from triage.rules.source import SourceTree

_LINE = re.compile(r"^(FAILED|ERROR|PASSED) (\S+)::\S+(?: - (.*))?$", re.MULTILINE)


def _project(root: Path) -> Path:
    root.mkdir()
    (root / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    (root / "shop.py").write_text(SHOP)
    (root / "plain.py").write_text(PLAIN)
    for name, (_, _, _, source) in SHAPES.items():
        (root / "tests" / name).mkdir(parents=True)
        (root / "tests" / name / "conftest.py").write_text(CONFTEST)
        (root / "tests" / name / f"test_{name}.py").write_text(source)
    return root


def _target(root: Path, name: str) -> tuple[str, Target]:
    remedy, _, names, source = SHAPES[name]
    own = f"tests/{name}/test_{name}.py"
    file, mark = names["in"].split(": ") if "in" in names else (own, "")
    text = (root / file).read_text()
    line = text[: text.index(f"# ends: {mark}" if mark else "# ends")].count("\n") + 1
    tests = tuple(f"{own}::{found}" for found in re.findall(r"^def (test_\w+)", source, re.MULTILINE))
    return remedy, Target("detached-instance", file, line, "", names, tests)


def _cure(root: Path, name: str) -> Proposal:
    remedy, target = _target(root, name)
    tree = SourceTree(root)
    found = [one for one in proposals([remedy], target, tree) if isinstance(one, Proposal)]
    proposal = found[SHAPES[name][1]]
    for file, data in applied(tree.files, proposal.edits).items():
        (root / file).write_bytes(data)
    return proposal


def _run(root: Path) -> dict[str, list[tuple[str, str]]]:
    """Outcomes and messages by shape."""
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", "--tb=no", "tests"]
    command += ["--import-mode=importlib", "-o", "console_output_style=classic"]
    done = subprocess.run(
        command, cwd=root, capture_output=True, text=True, check=False, env={"COLUMNS": "300"}
    )
    found: dict[str, list[tuple[str, str]]] = {}
    for outcome, file, message in _LINE.findall(done.stdout):
        found.setdefault(file.split("/")[1], []).append((outcome, message))
    assert set(found) == set(SHAPES), done.stdout + done.stderr
    return found


@pytest.mark.children
def test_every_shape_fails_of_it_and_passes_when_it_is_cured(tmp_path: Path) -> None:
    root = _project(tmp_path / "project")
    before = _run(root)
    healthy = [name for name, seen in before.items() if not any("Detached" in message for _, message in seen)]
    assert healthy == []
    for name in SHAPES:
        _cure(root, name)
    after = _run(root)
    assert {name: seen for name, seen in after.items() if {one for one, _ in seen} != {"PASSED"}} == {}
    assert {name: len(seen) for name, seen in after.items()} == {n: len(s) for n, s in before.items()}


@pytest.mark.parametrize("name", SHAPES)
def test_a_cure_says_what_it_does_and_a_doubtful_one_what_to_judge(name: str, tmp_path: Path) -> None:
    proposal = _cure(_project(tmp_path / "project"), name)
    assert proposal.label
    if proposal.remedy == "yield-inside-context":
        assert bool(proposal.judge) == (proposal.applicability is Applicability.UNSAFE)
    else:
        assert proposal.judge


_OPEN = "    with app.app_context():\n"
_FIXTURE = "import pytest\n\n\n@pytest.fixture\ndef user(app):\n"
_OWN = (
    "def load(engine):\n    s = Session(engine)\n    user = s.get(User, 1)\n    s.close()\n    return user\n"
)


@pytest.mark.parametrize(
    ("file", "source", "line", "remedy", "reason"),
    [
        (
            "test_a.py",
            _FIXTURE + _OPEN + "        return make()\n\n\ndef test_it(app):\n    assert user(app)\n",
            6,
            "yield-inside-context",
            "called as a function, too (test_a.py:11)",
        ),
        (
            "test_a.py",
            _FIXTURE + _OPEN + "        if app.debug:\n            return make()\n",
            6,
            "yield-inside-context",
            "on one path it hands out nothing",
        ),
        ("shop.py", _OWN, 4, "keep-session-open-for-test", "load what the caller needs before that"),
        ("test_a.py", _OWN, 4, "keep-session-open-for-test", "let it take the session of the test"),
        (
            "test_a.py",
            "def load(engine):\n    with Session(engine) as s:\n        return s.get(User, 1)\n",
            2,
            "extend-session-block",
            "let it take the session of the test",
        ),
        (
            "shop.py",
            "def load(engine):\n    with Session(engine) as s:\n        return s.get(User, 1)\n",
            2,
            "extend-session-block",
            "load what the caller needs inside the block",
        ),
        (
            "test_a.py",
            _FIXTURE + "    s = open_session(); u = s.get(User, 1)\n    s.add(u); s.close()\n    return u\n",
            7,
            "keep-session-open-for-test",
            "shares its line with another statement",
        ),
    ],
)
def test_what_a_person_must_do_is_said_with_its_reason(
    file: str, source: str, line: int, remedy: str, reason: str, tmp_path: Path
) -> None:
    (tmp_path / file).write_text(source)
    found = proposals([remedy], Target("detached-instance", file, line), SourceTree(tmp_path))
    (refusal,) = found
    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
