"""Two remedies on one file: both take effect, at once or, where they want the same lines, in turn."""

import ast
from itertools import combinations
from pathlib import Path

from triage.model.fix import Proposal, Target
from triage.remedies.edits import applied, compatible
from triage.remedies.example import Cured, Spot
from triage.remedies.registry import IDS, proposals, remedy
from triage.rules.source import SourceTree

FILE = "tests/conftest.py"


def _example(name: str) -> Cured | None:
    """The first that is of one file."""
    found = remedy(name)
    assert found is not None
    return next((one for one in found.cured if len(one.before) == 1 and not one.choice), None)


def _proposal(name: str, spot: Spot, line: int, tree: SourceTree) -> Proposal | None:
    target = Target(
        spot.playbook, FILE, line, spot.symbol, spot.names, spot.tests, (), spot.change, spot.message
    )
    return next((one for one in proposals([name], target, tree) if isinstance(one, Proposal)), None)


def test_no_pair_is_in_the_way_of_the_other(tmp_path: Path) -> None:
    """Two examples, one below the other in one file; where names collide a remedy may refuse."""
    examples = {name: one for name in IDS if (one := _example(name)) is not None}
    tried = waiting = 0
    for number, (first, second) in enumerate(combinations(examples, 2)):
        one, other = examples[first], examples[second]
        above, below = next(iter(one.before.values())), next(iter(other.before.values()))
        tree = _tree(tmp_path / str(number), f"{above}\n\n{below}")
        line = other.spot.line + above.count("\n") + 2
        mine = _proposal(first, one.spot, one.spot.line, tree)
        yours = _proposal(second, other.spot, line, tree)
        if mine is None or yours is None:
            continue
        tried += 1
        if compatible(mine.edits, yours.edits):
            ast.parse(applied(tree.files, [*mine.edits, *yours.edits])[FILE])
        else:
            waiting += 1
            _one_after_the_other(tmp_path / f"{number}-later", tree, mine, (second, other.spot, line))
    assert tried >= len(examples) * 3
    assert waiting <= tried / 20


def _tree(root: Path, text: str) -> SourceTree:
    (root / "tests").mkdir(parents=True)
    (root / FILE).write_text(text, "utf-8")
    return SourceTree(root)


def _one_after_the_other(
    root: Path, tree: SourceTree, first: Proposal, second: tuple[str, Spot, int]
) -> None:
    """As the next round does it: the second is asked anew."""
    text = applied(tree.files, first.edits)[FILE].decode()
    ast.parse(text)
    later = _tree(root, text)
    name, spot, line = second
    again = _proposal(name, spot, line + text.count("\n") - tree.files[FILE].count(b"\n"), later)
    if again is not None:
        ast.parse(applied(later.files, again.edits).get(FILE, text))
