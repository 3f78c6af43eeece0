"""Makes a mutation in a copy of its package, and computes the line of its cause."""

from pathlib import Path

from mutation_specs import STEP, Cause, Edit, Mutation, SpecError, Spot


def apply(root: Path, mutation: Mutation) -> None:
    """Edit the files below `root`, in the order given.

    Raises:
        SpecError: an anchor is not there, or not the only one.
    """
    for edit in mutation.edits:
        path = root / edit.file
        lines = path.read_text("utf-8").splitlines()
        path.write_text("\n".join(_edited(lines, edit)) + "\n", "utf-8")


def cause_lines(root: Path, cause: Cause) -> tuple[int, ...]:
    """The line to mend and those that are as right, from 1, in the mutated copy."""
    lines = (root / cause.file).read_text("utf-8").splitlines()
    first = find(lines, cause)
    return (first + 1, *(_nearest(lines, text, first, cause) + 1 for text in cause.also))


def find(lines: list[str], spot: Spot) -> int:
    """Index of the line of a spot.

    Raises:
        SpecError: see `apply`.
    """
    if not spot.after:
        return _only(lines, spot.anchor, spot)
    start = _only(lines, spot.after, spot)
    hits = [place for place in range(start, len(lines)) if spot.anchor in lines[place]]
    if len(hits) < spot.nth:
        raise SpecError(f"{spot.file}: no {spot.anchor!r} below {spot.after!r}")
    return hits[spot.nth - 1]


def _only(lines: list[str], text: str, spot: Spot) -> int:
    hits = [place for place, line in enumerate(lines) if text in line]
    if len(hits) != 1:
        raise SpecError(f"{spot.file}: {text!r} is in {len(hits)} lines, not in one")
    return hits[0]


def _nearest(lines: list[str], text: str, first: int, spot: Spot) -> int:
    hits = [place for place, line in enumerate(lines) if text in line]
    if not hits:
        raise SpecError(f"{spot.file}: no {text!r}")
    return next((place for place in hits if place >= first), hits[-1])


def _edited(lines: list[str], edit: Edit) -> list[str]:
    place = find(lines, edit)
    line = lines[place]
    margin = line[: len(line) - len(line.lstrip())]
    head, tail = lines[:place], lines[place + 1 :]
    match edit.action:
        case "to":
            return [*head, line.replace(edit.anchor, edit.to or ""), *tail]
        case "above":
            return [*head, margin + (edit.above or ""), line, *tail]
        case "below":
            return [*head, line, margin[len(STEP) * edit.dedent :] + (edit.below or ""), *tail]
        case "wrap":
            return [*head, margin + (edit.wrap or ""), STEP + line, *tail]
        case "unwrap":
            return [*head, *_unwrapped(tail, margin)]
        case _:
            return [*head, *tail]


def _unwrapped(lines: list[str], margin: str) -> list[str]:
    inside = len(lines)
    for place, line in enumerate(lines):
        if line.strip() and not line.startswith(margin + STEP):
            inside = place
            break
    return [line.removeprefix(STEP) for line in lines[:inside]] + lines[inside:]
