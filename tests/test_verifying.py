"""A project is run and everything it promises is looked at; a proof is replayed by real runs."""

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.builders import write_files
from tests.proofs.bundles import RIGHT, SECRET, TEST, WRONG, cured, given, shop
from triage.errors import ConfigurationError, ProvisionError, RunError, UsageError
from triage.gates.check import Check
from triage.model.project import Project
from triage.pipeline import run_project
from triage.probes.masking import mask_folder
from triage.proofs.given import ProofInput, ProofRun
from triage.proofs.write import write_proof
from triage.scratch import Scratch
from triage.settings import Settings
from triage.stages.discover import load_project
from triage.stages.provision import provision
from triage.stages.run import run_tests
from triage.text import Masker
from triage.tools import Tools
from triage.verifying import Verified, planned, replay, verify

pytestmark = pytest.mark.children

HEAD = f"environment: {{use: {sys.prefix}}}\ntest: {{env: {{PYTEST_DISABLE_PLUGIN_AUTOLOAD: '1'}}}}\n"
MUST = """\
must_haves:
  truths:
    - {claim: no print, forbid: {pattern: 'print\\(', in: shop.py}}
    - {claim: it imports, command: [python, -c, import shop]}
  artifacts:
    - {path: shop.py, provides: the shop, min_lines: 2}
"""


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tools]:
    with Tools(Settings(tmp_path_factory.mktemp("workspace"), probe=False), os.environ) as made:
        yield made


def made(root: Path, price: str, more: str = MUST) -> Project:
    files = {
        "shop.py": price,
        "test_shop.py": "import shop\n\n\ndef test_price():\n    assert shop.price() == 2\n",
    }
    return load_project(write_files(root, {"triage.yaml": f"name: {root.name}\n{HEAD}{more}", **files}))


def look(project: Project, tools: Tools) -> Verified:
    return verify(project, tools, lambda _: None)


def broken(found: Verified) -> list[tuple[str, str]]:
    return [(one.kind, one.detail) for one in found.checks if not one.holds]


def test_all_holds_where_it_does(tools: Tools, tmp_path: Path) -> None:
    found = look(made(tmp_path / "good", RIGHT), tools)
    assert found.holds
    assert [one.kind for one in found.checks] == ["target", "target", "truth", "truth", "artifact"]


def test_each_kind_of_breach_is_told_with_its_place(tools: Tools, tmp_path: Path) -> None:
    wrong = "def price(): return print(1)\nraise LookupError('no')\n"
    found = look(made(tmp_path / "bad", wrong, MUST.replace("2}", "3}")), tools)
    assert not found.holds
    kinds = [kind for kind, _ in broken(found)]
    assert kinds == ["target", "target", "truth", "truth", "artifact"]
    truth = next(one for one in found.checks if one.claim == "no print")
    assert (truth.file, truth.line, truth.count) == ("shop.py", 1, 1)
    command = next(one for one in found.checks if one.claim == "it imports")
    assert "LookupError: no" in command.detail


def test_the_phases_are_those_of_the_last_plan_that_had_work_to_do(tools: Tools, tmp_path: Path) -> None:
    project = made(tmp_path / "planned", WRONG)
    run_project(project, tools, lambda _: None)
    still = [one for one in look(project, tools).checks if one.kind == "phase"]
    assert [one.holds for one in still] == [False] * len(still)
    assert any(one.detail == "test_shop.py::test_price: failed" for one in still)
    write_files(project.root, {"shop.py": RIGHT})
    for _ in range(2):  # the second time the newest plan has nothing to do
        found = look(project, tools)
        phases = [one for one in found.checks if one.kind == "phase"]
        assert len(phases) == len(still) > 0
        assert found.holds
    write_files(project.root, {"test_shop.py": "def test_other(): pass\n"})
    assert ("phase", "test_shop.py::test_price: no longer run") in broken(look(project, tools))


