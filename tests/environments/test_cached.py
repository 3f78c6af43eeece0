"""Real builds, from a folder of wheels; by pip always, by uv where it is there."""

import json
import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from triage.environments.cached import cached_environment
from triage.environments.options import ProvisionOptions, options_from
from triage.errors import ProvisionError
from triage.model.environment import Environment
from triage.model.project import EnvironmentSpec
from triage.workspace import WorkspaceFolders

pytestmark = pytest.mark.children

UV = options_from(os.environ).uv
SPEC = EnvironmentSpec(requirements=("requirements.txt",))
BACKEND = """
import zipfile
def get_requires_for_build_editable(config_settings=None): return []
def build_editable(folder, config_settings=None, metadata_directory=None):
    import os
    open("left-by-the-build", "w")
    info = "shop-3.1.dist-info/"
    with zipfile.ZipFile(os.path.join(folder, "shop-3.1-py3-none-any.whl"), "w") as wheel:
        wheel.writestr("shop.pth", os.path.abspath("src"))
        head = "Metadata-Version: 2.1\\nName: shop\\nVersion: 3.1\\n"
        wheel.writestr(info + "METADATA", head + "Requires-Dist: tiny\\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "entry_points.txt", "[console_scripts]\\nshop = shop:main\\n")
        wheel.writestr(info + "RECORD", "")
    return "shop-3.1-py3-none-any.whl"
build_wheel = build_editable
"""
PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "shop"
version = "3.1"
dependencies = ["tiny"]
"""
FILES = {
    "requirements.txt": "-r more/base.txt  # nested\n-e .\n",
    "more/base.txt": "# nothing but a constraint\n-c limits.txt\n",
    "more/limits.txt": "tiny<2\n",
    "pyproject.toml": PYPROJECT,
    "backend.py": BACKEND,
    "src/shop.py": "def main(): print('from the tree')\n",
}


def project(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return root


def said(environment: Environment, *arguments: str) -> str:
    return subprocess.check_output([environment.python, *arguments], text=True, cwd="/").strip()


def options(wheels: Path, installer: str) -> ProvisionOptions:
    return ProvisionOptions(wheels=wheels, uv=UV if installer == "uv" else None, offline=True)


@pytest.mark.parametrize(
    "installer", ["pip", pytest.param("uv", marks=pytest.mark.skipif(UV is None, reason="no uv here"))]
)
def test_an_environment_is_built_once_shows_the_working_tree_and_is_mended(
    tmp_path: Path, wheels: Path, installer: str
) -> None:
    root = project(tmp_path / "shop", FILES)
    folders = WorkspaceFolders(tmp_path / "w")
    before = sorted(root.rglob("*"))
    made: list[Environment] = []

    def get(where: Path = root) -> Environment:
        made.append(cached_environment(where, SPEC, folders, options(wheels, installer), lambda _: None))
        return made[-1]

    threads = [threading.Thread(target=get) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(e.reused for e in made) == [False, True]
    assert made[0].python == made[1].python
    environment = made[0]
    assert environment.built_by == installer
    assert environment.notes == (
        "the requirements do not name pytest: its newest release that fits was installed",
    )

    assert sorted(root.rglob("*")) == before
    tells = (
        "import tiny, shop, importlib.metadata as m; print(tiny.VERSION, m.version('shop'), shop.__file__)"
    )
    assert said(environment, "-c", tells) == f"1.0 3.1 {root}/src/shop.py"
    script = environment.python.parent / "shop"
    assert subprocess.check_output([script], text=True) == "from the tree\n"
    assert said(environment, "-m", "pytest", "--version").startswith("pytest ")
    assert not list(folders.environments.glob(".*"))

    (root / "requirements.txt").write_text("-e .\n\n# order and comments do not count\n-r more/base.txt\n")
    assert get().reused

    site = next((environment.python.parents[1] / "lib").glob("*/site-packages"))
    if installer == "uv":  # mended by a second build; one installer is enough to see it
        shutil.rmtree(site / "_pytest")
        assert get().reused is False
        assert said(environment, "-m", "pytest", "--version").startswith("pytest ")
    (site / "new.py").write_text("")
    assert get().reused  # changed, but healthy

    marker = environment.python.parents[1] / "triage-environment.json"
    assert "tiny-1.0" in json.loads(marker.read_text())["packages"]


def test_what_cannot_be_installed_is_told_in_the_installers_words_and_nothing_is_left(
    tmp_path: Path, wheels: Path
) -> None:
    root = project(tmp_path / "shop", {"requirements.txt": "tiny==9\npytest\n"})
    folders = WorkspaceFolders(tmp_path / "w")
    with pytest.raises(ProvisionError) as caught:
        cached_environment(root, SPEC, folders, options(wheels, "uv" if UV else "pip"), lambda _: None)
    assert "tiny==9" in caught.value.what
    assert caught.value.where == str(root)
    assert str(wheels) in (caught.value.hint or "")
    log = Path((caught.value.hint or "").rpartition("the full log is ")[2])
    assert "tiny==9" in log.read_text()
    assert [p for p in folders.environments.iterdir() if p.is_dir()] == []


def test_a_project_that_cannot_be_built_still_gets_its_dependencies(tmp_path: Path, wheels: Path) -> None:
    root = project(tmp_path / "shop", {**FILES, "backend.py": "raise RuntimeError('error: no such backend')"})
    spec = EnvironmentSpec(extras=(".", "pytest"))
    folders = WorkspaceFolders(tmp_path / "w")
    environment = cached_environment(
        root, spec, folders, options(wheels, "uv" if UV else "pip"), lambda _: None
    )
    assert "the project itself could not be built" in environment.notes[0]
    assert "error: no such backend" in environment.notes[0]
    assert said(environment, "-c", "import tiny, shop; print(tiny.VERSION)") == "2.0"
