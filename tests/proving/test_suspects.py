"""Suspicious lines for what no specific playbook knows."""

from tests.proving.laboratory import FILE, Defect, World, examined, of
from triage.probes.spectra import Lines, Spectra
from triage.rules.lookup import Lookup

LINES: dict[str, Lines] = {"a": {FILE: ((1, 3), (9, 9))}, "b": {FILE: ((1, 3),)}, "c": {FILE: ((1, 3),)}}


def test_the_line_that_only_the_failing_test_executes_is_the_first_suspect(lookup: Lookup) -> None:
    world = World({"a": [Defect(9, "plain")], "b": [], "c": []}, spectra=Spectra(LINES))
    one = of("a", examined(world, lookup, localise=True))
    suspects = [(piece.line, piece.text) for piece in one.evidence if piece.kind == "suspect"]
    assert suspects[0] == (9, "rank 1, Ochiai 1.00")
    assert (world.trials[-1].name, world.trials[-1].tests) == ("localise", ("a", "b", "c"))
    assert world.trials[-1].observers == ("line-spectrum",)


def test_what_a_specific_playbook_knows_is_not_localised(lookup: Lookup) -> None:
    world = World({"a": [Defect(9)], "b": []}, spectra=Spectra(LINES))
    examined(world, lookup, localise=True)
    assert "localise" not in world.names


def test_it_is_not_done_unless_asked_for(lookup: Lookup) -> None:
    world = World({"a": [Defect(9, "plain")], "b": []}, spectra=Spectra(LINES))
    examined(world, lookup)
    assert "localise" not in world.names


def test_without_lines_a_note_tells(lookup: Lookup) -> None:
    found = examined(World({"a": [Defect(9, None)]}), lookup, localise=True)
    assert found.notes == ("no test could be watched line by line",)
