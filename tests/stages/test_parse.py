"""The parse stage over real runs of pytest, whole and dying."""

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from triage.model.case import TestCase
from triage.model.environment import Environment, EnvironmentKind
from triage.model.project import Project, Targets, TestSpec
from triage.model.run import Counts, RunArtifacts, TestRun
from triage.model.terms import Outcome, Phase, RunStatus
from triage.stages.parse import parse
from triage.stages.plan import gates_of
from triage.stages.run import run_tests
from triage.text import Masker

pytestmark = pytest.mark.children

PYTHON = Environment(Path(sys.executable), EnvironmentKind.EXISTING, "key", "3", "-")
PROJECT = {
    "shop.py": """class Broken(Exception):
    pass


def sell(x):
    raise Broken(f"no {x}") from KeyError
""",
    "tests/conftest.py": """import pytest


@pytest.fixture
def bad():
    raise RuntimeError("set-up broke")


@pytest.fixture
def late():
    yield
    raise RuntimeError("teardown broke")
""",
    "tests/test_a.py": """import warnings

import pytest

import shop


def test_pass():
    warnings.warn("old", DeprecationWarning)


def test_fail():
    shop.sell("token-s3cr3t")


def test_setup(bad):
    pass


def test_late(late):
    pass


def test_both(late):
    assert 1 == 2


@pytest.mark.xfail(reason="known")
def test_xfail():
    assert 0


@pytest.mark.xfail
def test_xpass():
    pass


@pytest.mark.xfail(strict=True, reason="strictly")
def test_strict():
    pass


@pytest.mark.skip(reason="no")
def test_skip():
    pass


class TestBox:
    @pytest.mark.parametrize("value", ["a::b", "c[d]"])
    def test_value(self, value):
        assert value == "a::b"


def test_sub(subtests):
    for number in range(3):
        with subtests.test(number=number):
            assert number == 0
""",
    "tests/test_skipped.py": "import pytest\n\npytest.skip('whole', allow_module_level=True)\n",
}


def write(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def artifacts_of(root: Path, out: Path, timeout_s: float = 60.0) -> RunArtifacts:
    project = Project("p", root, test=TestSpec(arguments=("tests",), timeout_s=timeout_s))
    return run_tests(project, PYTHON, out)


def by_name(run: TestRun) -> dict[str, TestCase]:
    return {case.name: case for case in run.cases}


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunArtifacts]:
    root = write(tmp_path_factory.mktemp("project"), PROJECT)
    return root, artifacts_of(root, tmp_path_factory.mktemp("out"))


@pytest.fixture(params=["both", "xml only", "events only"])
def source(request: pytest.FixtureRequest, real: tuple[Path, RunArtifacts]) -> tuple[str, Path, RunArtifacts]:
    root, artifacts = real
    if request.param == "xml only":
        artifacts = replace(artifacts, events=())
    if request.param == "events only":
        artifacts = replace(artifacts, junit=artifacts.directory / "missing.xml")
    return request.param, root, artifacts


def test_each_test_is_one_case_from_either_source(source: tuple[str, Path, RunArtifacts]) -> None:
    name, root, artifacts = source
    run = parse(artifacts, root, Masker())
    outcomes = {case.id: case.outcome.value for case in run.cases}
    expected = {
        "tests/test_a.py::test_pass": "passed",
        "tests/test_a.py::test_fail": "failed",
        "tests/test_a.py::test_setup": "error",
        "tests/test_a.py::test_late": "error",
        "tests/test_a.py::test_both": "failed",
        "tests/test_a.py::test_xfail": "xfailed",
        "tests/test_a.py::test_xpass": "passed" if name == "xml only" else "xpassed",
        "tests/test_a.py::test_strict": "failed",
        "tests/test_a.py::test_skip": "skipped",
        "tests/test_a.py::TestBox::test_value[a::b]": "passed",
        "tests/test_a.py::TestBox::test_value[c[d]]": "failed",
        "tests/test_a.py::test_sub": "failed",
        "tests/test_skipped.py": "skipped",
    }
    if name == "events only":
        del expected["tests/test_skipped.py"]
    assert outcomes == expected
    assert run.status is (RunStatus.CRASHED if name == "events only" else RunStatus.COMPLETED)


def test_either_source_tells_what_failed_where(source: tuple[str, Path, RunArtifacts]) -> None:
    name, root, artifacts = source
    cases = by_name(parse(artifacts, root, Masker(["s3cr3t"])))
    fail = cases["test_fail"]
    (problem,) = fail.problems
    head, cause = problem.chain[:2]
    assert (head.type, head.message) == ("shop.Broken", "no token-***")
    assert (cause.type, cause.via) == ("KeyError", "cause")
    assert [(frame.file, frame.function, frame.kind) for frame in head.frames] == [
        ("tests/test_a.py", "test_fail", "test"),
        ("shop.py", "sell", "project"),
    ]
    assert "s3cr3t" not in repr(cases)
    assert (fail.file, fail.line, fail.function) == ("tests/test_a.py", 12, "test_fail")
    assert [problem.phase for problem in cases["test_setup"].problems] == [Phase.SETUP]
    assert [problem.phase for problem in cases["test_both"].problems] == [Phase.CALL, Phase.TEARDOWN]
    assert cases["test_both"].problems[0].chain[0].type == "AssertionError"
    if name != "xml only":
        assert head.bases[:2] == ("Exception", "BaseException")
        assert cases["test_setup"].problems[0].in_fixture == ("bad",)
        (site,) = (one for one in cases["test_setup"].problems[0].fixtures if one.name == "bad")
        assert (site.file, site.scope, site.is_own) == ("tests/conftest.py", "function", True)
    if name != "events only":
        assert "E   shop.Broken: no token-***" in problem.text


