import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.errors import ProvisionError, RunError
from triage.workspace import (
    WorkspaceFolders,
    copy_project,
    file_name,
    locked,
    publish_folder,
    remove_folder,
    write_whole,
)


def test_the_home_folder_ignores_itself_and_is_tagged_as_a_cache(tmp_path: Path) -> None:
    folders = WorkspaceFolders(tmp_path / "w")
    assert folders.environments == tmp_path / "w/.triage/environments"
    assert folders.locks.is_dir()
    assert (tmp_path / "w/.triage/.gitignore").read_text() == "*\n"
    tag = (tmp_path / "w/.triage/CACHEDIR.TAG").read_text()
    assert tag.startswith("Signature: 8a477f597d28d172789f06886806bc55")


def test_latest_follows_the_newest_run(tmp_path: Path) -> None:
    folders = WorkspaceFolders(tmp_path)
    for run_id in ("r1", "r2"):
        folder = folders.new_run("shop", run_id)
        (folder / "junit.xml").write_text(run_id)
        folders.set_latest(folder)
    latest = tmp_path / ".triage/runs/shop/latest"
    assert latest.readlink() == Path("r2")
    assert (latest / "junit.xml").read_text() == "r2"
    assert sorted(p.name for p in latest.parent.iterdir()) == ["latest", "r1", "r2"]


def test_a_run_id_is_used_once(tmp_path: Path) -> None:
    folders = WorkspaceFolders(tmp_path)
    folders.new_run("shop", "r1")
    with pytest.raises(RunError, match="'r1' exists"):
        folders.new_run("shop", "r1")


@pytest.mark.parametrize("name", ["shop", "my_shop-2.0", "_x"])
def test_safe_names_stay(name: str) -> None:
    assert file_name(name) == name


@given(st.text())
def test_any_name_becomes_one_visible_path_component(name: str) -> None:
    made = file_name(name)
    assert Path(made).name == made
    assert not made.startswith(".")
    assert made != "latest"
    assert len(made) <= 100
    assert made.isascii()


@given(st.sets(st.text(alphabet="aA/. -\0é", max_size=6), min_size=2, max_size=8))
def test_different_names_never_meet(names: set[str]) -> None:
    assert len({file_name(name) for name in names}) == len(names)


def test_write_whole_replaces_and_leaves_nothing_beside(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_whole(path, "old")
    path.chmod(0o640)
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["a.json"]  # noqa: PTH208 - hidden files too


def test_a_failing_write_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    write_whole(path, "old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_a_writer_that_is_killed_never_leaves_a_torn_file(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom triage.workspace import write_whole\n"
        "n = 0\nwhile True:\n    n += 1\n    write_whole(Path(sys.argv[1]), str(n % 10) * 300_000)\n"
    )
    path = tmp_path / "big.txt"
    for pause_s in (0.01, 0.03):
        path.unlink(missing_ok=True)
        writer = subprocess.Popen([sys.executable, "-c", code, str(path)], cwd=Path(__file__).parents[1])
        while not path.exists():
            time.sleep(0.005)
        time.sleep(pause_s)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        content = path.read_text()
        assert len(content) == 300_000
        assert len(set(content)) == 1


def test_publish_is_one_step_and_never_overwrites(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    publish_folder(tmp_path / "one", tmp_path / "final")
    with pytest.raises(OSError, match="not empty"):
        publish_folder(tmp_path / "two", tmp_path / "final")
    assert (tmp_path / "final/file").read_text() == "one"
    remove_folder(tmp_path / "final")
    remove_folder(tmp_path / "final")
    assert [p.name for p in tmp_path.iterdir()] == ["two"]


def test_a_lock_says_who_holds_it(tmp_path: Path) -> None:
    lock = tmp_path / "env.lock"
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with locked(lock, 5, purpose="building shop"):
            held.set()
            done.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(10)
    with (
        pytest.raises(ProvisionError, match=rf"process {os.getpid()} since .* \(building shop\)"),
        locked(lock, 0.05, error=ProvisionError),
    ):
        pytest.fail("two hold one lock")
    done.set()
    holder.join()
    with locked(lock, 1):
        pass
    assert not (tmp_path / "env.lock.holder").exists()


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom triage.workspace import locked\n"
        "with locked(Path(sys.argv[1]), 1):\n    print('held', flush=True)\n    time.sleep(60)\n"
    )
    argv = [sys.executable, "-c", code, str(tmp_path / "a.lock")]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, cwd=Path(__file__).parents[1]) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        holder.kill()
    with locked(tmp_path / "a.lock", 5):
        pass


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for folder in ("app", ".git", "env3", "app/__pycache__"):
        (root / folder).mkdir(parents=True)
    (root / "app/models.py").write_text("x = 1\n")
    (root / "app/run.sh").write_text("#!/bin/sh\n")
    (root / "app/run.sh").chmod(0o755)
    (root / ".git/config").write_text("secret")
    (root / "env3/pyvenv.cfg").write_text("home = /")
    (root / "app/__pycache__/models.pyc").write_text("")
    (tmp_path / "outside.txt").write_text("outside")
    return root


def test_a_scratch_copy_holds_the_projects_own_files(project: Path, tmp_path: Path) -> None:
    copied = copy_project(project, tmp_path / "copy")
    names = sorted(str(p.relative_to(tmp_path / "copy")) for p in (tmp_path / "copy").rglob("*"))
    assert names == ["app", "app/models.py", "app/run.sh"]
    assert copied.files == 2
    assert copied.left_out == ("env3",)
    assert os.access(tmp_path / "copy/app/run.sh", os.X_OK)


def test_links_lead_only_to_the_copy(project: Path, tmp_path: Path) -> None:
    (project / "relative.py").symlink_to("app/models.py")
    (project / "app/absolute.py").symlink_to(project / "app/models.py")
    (project / "folder").symlink_to("app")
    (project / "outside").symlink_to(tmp_path / "outside.txt")
    (project / "climbs").symlink_to("../outside.txt")
    (project / "git").symlink_to(".git/config")
    (project / "loop").symlink_to("loop")
    (project / "dangling").symlink_to("nowhere")
    os.mkfifo(project / "pipe")
    copy = tmp_path / "copy"
    copied = copy_project(project, copy)
    assert copied.left_out == ("climbs", "dangling", "env3", "git", "loop", "outside", "pipe")
    for link in ("relative.py", "app/absolute.py", "folder/models.py"):
        assert (copy / link).resolve() == (copy / "app/models.py").resolve()
    (copy / "relative.py").write_text("changed")
    assert (project / "app/models.py").read_text() == "x = 1\n"


def test_a_copy_inside_its_source_does_not_hold_itself(project: Path) -> None:
    copied = copy_project(project, project / "scratch")
    assert copied.files == 2
    assert not (project / "scratch/scratch").exists()
