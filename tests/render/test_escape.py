"""Hostile text in Markdown and in CI logs."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from triage.render.escape import block, code, inline, neutral, spans
from triage.render.plan_markdown import table
from triage.text import clean_text

PIECES = st.sampled_from(
    [
        *("`", "``", "```", "~~~", "|", "\\", "\\|", "*", "**", "_", "[a](b)", "![a](b)", "<b>", "</td>"),
        *("<!--", "&lt;", "&#64;", "# ", "- ", "1. ", "1) ", "+ ", "> ", "    ", "\n", "\r", "\r\n", "\n\n"),
        *("\t", "---", "===", "::", ":", "##[", "##vso[", "##teamcity[", "#", "@me", "#12", "http://x.y"),
        *("<http://x.y>", "[^1]", "[a]: b", "$x$", "~~a~~", "\x1b[31m", "\x00", "\u2028", "\u200b", "\u00a0"),
        *("word", " ", "é", "😀", "\ud800"),
    ]
)
HOSTILE = st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=60)
GITHUB = MarkdownIt("commonmark").enable(["table", "strikethrough"])
COMMAND = re.compile(r"(?:^|[\r\n])\s*::")


def test_words_between_single_backticks_are_code_and_nothing_else_is_markup() -> None:
    assert spans("- run `a_b *c*` then *d*, `e`") == r"\- run `a_b *c*` then \*d\*, `e`"
    assert spans("an `open one") == r"an \`open one"
    assert spans("``x`` `y`") == r"\`\`x\`\` `y`"
    assert "##[" not in spans("`##[error]` #`#[x]`")


@given(HOSTILE)
def test_code_spans_bring_no_other_markup(text: str) -> None:
    assert set(kinds(f"1. {spans(text)}x")) <= {*kinds("1. x"), "code_inline", "text_special"}


def tokens(markdown: str) -> list[Token]:
    return [inner for token in GITHUB.parse(markdown) for inner in (token, *(token.children or ()))]


def kinds(markdown: str) -> list[str]:
    return [token.type for token in tokens(markdown)]


def shown(markdown: str) -> str:
    return "".join(token.content for token in tokens(markdown) if token.type in ("text", "code_inline"))


def words(text: str) -> str:
    """What a reader sees of plain text: one line, and neither commands nor references."""
    return neutral(" ".join(clean_text(text).split()))


@given(HOSTILE)
def test_inline_gives_one_paragraph_of_nothing_but_the_text(text: str) -> None:
    markdown = inline(text)
    assert set(kinds(markdown)) <= {"paragraph_open", "inline", "text", "text_special", "paragraph_close"}
    assert shown(markdown).replace("\u2060", "") == words(text)


@given(HOSTILE)
def test_inline_stays_inside_the_list_item_and_the_heading_it_stands_in(text: str) -> None:
    assert kinds(f"- {inline(text)}\n- b").count("list_item_open") == 2
    assert kinds(f"1. {inline(text)}").count("list_item_open") == 1
    assert kinds(f"## a {inline(text)} b").count("heading_open") == 1


@given(HOSTILE)
def test_code_is_one_code_span_that_holds_the_text(text: str) -> None:
    markdown = code(text)
    assert kinds(markdown) == ["paragraph_open", "inline", "code_inline", "paragraph_close"]
    flat = neutral(re.sub(r"[\n\t]", " ", clean_text(text)))
    assert shown(markdown) == (flat if flat.strip(" ") else " ")


@given(HOSTILE, HOSTILE)
def test_table_cells_are_never_split_or_joined(left: str, right: str) -> None:
    markdown = table(("a", "b", "c"), [(inline(left), code(right), "end"), ("x", "y", "z")])
    rows = [token for token in GITHUB.parse(markdown) if token.type == "inline"]
    assert len(rows) == 9
    assert shown(rows[3].content).replace("\u2060", "") == words(left)
    flat = neutral(re.sub(r"[\n\t]", " ", clean_text(right)))
    assert shown(rows[4].content) == (flat if flat.strip(" ") else " ")
    assert rows[5].content == "end"


@given(HOSTILE)
def test_a_block_ends_where_it_should(text: str) -> None:
    fences = [token for token in GITHUB.parse(f"{block(text, 'python')}\n\nafter") if token.type == "fence"]
    assert len(fences) == 1
    assert fences[0].content.removesuffix("\n") == neutral(clean_text(text)).replace("\0", "\ufffd")
    assert kinds(f"{block(text)}\n\nafter")[-2:] == ["text", "paragraph_close"]


@given(HOSTILE)
def test_no_ci_system_finds_a_command(text: str) -> None:
    for safe in (neutral(text), inline(text), code(text), block(text)):
        assert not COMMAND.search(safe)
        assert not re.search(r"##(?:vso|teamcity)?\[", safe, re.IGNORECASE)


@given(HOSTILE)
def test_neutral_twice_is_neutral_once(text: str) -> None:
    assert neutral(neutral(text)) == neutral(text)


@pytest.mark.parametrize(
    "text", ["a::b", "tests/test_a.py::test_b[x]", "## heading", "#12", "x ::y::", "# [a]", ": :"]
)
def test_what_is_no_command_stays_as_it_is(text: str) -> None:
    assert neutral(text) == text


def test_a_command_is_broken_by_something_visible() -> None:
    assert neutral("::set-output::x\n  ::error::y\r::z") == ": :set-output::x\n  : :error::y\r: :z"
    assert neutral("x ##[group]y ##vso[task]z ###[a]") == "x # #[group]y # #vso[task]z ## #[a]"


def test_neutral_takes_linear_time_for_blank_lines() -> None:
    text = "\n" * 200_000 + " " * 200_000
    assert neutral(text) == text


def test_code_keeps_a_node_id_as_it_is() -> None:
    nodeid = r"tests/test_a.py::test_b[a  b|c\|d-`x`]"
    assert shown(code(nodeid)) == nodeid
    assert code("tests/test_a.py::t") == "`tests/test_a.py::t`"


def test_nobody_is_mentioned() -> None:
    assert "@octocat" not in shown(inline("ask @octocat about #12"))
    assert "#12" not in shown(inline("ask @octocat about #12"))
