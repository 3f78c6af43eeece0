"""Drafts as YAML: every text comes back as it was."""

from hypothesis import given, settings
from hypothesis import strategies as st

from triage.render.playbook_yaml import playbook_yaml
from triage.text import clean_text
from triage.yamlfile import parse_yaml

TEXT = st.text(max_size=30).map(clean_text)
FLAT = st.dictionaries(st.sampled_from(["from", "because", "message"]), TEXT, min_size=1)


@given(TEXT, st.lists(TEXT, min_size=1, max_size=3), st.lists(FLAT, min_size=1, max_size=3))
@settings(max_examples=100, deadline=None)
def test_any_text_comes_back(title: str, steps: list[str], symptoms: list[dict[str, str]]) -> None:
    data = {"title": title, "plan": {"steps": steps, "phase": 3}, "symptoms": symptoms}
    assert parse_yaml(playbook_yaml(data, ["head"]), "a.yaml").data == data


def test_an_expression_is_written_as_it_is_read() -> None:
    text = playbook_yaml({"symptoms": [{"exception": "shop.Locked", "message": r"it's \d+"}]}, [])
    assert text.splitlines() == ["symptoms:", '  - exception: "shop.Locked"', r"    message: 'it''s \d+'"]
