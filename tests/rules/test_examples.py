"""The examples beside every rule, run as its specification."""

import ast
import inspect
from pathlib import Path

import pytest

from tests.rules.trees import tree_of
from triage.rules.example import Invalid, Valid
from triage.rules.registry import RULES, Rule, find_all

VALID = [(rule, each) for rule in RULES.values() for each in rule.valid]
INVALID = [(rule, each) for rule in RULES.values() for each in rule.invalid]


@pytest.mark.parametrize(("rule", "example"), VALID, ids=lambda each: getattr(each, "id", ""))
def test_healthy_code_has_no_finding(rule: Rule, example: Valid, tmp_path: Path) -> None:
    assert find_all(tree_of(tmp_path, example.files), [rule.id]) == (), example.because


@pytest.mark.parametrize(("rule", "example"), INVALID, ids=lambda each: getattr(each, "id", ""))
def test_a_defect_is_found_at_its_line(rule: Rule, example: Invalid, tmp_path: Path) -> None:
    findings = find_all(tree_of(tmp_path, example.files), [rule.id])
    assert tuple((each.file, each.line) for each in findings) == example.lines
    if example.subject:
        assert dict(findings[0].subject) == dict(example.subject)
    for each in findings:
        assert each.rule == rule.id
        assert each.message
        assert all((tmp_path / file).is_file() and line > 0 for _, file, line in each.related)


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_a_rule_is_a_complete_document(rule: Rule) -> None:
    title = rule.page.partition("\n")[0]
    assert title.endswith(".")
    assert "Known limits:" in rule.page
    assert rule.valid
    assert rule.invalid
    for files in (*(each.files for each in rule.valid), *(each.files for each in rule.invalid)):
        assert all(ast.parse(text).body for text in files.values())
    assert inspect.signature(rule.find).parameters.keys() == {"tree"}
    assert rule.find.__module__.rpartition(".")[2] == rule.id.replace("-", "_")