def test_the_facts_come_with_warnings_and_packages(real: tuple[Path, RunArtifacts]) -> None:
    run = parse(real[1], real[0], Masker())
    (warning,) = run.warnings
    assert (warning.category, warning.message, warning.nodeid) == (
        "DeprecationWarning",
        "old",
        "tests/test_a.py::test_pass",
    )
    assert run.packages["pytest"]
    assert run.counts == Counts(13, 2, 5, 3, 2, 1, 1, 1)
    assert run.counts.failing == 7
    assert ", 3 errors in" in real[1].output.read_text()
    (gate,) = (one for one in gates_of(run, Targets()) if one.name == "errors")
    assert gate.baseline == 3
    assert run.notes == (
        "1 test also failed at teardown: tests/test_a.py::test_both: RuntimeError: teardown broke",
    )


DYING = "def test_first():\n    pass\n\n\ndef test_dies():\n    {}\n\n\ndef test_never():\n    pass\n"


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ("import os; os._exit(0)", RunStatus.CRASHED, "ended (exit status 0) while this test ran"),
        ("import ctypes; ctypes.string_at(0)", RunStatus.CRASHED, "signal 11, SIGSEGV, Segmentation fault"),
        ("import time; time.sleep(60)", RunStatus.TIMED_OUT, "timed out after"),
        ("import pytest; pytest.exit('enough', returncode=7)", RunStatus.INTERRUPTED, "was interrupted"),
    ],
)
def test_the_test_that_ended_the_run_is_a_failure_and_nothing_is_lost(
    tmp_path: Path, body: str, status: RunStatus, said: str
) -> None:
    root = write(tmp_path / "p", {"tests/test_a.py": DYING.format(body)})
    limit_s = 8.0 if status is RunStatus.TIMED_OUT else 60.0  # on a busy machine the start alone takes two
    run = parse(artifacts_of(root, tmp_path / "out", timeout_s=limit_s), root, Masker())
    first, dies = run.cases
    assert run.status is status
    assert (first.name, first.outcome) == ("test_first", Outcome.PASSED)
    assert (dies.name, dies.outcome, dies.problems[0].phase) == ("test_dies", Outcome.ERROR, Phase.CALL)
    assert said in dies.problems[0].chain[0].message
    assert dies.problems[0].chain[0].type == ""
    assert run.unfinished == ("tests/test_a.py::test_dies", "tests/test_a.py::test_never")
    assert (dies.file, dies.line) == ("tests/test_a.py", 5)
    assert run.notes[-1] == "1 collected test was not run: tests/test_a.py::test_never"
    if "signal" in said or "timed" in said:
        assert ("tests/test_a.py", 6, "test_dies") in {
            (frame.file, frame.line, frame.function) for frame in dies.problems[0].chain[0].frames
        }


def test_a_test_that_ran_when_triage_was_interrupted_did_not_fail(tmp_path: Path) -> None:
    body = "import signal; signal.raise_signal(signal.SIGINT)"
    root = write(tmp_path / "p", {"tests/test_a.py": DYING.format(body)})
    own = artifacts_of(root, tmp_path / "out")
    assert [case.name for case in parse(own, root, Masker()).cases] == ["test_first", "test_dies"]
    run = parse(replace(own, by_triage=True), root, Masker())
    assert [case.name for case in run.cases] == ["test_first"]
    assert run.unfinished == ("tests/test_a.py::test_dies", "tests/test_a.py::test_never")


def test_modules_and_conftests_that_do_not_import_are_cases(tmp_path: Path) -> None:
    files = {"tests/test_a.py": "def test_a():\n    pass\n", "tests/test_b.py": "import nosuchmodule\n"}
    root = write(tmp_path / "p", files)
    run = parse(artifacts_of(root, tmp_path / "out"), root, Masker())
    case = by_name(run)["tests.test_b"]
    assert (case.nodeid, case.outcome, case.problems[0].phase) == (
        "tests/test_b.py",
        Outcome.ERROR,
        Phase.COLLECT,
    )
    assert case.problems[0].chain[0].type == "ModuleNotFoundError"
    assert (case.file, case.line, run.counts.errors) == ("tests/test_b.py", 1, 1)
    write(root, {"tests/conftest.py": "import helper\n", "helper.py": "1 / 0\n"})
    run = parse(artifacts_of(root, tmp_path / "out"), root, Masker())
    (case,) = run.cases
    assert (case.nodeid, case.file, case.line) == ("tests/conftest.py", "helper.py", 1)
    assert case.problems[0].chain[0].type == "ZeroDivisionError"
    assert run.status is RunStatus.NOT_STARTED
