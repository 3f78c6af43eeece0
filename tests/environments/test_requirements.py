import dataclasses
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.environments.content_key import environment_key
from triage.environments.installers import decisive_lines, masked
from triage.environments.interpreters import Interpreter, choose
from triage.environments.options import options_from
from triage.environments.requirements import LocalProject, read_requirements, without_local_projects
from triage.environments.versions import parse_range
from triage.errors import ProvisionError

PYTHON = Interpreter(Path("/usr/bin/python3"), (3, 12, 1), "cpython-312", "linux-x86_64", "/usr")


def key(root: Path, *, python: Interpreter = PYTHON, extras: tuple[str, ...] = ()) -> str:
    return environment_key(python, read_requirements(root, ("requirements.txt",), extras))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "requirements.txt").write_text("flask==3.1  # web\n-r base.txt\nsqlalchemy\n")
    (tmp_path / "base.txt").write_text("click\n-c limits.txt\n-r requirements.txt\n")
    (tmp_path / "limits.txt").write_text("click<9\n")
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'shop'\n")
    return tmp_path


def test_order_and_comments_do_not_change_the_key(root: Path) -> None:
    before = key(root)
    (root / "requirements.txt").write_text("# changed\nsqlalchemy\n\n-r base.txt\nflask==3.1\n")
    assert key(root) == before


@pytest.mark.parametrize("name", ["requirements.txt", "base.txt", "limits.txt"])
def test_a_line_in_any_file_changes_the_key(root: Path, name: str) -> None:
    before = key(root)
    (root / name).write_text((root / name).read_text() + "rich\n")
    assert key(root) != before


@pytest.mark.parametrize(
    "change", [{"version": (3, 12, 2)}, {"cache_tag": "pypy39"}, {"platform": "mac"}, {"base_prefix": "/x"}]
)
def test_another_interpreter_changes_the_key(root: Path, change: dict[str, object]) -> None:
    other = dataclasses.replace(PYTHON, **change)  # type: ignore[arg-type] # fields by name
    assert key(root, python=other) != key(root)


def test_the_projects_build_files_count_only_where_the_project_is_installed(root: Path) -> None:
    before = key(root), key(root, extras=(".",))
    assert before[0] != before[1]
    (root / "pyproject.toml").write_text("[project]\nname = 'shop'\ndependencies = ['rich']\n")
    assert key(root) == before[0]
    assert key(root, extras=(".",)) != before[1]


@pytest.mark.parametrize(
    ("line", "extras"),
    [(".", ""), ("./", ""), (".[test,dev]", "test,dev"), ("-e .", ""), ("--editable=.[test]", "test")],
)
def test_lines_that_name_a_local_project_are_seen(root: Path, line: str, extras: str) -> None:
    (root / "requirements.txt").write_text(f"{line}\nflask\n-r base.txt\n")
    (root / "base.txt").write_text("click\n-c limits.txt\n")
    found = read_requirements(root, ("requirements.txt",), ())
    assert found.local == (LocalProject(root.resolve(), extras),)
    flat = list(
        without_local_projects(root / "requirements.txt", dict(found.files)[root / "requirements.txt"])
    )
    assert flat == ["flask", "click", f"-c {root / 'limits.txt'}"]


@pytest.mark.parametrize(
    "line",
    [
        "flask",
        "flask[async]>=3; python_version < '3.13'",
        "shop @ https://example.org/shop.zip",
        "git+https://example.org/shop.git@main#egg=shop",
        "-e git+https://example.org/shop.git#egg=shop",
        "--index-url https://user:secret@example.org/simple",
        "./limits.txt",
    ],
)
def test_other_lines_are_not(root: Path, line: str) -> None:
    (root / "requirements.txt").write_text(f"{line}\n")
    assert read_requirements(root, ("requirements.txt",), ()).local == ()


@given(st.text(max_size=40))
def test_any_line_is_read(tmp_path_factory: pytest.TempPathFactory, line: str) -> None:
    root = tmp_path_factory.getbasetemp()
    (root / "any.txt").write_text(line, encoding="utf-8", errors="replace")
    try:
        read_requirements(root, ("any.txt",), ())
    except ProvisionError as error:
        assert error.where  # noqa: PT017 - most lines raise nothing


@pytest.mark.parametrize("name", ["x" * 5000, "/" + "y/" * 3000])
def test_names_that_no_file_can_have_are_missing_files(root: Path, name: str) -> None:
    (root / "requirements.txt").write_text(f"-r {name}\n")
    with pytest.raises(ProvisionError, match="does not exist"):
        read_requirements(root, ("requirements.txt",), ())


