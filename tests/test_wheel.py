"""What users install: the built wheel, in a folder of its own, away from the checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.children

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's content unpacked; its dependencies are those of this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def _triage(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    code = f"import sys; sys.path.insert(0, {str(site)!r}); from triage.cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-P", "-c", code, *arguments],
        cwd=site,
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_wheel_brings_its_playbooks_and_schemas(installed: Path) -> None:
    listed = _triage(installed, "--workspace", str(installed), "playbooks", "list")
    assert listed.returncode == 0, listed.stderr
    assert "detached-instance" in listed.stdout
    assert (installed / "triage" / "_data" / "schemas" / "summary.schema.json").is_file()


def test_the_playbooks_of_the_wheel_pass_their_own_check(installed: Path) -> None:
    checked = _triage(installed, "--workspace", str(installed), "playbooks", "check")
    assert checked.returncode == 0, checked.stdout
