"""`triage fix`: what it refuses before it runs anything, what it shows, and what it writes where."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.builders import write_files
from tests.cli.conftest import HEAD, Triage, project
from tests.cli.test_run import COMMAND
from tests.proofs.bundles import cured
from tests.worktree.test_branches import git
from triage.fixes import FixResult
from triage.model.project import Project
from triage.pipeline import ProjectResult
from triage.schema import first_problem
from triage.tools import Tools
from triage.workspace import WorkspaceFolders, locked
from triage.worktree.journal import open_journal

MODELS = """\
from sqlalchemy import Column, Integer, String, create_engine
from sqlalchemy.orm import Session, declarative_base

Base = declarative_base()
engine = create_engine("sqlite://")


class Customer(Base):
    __tablename__ = "customers"
    id = Column(Integer, primary_key=True)
    name = Column(String, nullable=False)
    email = Column(String, nullable=False)


Base.metadata.create_all(engine)
"""
TEST = """\
# -*- coding: latin-1 -*-
from models import Customer, Session, engine


def test_name():
\twith Session(engine) as session:
\t\tfound = Customer(name="Zo\xeb")  # \xe9
\t\tsession.add(found)
\t\tsession.flush()
\t\tassert found.name == "Zo\xeb"
"""
LATIN = TEST.replace("\n", "\r\n").encode("latin-1")
MADE = LATIN.replace(b'"Zo\xeb")  #', b'"Zo\xeb", email="customer@example.org")  #')
ODD = b"\xef\xbb\xbfdef test_odd():\r\n\tassert True\n\x0c\n# no end of line"
BEFORE, AFTER = b"price = 1  # \xe9 \x1b[2J\n", b"price = 2  # \xe9 \x1b[2J\n"
NOBODY = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ann",
    "GIT_AUTHOR_EMAIL": "ann@example.org",
    "GIT_COMMITTER_NAME": "Ann",
    "GIT_COMMITTER_EMAIL": "ann@example.org",
}
DIFF = (
    "--- a/shop.py\n+++ b/shop.py\n@@ -1 +1 @@\n-price = 1  # \udce9 \x1b[2J\n+price = 2  # \udce9 \x1b[2J\n"
)


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in NOBODY.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A project in a folder of a repository."""
    root = project(tmp_path / "repository" / "shop")
    (root / "shop.py").write_bytes(BEFORE)
    write_files(tmp_path / "repository", {".gitignore": ".triage\n__pycache__\n"})
    _repository(tmp_path / "repository")
    return root


