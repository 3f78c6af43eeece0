"""A change is written whole or not at all, whatever happens in between."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from triage.errors import ExitStatus, WorkTreeError
from triage.worktree.applying import apply, recover

CHANGED = {
    "conftest.py": (b"a = 1\r\n", b"a = 2\r\n"),
    "tests/test_a.py": (b"\xef\xbb\xbfb = 1\n", b"\xef\xbb\xbfb = 2\n"),
    "tests/test_new.py": (b"", b"c = 1\n"),
    "tests/test_z.py": (b"d" * 100_000, b"e" * 50_000),
}
CHILD = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.worktree.test_applying import CHANGED
from triage.worktree.applying import apply
real, calls, limit = os.fsync, [0], int(sys.argv[4])
def fsync(descriptor):
    calls[0] += 1
    if calls[0] == limit:
        os.kill(os.getpid(), signal.SIGKILL)
    real(descriptor)
os.fsync = fsync
print("begun", flush=True)
apply(Path(sys.argv[2]), CHANGED, Path(sys.argv[3]))
"""


def _project(folder: Path) -> Path:
    root = folder / "project"
    (root / "tests").mkdir(parents=True)
    for path, (before, _) in CHANGED.items():
        if before:
            (root / path).write_bytes(before)
    (root / "conftest.py").chmod(0o755)
    return root


def _tree(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def _after() -> dict[str, bytes]:
    return {path: after for path, (_, after) in CHANGED.items()}


def test_every_file_gets_its_new_bytes_and_keeps_its_mode(tmp_path: Path) -> None:
    root = _project(tmp_path)
    apply(root, CHANGED, tmp_path / "journal")
    assert _tree(root) == _after()
    assert stat.S_IMODE((root / "conftest.py").stat().st_mode) == 0o755
    assert [each.name for each in tmp_path.iterdir()] == ["project"]
    assert recover(root, tmp_path / "journal") == ()


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), KeyboardInterrupt(), MemoryError()]
)
def test_an_error_at_any_write_puts_all_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    root = _project(tmp_path)
    before, real, limit, finished = _tree(root), os.fsync, 0, False
    while not finished:
        limit += 1
        calls = 0

        def fsync(descriptor: int) -> None:
            nonlocal calls
            calls += 1
            if calls == limit:  # noqa: B023 - called within this round
                raise error
            real(descriptor)

        monkeypatch.setattr(os, "fsync", fsync)
        try:
            apply(root, CHANGED, tmp_path / "journal")
            finished = True
        except (WorkTreeError, KeyboardInterrupt, MemoryError):
            assert _tree(root) == before
            assert [each.name for each in tmp_path.iterdir()] == ["project"]
    assert limit > 2 * 4 * 2  # each file once for the journal and once in its place, each with its folder
    assert _tree(root) == _after()


def _child(root: Path, journal: Path, limit: int) -> subprocess.Popen[bytes]:
    house = str(Path(__file__).parents[2])
    argv = [sys.executable, "-c", CHILD, house, str(root), str(journal), str(limit)]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, cwd=house)


@pytest.mark.children
@pytest.mark.parametrize("limit", [1, 4, 8, 11, 12, 13, 14, 16, 17, 18, 19])
def test_what_a_killed_process_left_is_put_back_at_the_next_start(tmp_path: Path, limit: int) -> None:
    root, journal = _project(tmp_path), tmp_path / "journal"
    before = _tree(root)
    child = _child(root, journal, limit)
    child.communicate()
    assert child.returncode == -signal.SIGKILL
    was_changed = _tree(root) != before
    said = recover(root, journal)
    assert _tree(root) == before
    assert bool(said) or not was_changed
    assert [each.name for each in tmp_path.iterdir()] == ["project"]
    apply(root, CHANGED, journal)
    assert _tree(root) == _after()


def _whole_s(root: Path, journal: Path) -> float:
    """How long a child takes to write all, on this machine as busy as it is."""
    child = _child(root, journal, 0)
    assert child.stdout is not None
    child.stdout.readline()
    began = time.monotonic()
    child.communicate()
    return time.monotonic() - began


