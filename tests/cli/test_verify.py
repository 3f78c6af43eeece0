"""`triage verify`: one line each, and an exit status that can be relied on."""

from pathlib import Path

import pytest

from tests.builders import write_files
from tests.cli.conftest import Triage, project
from tests.proofs.bundles import given, shop
from triage.gates.check import Check
from triage.proofs.write import write_proof
from triage.render.checks import check_lines, replayed_document
from triage.schema import first_problem

pytestmark = pytest.mark.children

MUST = "must_haves: {truths: [{claim: no sleep, forbid: {pattern: 'sleep', in: test_a.py}}]}\n"


def test_all_that_holds_is_one_line_each(tmp_path: Path, triage: Triage) -> None:
    project(tmp_path / "good", more=MUST)
    answer = triage("verify", "good", cwd=tmp_path)
    assert answer.status == 0
    assert answer.out.splitlines() == [
        "ok     target  at least 100 % of the tests pass  (now 100)",
        "ok     target  at most 0 errors  (now 0)",
        "ok     truth   no sleep",
    ]


def test_what_does_not_hold_is_named_with_its_place(tmp_path: Path, triage: Triage) -> None:
    project(tmp_path / "bad", "from time import sleep\ndef test_a(): sleep(0)\n", MUST)
    answer = triage("verify", "bad", cwd=tmp_path)
    assert answer.status == 1
    assert "FAILS  truth   no sleep  (test_a.py:1; 2 in all; found: sleep)" in answer.out
    document = triage("verify", "bad", "--json", cwd=tmp_path).json
    assert first_problem(document, "verify") is None
    assert [one["holds"] for one in document["checks"]] == [True, True, False]
    assert document["holds"] is False


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ((), 2),
        (("nowhere",), 2),
        (("odd",), 2),
        (("gone",), 4),
        (("--proof", "nowhere"), 2),
    ],
)
def test_what_is_wrong_with_the_call_or_the_project_has_its_own_status(
    tmp_path: Path, triage: Triage, arguments: tuple[str, ...], status: int
) -> None:
    project(tmp_path / "odd", more=MUST.replace("'sleep'", "'('"))
    write_files(tmp_path / "gone", {"triage.yaml": "environment: {use: nowhere}\n", "test_a.py": ""})
    answer = triage("verify", *arguments, cwd=tmp_path)
    assert answer.status == status
    assert answer.err.startswith("error: ") or "\nerror: " in answer.err
    assert answer.out == ""


def test_a_proof_is_the_same_or_each_difference_is_told(tmp_path: Path, triage: Triage) -> None:
    bundle = write_proof(tmp_path / "proof", given(tmp_path / "work", shop(tmp_path / "shop")))
    same = triage("verify", "--proof", str(bundle), "shop", cwd=tmp_path)
    assert (same.status, same.out.splitlines()[-1]) == (0, "same")
    write_files(tmp_path / "shop", {"new.py": "", "other.py": ""})
    other = triage("verify", "--proof", str(bundle), cwd=tmp_path)
    assert other.status == 1
    _, source, *more = other.out.splitlines()
    assert source.startswith("FAILS  source  the project's source is the recorded one  (2 in all; ")
    assert source.endswith("not the same source: new.py is new)")
    assert more == ["       other.py is new", "not the same"]
    write_files(bundle, {"fixes.diff": "another"})
    changed = triage("verify", "--proof", str(bundle), "--json", cwd=tmp_path)
    assert changed.status == 1
    assert first_problem(changed.json, "verify") is None
    assert [one["detail"] for one in changed.json["checks"]] == ["fixes.diff was changed"]


def test_hostile_words_open_no_line_of_their_own() -> None:
    evil = "a\n::error::b\x1b[31m ##[group]"
    lines = check_lines([Check("truth", evil, False, f"one\n{evil}", evil, 3, 2), Check("phase", evil, True)])
    assert [line[:5] for line in lines] == ["FAILS", "     ", "     ", "ok   "]
    assert not any("##[" in line or line.lstrip().startswith("::") or "\x1b" in line for line in lines)
    document = replayed_document("proof", [Check("before", evil, holds=False, detail=evil)], "pb")
    assert first_problem(document, "verify") is None
