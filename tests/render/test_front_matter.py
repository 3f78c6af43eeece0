"""The head of a plan, which YAML readers and people read."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tests.builders import diagnosis, playbook, report
from triage.model.plan import Gate, Plan, PlanPhase
from triage.model.project import Artifact, KeyLink, MustHaves, Truth
from triage.model.terms import Severity
from triage.render.front_matter import front_matter, yaml_head
from triage.render.plan_markdown import plan_markdown
from triage.render.summary import plan_document, summary
from triage.schema import first_problem
from triage.stages.plan import Launcher, make_plan
from triage.text import clean_text
from triage.yamlfile import parse_yaml

BOOKS = {
    "early": playbook("early", phase=1),
    "beside": playbook("beside", phase=2),
    "later": playbook("later", phase=3),
}
WANTED = MustHaves(
    (Truth("factories only", "x"),),
    (Artifact("conftest.py", "a session", 20),),
    (KeyLink("conftest.py", "base.py", "injection", "_session"),),
)
DATA = st.recursive(
    st.text() | st.integers() | st.booleans(),
    lambda inner: st.lists(st.text()) | st.lists(st.dictionaries(st.sampled_from("abc"), inner, min_size=1)),
    max_leaves=8,
)


def planned(**more: Any) -> dict[str, Any]:
    causes = (
        diagnosis("D1", "early", "tests/a.py::a", file="app/a.py"),
        diagnosis("D2", "beside", "tests/b.py::b", file="app/b.py"),
        diagnosis("D3", "later", "tests/a.py::c", file="app/c.py"),
    )
    made = make_plan(causes, (), (), BOOKS, Launcher(("python",), ()))
    gates = (Gate("pass_rate", 0.0, 100.0, holds=False), Gate("duration_s", 2.0, 30.0, holds=True))
    document = summary(report(plan=Plan(made.phases, WANTED), gates=gates))
    return {**document, "counts": {**document["counts"], "total": 5, "skipped": 1}, **more}


def with_fix(document: dict[str, Any], place: int, status: str, applicability: str) -> dict[str, Any]:
    fix = {
        "status": status,
        "applicability": applicability,
        "remedy": "mend-it",
        "files": ["tests/conftest.py"],
        "diff": "--- a\n+++ b\n ```\n",
        "judge": ["whether `name` may be empty"],
        "verdict": {"fixed": ["t"], "still_failing": [], "new_failures": []},
        "proof": {"cause": "flipped", "fix": "1 of 1", "guard": "caught"},
    }
    phases = document["plan"]["phases"]
    phases[place]["tasks"] = [{**phases[place]["tasks"][0], "fix": fix}]
    return document


def test_phases_say_what_they_touch_and_what_they_wait_for() -> None:
    first, beside, later, last = front_matter(planned())["phases"]
    assert (first["phase"], first["wave"], first["depends_on"]) == (
        "01-critical-database-and-session-issues",
        1,
        [],
    )
    assert (beside["wave"], beside["depends_on"], beside["files_modified"]) == (1, [], ["app/b.py"])
    assert (later["wave"], later["depends_on"]) == (2, [first["phase"]])
    assert (last["wave"], len(last["depends_on"]), last["gap_closure"]) == (3, 3, False)
    assert first["gap_closure"]
    assert first["tasks"] == ["T1"]


@pytest.mark.parametrize(
    ("status", "applicability", "autonomous"),
    [("proven", "safe", True), ("proven", "unsafe", False), ("unproven", "safe", False)],
)
def test_only_a_proven_safe_fix_needs_no_person(status: str, applicability: str, autonomous: bool) -> None:
    first, second, *_ = front_matter(with_fix(planned(), 0, status, applicability))["phases"]
    assert (first["autonomous"], second["autonomous"]) == (autonomous, False)
    assert first["files_modified"] == ["tests/conftest.py"]


def test_what_must_hold_is_computed_and_taken_from_the_project_file() -> None:
    assert front_matter(planned())["must_haves"] == {
        "truths": ["all 4 tests pass", "the suite ends within 30 s", "factories only"],
        "artifacts": [{"path": "conftest.py", "provides": "a session", "min_lines": 20}],
        "key_links": [
            {"from": "conftest.py", "to": "base.py", "via": "injection", "pattern": "_session"},
        ],
    }


def test_the_json_of_the_plan_has_the_same_and_fits_its_schema() -> None:
    document = plan_document(with_fix(planned(), 0, "proven", "safe"))
    assert first_problem(document, "plan") is None
    head = plan_markdown(planned(), lambda *_: None).split("---\n")[1]
    assert parse_yaml(head, "plan.md").data == front_matter(planned())
    assert document["front_matter"]["must_haves"] == front_matter(planned())["must_haves"]


def test_a_summary_of_an_earlier_version_still_has_a_plan() -> None:
    old = planned()
    del old["plan"]["must_haves"]
    assert front_matter(old)["must_haves"]["artifacts"] == []
    assert "What must hold" not in plan_markdown(old, lambda *_: None)


def test_nothing_to_do_is_done() -> None:
    data = front_matter(summary(report()))
    assert (data["type"], data["phases"]) == ("done", [])


@given(st.dictionaries(st.sampled_from(["plan", "run", "x"]), DATA, min_size=1))
def test_every_text_comes_back_from_yaml_as_it_was_shown(data: dict[str, Any]) -> None:
    text = yaml_head(data)
    assert text.startswith("---\n")
    assert text.endswith("\n---")
    assert text.count("\n---") == 1
    assert parse_yaml(text[4:-4], "plan.md").data == _shown(data)
    assert "##[" not in text
    assert not re.search(r"^\s*::", text, re.MULTILINE)
    tokens = [token.type for token in MarkdownIt("commonmark").parse(text + "\n\n# Plan")]
    assert tokens == ["hr", "code_block", "hr", "heading_open", "inline", "heading_close"]


def _shown(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {key: _shown(one) for key, one in value.items()}
    return [_shown(one) for one in value] if isinstance(value, list) else value


def test_titles_of_phases_are_safe_names() -> None:
    phase = PlanPhase(1, "Ärger: \n- x ```", Severity.LOW, "g", ())
    (only,) = front_matter(summary(report(plan=Plan((phase,)))))["phases"]
    assert only["phase"] == "01-rger-x"