@pytest.mark.campaign
def test_a_kill_at_any_moment_leaves_the_one_or_the_other(tmp_path: Path) -> None:
    seen = {"before": 0, "after": 0}
    whole_s = _whole_s(_project(tmp_path / "whole"), tmp_path / "whole" / "journal")
    for number in range(200):
        root, journal = _project(tmp_path / str(number)), tmp_path / str(number) / "journal"
        before = _tree(root)
        child = _child(root, journal, 0)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(number % 50 / 40 * whole_s)
        child.kill()
        child.communicate()
        recover(root, journal)
        assert _tree(root) in (before, _after())
        seen["before" if _tree(root) == before else "after"] += 1
        assert [each.name for each in root.parent.iterdir()] == ["project"]
        shutil.rmtree(root.parent)
    assert min(seen.values()) > 0, seen


def test_a_file_that_a_person_changed_after_the_kill_is_left_and_named(tmp_path: Path) -> None:
    root, journal = _project(tmp_path), tmp_path / "journal"
    _child(root, journal, 18).communicate()
    (root / "conftest.py").write_bytes(b"mine\n")
    said = recover(root, journal)
    assert (root / "conftest.py").read_bytes() == b"mine\n"
    assert any(line.startswith("conftest.py: left as it is") for line in said)
    assert any("put back" in line for line in said)


def _refused(root: Path, changed: dict[str, tuple[bytes, bytes]], why: str) -> None:
    before = _tree(root)
    with pytest.raises(WorkTreeError, match=why) as caught:
        apply(root, changed, root.parent / "journal")
    assert caught.value.exit_status is ExitStatus.USAGE
    assert _tree(root) == before
    assert not (root.parent / "journal").exists()


def test_a_file_that_is_another_by_now_is_refused_before_any_is_written(tmp_path: Path) -> None:
    root = _project(tmp_path)
    (root / "tests" / "test_z.py").write_bytes(b"mine\n")
    _refused(root, CHANGED, "changed since")


@pytest.mark.parametrize(
    "path", ["../out.py", "/etc/out.py", "tests/../../out.py", "", ".git/config", "a\0b"]
)
def test_a_path_that_leaves_the_project_is_refused(tmp_path: Path, path: str) -> None:
    _refused(_project(tmp_path), {**CHANGED, path: (b"", b"x")}, "does not stay")


def test_links_are_refused(tmp_path: Path) -> None:
    root = _project(tmp_path)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a.py").write_bytes(b"x")
    (root / "link").symlink_to(tmp_path / "outside")
    (root / "link.py").symlink_to(tmp_path / "outside" / "a.py")
    _refused(root, {**CHANGED, "link/a.py": (b"x", b"y")}, "is a link")
    _refused(root, {**CHANGED, "link.py": (b"x", b"y")}, "is a link")
    assert (tmp_path / "outside" / "a.py").read_bytes() == b"x"


def test_what_is_read_only_or_no_file_is_refused(tmp_path: Path) -> None:
    root = _project(tmp_path)
    (root / "tests" / "test_z.py").chmod(0o444)
    _refused(root, CHANGED, "it is read-only")
    (root / "tests" / "test_z.py").chmod(0o644)
    (root / "tests").chmod(0o555)
    _refused(root, CHANGED, "folder is read-only")
    (root / "tests").chmod(0o755)
    _refused(root, {"tests": (b"", b"x")}, "no regular file")
    _refused(root, {"nowhere/a.py": (b"", b"x")}, "folder does not exist")


def test_an_unfinished_change_is_not_written_over(tmp_path: Path) -> None:
    root = _project(tmp_path)
    _child(root, tmp_path / "journal", 17).communicate()
    with pytest.raises(WorkTreeError):
        apply(root, {"conftest.py": ((root / "conftest.py").read_bytes(), b"x")}, tmp_path / "journal")
    assert recover(root, tmp_path / "journal")


def test_a_journal_that_cannot_be_read_is_kept_and_named(tmp_path: Path) -> None:
    root, journal = _project(tmp_path), tmp_path / "journal"
    journal.mkdir()
    (journal / "manifest.json").write_text('[{"path": 1}]')
    with pytest.raises(WorkTreeError, match="cannot be read"):
        recover(root, journal)
    assert journal.exists()


def test_nothing_to_change_writes_nothing(tmp_path: Path) -> None:
    root = _project(tmp_path)
    apply(root, {"conftest.py": (b"other", b"other")}, tmp_path / "journal")
    assert [each.name for each in tmp_path.iterdir()] == ["project"]
