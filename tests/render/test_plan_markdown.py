"""The plan for the person who carries it out."""

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from tests.builders import cluster, diagnosis, failure, finding, playbook, raised, report
from triage.model.diagnosis import Evidence
from triage.model.plan import Gate
from triage.model.report import LatentDefect
from triage.render.plan_markdown import hours, plan_markdown, runnable, tally
from triage.render.summary import summary
from triage.stages.plan import Launcher, make_plan
from triage.stages.report import patterns_of

EVIL = "</td>|`|```\n# h\n- [x](javascript:a) <script>&lt;@me ::error::##[x]\x1b[31m"
GITHUB = MarkdownIt("commonmark").enable("table")
COUNTS = dict.fromkeys(
    ("total", "passed", "failed", "errors", "skipped", "xfailed", "xpassed", "warnings"), 0
)


def document(words: str) -> str:
    books = {"known": playbook("known", title=words, why=words)}
    failures = (
        failure(f"tests/a.py::a[{words}]", "known", raised("E", words)),
        failure(f"tests/a.py::b[{words}]", "known", root=f"tests/a.py::a[{words}]"),
        failure("tests/a.py::c", None),
    )
    causes = (
        diagnosis(
            "D1",
            "known",
            failures[0].case.id,
            said=words,
            dependents=(failures[1].case.id,),
            evidence=(Evidence("raised", words, 3, words),),
        ),
        diagnosis("D2", None, "tests/a.py::c", cluster="v1:0000000000000001"),
    )
    latent = (LatentDefect("known", finding(file=words)),)
    clusters = (cluster("tests/a.py::c"),)
    plan = make_plan(causes, latent, clusters, books, Launcher(("python",), (words,)))
    whole = report(
        *failures,
        diagnoses=causes,
        latent=latent,
        clusters=clusters,
        plan=plan,
        detail=words,
        patterns=patterns_of(failures, books),
    )
    return plan_markdown(summary(whole), lambda _file, _line, _others: words)


def shape(markdown: str) -> list[str]:
    """The blocks of a document, whatever is written in them."""
    return [token.type for token in GITHUB.parse(markdown)]


def test_hostile_words_change_nothing_in_the_shape_of_the_document() -> None:
    assert shape(document(EVIL)) == shape(document("word"))


def test_hostile_words_bring_no_markup_no_command_and_no_control_character() -> None:
    text = document(EVIL)
    inner = [child.type for token in GITHUB.parse(text) for child in token.children or ()]
    assert set(inner) <= {"text", "text_special", "code_inline", "softbreak"}
    source = [token for token in GITHUB.parse(text) if token.info == "python"]
    assert "##[x]" in source[0].content  # what stands in a file is shown as it stands there
    for one in source:
        text = text.replace(one.content, "")
    assert "##[" not in text
    assert "\x1b" not in text


def test_every_part_is_there() -> None:
    text = document("word")
    for part in (
        "Summary",
        "Baseline against target",
        "Kinds of failure",
        "Causes",
        "Chains",
        "Phase 1",
        "Risks",
    ):
        assert f"## {part}" in text
    assert "3 failing tests come down to 2 causes; 2 of 1 known kind, 1 of no known kind." in text
    assert "(1 test, 1 more follow from them; proof: none)" in text


def test_nothing_to_do_is_said_only_where_it_is_true() -> None:
    good = report(gates=(Gate("pass_rate", 100.0, 100.0, holds=True),))
    missed = report(gates=(Gate("coverage", None, 90.0, holds=False),))
    assert "Nothing to do" in plan_markdown(summary(good), lambda *_: None)
    text = plan_markdown(summary(missed), lambda *_: None)
    assert "Nothing to do" not in text
    assert "these gates do not hold: coverage." in text
    assert "| coverage | not measured | 90 | no |" in text


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ({"total": 3, "passed": 1, "failed": 1, "errors": 1}, "3 tests: 1 passed, 1 failed, 1 error"),
        ({"total": 2, "skipped": 2, "warnings": 2}, "2 tests: 2 skipped, 2 warnings"),
        ({"total": 1, "passed": 1, "warnings": 1}, "1 test: 1 passed, 1 warning"),
        ({}, "0 tests"),
    ],
)
def test_counts_in_words(counts: dict[str, int], text: str) -> None:
    assert tally({**COUNTS, **counts}) == text


