"""Playbooks as pages: every condition in words, hostile text harmless."""

from tests.builders import playbook
from triage.model.playbook import Cascade, Diagnose, Remedy, Symptom
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
    text = page(playbook("known", EVERY), (), (), ())
    for line in (
        "1. exception: `shop.NoStock`, not a class derived from it",
        "   - its message holds: `no (?P<item>\\w+)`",
        "   - its message does not hold: `left`",
        "   - its deepest own source line holds: `sell`",
        "   - place in the chain: only the direct cause",
        "   - phase: setup or call",
        "   - raised in: `shop/*`",
        "   - on its way through: `app/*`",
        "   - seen while it ran: `sessions >= 2`",
        "   - static rule that points near it: `a-rule`",
    ):
        assert f"{line}\n" in text


def test_places_that_must_not_fit_are_told_apart() -> None:
    symptoms = [Symptom(raised_in=one) for one in (("a/*", "b/*"), ("a/*", "!b/*"), ("!a/*", "!b/*"))]
    text = page(playbook("known", *symptoms * 4), (), (), ())
    assert "1. raised in: `a/*` or `b/*`\n2. raised in: `a/*`, but not in `b/*`\n" in text
    assert "3. raised in: anywhere but in `a/*` and `b/*`\n" in text


def test_what_belongs_to_a_symptom_stands_below_it_whatever_its_number() -> None:
    text = page(playbook("known", *[Symptom(exception=("A",), message="b")] * 10), (), (), ())
    assert "9. exception: `A`\n   - its message" in text
    assert "10. exception: `A`\n    - its message" in text


def test_rivals_cures_proofs_and_neighbours_stand_on_the_page() -> None:
    one = playbook(
        "known",
        beats=("weaker",),
        cascade=Cascade(("root",), "session"),
        diagnose=Diagnose(probe="watch", interventions=("change",), rules=("rule",), reruns=False),
        remedies=(Remedy("mend", Applicability.UNSAFE, "with care"),),
        references=("https://example.org/page", "a book"),
    )
    alike = [Shown("ValueError: no", "it was handled", "weaker"), Shown("", "nothing was said")]
    text = page(one, (), alike, ("stronger",))
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
        "- `ValueError: no`: it was handled ([weaker](weaker.md))",
        "- nothing was said",
        "- <https://example.org/page>",
        "- a book",
    ):
        assert f"{line}\n" in text


def test_equal_wordings_are_shown_once_and_the_rest_is_counted() -> None:
    said = [Shown(f"ValueError: no stock of {number}") for number in range(9)]
    text = page(playbook("known", EVERY), [*said, Shown("ValueError: closed")], (), ())
    assert text.count("```text") == 2
    assert "8 more recorded examples" in text


def test_text_of_a_playbook_cannot_act_on_its_page() -> None:
    title = "<script>alert(1)</script> [x](y) | ::error::"
    hostile = playbook("known", Symptom(message="`` ` ``"), title=title, why="::warning::\n# not a heading")
    shown = page(hostile, [Shown("```\n::error::x")], [Shown("::error::y", "`")], ())
    listed = index([hostile])
    assert "<script>" not in shown + listed
    assert "\n# not" not in shown
    assert "\n::" not in shown
    assert "````text" in shown
    assert listed.count("\n| ") == 3, "the head, its rule and one row"
