"""Playbooks as pages: every condition in words, hostile text harmless."""

from tests.builders import playbook
from triage.model.playbook import Cascade, Diagnose, Example, Remedy, Symptom
from triage.model.terms import Applicability, Phase
from triage.render.playbook_page import Shown, index, page

EVERY = Symptom(
    exception=("shop.NoStock",),
    exact=True,
    message="no (?P<item>\\w+)",
    unless="left",
    where="cause",
    raised_in=("shop/*",),
    frames=("app/*",),
    source="sell",
    phase=(Phase.SETUP, Phase.CALL),
    fact={"sessions": 2},
    finding="a-rule",
)


def test_every_condition_of_a_symptom_is_named() -> None:
    text = page(playbook("known", EVERY), (), ())
    for line in (
        "1. exception: `shop.NoStock`, not a class derived from it",
        "   - its message holds: `no (?P<item>\\w+)`",
        "   - its message does not hold: `left`",
        "   - its deepest own source line holds: `sell`",
        "   - place in the chain: only the direct cause",
        "   - phase: setup or call",
        "   - raised in: `shop/*`",
        "   - own code on the way: `app/*`",
        "   - seen while it ran: `sessions >= 2`",
        "   - static rule that points near it: `a-rule`",
    ):
        assert f"{line}\n" in text


def test_rivals_cures_proofs_and_neighbours_stand_on_the_page() -> None:
    one = playbook(
        "known",
        beats=("weaker",),
        cascade=Cascade(("root",), "session"),
        diagnose=Diagnose(probe="watch", interventions=("change",), rules=("rule",), reruns=False),
        remedies=(Remedy("mend", Applicability.UNSAFE, "with care"),),
        no_match_examples=(Example("a.xml", "it was handled"),),
        references=("https://example.org/page", "a book"),
    )
    text = page(one, (), ("stronger",))
    for line in (
        "No text tells it: only running the test again does.",
        "- wins over [weaker](weaker.md)",
        "- [stronger](stronger.md) wins over it",
        "- may only follow from [root](root.md): it then points to that failure as its root",
        "- read in the source: `rule`",
        "- watched while its tests run again: `watch`",
        "- proven by changing one fact: `change`",
        "- its tests are not run again: they hang or end the process",
        "- `mend`, made by `triage fix --unsafe`, to be judged: with care",
        "- it was handled",
        "- <https://example.org/page>",
        "- a book",
    ):
        assert f"{line}\n" in text


def test_equal_wordings_are_shown_once_and_the_rest_is_counted() -> None:
    said = [Shown(f"{number}.xml", f"ValueError: no stock of {number}") for number in range(9)]
    text = page(playbook("known", EVERY), [*said, Shown("z.xml", "ValueError: closed")], ())
    assert text.count("```text") == 2
    assert "8 more recorded examples" in text


def test_text_of_a_playbook_cannot_act_on_its_page() -> None:
    title = "<script>alert(1)</script> [x](y) | ::error::"
    hostile = playbook("known", Symptom(message="`` ` ``"), title=title, why="::warning::\n# not a heading")
    shown = page(hostile, [Shown("a.xml", "```\n::error::x")], ())
    listed = index([hostile])
    assert "<script>" not in shown + listed
    assert "\n# not" not in shown
    assert "\n::" not in shown
    assert "````text" in shown
    assert listed.count("\n| ") == 3, "the head, its rule and one row"
