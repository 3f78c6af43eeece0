"""A clean work tree, and a commit that touches neither it nor the index."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from triage.errors import ExitStatus, WorkTreeError
from triage.worktree.branches import commit_to_branch
from triage.worktree.clean import check_clean, named, unclean

GIT = shutil.which("git")
pytestmark = pytest.mark.skipif(GIT is None, reason="no git on this machine")
CHANGED = {"tests/test_a.py": (b"a = 1\n", b"a = 2\n"), "run.sh": (b"echo\n", b"echo 2\n")}


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [GIT or "git", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    return done.stdout.strip()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No settings of the machine, no identity of the person who runs the tests."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    for name in ("EMAIL", "GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture(params=["", "services/shop"])
def project(tmp_path: Path, home: Path, request: pytest.FixtureRequest) -> Path:
    top = tmp_path / "repository"
    root = top / str(request.param)
    (root / "tests").mkdir(parents=True)
    for path, (before, _) in CHANGED.items():
        (root / path).write_bytes(before)
    (root / "run.sh").chmod(0o755)
    (top / "other.txt").write_text("x")
    git(top, "init", "-q", "-b", "main")
    git(top, "config", "user.name", "Ann")
    git(top, "config", "user.email", "ann@example.org")
    git(top, "add", ".")
    git(top, "commit", "-q", "-m", "first")
    return root


def _state(root: Path) -> tuple[str, str, dict[str, bytes]]:
    top = Path(git(root, "rev-parse", "--show-toplevel"))
    files = {
        str(each): each.read_bytes() for each in top.rglob("*") if each.is_file() and ".git" not in each.parts
    }
    index = hashlib.sha256((top / ".git" / "index").read_bytes()).hexdigest()
    return index, git(root, "rev-parse", "HEAD"), files


def _refs(root: Path) -> str:
    return git(root, "for-each-ref")


def test_a_branch_holds_the_changes_and_nothing_else_moved(project: Path) -> None:
    before = _state(project)
    commit = commit_to_branch(project, CHANGED, "triage/fixes", "fix: two tests\n\nMore.")
    assert _state(project) == before
    assert git(project, "rev-parse", "triage/fixes") == commit
    assert git(project, "rev-parse", "triage/fixes^") == before[1]
    assert git(project, "branch", "--show-current") == "main"
    names = git(project, "diff", "--relative", "--name-only", "main", "triage/fixes").splitlines()
    assert names == sorted(CHANGED)
    assert git(project, "show", "triage/fixes:./tests/test_a.py") == "a = 2"
    assert git(project, "ls-tree", "triage/fixes", "run.sh").startswith("100755")
    assert git(project, "log", "-1", "--format=%an %ae %B", "triage/fixes") == (
        "Ann ann@example.org fix: two tests\n\nMore."
    )


def test_the_index_of_the_user_keeps_what_is_staged(project: Path) -> None:
    (project / "staged.py").write_text("x = 1\n")
    git(project, "add", "staged.py")
    before = _state(project)
    commit_to_branch(project, CHANGED, "fixes", "fix")
    assert _state(project) == before
    assert "staged.py" not in git(project, "ls-tree", "-r", "--name-only", "fixes")


@pytest.mark.parametrize("branch", ["", "-x", "a..b", "a b", "HEAD", "@", "a.lock", "@{-1}", "a\0b", "x~1"])
def test_what_is_no_name_of_a_branch_is_refused(project: Path, branch: str) -> None:
    refs = _refs(project)
    with pytest.raises(WorkTreeError, match="no name of a branch") as caught:
        commit_to_branch(project, CHANGED, branch, "fix")
    assert caught.value.exit_status is ExitStatus.USAGE
    assert _refs(project) == refs


def test_a_branch_that_exists_is_left_alone(project: Path) -> None:
    git(project, "branch", "fixes")
    refs = _refs(project)
    for name in ("main", "fixes", "fixes/more"):
        with pytest.raises(WorkTreeError):
            commit_to_branch(project, CHANGED, name, "fix")
    assert _refs(project) == refs


def test_an_author_must_be_known(project: Path) -> None:
    git(project, "config", "--unset", "user.email")
    with pytest.raises(WorkTreeError, match="who commits") as caught:
        commit_to_branch(project, CHANGED, "fixes", "fix")
    assert "git config user.email" in str(caught.value)


def test_a_file_that_is_another_in_the_last_commit_is_refused(project: Path) -> None:
    refs = _refs(project)
    with pytest.raises(WorkTreeError, match="not the same in the last commit"):
        commit_to_branch(project, {"tests/test_a.py": (b"a = 9\n", b"a = 2\n")}, "fixes", "fix")
    with pytest.raises(WorkTreeError, match="not the same in the last commit"):
        commit_to_branch(project, {"tests/test_a.py": (b"", b"a = 2\n")}, "fixes", "fix")
    assert _refs(project) == refs


def test_a_new_file_is_added(project: Path) -> None:
    commit_to_branch(project, {"tests/conftest.py": (b"", b"x = 1\n")}, "fixes", "fix")
    assert git(project, "show", "fixes:./tests/conftest.py") == "x = 1"


def test_line_ends_are_those_that_the_repository_asks_for(project: Path) -> None:
    (project / ".gitattributes").write_text("*.py text eol=crlf\n")
    git(project, "add", ".")
    git(project, "commit", "-q", "-m", "second")
    commit_to_branch(project, {"tests/test_a.py": (b"a = 1\r\n", b"a = 2\r\n")}, "fixes", "fix")
    top = Path(git(project, "rev-parse", "--show-toplevel"))
    shown = subprocess.run(
        [GIT or "git", "show", "fixes:./tests/test_a.py"], cwd=project, capture_output=True, check=True
    )
    assert shown.stdout == b"a = 2\n"
    assert top.exists()


def test_a_repository_without_a_commit_says_so(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main", "empty")
    with pytest.raises(WorkTreeError, match="no commit yet"):
        commit_to_branch(tmp_path / "empty", CHANGED, "fixes", "fix")


def test_a_clean_folder_is_clean(project: Path) -> None:
    assert check_clean(project) is None
    (project / ".triage").mkdir()
    (project / ".triage" / "x").write_text("x")
    (project / ".gitignore").write_text("*.log\n")
    git(project, "add", ".gitignore")
    git(project, "commit", "-q", "-m", "second")
    (project / "a.log").write_text("x")
    assert check_clean(project) is None


def test_what_is_modified_untracked_renamed_or_in_conflict_is_named(project: Path) -> None:
    (project / "tests" / "test_a.py").write_bytes(b"a = 3\n")
    (project / "new file\n.py").write_bytes(b"")
    git(project, "mv", "run.sh", "go.sh")
    with pytest.raises(WorkTreeError, match="3 files are not as they were") as caught:
        check_clean(project)
    for part in ("test_a.py (modified)", ".py (untracked)", "go.sh (renamed)"):
        assert part in str(caught.value)
    assert caught.value.exit_status is ExitStatus.USAGE


def test_a_conflict_is_named(project: Path) -> None:
    file = project / "tests" / "test_a.py"
    for branch, text in (("side", "a = 5\n"), ("main", "a = 6\n")):
        git(project, "checkout", "-q", *(["-b"] if branch == "side" else []), branch)
        file.write_text(text)
        git(project, "commit", "-q", "-a", "-m", branch)
    with pytest.raises(subprocess.CalledProcessError):
        git(project, "merge", "-q", "side")
    with pytest.raises(WorkTreeError, match=r"test_a\.py \(in conflict\)"):
        check_clean(project)


def test_what_is_beside_the_project_does_not_count(tmp_path: Path, project: Path) -> None:
    top = Path(git(project, "rev-parse", "--show-toplevel"))
    (top / "other.txt").write_text("changed")
    if top == project:
        with pytest.raises(WorkTreeError):
            check_clean(project)
    else:
        assert check_clean(project) is None


def test_many_files_are_counted_and_the_first_named(project: Path) -> None:
    for number in range(7):
        (project / f"new{number}.py").touch()
    found = unclean(project)
    assert len(found) == 7
    assert named(found).endswith("new4.py (untracked) and 2 more")
    with pytest.raises(WorkTreeError, match="7 files are not as they were committed"):
        check_clean(project)


def test_a_folder_outside_of_git_gets_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plain").mkdir()
    assert "no work tree of git" in (check_clean(tmp_path / "plain") or "")
    monkeypatch.setenv("PATH", str(tmp_path / "plain"))
    assert "cannot be started" in (check_clean(tmp_path / "plain") or "")


def test_a_variable_of_another_repository_misleads_nobody(
    tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "init", "-q", "elsewhere")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere" / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "elsewhere" / "index"))
    assert check_clean(project) is None
    commit = commit_to_branch(project, CHANGED, "fixes", "fix")
    monkeypatch.delenv("GIT_DIR")
    monkeypatch.delenv("GIT_INDEX_FILE")
    assert git(project, "rev-parse", "fixes") == commit