@pytest.mark.parametrize(
    ("minutes", "text"), [(0, "0 min"), (45, "45 min"), (120, "2 h"), (150, "2 h 30 min")]
)
def test_efforts_in_words(minutes: int, text: str) -> None:
    assert hours(minutes) == text


def test_a_task_says_files_action_verify_and_done_in_this_order() -> None:
    text = document("word").partition("### T1")[2].partition("###")[0]
    places = [text.index(f"\n- {part}:") for part in ("Files", "Action", "Done", "Verify")]
    assert places == sorted(places)
    assert "- Done: 2 tests that failed pass\n" in text
    assert "  1. look\n  2. mend\n" in text


@pytest.mark.parametrize(
    "word", ["two words", "it's ##[group]x", "a$(b)`c`\\", "é\u202e", "##", "-x", '"', "'##'", "a\n::b::c"]
)
def test_a_command_means_the_same_where_a_ci_system_reads_along(word: str) -> None:
    shown = runnable(Launcher(("python",), (word,), "env A=1").command())
    assert shlex.split(shown) == ["env", "A=1", "python", word]
    assert "##[" not in shown


def test_a_command_runs_as_it_stands_where_the_interpreter_has_spaces_in_its_path(tmp_path: Path) -> None:
    python = tmp_path / "my env" / "python"
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    books = {"known": playbook("known")}
    launcher = Launcher((str(python), "-c", "import sys; print(sys.argv[1:])"), ("tests",), "env 'A=b c'")
    cause = diagnosis("D1", "known", "tests/a.py::a[x y ##[z]]")
    text = plan_markdown(summary(report(plan=make_plan((cause,), (), (), books, launcher))), lambda *_: None)
    blocks = [token.content for token in GITHUB.parse(text) if token.info == "sh"]
    done = [
        subprocess.run(block, shell=True, capture_output=True, text=True, check=True, cwd=tmp_path).stdout
        for block in blocks
    ]
    assert done == ["['tests/a.py::a[x y ##[z]]']\n", "['tests']\n"]


def fixed(words: str) -> dict[str, Any]:
    cause = diagnosis("D1", "known", "tests/a.py::a")
    plan = make_plan((cause,), (), (), {"known": playbook("known")}, Launcher(("python",), ()))
    found = summary(report(plan=plan))
    found["plan"]["phases"][0]["tasks"][0]["fix"] = {
        "status": "proven",
        "applicability": "unsafe",
        "remedy": "mend-it",
        "files": [words],
        "judge": [words],
        "migration": [words],
        "diff": f"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-x = {words}\n+x = 1\n",
        "verdict": {"fixed": ["a", "b"], "still_failing": ["c"], "new_failures": []},
        "proof": {"cause": "flipped", "fix": words, "guard": "caught"},
    }
    return found


def test_a_fix_is_shown_with_what_to_judge_its_proof_and_its_diff() -> None:
    text = plan_markdown(fixed("`old`"), lambda *_: None)
    assert "- Fix: mend-it, proven, unsafe: 2 tests turned green, 1 still failing, 0 new\n" in text
    assert "- Judge: `old`\n- Migration: `old`\n- Proof of the cause: flipped\n" in text
    assert [token.content for token in GITHUB.parse(text) if token.info == "diff"] == [
        "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-x = `old`\n+x = 1\n"
    ]


def test_a_hostile_fix_changes_nothing_in_the_shape_of_the_document() -> None:
    evil = plan_markdown(fixed(EVIL), lambda *_: None)
    assert shape(evil) == shape(plan_markdown(fixed("word"), lambda *_: None))
    assert "##[" not in evil
