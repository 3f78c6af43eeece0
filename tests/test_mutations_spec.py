"""The mutations of bench/ are well formed and are made as they say; nothing is downloaded."""

import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from triage.resources import data_folder

FOLDER = Path(__file__).parents[1] / "bench" / "mutations"
SOURCE = """\
def make(app):
    with app.context():
        first()

        second()
    third()


def other(app):
    with app.context():
        first(key=1)
"""


@pytest.fixture(scope="module")
def specs() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        import mutation_specs  # noqa: PLC0415 - its folder is no package

        yield mutation_specs
        sys.modules.pop("mutation_specs", None)


@pytest.fixture(scope="module")
def edits(specs: Any) -> Iterator[Any]:
    import mutation_edits  # noqa: PLC0415 - found by the path of `specs`

    yield mutation_edits
    sys.modules.pop("mutation_edits", None)


@pytest.fixture
def edited(specs: Any, edits: Any, tmp_path: Path) -> Callable[..., str]:
    def edit(**values: Any) -> str:
        (tmp_path / "code.py").write_text(SOURCE, "utf-8")
        one = specs.Edit(file="code.py", **values)
        cause = specs.Cause(file="code.py", anchor="third()")
        edits.apply(tmp_path, specs.Mutation("one", "not-null", "note", (one,), cause, ("tests",), "text"))
        return (tmp_path / "code.py").read_text("utf-8")

    return edit


def test_there_are_twelve_mutations_of_two_packages_at_least(specs: Any) -> None:
    packages = specs.load_all()
    assert len({one.package for one in packages}) >= 2
    assert sum(len(one.mutations) for one in packages) >= 12


def test_each_mutation_has_an_id_of_its_own(specs: Any) -> None:
    names = Counter(
        f"{package.package}/{one.id}" for package in specs.load_all() for one in package.mutations
    )
    assert [name for name, times in names.items() if times > 1] == []


def test_each_expected_playbook_exists(specs: Any) -> None:
    known = {path.stem for path in data_folder("playbooks").glob("*.yaml")}
    named = {one.playbook for package in specs.load_all() for one in package.mutations}
    assert named <= known


def test_everything_is_pinned(specs: Any) -> None:
    for package in specs.load_all():
        assert re.fullmatch(r"[0-9a-f]{64}", package.sha256)
        assert [one for one in package.requirements if not re.fullmatch(r"[\w.-]+==[\w.]+", one)] == []
        assert any(one.startswith("pytest==") for one in package.requirements)


def test_each_mutation_runs_some_tests_and_says_why(specs: Any) -> None:
    for package in specs.load_all():
        for one in package.mutations:
            assert one.edits, one.id
            assert one.tests, one.id
            assert one.note, one.id
            assert one.symptom, one.id


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"symptom": None}, "symptom"),
        ({"extra": 1}, "unknown extra"),
        ({"edits": [{"file": "a.py", "anchor": "x"}]}, "needs one of"),
        ({"edits": [{"file": "a.py", "anchor": "x", "to": "y", "drop": True}]}, "needs one of"),
        ({"edits": [{"file": "a.py", "anchor": "x" * 121, "drop": True}]}, "not one line"),
        ({"cause": {"file": "a.py", "anchor": "x\ny"}}, "not one line"),
        ({"cause": {"file": "a.py", "anchor": "x", "also": ["x\ny"]}}, "not one line"),
    ],
)
def test_a_malformed_mutation_is_refused(
    specs: Any, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    mutation: dict[str, Any] = {
        "id": "one",
        "playbook": "not-null",
        "note": "note",
        "symptom": "text",
        "edits": [{"file": "a.py", "anchor": "x", "to": "y"}],
        "cause": {"file": "a.py", "anchor": "y"},
    }
    mutation.update(change)
    path = write(tmp_path, {key: value for key, value in mutation.items() if value is not None})
    with pytest.raises(specs.SpecError, match=message):
        specs.load(path)


def write(folder: Path, mutation: dict[str, Any]) -> Path:
    package = {"package": "p", "version": "1.0", "sha256": "0" * 64, "requirements": ["pytest==9.2.0"]}
    path = folder / "p.yaml"
    data = {**package, "tests": ["tests"], "source": ["p"], "mutations": [mutation]}
    path.write_text(json.dumps(data), "utf-8")  # JSON is YAML, too
    return path


def test_text_is_put_in_place_of_the_anchor(edited: Callable[..., str]) -> None:
    assert "        first(key=2)\n" in edited(anchor="key=1", to="key=2")


def test_a_line_is_put_above_with_the_same_margin(edited: Callable[..., str]) -> None:
    assert "        before()\n        second()\n" in edited(anchor="second()", above="before()")


def test_a_line_is_put_below_further_left(edited: Callable[..., str]) -> None:
    text = edited(anchor="second()", below="after()", dedent=1)
    assert "        second()\n    after()\n    third()\n" in text


def test_a_line_is_put_into_a_block(edited: Callable[..., str]) -> None:
    text = edited(anchor="third()", wrap="with lock:")
    assert "    with lock:\n        third()\n" in text


def test_a_block_loses_its_head(edited: Callable[..., str]) -> None:
    text = edited(after="def make", anchor="with app.context():", unwrap=True)
    assert text.startswith("def make(app):\n    first()\n\n    second()\n    third()\n")


def test_a_line_is_removed_below_another(edited: Callable[..., str]) -> None:
    text = edited(after="def other", anchor="first(", drop=True)
    assert text == SOURCE.replace("        first(key=1)\n", "")


@pytest.mark.parametrize("anchor", ["with app.context():", "nowhere"])
def test_an_anchor_that_names_no_single_line_is_refused(
    specs: Any, edited: Callable[..., str], anchor: str
) -> None:
    with pytest.raises(specs.SpecError, match="not in one"):
        edited(anchor=anchor, drop=True)


def test_cause_lines_are_counted_in_the_mutated_text(
    specs: Any, edits: Any, edited: Callable[..., str], tmp_path: Path
) -> None:
    edited(anchor="second()", above="before()")
    cause = specs.Cause(file="code.py", anchor="third()", also=("first(", "before()"))
    assert edits.cause_lines(tmp_path, cause) == (7, 12, 5)


def test_the_nth_line_below_another_is_found(
    specs: Any, edits: Any, edited: Callable[..., str], tmp_path: Path
) -> None:
    edited(anchor="third()", to="third()")
    cause = specs.Cause(file="code.py", after="def make", anchor="with app.context():", nth=2)
    assert edits.cause_lines(tmp_path, cause) == (10,)
