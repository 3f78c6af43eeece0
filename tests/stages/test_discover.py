"""Paths and files to projects."""

from pathlib import Path

import pytest

from tests.builders import write_files
from triage.errors import ConfigurationError, TriageError, UsageError
from triage.settings import Settings
from triage.stages.discover import discover, load_project, workspace_paths

TEST = {"tests/test_a.py": "def test_a(): pass\n"}


def project(root: Path, text: str | None = None, **files: str) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    return write_files(root, {**TEST, **({} if text is None else {"triage.yaml": text}), **files})


def test_a_folder_with_tests_needs_no_project_file(tmp_path: Path) -> None:
    found = load_project(project(tmp_path / "my shop", **{"requirements.txt": ""}))
    assert (found.name, found.explicit) == ("my-shop", False)
    assert found.test.arguments == ("tests",)
    assert found.environment.requirements == ("requirements.txt",)


def test_a_project_file_says_everything(tmp_path: Path) -> None:
    text = """\
name: shop
environment: {python: ">=3.11", requirements: [r.txt], extras: [.], pass_env: [HOME]}
test: {arguments: [a, -q], env: {A: 1, B: true, C: x}, timeout_s: 9}
source: [app]
targets: {pass_rate: 90, errors: 2, duration_s: 5, coverage: {path: app, percent: 80}}
must_haves:
  truths:
    - {claim: c, forbid: {pattern: p, in: tests, except: q}}
  artifacts: [{path: a, provides: b, min_lines: 3}]
  key_links: [{from: a, to: b, via: c, pattern: d}]
playbooks: [books]
"""
    found = load_project(project(tmp_path, text))
    assert (found.name, found.explicit, found.source, found.playbooks) == ("shop", True, ("app",), ("books",))
    assert found.test.env == {"A": "1", "B": "true", "C": "x"}
    assert (found.test.arguments, found.test.timeout_s) == (("a", "-q"), 9.0)
    assert (found.environment.requirements, found.environment.pass_env) == (("r.txt",), ("HOME",))
    assert found.targets.coverage
    assert (found.targets.pass_rate, found.targets.errors, found.targets.coverage.percent) == (90, 2, 80)
    truth = found.must_haves.truths[0]
    assert (truth.forbids, truth.pattern, truth.within, truth.excepting) == (True, "p", "tests", "q")
    assert found.must_haves.artifacts[0].min_lines == 3
    assert found.must_haves.key_links[0].target == "b"


def test_what_a_project_file_leaves_out_comes_from_the_layout(tmp_path: Path) -> None:
    found = load_project(project(tmp_path / "shop", "name: x\n", **{"requirements.txt": ""}))
    assert found.environment.requirements == ("requirements.txt",)
    assert found.test.arguments == ("tests",)


def test_stated_requirements_replace_an_environment_that_lies_there(tmp_path: Path) -> None:
    text = "environment: {requirements: [r.txt]}\n"
    found = load_project(project(tmp_path, text, **{".venv/bin/python": ""}))
    assert (found.environment.use, found.environment.requirements) == (None, ("r.txt",))


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("nmae: x\n", "triage.yaml:1:1", "did you mean 'name'"),
        ("test: {timeout_s: soon}\n", "triage.yaml:1", "is not of type number"),
        ("name: [\n", "triage.yaml:2:1", "not valid YAML"),
        ("- a\n", "triage.yaml:1:1", "is not of type object"),
        ("name: a\nname: b\n", "triage.yaml:2:1", "a second time"),
        ("name: ../../x\n", "triage.yaml:1", "does not match"),
    ],
)
def test_a_broken_project_file_says_where_and_what(tmp_path: Path, text: str, where: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_project(project(tmp_path, text))
    assert where in (caught.value.where or "")
    assert words in str(caught.value)


@pytest.mark.parametrize("name", ["nowhere", "a\0b", "file", "loop"])
def test_no_folder_is_no_project(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(UsageError, match="no such project folder"):
        load_project(tmp_path / name)


def test_a_folder_without_tests_says_what_would_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load_project(tmp_path)
    assert "neither a project file nor tests" in caught.value.what
    assert "triage init" not in str(caught.value)  # which refuses such a folder too
    assert "docs/reference/project-file.md" in (caught.value.hint or "")
    (tmp_path / "tests").mkdir()
    with pytest.raises(UsageError, match=r"its folder tests/ holds no file named test_"):
        load_project(tmp_path)


def test_one_bad_path_does_not_hide_the_others(tmp_path: Path) -> None:
    project(tmp_path / "a")
    project(tmp_path / "b", "nonsense: 1\n")
    found = discover(["a", "nowhere", "b", "a", "./a"], tmp_path)
    assert [one.name for one in found.projects] == ["a"]
    assert [(path, type(error)) for path, error in found.errors] == [
        ("nowhere", UsageError),
        ("b", ConfigurationError),
    ]


def test_two_projects_of_one_name_are_refused_as_a_whole(tmp_path: Path) -> None:
    project(tmp_path / "x" / "shop")
    project(tmp_path / "y" / "shop")
    with pytest.raises(ConfigurationError, match="already belongs to"):
        discover(["x/shop", "y/shop"], tmp_path)


def paths(workspace: Path, *entries: str) -> list[str]:
    found = workspace_paths(Settings(workspace, projects=entries))
    return [str(Path(path).relative_to(workspace)) for path in found]


def test_globs_of_a_workspace_give_its_folders_in_order(tmp_path: Path) -> None:
    for name in ("p/b", "p/a", "p/.hidden", "p/__pycache__", "q"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "p" / "file").write_text("")
    assert paths(tmp_path, "q", "p/*", "p/a") == ["q", "p/a", "p/b"]


def test_absolute_paths_and_globs_are_allowed(tmp_path: Path) -> None:
    (tmp_path / "p" / "a").mkdir(parents=True)
    assert paths(tmp_path, str(tmp_path / "p" / "a"), f"{tmp_path}/p/*") == ["p/a"]


def test_signs_of_a_glob_in_the_workspaces_own_path_mean_nothing(tmp_path: Path) -> None:
    workspace = tmp_path / "w[x]*"
    (workspace / "p" / "a").mkdir(parents=True)
    assert paths(workspace, "p/*") == ["p/a"]


def test_an_entry_that_is_not_there_is_named_and_not_lost(tmp_path: Path) -> None:
    assert paths(tmp_path, "nowhere", "none/*") == ["nowhere", "none/*"]


@pytest.mark.parametrize(
    ("entries", "words"), [((), "names no project"), (("a**b",), "not a usable pattern")]
)
def test_a_workspace_that_names_nothing_usable_says_so(
    tmp_path: Path, entries: tuple[str, ...], words: str
) -> None:
    with pytest.raises(TriageError, match=words):
        paths(tmp_path, *entries)
