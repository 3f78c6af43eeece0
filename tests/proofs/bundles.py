"""A small project, its cure, and what a bundle of them is made of."""

import os
import sys
from dataclasses import replace
from pathlib import Path

from tests.builders import write_files
from triage.model.environment import Environment, EnvironmentKind
from triage.model.fix import Fix, FixReport, FixStatus, Sabotage, Verdict
from triage.model.plan import Site
from triage.model.project import EnvironmentSpec, Project, TestSpec
from triage.model.terms import Applicability, Outcome
from triage.probes.masking import mask_folder
from triage.proofs.given import ProofInput, ProofRun
from triage.text import Masker

PYTHON = ".".join(map(str, sys.version_info[:3]))
SECRET = "hunter2-hunter2"
TEST = "test_shop.py::test_price"
WRONG, RIGHT = "def price():\n    return 1\n", "def price():\n    return 2\n"
FILES = {
    "shop.py": WRONG,
    "test_shop.py": "from shop import price\n\n\ndef test_price():\n    assert price() == 2\n\n\n"
    "def test_other():\n    assert True\n",
    ".gitignore": "ignored/\n",
    "ignored/big.txt": "x",
    "left.db": "rows",
    "triage.yaml": f"name: shop\nenvironment: {{use: {sys.prefix}}}\ntest:\n  env:\n"
    f"    PYTEST_DISABLE_PLUGIN_AUTOLOAD: '1'\n    API_TOKEN: {SECRET}\n",
}
ENV = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "API_TOKEN": SECRET}
JUNIT = (
    '<testsuites><testsuite><testcase classname="test_shop" name="test_price" file="test_shop.py" line="3">'
    '{body}</testcase><testcase classname="test_shop" name="test_other" file="test_shop.py" line="7"/>'
    "</testsuite></testsuites>"
)
FAILED = JUNIT.format(body=f'<failure message="assert 1 == 2">{SECRET}</failure>')
GREEN = JUNIT.format(body="")


def shop(root: Path) -> Project:
    return Project(
        "shop", write_files(root, FILES), EnvironmentSpec(use=sys.prefix), TestSpec((".",), env=ENV)
    )


def cured(project: Project, **changed: tuple[bytes, bytes]) -> FixReport:
    fix = Fix(
        id="F1",
        remedy="right-price",
        label=f"the price is right, {SECRET}",
        applicability=Applicability.SAFE,
        status=FixStatus.PROVEN,
        round=1,
        playbook="wrong-price",
        diagnoses=("D1",),
        tasks=("T1",),
        sites=(Site("shop.py", 2),),
        diff="-    return 1\n+    return 2\n",
        verdict=Verdict(fixed=(TEST,), is_cause_gone=True),
        cause_proof="flipped",
        sabotage=(Sabotage(TEST, caught=True, asserted=1),),
    )
    return FixReport(
        project=project.name,
        before={TEST: Outcome.FAILED},
        after={TEST: Outcome.PASSED},
        fixes=(fix,),
        rejected=(),
        left=(),
        changed=dict(changed) or {"shop.py": (WRONG.encode(), RIGHT.encode())},
        diff=fix.diff,
        duration_s=1.0,
        suite_s=0.5,
    )


def given(folder: Path, project: Project) -> ProofInput:
    """As if the project had been run in `folder`."""
    write_files(
        folder,
        {
            "before.xml": FAILED,
            "after.xml": GREEN,
            "events.jsonl": '{"t":"start","id":"a"}\n{"t":"observed","id":"a","names":{"x":"'
            + SECRET
            + '"}}\n'
            '[1]\nnonsense\n{"t":["observed"]}\n{"t":"intervened","id":"a"}\n{"t":"observed","torn',
        },
    )
    masker = Masker.from_environment(ENV)
    command = (
        sys.executable,
        "-m",
        "pytest",
        f"--junitxml={folder}/out/junit.xml",
        f"--rootdir={folder}/copy",
    )
    run = ProofRun(folder / "before.xml", command, folder / "copy", folder / "out")
    return ProofInput(
        project=project,
        commit=None,
        environment=Environment(Path(sys.executable), EnvironmentKind.EXISTING, "k", PYTHON, "-"),
        playbooks_fingerprint="pb",
        report=cured(project),
        before=run,
        after=replace(run, junit=folder / "after.xml"),
        environ={"HOME": "/root", "SECRET_KEY": SECRET, "PATH": os.environ["PATH"]},
        masker=masker,
        mask=lambda place: mask_folder(place, masker),
        probe_logs=(folder / "events.jsonl",),
    )
