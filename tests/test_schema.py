"""Validation: every fault at once, each with its place and what is allowed."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.errors import ConfigurationError
from triage.resources import data_folder
from triage.schema import first_problem, validate
from triage.yamlfile import YamlDocument, parse_yaml

NAMES = sorted(path.name.removesuffix(".schema.json") for path in data_folder("schemas").glob("*.json"))

GOOD = """\
id: broken
title: Broken
status: stable
category: test
severity: low
level: general
why: It broke.
symptoms:
  - {exception: ValueError}
plan:
  title: Mend it
  phase: 1
  effort_min: {base: 10}
  steps: [mend it]
  risk: low
  mitigation: look twice
  rollback: revert it
"""


def _refused(text: str) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as refused:
        validate(parse_yaml(text, "broken.yaml"), "playbook")
    return refused.value


def test_what_fits_is_taken() -> None:
    validate(parse_yaml(GOOD, "broken.yaml"), "playbook")


def test_an_unknown_key_gets_its_place_and_the_nearest_known_one() -> None:
    error = _refused(GOOD.replace("severity: low", "severty: low"))
    assert "unknown key 'severty'; did you mean 'severity'?" in error.what
    assert "broken.yaml:5:1" in str(error)


def test_an_unknown_key_without_a_neighbour_gets_the_allowed_ones() -> None:
    error = _refused(GOOD.replace("{base: 10}", "{base: 10, zzz: 1}"))
    assert "unknown key 'zzz'; allowed: base, per_site" in error.what
    assert error.where == "broken.yaml:13:26"


def test_a_word_outside_the_set_gets_the_set() -> None:
    error = _refused(GOOD.replace("severity: low", "severity: dire"))
    assert error.what == "'dire' is not allowed; allowed: critical, high, medium, low"
    assert error.where == "broken.yaml:5:1"


def test_every_fault_is_told_at_once() -> None:
    text = GOOD.replace("severity: low", "severity: dire").replace("phase: 1", "phase: one")
    said = str(_refused(text.replace("why: It broke.\n", "")))
    for part in ("5:1: 'dire' is not allowed", "'one' is not of type integer", "missing: why"):
        assert part in said


def test_a_value_of_no_allowed_form_gets_the_description() -> None:
    error = _refused(GOOD.replace("{exception: ValueError}", "{exception: 5}"))
    assert "5 is not of an allowed form; allowed: class names" in error.what


def test_a_fault_inside_one_of_the_forms_is_told_itself() -> None:
    error = _refused(GOOD.replace("{exception: ValueError}", "{exception: [5]}"))
    assert error.what == "5 is not of type string"
    assert error.where == "broken.yaml:9:18"


def test_long_values_are_cut_in_messages() -> None:
    error = _refused(GOOD.replace("severity: low", f"severity: {'x' * 5000}"))
    assert len(error.what) < 300


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (GOOD, "# nothing\n", "the file is empty"),
        ("why: It broke.", "why:", "a text is missing"),
        ("why: It broke.", "why: ''", "a text is missing"),
        ("steps: [mend it]", "steps:", "a list is missing"),
        ("phase: 1", "phase:", "a number is missing"),
        ("{exception: ValueError}", "{exception: }", "a value is missing; allowed: class names"),
        ("id: broken", "id: Not_Null", "'Not_Null' is not allowed; allowed: lower-case words with dashes"),
        (
            "plan:",
            "review_by: 1.6.2027\nplan:",
            "'1.6.2027' is not allowed; allowed: a date such as 2027-06-01",
        ),
    ],
)
def test_what_is_missing_or_of_another_form_is_told_in_words(old: str, new: str, said: str) -> None:
    assert _refused(GOOD.replace(old, new)).what.startswith(said)


@pytest.mark.parametrize("text", ["[]", "just text", "5"])
def test_a_document_that_is_no_mapping_is_refused(text: str) -> None:
    assert "is not of type object" in _refused(text).what


def test_first_problem_names_the_path_inside_plain_data() -> None:
    data = parse_yaml(GOOD, "broken.yaml").data
    assert first_problem(data, "playbook") is None
    data["plan"]["effort_min"]["base"] = -1
    assert (first_problem(data, "playbook") or "").startswith("plan.effort_min.base: ")


@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_schema_is_a_valid_draft_07_schema(name: str) -> None:
    from jsonschema import Draft7Validator  # noqa: PLC0415 - nothing else here needs it

    schema = json.loads((data_folder("schemas") / f"{name}.schema.json").read_text("utf-8"))
    Draft7Validator.check_schema(schema)


@pytest.mark.parametrize("name", NAMES)
def test_no_schema_refers_to_another_file(name: str) -> None:
    text = (data_folder("schemas") / f"{name}.schema.json").read_text("utf-8")
    assert '"$ref": "http' not in text


_KEYS = st.sampled_from(["id", "title", "symptoms", "plan", "exception", "phase", "examples", "match", "x"])
_DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=20,
)


@given(_DATA, st.sampled_from(NAMES))
@settings(max_examples=60, deadline=None)
def test_any_data_is_taken_or_refused_with_a_place(data: Any, name: str) -> None:
    if first_problem(data, name) is None:
        validate(YamlDocument(data, "any.yaml"), name)
        return
    with pytest.raises(ConfigurationError) as refused:
        validate(YamlDocument(data, "any.yaml"), name)
    assert refused.value.where == "any.yaml:1:1"
    assert refused.value.what