@pytest.mark.parametrize("text", ["", "[" * 9999, "5", "null", '{"plan": {"phases": [1]}}'])
def test_what_is_no_summary_is_no_earlier_plan(tmp_path: Path, text: str) -> None:
    write_files(tmp_path, {"20260101T000000-a/summary.json": text, "20260101T000000-b/plan.md": ""})
    assert planned(tmp_path) is None


def test_a_must_have_of_no_valid_form_stops_it_before_anything_runs(tools: Tools, tmp_path: Path) -> None:
    project = made(tmp_path / "odd", RIGHT, MUST.replace(r"print\(", "(?=x)"))
    with pytest.raises(ConfigurationError, match="not valid"):
        look(project, tools)
    assert "odd" not in tools.store.projects()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("environment: {use: nowhere}\n", ProvisionError),
        (f"environment: {{use: {sys.prefix}}}\ntest: {{arguments: [--no-such-option]}}\n", RunError),
    ],
)
def test_a_project_that_cannot_be_run_is_an_error(
    tools: Tools, tmp_path: Path, text: str, error: type[Exception]
) -> None:
    root = write_files(tmp_path / "no-run", {"triage.yaml": text, "test_a.py": "def test_a(): pass\n"})
    with pytest.raises(error):
        look(load_project(root), tools)


def test_a_secret_that_a_command_prints_is_masked(tools: Tools, tmp_path: Path) -> None:
    more = (
        "must_haves: {truths: [{claim: c, command: [python, -c, \"raise SystemExit('hunter2hunter2')\"]}]}\n"
    )
    project = made(tmp_path / "secret", RIGHT, more)
    env = {**project.test.env, "API_TOKEN": "hunter2hunter2"}
    found = look(replace(project, test=replace(project.test, env=env)), tools)
    (check,) = [one for one in found.checks if one.kind == "truth"]
    assert "***" in check.detail
    assert "hunter2" not in check.detail


