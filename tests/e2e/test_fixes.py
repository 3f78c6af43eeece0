"""`triage fix` on copies of the reference projects, by the command, with every figure of its issue."""

import ast
import json
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import ROOT, Answer, call
from triage.yamlfile import read_yaml

pytestmark = pytest.mark.e2e
# project: least number of tests that pass in the end, how many there are
WANTED = {"tithi_fixture": (191, 198), "atom_fixture": (51, 51), "blog_fixture": (10, 10)}
DURATION_S = 30.0  # target of the first reference case


@pytest.fixture(scope="module", params=list(WANTED))
def fixed(request: pytest.FixtureRequest, workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A copy under git, with what `fix --unsafe --apply` said of it."""
    name = request.param
    tree = tmp_path_factory.mktemp("fixed") / name
    shutil.copytree(ROOT / "projects" / name, tree, ignore=shutil.ignore_patterns("__pycache__"))
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "as it was"]):
        subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@e", *words], cwd=tree, check=True)
    before = {path: path.read_bytes() for path in tree.rglob("*.py")}
    answer = call("--workspace", str(workspace), "fix", "--unsafe", "--apply", "--json", str(tree), cwd=ROOT)
    return name, tree, before, answer


def said(answer: Answer) -> Mapping[str, Any]:
    assert answer.out, answer.err
    document: Mapping[str, Any] = answer.json
    return document


def outcomes(report: Path) -> dict[str, str]:
    """By class and name of the plain report."""
    found = {}
    for case in ET.parse(report).iter("testcase"):
        bad = case.find("failure") is not None or case.find("error") is not None
        found[f"{case.get('classname')}::{case.get('name')}"] = "failed" if bad else "passed"
    return found


def test_as_many_tests_turn_green_as_the_case_says_and_none_turns_red(fixed: Any) -> None:
    name, tree, _, answer = fixed
    least, total = WANTED[name]
    document = said(answer)
    assert document["after"]["total"] == document["before"]["total"] == total
    assert document["after"]["passing"] >= least
    assert answer.status == (1 if document["after"]["failing"] else 0)
    report = tree.parent / f"{name}.xml"
    command = [*plain(answer, tree), f"--junitxml={report}"]
    done = subprocess.run(command, cwd=tree, capture_output=True, check=False)
    found = outcomes(report)
    assert len(found) == total, done.stdout[-2000:]
    assert sum(state == "passed" for state in found.values()) == document["after"]["passing"]
    seconds = float(next(ET.parse(report).iter("testsuite")).get("time") or 0)
    assert seconds < DURATION_S


def plain(answer: Answer, tree: Path) -> list[str]:
    """The project's own pytest, as its project file asks for it, without triage."""
    summary = json.loads(Path(said(answer)["run"]["folder"], "summary.json").read_text("utf-8"))
    test = read_yaml(tree / "triage.yaml").data["test"]
    variables = [f"{name}={value}" for name, value in test.get("env", {}).items()]
    return ["env", *variables, summary["run"]["command"][0], "-m", "pytest", *test["arguments"]]


def test_every_fix_is_proven_and_weakens_nothing(fixed: Any) -> None:
    document = said(fixed[3])
    assert document["fixes"]
    for one in document["fixes"]:
        assert one["status"] == "proven"
        assert one["proof"]["cause"] != "none"
        assert not one["verdict"]["new_failures"]
        assert one["diff"]
        if one["applicability"] != "safe":
            assert one["judge"], one["remedy"]


def test_what_is_left_has_its_exact_place_and_a_reason(fixed: Any) -> None:
    name, tree, _, answer = fixed
    for one in said(answer)["left"]:
        lines = (tree / one["file"]).read_text("utf-8").splitlines()
        assert 1 <= one["line"] <= len(lines)
        assert one["reason"], name


def test_only_the_files_of_the_diff_are_changed_and_all_still_parse(fixed: Any) -> None:
    _, tree, before, answer = fixed
    changed = {path for path, data in before.items() if path.read_bytes() != data}
    assert {str(path.relative_to(tree)) for path in changed} == {one["path"] for one in said(answer)["files"]}
    for path in changed:
        ast.parse(path.read_bytes())


def test_the_diff_can_be_taken_back(fixed: Any) -> None:
    _, tree, before, answer = fixed
    diff = Path(said(answer)["run"]["folder"], "fixes.diff")
    subprocess.run(["git", "apply", "--check", "--reverse", str(diff)], cwd=tree, check=True)
    assert before
