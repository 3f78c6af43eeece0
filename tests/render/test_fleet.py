"""The newest summary of every project, and what changed."""

from markdown_it import MarkdownIt

from tests.builders import BEGUN, failure, raised, report
from triage.model.history import Changes
from triage.render.fleet import MAX_LISTED, MAX_MESSAGE, Entry, fleet_markdown, fleet_report
from triage.render.plain import fleet_lines
from triage.render.summary import summary
from triage.schema import first_problem

SHOP = summary(report(failure("a::a", None, raised("E", "x" * 5_000)), failure("a::b")))
ENTRIES = (
    Entry("shop", SHOP, Changes("shop", "r2", "r1", new=("a::a",), fixed=("a::z",), silenced=("a::s",))),
    Entry("blog", None, Changes("blog")),
)


def test_the_document_fits_its_schema_and_adds_up() -> None:
    document = fleet_report(ENTRIES, "pb", BEGUN, [("gone", "no such folder")])
    assert first_problem(document, "report") is None
    totals = document["totals"]
    assert (totals["projects"], totals["total"], totals["failed"], totals["new"], totals["fixed"]) == (
        2,
        2,
        2,
        1,
        1,
    )
    assert document["projects"][0]["changes"]["silenced"] == ["a::s"]
    assert document["errors"] == [{"project": "gone", "message": "no such folder"}]


def test_messages_are_short_and_the_summary_given_stays_whole() -> None:
    document = fleet_report(ENTRIES, "pb", BEGUN)
    assert len(document["projects"][0]["summary"]["failures"][0]["message"]) == MAX_MESSAGE
    assert len(SHOP["failures"][0]["message"]) > MAX_MESSAGE


def test_markdown_names_projects_changes_and_what_is_not_usable() -> None:
    text = fleet_markdown(fleet_report(ENTRIES, "pb", BEGUN, [("gone", "no <such> folder")]))
    assert "| blog | never run |" in text
    assert "- new: 1\n  - `a::a`" in text
    assert "- silenced: 1\n  - `a::s`" in text
    assert "- `gone`: no &lt;such&gt; folder" in text


def test_long_lists_are_cut_with_their_number() -> None:
    changes = Changes("shop", "r", "q", new=tuple(f"a::{n}" for n in range(MAX_LISTED + 3)))
    text = fleet_markdown(fleet_report([Entry("shop", SHOP, changes)], "pb", BEGUN))
    assert "- new: 23" in text
    assert "  - and 3 more" in text


def test_hostile_names_stay_in_their_cells() -> None:
    evil = Entry("a|b<script>`\n# x", SHOP, Changes("x", new=("`|</td>\n::error::",)))
    tokens = MarkdownIt("commonmark").enable("table").parse(fleet_markdown(fleet_report([evil], "pb", BEGUN)))
    assert [token.type for token in tokens].count("td_open") == 9
    assert not any(token.type.startswith("html") for token in tokens)


def test_lines_show_every_project_or_say_how_to_begin() -> None:
    lines = fleet_lines(fleet_report(ENTRIES, "pb", BEGUN))
    assert [line.split()[0] for line in lines] == ["project", "shop", "blog"]
    assert fleet_lines(fleet_report((), "pb", BEGUN)) == ["nothing was run yet: triage run PROJECT"]


def test_clusters_that_two_projects_have_are_named_once_with_both() -> None:
    clusters = [{"fingerprint": "v2:1", "signature": "OSError: gone", "count": 1, "tests": ["a::b"]}]
    entries = [Entry(name, {**SHOP, "clusters": clusters}, Changes(name)) for name in ("shop", "blog")]
    document = fleet_report(entries, "pb", BEGUN)
    assert first_problem(document, "report") is None
    (found,) = document["clusters"]
    assert (found["count"], [one["project"] for one in found["projects"]]) == (2, ["shop", "blog"])
    assert fleet_report(ENTRIES, "pb", BEGUN)["clusters"] == []
