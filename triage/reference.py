"""The reference pages of the playbooks in force: made, written, and compared with what is there."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from triage.errors import TriageError
from triage.model.playbook import Example, Playbook
from triage.playbook.examples import failures_of
from triage.playbook.match import Matcher
from triage.render.playbook_page import MARK, Shown, beaten, index, page
from triage.workspace import write_whole

INDEX = "README.md"


def pages(playbooks: Mapping[str, Playbook]) -> dict[str, str]:
    """File name to text: one page for each playbook, and the index."""
    matcher = Matcher(playbooks.values())
    made = {
        f"{one.id}.md": page(
            one,
            list(_shown(one, one.match_examples)),
            list(_shown(one, one.no_match_examples, matcher)),
            beaten(playbooks, one.id),
        )
        for one in playbooks.values()
    }
    return {INDEX: index(playbooks.values()), **dict(sorted(made.items()))}


def drift(made: Mapping[str, str], folder: Path) -> tuple[str, ...]:
    """What differs in `folder` from the pages as they should be, a line for each file."""
    found = [f"{folder / name}: {_state(folder / name, text)}" for name, text in made.items()]
    strange = [path for path in sorted(folder.glob("*.md")) if path.name not in made and _is_ours(path)]
    return (
        *(line for line in found if not line.endswith(": ")),
        *(f"{path}: its playbook is gone, remove the page" for path in strange),
    )


def write(made: Mapping[str, str], folder: Path) -> tuple[Path, ...]:
    """Writes the pages that differ and gives their paths; those of playbooks that are gone stay."""
    folder.mkdir(parents=True, exist_ok=True)
    changed = [folder / name for name, text in made.items() if _state(folder / name, text)]
    for path in changed:
        write_whole(path, made[path.name])
    return tuple(changed)


def _state(path: Path, text: str) -> str:
    """Empty where the file is as it should be."""
    try:
        return "" if path.read_text("utf-8") == text else "differs"
    except FileNotFoundError:
        return "is missing"
    except (OSError, UnicodeDecodeError) as error:
        return f"cannot be read ({error})"


def _is_ours(path: Path) -> bool:
    with suppress(OSError, UnicodeDecodeError):
        return MARK in path.read_text("utf-8")
    return False


def _shown(
    playbook: Playbook, examples: Iterable[Example], matcher: Matcher | None = None
) -> Iterator[Shown]:
    """With a matcher also whose they are."""
    for example in examples:
        with suppress(TriageError):  # an example that cannot be read is for `triage playbooks check`
            for one in failures_of(playbook, example):
                head = one.problem.head
                match = matcher.match(one.problem, one.has_finding)[0] if matcher else None
                said = ": ".join(filter(None, (head.type, head.message))) if head else ""
                yield Shown(said, example.because, match.playbook if match else None)
