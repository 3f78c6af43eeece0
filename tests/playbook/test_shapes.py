"""Expressions that are refused though RE2 could search them."""

import pytest
import re2

from triage.errors import ConfigurationError
from triage.playbook.grammar import parse
from triage.playbook.shapes import MAX_LENGTH, check_expression, exponential

EXPONENTIAL = (
    "(a+)+$",
    "(a|a)*$",
    "(a|ab|b)*$",
    r"(\w+\s?)+$",
    r"^(([a-z])+.)+[A-Z]([a-z])+$",
    "(.*?,)*$",
    r"(.|\s)*$",
    "(?i)(?:a|A)*$",
    "(?:a{1,3})+$",
    "(?:a{1,30}){1,30}$",
    "((ab)*|(abab)*)*$",
    r"(?P<all>(?:\d+,?)*)$",
    r"(?s)(?:.*\n)*$",
    "(a+){20}c",
    "(?:.*,){5}",
    "(a|a){30}c",
    "(?:a?){30}a{30}",
    r"(?:x|a{1,3}){20}",
)
LINEAR = (
    r"(?:.*\n)*",
    r"(\w+\s)+",
    r"(?:[\w.]+/)*x",
    ".*.*.*",
    r"(?:[0-9a-f]{32},?)+",
    "(?:ab|ac)*",
    r"\[[^\]]*\](?:, \[[^\]]*\])*",
    r"(?:\w+\.)*\w+",
    r"(?:'[^']*'|\"[^\"]*\"|x)*",
    r"(?:\\.|[^\\'])*",
    "(?:a?b)*",
    r"\Qa+\E+(?:x)*",
    r"(?:[[:alpha:]]\pN)*[]x]+",
    r"(?:é|è)*",
    r"(?U)(?:a-z){2,}\z",
    r"(?:\d{1,3}\.){4}",
    "(?:[0-9a-f]{2}:){16}",
    "(?:[^,]*,){5}",
    r"(?:\w+\s){12}",
    "(a|b){30}",
    "(a+){3}",
    "(?:a?){5}",
    "(?:^){20}a",
)


@pytest.mark.parametrize("expression", EXPONENTIAL)
def test_what_is_exponential_is_refused_with_the_repetition(expression: str) -> None:
    with pytest.raises(ConfigurationError, match="exponential") as caught:
        check_expression(expression, "a.yaml:3:5")
    assert caught.value.where == "a.yaml:3:5"
    assert caught.value.allowed


@pytest.mark.parametrize(
    ("expression", "hint"),
    [
        ("(batch", r"\("),
        ("batch)", r"\)"),
        ("[batch", r"\["),
        ("* left", r"\*"),
        ("C:\\", r"\\"),
        ("a(?=b)", ""),
    ],
)
def test_a_character_that_means_something_is_told_how_to_write(expression: str, hint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_expression(expression, "here")
    assert hint in (caught.value.hint or "")
    assert bool(hint) == bool(caught.value.hint)


@pytest.mark.parametrize("expression", LINEAR)
def test_what_reads_a_text_in_one_way_is_taken(expression: str) -> None:
    assert exponential(expression) is None
    assert check_expression(expression, "here") == re2.compile(expression).programsize


@pytest.mark.parametrize("expression", [r"\pL{1000}", "((a{1,100}){1,100}){1,100}", "x" * (MAX_LENGTH + 1)])
def test_what_is_huge_once_written_out_is_refused(expression: str) -> None:
    with pytest.raises(ConfigurationError):
        check_expression(expression, "here")


@pytest.mark.parametrize("expression", [*EXPONENTIAL, *LINEAR, r"a\x{1F600}\x41\012[^]]\B$", "(?:)|", "()"])
def test_every_expression_is_read_to_its_end(expression: str) -> None:
    parse(expression)


def test_deep_nesting_is_no_crash() -> None:
    assert exponential("(" * 900 + "a" + ")" * 900) is None


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("(?(1)a|b)", "a condition"),
        ("(?R)", "recursion"),
        ("(?#why)a", "a comment"),
        ("(?ix)a b", "a flag that RE2 has not"),
        (r"a\Kb", r"\K"),
        (r"a++", "a possessive quantifier"),
        (r"(?>a)", "an atomic group"),
        ("[", "not valid: missing ]: ["),
    ],
)
def test_what_only_engines_that_backtrack_know_is_named(expression: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_expression(expression, "here")
    assert said in caught.value.what