def test_a_missing_file_is_named_with_those_that_exist(root: Path) -> None:
    with pytest.raises(ProvisionError, match="does not exist") as caught:
        read_requirements(root, ("requirments.txt",), ())
    assert caught.value.where == str(root / "requirments.txt")
    assert caught.value.allowed == "there are requirements.txt"


def test_a_folder_that_cannot_be_built_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ProvisionError, match="nothing says how to build it"):
        read_requirements(tmp_path, (), (".",))


@pytest.mark.parametrize(
    ("text", "version", "holds"),
    [
        (">=3.11", (3, 11, 0), True),
        (">=3.11", (3, 10, 9), False),
        (">=3.11,<3.13", (3, 12, 5), True),
        (">=3.11,<3.13", (3, 13, 0), False),
        ("3.12", (3, 12, 5), True),
        ("==3.12.*", (3, 12, 5), True),
        ("==3.12", (3, 12, 5), False),
        ("~=3.11.2", (3, 11, 5), True),
        ("~=3.11.2", (3, 12, 0), False),
        ("!=3.12.*", (3, 12, 1), False),
        (">3.11", (3, 11, 1), True),
        ("<=3.12", (3, 12, 0), True),
        ("", (3, 8, 0), True),
    ],
)
def test_ranges_of_versions(text: str, version: tuple[int, ...], holds: bool) -> None:
    assert parse_range(text).holds(version) is holds


@given(st.tuples(st.integers(3, 4), st.integers(0, 30), st.integers(0, 30)), st.integers(0, 30))
def test_a_range_and_its_opposite_exclude_each_other(version: tuple[int, ...], minor: int) -> None:
    assert parse_range(f">=3.{minor}").holds(version) is not parse_range(f"<3.{minor}").holds(version)


def test_the_running_interpreter_is_preferred(tmp_path: Path) -> None:
    assert choose(None, tmp_path).version == sys.version_info[:3]
    assert choose(">=3.8", tmp_path).base_prefix == sys.base_prefix


def test_an_interpreter_can_be_named_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "py").symlink_to(sys.executable)
    assert choose("./py", tmp_path).version == sys.version_info[:3]


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (">=99", r"no Python >=99 here; found 3\."),
        ("newest", "no range of Python versions"),
        ("./nowhere", "nowhere does not exist"),
        ("/bin/false", "/bin/false does not start"),
    ],
)
def test_an_interpreter_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str, says: str
) -> None:
    (tmp_path / "python3.1").symlink_to(sys.executable)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PYENV_ROOT", raising=False)
    with pytest.raises(ProvisionError, match=says) as caught:
        choose(wanted, tmp_path)
    assert caught.value.allowed


def test_uv_is_taken_from_the_path_unless_a_variable_names_it_or_none(tmp_path: Path) -> None:
    (tmp_path / "uv").write_text("#!/bin/sh\n")
    (tmp_path / "uv").chmod(0o755)
    assert options_from({"PATH": str(tmp_path)}).uv == tmp_path / "uv"
    assert options_from({"PATH": str(tmp_path), "TRIAGE_UV": "/opt/uv"}).uv == Path("/opt/uv")
    assert options_from({"PATH": str(tmp_path), "TRIAGE_UV": ""}).uv is None


PIP = """Collecting flask==99
WARNING: something
ERROR: Could not find a version that satisfies the requirement flask==99 (from versions: 3.0)
ERROR: No matching distribution found for flask==99
"""
PIP_BUILD = """Collecting tiny
  \u00d7 Getting requirements to build editable did not run successfully.
  \u2570\u2500> [20 lines of output]
      Traceback (most recent call last):
      RuntimeError: no flask==99 for this backend
      [end of output]
  note: This error originates from a subprocess, and is likely not a problem with pip.
ERROR: Failed to build 'shop'
"""
UV_OLD = (
    "Using Python 3.12\n  \u00d7 No solution found:\n  \u2570\u2500\u25b6 Because there is no flask==99\n"
)
UV_NEW = "Using Python 3.12\nerror: No solution found\ncause: Because there is no flask==99\n"


@pytest.mark.parametrize("text", [PIP, PIP_BUILD, UV_OLD, UV_NEW])
def test_the_installers_decisive_lines(text: str) -> None:
    lines = decisive_lines(text)
    assert "flask==99" in lines
    assert "Collecting" not in lines
    assert "Using" not in lines
    assert "WARNING" not in lines


def test_credentials_of_an_index_are_masked() -> None:
    text = "Looking in https://ann:s3cret@example.org/simple and \x1b[31mhttps://token@example.org"
    assert masked(text) == "Looking in https://****@example.org/simple and https://****@example.org"
