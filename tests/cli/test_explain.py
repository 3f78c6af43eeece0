"""`triage playbooks explain`."""

from pathlib import Path

import pytest

from tests.builders import write_files
from tests.cli.conftest import Triage, project

pytestmark = pytest.mark.children

TEXT = """\
def test_good(): pass

def test_bad():
    raise LookupError('##[error] \\x1b[2J')

def test_worse():
    assert [] == [1]
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("explained")


@pytest.fixture
def fleet(ran: Path, triage: Triage) -> Path:
    """Two projects with one test of the same id that fails in both; run once."""
    if not (ran / "triage.yaml").exists():
        project(ran / "shop", TEXT)
        project(ran / "blog", "def test_bad():\n    raise OverflowError\n")
        write_files(ran, {"triage.yaml": "projects: [shop, blog]\njobs: 2\nprobe: false\n"})
        assert triage("run", "--all", cwd=ran).status == 1
    return ran


def explain(triage: Triage, fleet: Path, *arguments: str) -> tuple[int, str, str]:
    answer = triage("playbooks", "explain", *arguments, cwd=fleet)
    return answer.status, answer.out, answer.err


def test_a_failure_is_explained_for_a_person(fleet: Path, triage: Triage) -> None:
    status, out, err = explain(triage, fleet, "test_wors")
    assert (status, err) == (0, "")
    assert out.startswith("test_a.py::test_worse\n  failed at call in the newest run of shop, ")
    assert "\nplaybook: plain-assertion (" in out
    assert "\ncause D" in out


def test_json_is_one_document_with_a_version(fleet: Path, triage: Triage) -> None:
    arguments = ("test_a.py::test_bad", "--project", "shop", "--playbook", "plain-assertion", "--json")
    answer = triage("playbooks", "explain", *arguments, cwd=fleet)
    assert (answer.status, answer.err) == (0, "")
    assert answer.json["schema_version"]
    assert (answer.json["project"]["name"], answer.json["nodeid"]) == ("shop", "test_a.py::test_bad")
    assert answer.json["asked"]["verdict"] == "does not match"
    assert "##[" not in answer.out


def test_a_playbook_is_told_clause_by_clause(fleet: Path, triage: Triage) -> None:
    status, out, _ = explain(triage, fleet, "test_worse", "--playbook", "not-null")
    assert status == 0
    assert "does not match" in out
    assert "missed: exception" in out
    assert "wanted IntegrityError" in out


def test_a_project_is_given_by_its_folder_too(fleet: Path, triage: Triage) -> None:
    status, out, _ = explain(triage, fleet, "test_bad", "--project", "./blog")
    assert (status, "newest run of blog" in out) == (0, True)


def test_what_a_test_said_acts_on_no_terminal(fleet: Path, triage: Triage) -> None:
    _, out, _ = explain(triage, fleet, "test_bad", "--project", "shop")
    assert "LookupError" in out
    assert "\x1b" not in out
    assert "##[" not in out


def test_a_passing_test_is_no_error(fleet: Path, triage: Triage) -> None:
    status, out, err = explain(triage, fleet, "test_good")
    assert (status, err) == (0, "")
    assert "it passed in the newest run of shop" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("test_bad",), "next:    add --project blog"),
        (("test_wrose",), "next:    triage playbooks explain test_a.py::test_worse"),
        (("test_worse", "--playbook", "not-nul"), "next:    --playbook not-null"),
        (("test_worse", "--project", "nowhere"), "the history has no run of this project"),
        ((), "NODEID"),
    ],
)
def test_wrong_usage_is_status_two_and_says_what(
    fleet: Path, triage: Triage, arguments: tuple[str, ...], words: str
) -> None:
    status, out, err = explain(triage, fleet, *arguments)
    assert (status, out) == (2, "")
    assert words in err


def test_a_workspace_without_a_run_says_what_to_do(tmp_path: Path, triage: Triage) -> None:
    status, out, err = explain(triage, tmp_path, "test_a")
    assert (status, out) == (2, "")
    assert "next:    triage run PROJECT" in err
