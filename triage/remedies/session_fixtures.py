"""Session fixtures that leave nothing behind: after the project's own good one, or made from scratch."""

import ast

from triage.model.fix import Edit
from triage.remedies.factory_registry import Handover
from triage.remedies.fixture_imitation import good_ones, imitation
from triage.remedies.fixture_lines import automatic, narrowed
from triage.remedies.own_transaction import Rebuilt, spread, synthesis
from triage.remedies.session_places import SessionPlace, is_rolled_back
from triage.remedies.source import SourceFile, open_source
from triage.remedies.spans import code, lines_after, lines_before
from triage.rules.source import SourceTree


def rolled_back(place: SessionPlace, given: Handover, tree: SourceTree) -> Rebuilt:
    """The place with a transaction round the session that is rolled back, and its hand-over to factories."""
    if place.is_async:
        return Rebuilt(why_not="its session is asynchronous")
    if place.fixture is None and place.function.name in ("setUpClass", "setup_class"):
        return Rebuilt(
            why_not=f"the session is opened once for all tests of a class, in {place.function.name}"
        )
    if is_rolled_back(place):
        return Rebuilt(narrowed(place, tree) if place.is_wide else ())
    good = next(good_ones(place, tree), None)
    if good is not None:
        return Rebuilt(
            (*imitation(place, good, given, tree), *given.edits),
            f"`{good.fixture.name}` in {good.file}" if good.fixture else "",
        )
    found = synthesis(place, given, tree)
    if found.why_not:
        return found
    return Rebuilt((*found.edits, *given.edits, *narrowed(place, tree)))


def handed(place: SessionPlace, given: Handover, tree: SourceTree) -> tuple[Edit, ...]:
    """Only the hand-over, round the statements as they stand."""
    if not given.names:
        return ()
    source = open_source(tree, place.file)
    edits = [
        *_head(place, given.head(), source),
        *given.edits,
        *automatic(place, tree, given, is_narrowed=False),
    ]
    if place.fixture is None:
        edits.append(lines_after(source, place.opening, given.sets(place.variable) + _cleanup(place, given)))
        return (*edits, *_before_closing(place, given, source))
    if not place.variable or isinstance(place.handing, ast.Return):
        edits += spread(place, [], given, [], source, code(source, place.call))
    elif isinstance(place.opening, ast.With | ast.AsyncWith):
        first = place.opening.body[0]
        edits += [
            lines_before(source, first, given.sets(place.variable)),
            *_after_handing(place, given.head(), source),
        ]
    else:
        edits += [
            lines_after(source, place.opening, given.sets(place.variable)),
            *_before_closing(place, given, source),
        ]
    return tuple(edits)


def _cleanup(place: SessionPlace, given: Handover) -> list[str]:
    return [] if place.closings else [f"self.addCleanup({name}.remove)" for name in given.names]


def _before_closing(place: SessionPlace, given: Handover, source: SourceFile) -> list[Edit]:
    if place.closings:
        return [lines_before(source, place.closings[0], given.head())]
    return [] if place.fixture is None else _after_handing(place, given.head(), source)


def _after_handing(place: SessionPlace, lines: list[str], source: SourceFile) -> list[Edit]:
    return [lines_after(source, place.handing, lines)] if place.handing is not None and lines else []


def _head(place: SessionPlace, lines: list[str], source: SourceFile) -> list[Edit]:
    """Registries are emptied before anything is opened: what another test left there may hold a lock."""
    return [lines_before(source, place.opening, lines)] if lines else []