@pytest.fixture(scope="module")
def proof(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of two real runs in a scratch copy; the project is beside it."""
    folder = tmp_path_factory.mktemp("proven")
    shop(folder / "shop")
    return bundle_of(load_project(folder / "shop"), tools, folder)


def bundle_of(
    project: Project,
    tools: Tools,
    folder: Path,
    path: str = "shop.py",
    after: str = RIGHT,
    top: Path | None = None,
) -> Path:
    environment = provision(project, tools.folders, tools.options)
    masker = Masker.from_environment({**os.environ, **project.test.env})
    here = project.root / path
    before = here.read_bytes() if here.exists() else b""
    runs = []
    with Scratch(project, environment, folder / "scratch", top) as scratch:
        for name, changed in (("before", {}), ("after", {path: after.encode()})):
            scratch.lay(changed)
            artifacts = run_tests(scratch.project, environment, folder / name)
            runs.append(ProofRun(artifacts.junit, artifacts.command, scratch.root, folder / name))
    taken = ProofInput(
        project=project,
        commit=None,
        environment=environment,
        playbooks_fingerprint="pb",
        report=cured(project, **{path: (before, after.encode())}),
        before=runs[0],
        after=runs[1],
        environ=os.environ,
        masker=masker,
        mask=lambda place: mask_folder(place, masker),
        top=top,
    )
    return write_proof(folder / "proof", taken)


def told(checks: tuple[Check, ...]) -> list[tuple[str, bool]]:
    return [(one.kind, one.holds) for one in checks]


def test_a_proof_repeats_in_the_project_as_it_was_and_with_the_fixes_in_it(proof: Path, tools: Tools) -> None:
    root = proof.parent / "shop"
    said: list[str] = []
    kinds = ("bundle", "source", "environment", "before", "after")
    assert told(replay(proof, None, tools, said.append)) == [(kind, True) for kind in kinds]
    assert said == ["running the suite before the changes", "running the suite after the changes"]
    assert (root / "shop.py").read_text("utf-8") == WRONG
    project = load_project(root)
    write_files(root, {"shop.py": RIGHT})
    assert told(replay(proof, project, tools)) == [(kind, True) for kind in kinds]
    write_files(root, {"shop.py": WRONG})
    assert SECRET not in "".join(path.read_text("utf-8") for path in proof.rglob("*.*") if path.is_file())


def test_nothing_is_run_of_a_bundle_that_was_changed_or_of_another_source(proof: Path, tools: Tools) -> None:
    root = proof.parent / "shop"
    write_files(root, {"conftest.py": ""})
    (_, source) = replay(proof, None, tools)
    assert source.detail == "not the same source: conftest.py is new"
    (root / "conftest.py").unlink()
    report = proof / "after.xml"
    content = report.read_bytes()
    report.write_bytes(content.replace(b"test_price", b"test_prize"))
    (only,) = replay(proof, None, tools)
    assert (only.holds, only.detail) == (False, "after.xml was changed")
    report.write_bytes(content)


def test_a_test_that_does_something_else_is_named(tools: Tools, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    root = shop(tmp_path / "shop").root
    more = f"\n\ndef test_flag():\n    import os\n    assert not os.path.exists({str(flag)!r})\n"
    with (root / "test_shop.py").open("a") as file:
        file.write(more)
    proof = bundle_of(load_project(root), tools, tmp_path)
    flag.touch()
    *_, before, after = replay(proof, None, tools)
    for one in (before, after):
        assert (one.holds, one.count) == (False, 1)
        assert one.detail == "test_shop.py::test_flag: recorded passed, now failed"
    assert TEST not in before.detail


def test_a_new_file_is_there_only_after(tools: Tools, tmp_path: Path) -> None:
    root = shop(tmp_path / "shop").root
    conftest = "import shop\n\nshop.price = lambda: 2\n"
    text = "def test_price():\n    import shop\n\n    assert shop.price() == 2\n"
    write_files(root, {"test_shop.py": text})
    proof = bundle_of(load_project(root), tools, tmp_path, "conftest.py", conftest)
    assert all(holds for _, holds in told(replay(proof, None, tools)))
    write_files(root, {"conftest.py": conftest})
    assert all(holds for _, holds in told(replay(proof, None, tools)))


@pytest.mark.parametrize("path", ["test_shop.py/x.py", "folder"])
def test_a_change_that_fits_no_copy_is_refused(tools: Tools, tmp_path: Path, path: str) -> None:
    root = shop(tmp_path / "shop").root
    write_files(root, {"folder/x.txt": ""})
    taken = given(tmp_path / "work", load_project(root))
    report = replace(taken.report, changed={path: (b"", b"x")})
    environment = provision(taken.project, tools.folders, tools.options)
    proof = write_proof(tmp_path / "proof", replace(taken, report=report, environment=environment))
    with pytest.raises(ConfigurationError, match="cannot be made in a copy"):
        replay(proof, None, tools)


def test_the_tests_may_belong_to_a_pytest_project_above(tools: Tools, tmp_path: Path) -> None:
    above = write_files(tmp_path / "above", {"pytest.ini": "[pytest]\npython_functions = test_* check_*\n"})
    root = shop(above / "shop").root
    test = "def check_price():\n    import shop\n\n    assert shop.price() == 2\n"
    write_files(root, {"test_shop.py": test})
    proof = bundle_of(load_project(root), tools, tmp_path, top=above)
    assert "shop/test_shop.py" in (proof / "after.xml").read_text("utf-8")
    assert all(one.holds for one in replay(proof, None, tools))


def test_other_packages_are_another_environment(
    proof: Path, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("triage.verifying.environment_lock", lambda _: ("pytest==0.1",))
    environment = next(one for one in replay(proof, None, tools) if one.kind == "environment")
    assert not environment.holds
    assert "pytest==0.1 installed now, not recorded" in environment.detail


def test_a_project_that_is_gone_is_said(proof: Path, tools: Tools) -> None:
    moved = (proof.parent / "shop").rename(proof.parent / "moved")
    with pytest.raises(UsageError, match="no such project folder"):
        replay(proof, None, tools)
    assert all(one.holds for one in replay(proof, load_project(moved), tools))
    moved.rename(proof.parent / "shop")
