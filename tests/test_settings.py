"""Settings: workspace file < environment < command line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.errors import ConfigurationError, UsageError
from triage.settings import Notification, Settings, find_workspace, is_workspace_file, load_settings
from triage.yamlfile import parse_yaml

FLEET = """\
projects: [apps/*]
database_url: sqlite:///history.db
playbooks: [own]
jobs: 3
offline: true
wheels: wheelhouse
fail_on: any
notify:
  - {command: [mail, ops], when: always}
"""


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    (tmp_path / "triage.yaml").write_text(FLEET, "utf-8")
    return tmp_path.resolve()


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert load_settings(tmp_path, {}) == Settings(tmp_path.resolve())


def test_the_workspace_file_is_read_with_paths_below_it(fleet: Path) -> None:
    assert load_settings(fleet, {}) == Settings(
        workspace=fleet,
        projects=("apps/*",),
        database_url="sqlite:///history.db",
        playbooks=(fleet / "own",),
        jobs=3,
        offline=True,
        wheels=fleet / "wheelhouse",
        fail_on="any",
        notify=(Notification(("mail", "ops"), "always"),),
    )


def test_the_environment_wins_over_the_file(fleet: Path) -> None:
    environ = {
        "TRIAGE_DATABASE_URL": "postgresql://db/triage",
        "TRIAGE_PLAYBOOKS": "/one:/two:",
        "TRIAGE_WHEELS": "/wheels",
        "TRIAGE_OFFLINE": "0",
        "TRIAGE_JOBS": "2",
        "TRIAGE_FAIL_ON": "never",
    }
    found = load_settings(fleet, environ)
    assert found.database_url == "postgresql://db/triage"
    assert found.playbooks == (Path("/one"), Path("/two"))
    assert (found.wheels, found.offline, found.jobs, found.fail_on) == (Path("/wheels"), False, 2, "never")
    assert found.projects == ("apps/*",)


def test_the_command_line_wins_over_the_environment(fleet: Path) -> None:
    found = load_settings(
        fleet, {"TRIAGE_JOBS": "2", "TRIAGE_FAIL_ON": "never"}, {"jobs": 7, "fail_on": None}
    )
    assert (found.jobs, found.fail_on) == (7, "never")


@pytest.mark.parametrize("value", ["1", "true", "YES", "on"])
def test_yes_has_several_spellings(tmp_path: Path, value: str) -> None:
    assert load_settings(tmp_path, {"TRIAGE_OFFLINE": value}).offline


@pytest.mark.parametrize("value", ["0", "false", "No", "off", ""])
def test_no_has_several_spellings(fleet: Path, value: str) -> None:
    assert not load_settings(fleet, {"TRIAGE_OFFLINE": value}).offline


def test_empty_variables_are_as_good_as_none(fleet: Path) -> None:
    empty = dict.fromkeys(
        ("TRIAGE_DATABASE_URL", "TRIAGE_PLAYBOOKS", "TRIAGE_WHEELS", "TRIAGE_JOBS", "TRIAGE_FAIL_ON"), ""
    )
    assert load_settings(fleet, empty) == load_settings(fleet, {})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRIAGE_OFFLINE", "maybe"),
        ("TRIAGE_JOBS", "0"),
        ("TRIAGE_JOBS", "-1"),
        ("TRIAGE_JOBS", "two"),
        ("TRIAGE_JOBS", "²"),
        ("TRIAGE_JOBS", "9" * 5000),
        ("TRIAGE_FAIL_ON", "sometimes"),
    ],
)
def test_a_bad_variable_is_named_with_what_is_allowed(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load_settings(tmp_path, {name: value})
    assert refused.value.where == name
    assert refused.value.allowed


def test_a_bad_file_is_refused_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "triage.yaml").write_text("projects: [a]\njob: 2\n", "utf-8")
    with pytest.raises(ConfigurationError, match=r"unknown key 'job'; did you mean 'jobs'\?") as refused:
        load_settings(tmp_path, {})
    assert refused.value.where == f"{tmp_path.resolve()}/triage.yaml:2:1"


def test_a_workspace_that_is_no_folder_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such workspace folder"):
        load_settings(tmp_path / "missing", {})


def test_a_file_with_playbooks_only_serves_a_workspace_and_a_project(tmp_path: Path) -> None:
    (tmp_path / "triage.yaml").write_text("playbooks: [own]\n", "utf-8")
    assert load_settings(tmp_path, {}).playbooks == (tmp_path.resolve() / "own",)
    (tmp_path / "triage.yaml").write_text("name: shop\nplaybooks: [own]\n", "utf-8")
    assert load_settings(tmp_path, {}).playbooks == ()


def test_a_project_file_is_not_read_as_that_of_a_workspace(tmp_path: Path) -> None:
    (tmp_path / "triage.yaml").write_text("name: shop\ntest: {timeout_s: 5}\n", "utf-8")
    assert load_settings(tmp_path, {}) == Settings(tmp_path.resolve())
    assert not is_workspace_file(parse_yaml("name: shop\n", "triage.yaml"))
    assert not is_workspace_file(parse_yaml("- projects\n", "triage.yaml"))


def test_the_nearest_workspace_upwards_is_found(fleet: Path) -> None:
    project = fleet / "apps" / "shop"
    (project / "tests").mkdir(parents=True)
    (project / "triage.yaml").write_text("name: shop\n", "utf-8")
    assert find_workspace(project / "tests") == fleet


def test_without_a_workspace_the_nearest_project_is_one(tmp_path: Path) -> None:
    project = tmp_path / "shop"
    (project / "tests").mkdir(parents=True)
    (project / "triage.yaml").write_text("name: shop\n", "utf-8")
    assert find_workspace(project / "tests") == project


def test_without_any_file_the_start_is_the_workspace(tmp_path: Path) -> None:
    assert find_workspace(tmp_path) == tmp_path


@given(
    st.dictionaries(
        st.sampled_from(
            ["TRIAGE_OFFLINE", "TRIAGE_JOBS", "TRIAGE_FAIL_ON", "TRIAGE_PLAYBOOKS", "TRIAGE_WHEELS"]
        ),
        st.text(max_size=20),
    )
)
def test_any_environment_is_taken_or_refused_by_name(
    tmp_path_factory: pytest.TempPathFactory, environ: dict[str, str]
) -> None:
    place: str | None = None
    try:
        found = load_settings(tmp_path_factory.getbasetemp(), environ)
    except ConfigurationError as error:
        place = error.where
    assert place in environ if place else found.jobs >= 1
