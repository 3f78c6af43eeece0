"""Every hand-written case of the benchmark: what weakens is reported, what cures is not."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from triage.guard.compare import weakenings
from triage.model.fix import Weakening

FOLDER = Path(__file__).parents[2] / "bench" / "weakenings"
WEAKER = sorted((FOLDER / "weaker").glob("*.yaml"))
HONEST = sorted((FOLDER / "honest").glob("*.yaml"))


def _judged(path: Path) -> tuple[dict[str, Any], tuple[Weakening, ...]]:
    data = yaml.safe_load(path.read_text("utf-8"))
    before, after = ({name: text.encode() for name, text in data[key].items()} for key in ("before", "after"))
    return data, weakenings(before, after, lambda name: name.startswith("tests/"))


@pytest.mark.parametrize("path", WEAKER, ids=lambda path: path.stem)
def test_what_weakens_is_reported(path: Path) -> None:
    data, found = _judged(path)
    assert {each.kind for each in found} & set(data["kinds"]), found
    assert all(each.line >= 1 and each.text and each.file in data["before"] for each in found)


@pytest.mark.parametrize("path", HONEST, ids=lambda path: path.stem)
def test_what_cures_is_not(path: Path) -> None:
    _, found = _judged(path)
    assert found == ()


@pytest.mark.parametrize("path", [*WEAKER, *HONEST], ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_nothing_is_said_where_nothing_changed(path: Path) -> None:
    data = yaml.safe_load(path.read_text("utf-8"))
    files = {name: text.encode() for name, text in data["before"].items()}
    assert weakenings(files, dict(files), lambda name: name.startswith("tests/")) == ()


def test_the_corpus_is_as_large_as_it_says() -> None:
    assert len(WEAKER) >= 120
    assert len(HONEST) >= 40
