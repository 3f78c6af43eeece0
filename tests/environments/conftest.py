"""A folder of real wheels, packed anew from what these tests run with, so that no index is needed."""

import importlib.metadata
import zipfile
from pathlib import Path

import pytest

PACKED = ("pytest", "pluggy", "iniconfig", "packaging", "pygments")
NOT_IN_WHEELS = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}


def pack(folder: Path, name: str) -> None:
    distribution = importlib.metadata.distribution(name)
    files = [f for f in distribution.files or () if ".." not in f.parts and f.suffix != ".pyc"]
    info = next(f.parent for f in files if f.name == "METADATA")
    kept = [f for f in files if not (f.parent == info and f.name in NOT_IN_WHEELS)]
    with zipfile.ZipFile(folder / f"{info.stem}-py3-none-any.whl", "w") as wheel:
        for file in kept:
            wheel.write(str(file.locate()), str(file))
        wheel.writestr(f"{info}/RECORD", "".join(f"{f},,\n" for f in (*kept, info / "RECORD")))


def make(folder: Path, name: str, version: str) -> None:
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    tags = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    names = (f"{name}.py", f"{info}/METADATA", f"{info}/WHEEL", f"{info}/RECORD")
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(names[0], f"VERSION = {version!r}\n")
        wheel.writestr(names[1], metadata)
        wheel.writestr(names[2], tags)
        wheel.writestr(names[3], "".join(f"{n},,\n" for n in names))


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    for name in PACKED:
        pack(folder, name)
    for version in ("1.0", "2.0"):
        make(folder, "tiny", version)
    return folder
