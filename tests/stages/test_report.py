"""The report as a value and as files."""

import json
from pathlib import Path

import pytest

from tests.builders import cluster, diagnosis, failure, finding, playbook, report, write_files
from triage.errors import TriageError
from triage.model.playbook import Diagnose
from triage.model.report import LatentDefect
from triage.model.terms import Severity
from triage.schema import first_problem
from triage.stages.plan import Launcher, make_plan
from triage.stages.report import MAX_EXCERPT_LINE, excerpt, latent_of, patterns_of, write_report

BOOKS = {
    "mild": playbook("mild", severity=Severity.LOW),
    "grave": playbook("grave", severity=Severity.CRITICAL),
    "wide": playbook("wide", diagnose=Diagnose(rules=("a-rule", "b-rule"), latent=True)),
    "shut": playbook("shut", diagnose=Diagnose(rules=("c-rule",))),
    "late": playbook("late", diagnose=Diagnose(rules=("a-rule",), latent=True)),
}


def test_patterns_are_sorted_by_severity_then_by_tests() -> None:
    failures = [failure("a", "mild"), failure("b", "mild"), failure("c", "grave"), failure("d", None)]
    failures += [failure("e", "late"), failure("f", "wide"), failure("g", "wide")]
    found = [(one.playbook, one.tests) for one in patterns_of(failures, BOOKS)]
    assert found == [("grave", ("c",)), ("wide", ("f", "g")), ("late", ("e",)), ("mild", ("a", "b"))]


def test_latent_are_findings_of_defects_that_no_diagnosis_names() -> None:
    findings = [finding("a-rule", line=9), finding("b-rule"), finding("c-rule", line=5), finding("x", line=7)]
    assert [(one.playbook, one.finding.line) for one in latent_of(findings, BOOKS, [diagnosis()])] == [
        ("wide", 9)
    ]


def test_a_finding_that_two_playbooks_know_is_one_defect_of_the_first() -> None:
    found = latent_of([finding("a-rule")], BOOKS, [])
    assert [one.playbook for one in found] == ["wide"]


def test_the_files_of_a_run_fit_their_schemas(tmp_path: Path) -> None:
    failures = (failure("tests/test_a.py::a", "mild"), failure("tests/test_a.py::b", None))
    causes = (
        diagnosis("D1", "mild", "tests/test_a.py::a"),
        diagnosis("D2", None, "tests/test_a.py::b", cluster="v1:0000000000000001"),
    )
    latent = (LatentDefect("wide", finding("a-rule")),)
    clusters = (cluster("tests/test_a.py::b"),)
    plan = make_plan(causes, latent, clusters, BOOKS, Launcher(("python", "-m", "pytest"), ()))
    whole = report(
        *failures, diagnoses=causes, latent=latent, clusters=clusters, plan=plan, root=str(tmp_path)
    )
    document = write_report(whole, tmp_path)
    assert json.loads((tmp_path / "summary.json").read_text("utf-8")) == document
    assert first_problem(document, "summary") is None
    assert first_problem(json.loads((tmp_path / "plan.json").read_text("utf-8")), "plan") is None
    assert "## Phase 3" in (tmp_path / "plan.md").read_text("utf-8")
    assert {one["diagnosis"] for one in document["failures"]} == {"D1", "D2"}


def test_a_summary_that_breaks_its_schema_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(TriageError, match="does not fit its schema"):
        write_report(report(name=""), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_file_names_that_are_no_text_do_not_stop_the_report(tmp_path: Path) -> None:
    odd = diagnosis("D1", "mild", "a", file="app/\udcff.py")
    write_report(report(failure("a", "mild"), diagnoses=(odd,), root=str(tmp_path / "\udcff")), tmp_path)
    document = json.loads((tmp_path / "summary.json").read_text("utf-8"))
    assert document["diagnoses"][0]["cause"]["file"] == "app/\udcff.py"
    assert "app/#xDCFF.py" in (tmp_path / "plan.md").read_text("utf-8")


def test_an_excerpt_marks_its_line(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.py": "\n".join(f"line {n}" for n in range(1, 11))})
    assert excerpt(tmp_path, "a.py", 2) == (
        "     1  line 1\n>    2  line 2\n     3  line 3\n     4  line 4\n     5  line 5"
    )


def test_lines_are_counted_as_python_counts_them(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes("a = '\u2028'\n\x0cdef b():\r\n    c = 1\rd = 2\n".encode())
    shown = excerpt(tmp_path, "a.py", 4)
    assert shown
    assert "> " + "   4  d = 2" in shown


def test_an_excerpt_holds_nothing_that_acts_on_a_terminal_and_no_endless_line(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.py": "x = '\x1b]0;owned\x07\u202e'\n" + "y" * 10_000})
    shown = excerpt(tmp_path, "a.py", 1) or ""
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert max(map(len, shown.splitlines())) <= MAX_EXCERPT_LINE + 10


@pytest.mark.parametrize("file", ["../secret.py", "/etc/passwd", "nowhere.py", "", "a\0b", "loop", "link.py"])
def test_nothing_outside_of_the_project_is_shown(tmp_path: Path, file: str) -> None:
    root = write_files(tmp_path / "p", {"a.py": "a\n"})
    (tmp_path / "secret.py").write_text("secret\n")
    (root / "loop").symlink_to(root / "loop")
    (root / "link.py").symlink_to(tmp_path / "secret.py")
    assert excerpt(root, file, 1) is None


@pytest.mark.parametrize("line", [0, -1, 2, 10**9])
def test_a_line_that_is_not_there_gives_no_excerpt(tmp_path: Path, line: int) -> None:
    assert excerpt(write_files(tmp_path, {"a.py": "a\n"}), "a.py", line) is None