@pytest.fixture
def proven(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[object]:
    """Instead of minutes of proving: a change of shop.py; the list counts how often it was asked for."""
    asked: list[object] = []

    def fix_project(found: Project, _tools: Tools, _watch: object, wish: object) -> FixResult:
        asked.append(wish)
        folder = tmp_path / "run-1"
        folder.mkdir(exist_ok=True)
        report = cured(found, **{"shop.py": (BEFORE, AFTER)})
        known = ProjectResult(found.name, folder, {}, None)  # type: ignore[arg-type] # not looked at
        object.__setattr__(report, "diff", DIFF)
        return FixResult(known, report)

    monkeypatch.setattr("triage.fixes.fix_project", fix_project)
    return asked


def _repository(top: Path) -> None:
    git(top, "init", "-q", "-b", "main")
    git(top, "add", ".")
    git(top, "commit", "-q", "-m", "first")


def _tree(root: Path) -> Mapping[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and not {".git", ".triage", "__pycache__", ".pytest_cache"} & set(path.parts)
    }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "project"),
        (("nowhere",), "no such project folder"),
        (("shop", "--apply", "--branch", "new"), "--apply and --branch exclude each other"),
        (("shop", "--branch", "main"), "a branch of this name"),
        (("shop", "--branch", "main/below"), "the branch 'main' exists"),
        (("shop", "--branch", "two words"), "this is no name of a branch"),
        (("shop", "--branch", "@"), "this is no name of a branch"),
        (("shop", "--apply"), "a file is not as it was committed: shop/test_new.py (untracked)"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_runs(
    shop: Path, triage: Triage, proven: list[object], arguments: tuple[str, ...], words: str
) -> None:
    write_files(shop, {"test_new.py": ""})
    answer = triage("fix", *arguments, cwd=shop.parent)
    assert (answer.status, answer.out, proven) == (2, "", [])
    assert words in answer.err


def test_a_proven_change_is_shown_and_nothing_is_written(
    shop: Path, triage: Triage, proven: list[object], tmp_path: Path
) -> None:
    before = _tree(tmp_path / "repository")
    answer = triage("fix", "shop", cwd=shop.parent)
    assert answer.status == 0
    assert "F1  right-price  shop.py:2" in answer.out
    assert "+price = 2  # \\xe9 " in answer.out
    assert "\x1b" not in answer.out
    assert answer.out.splitlines()[-2].startswith("nothing is written to the project; the diff is in ")
    assert _tree(tmp_path / "repository") == before
    shown = triage("fix", "shop", "--json", cwd=shop.parent)
    assert first_problem(shown.json, "fix") is None
    assert shown.json["applied"] is None
    assert json.dumps(shown.json, ensure_ascii=False).encode()  # no half of a character


def test_it_is_written_to_a_clean_tree_byte_by_byte(shop: Path, triage: Triage, proven: list[object]) -> None:
    answer = triage("fix", "shop", "--apply", "--json", cwd=shop.parent)
    assert (answer.status, answer.json["applied"]) == (0, "the working tree")
    assert (shop / "shop.py").read_bytes() == AFTER
    assert git(shop, "status", "--porcelain") == "M shop/shop.py"
    assert list((shop.parent / ".triage" / "journal").iterdir()) == []


def test_a_folder_outside_of_git_is_written_with_a_note(
    tmp_path: Path, triage: Triage, proven: list[object]
) -> None:
    root = project(tmp_path / "plain")
    (root / "shop.py").write_bytes(BEFORE)
    answer = triage("fix", "plain", "--apply", cwd=tmp_path)
    assert (answer.status, (root / "shop.py").read_bytes()) == (0, AFTER)
    assert "what is written can only be taken back by the diff" in answer.err
    assert "this is in no work tree of git" in triage("fix", "plain", "--branch", "b", cwd=tmp_path).err


@pytest.mark.parametrize("kind", ["read-only", "folder", "link", "changed"])
def test_what_may_not_be_written_is_refused_and_what_was_proven_is_still_shown(
    shop: Path, triage: Triage, proven: list[object], kind: str
) -> None:
    if kind == "read-only":
        (shop / "shop.py").chmod(0o444)
    elif kind == "folder":
        shop.chmod(0o555)
    elif kind == "link":
        (shop / "shop.py").rename(shop / "other.py")
        (shop / "shop.py").symlink_to("other.py")
    else:
        (shop / "shop.py").write_bytes(b"price = 3\n")
    git(shop, "add", "-A")
    git(shop, "commit", "-q", "--allow-empty", "-m", "second")
    before = _tree(shop)
    answer = triage("fix", "shop", "--apply", cwd=shop.parent)
    shop.chmod(0o755)
    assert (answer.status, _tree(shop)) == (2, before)
    assert "shop.py: cannot be written: " in answer.err
    assert "+price = 2" in answer.out
    assert "nothing is written to the project; the diff is in " in answer.out
    assert "--apply" not in answer.out


@pytest.mark.parametrize("detached", [False, True])
def test_a_branch_gets_one_commit_and_the_working_tree_nothing(
    shop: Path, triage: Triage, proven: list[object], detached: bool
) -> None:
    if detached:
        git(shop, "checkout", "-q", "--detach")
    answer = triage("fix", "shop", "--branch", "fixes/one", cwd=shop.parent)
    assert answer.status == 0
    assert "written to branch fixes/one (" in answer.out
    assert (shop / "shop.py").read_bytes() == BEFORE
    assert git(shop, "status", "--porcelain") == ""
    assert git(shop, "rev-parse", "fixes/one~1") == git(shop, "rev-parse", "HEAD")
    assert git(shop, "diff", "--name-only", "main", "fixes/one") == "shop/shop.py"
    assert "Proven together" not in git(shop, "log", "-1", "--format=%B", "fixes/one")


def test_a_branch_says_what_else_was_there_while_it_was_proven(
    shop: Path, triage: Triage, proven: list[object]
) -> None:
    write_files(shop, {"test_a.py": "def test_b(): pass\n"})
    answer = triage("fix", "shop", "--branch", "fixes", cwd=shop.parent)
    assert answer.status == 0
    assert "the branch starts from the last commit: shop/test_a.py (modified)" in answer.err
    said = git(shop, "log", "-1", "--format=%B", "fixes")
    assert said.endswith("Proven together with what was not committed: shop/test_a.py (modified)")
    assert git(shop, "diff", "--name-only", "main", "fixes") == "shop/shop.py"


def _killed(root: Path, workspace: Path) -> Path:
    """As a process leaves it that is killed when it has written one file."""
    digest = hashlib.sha256(os.fsencode(root)).hexdigest()[:12]
    journal = WorkspaceFolders(workspace).home / "journal" / f"shop-{digest}"
    open_journal(root, {"shop.py": (BEFORE, AFTER), "test_a.py": (b"def test_a(): pass\n", b"")}, journal)
    (root / "shop.py").write_bytes(AFTER)
    return journal


def test_what_a_killed_call_left_is_put_back_by_the_next_and_said(
    shop: Path, triage: Triage, proven: list[object]
) -> None:
    journal = _killed(shop, shop.parent)
    answer = triage("fix", "shop", cwd=shop.parent)
    assert "shop.py: put back, for an earlier run was killed while it wrote" in answer.err
    assert (shop / "shop.py").read_bytes() == BEFORE
    assert not journal.exists()
    assert git(shop, "status", "--porcelain") == ""


def test_another_folder_of_the_same_name_does_not_end_the_record(
    shop: Path, triage: Triage, proven: list[object]
) -> None:
    journal = _killed(shop, shop.parent)
    copy = shop.parent / "copies" / "shop"
    shutil.copytree(shop, copy)
    (copy / "shop.py").write_bytes(BEFORE)
    assert "put back" not in triage("fix", "copies/shop", cwd=shop.parent).err
    assert journal.exists()
    assert "shop.py: put back" in triage("fix", "shop", cwd=shop.parent).err


def test_a_change_that_is_being_written_is_not_taken_for_a_killed_one(
    shop: Path, triage: Triage, proven: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = _killed(shop, shop.parent)
    monkeypatch.setattr("triage.cli.writing._WAIT_S", 0.1)
    with locked(WorkspaceFolders(shop.parent).locks / "apply-shop", 1.0, purpose="writing fixes"):
        answer = triage("fix", "shop", cwd=shop.parent)
    assert (answer.status, answer.out, proven) == (4, "", [])
    assert "still locked" in answer.err
    assert journal.exists()
    assert (shop / "shop.py").read_bytes() == AFTER


@pytest.mark.parametrize("is_late", [False, True])
def test_an_interruption_says_whether_the_change_stands(
    shop: Path, triage: Triage, proven: list[object], monkeypatch: pytest.MonkeyPatch, is_late: bool
) -> None:
    from triage.worktree import applying  # noqa: PLC0415 - its parts are exchanged here

    place = "close_journal" if is_late else "check_content"
    real = getattr(applying, place)

    def interrupted(*arguments: object) -> object:
        signal.raise_signal(signal.SIGINT)
        return real(*arguments)

    monkeypatch.setattr(applying, place, interrupted)
    ignored = signal.signal(signal.SIGINT, signal.default_int_handler)  # as in a job in the background
    try:
        answer = triage("fix", "shop", "--apply", cwd=shop.parent)
    finally:
        signal.signal(signal.SIGINT, ignored)
    assert answer.status == 130
    assert (shop / "shop.py").read_bytes() == (AFTER if is_late else BEFORE)
    stands = "the change was written, whole" if is_late else "the working tree is as it was"
    assert stands in answer.err


@pytest.mark.children
def test_a_real_defect_is_fixed_written_and_its_proof_repeats(tmp_path: Path, triage: Triage) -> None:
    root = write_files(tmp_path / "own", {"triage.yaml": f"name: own\n{HEAD}", "models.py": MODELS})
    (root / "test_name.py").write_bytes(LATIN)
    (root / "test_odd.py").write_bytes(ODD)
    (root / "unread.py").write_bytes(b"def (: # \xff neither Python nor UTF-8")
    (root / "test_sum.py").write_bytes(b"def test_sum():\r    assert 1 + 1 == 2\r")
    _repository(root)
    before = _tree(root)
    answer = triage("fix", "own", "--apply", "--json", cwd=tmp_path)
    assert answer.status == 0, answer.err
    assert first_problem(answer.json, "fix") is None
    assert [one["remedy"] for one in answer.json["fixes"]] == ["add-missing-value"]
    assert answer.json["before"] == {"total": 3, "passing": 2, "failing": 1}
    assert answer.json["after"] == {"total": 3, "passing": 3, "failing": 0}
    assert _tree(root) == {**before, "test_name.py": MADE}
    folder = Path(answer.json["run"]["folder"])
    replayed = triage("verify", "--proof", str(folder / "proof"), cwd=tmp_path)
    assert (replayed.status, replayed.out.splitlines()[-1]) == (0, "same")
    git(root, "checkout", "-q", ".")
    git(root, "apply", str(folder / "fixes.diff"))
    assert _tree(root) == {**before, "test_name.py": MADE}


@pytest.mark.children
def test_what_there_is_nothing_to_fix_in_or_no_such_task_of(tmp_path: Path, triage: Triage) -> None:
    project(tmp_path / "good")
    project(tmp_path / "bad", "def test_a(): assert 1 == 2\n")
    good = triage("fix", "good", cwd=tmp_path)
    assert (good.status, good.out) == (0, "good: 1 test, none of which fails: nothing to fix\n")
    bad = triage("fix", "bad", "--task", "T99", "--json", cwd=tmp_path)
    assert (bad.status, bad.out) == (2, "")
    assert "bad: the plan has no task 'T99'" in bad.err
    assert "allowed: T1, T2" in bad.err


@pytest.mark.children
def test_ctrl_c_while_it_runs_leaves_the_tree_and_no_scratch_copy(tmp_path: Path) -> None:
    slow = (
        "import pathlib, time\n\ndef test_a():\n    pathlib.Path(__file__).with_name('begun').touch()\n"
        "    time.sleep(300)\n"
    )
    root = project(tmp_path / "slow", slow)
    child = subprocess.Popen([*COMMAND, "fix", "slow"], cwd=tmp_path, stdout=-1, stderr=-1, text=True)
    while not (root / "begun").exists() and child.poll() is None:
        signal.sigtimedwait([], 0.05)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, out) == (130, ""), err
    assert "Traceback" not in err
    assert (root / "test_a.py").read_text() == slow
    assert not list((tmp_path / ".triage").glob("scratch/*"))
