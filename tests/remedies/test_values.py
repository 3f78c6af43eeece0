"""What the remedies make of real refusals: observed in one run, cured in the source, green in the next."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.probes.second import Seen, second_pass
from tests.remedies.values_project import SOURCES
from triage.model.fix import Edit, Proposal, Refusal, Target
from triage.model.terms import Applicability
from triage.remedies.edits import applied, compatible
from triage.remedies.registry import proposals
from triage.rules.source import SourceTree

pytestmark = pytest.mark.children
_REMEDIES = {
    "not-null": ("add-missing-value",),
    "unique": ("use-another-value",),
    "foreign-key": ("store-parent-first",),
    "uuid": ("pass-uuid-object",),
}
Found = Mapping[str, list[Proposal | Refusal]]


def _names() -> Iterator[str]:
    for file in ("tests/test_it.py", "tests/test_more.py"):
        for node in ast.walk(ast.parse(SOURCES[file])):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield node.name


NAMES = tuple(_names())
LEFT = tuple(one for one in NAMES if one.startswith("test_left_"))


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    folder = tmp_path_factory.mktemp("before")
    return second_pass(folder, SOURCES, "tests", "--tb=no", observers=["sqlalchemy-statements"])


@pytest.fixture(scope="module")
def tree(before: Seen, tmp_path_factory: pytest.TempPathFactory) -> SourceTree:
    folder = tmp_path_factory.mktemp("sources")
    for name, text in SOURCES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return SourceTree(folder)


@pytest.fixture(scope="module")
def found(before: Seen, tree: SourceTree) -> Found:
    return {name: _proposed(before, tree, name) for name in NAMES}


def _proposed(before: Seen, tree: SourceTree, name: str) -> list[Proposal | Refusal]:
    seen = before.observed(name)
    cause = seen["cause"]
    names = {key: str(value) for key, value in seen["names"].items()}
    target = Target("", cause["file"], cause["line"], "", names, (seen["id"],))
    return proposals(_REMEDIES[names["violation"]], target, tree)


@pytest.fixture(scope="module")
def after(found: Found, tree: SourceTree, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """The first proposal for each test, all at once."""
    edits: list[Edit] = []
    for name in NAMES:
        first = next((one for one in found[name] if isinstance(one, Proposal)), None)
        if first is not None and compatible(first.edits, edits):
            edits += first.edits
    changed = {file: data.decode() for file, data in applied(tree.files, edits).items()}
    return second_pass(tmp_path_factory.mktemp("after"), {**SOURCES, **changed}, "tests", "--tb=no")


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(LEFT)))
def test_what_was_refused_is_stored(before: Seen, found: Found, after: Seen, name: str) -> None:
    assert before.outcome(name) in ("failed", "error")
    assert [one for one in found[name] if isinstance(one, Proposal)], found[name]
    assert after.outcome(name) == "passed", after.messages(name)


@pytest.mark.parametrize("name", LEFT)
def test_what_only_a_person_can_mend_is_left_with_its_reason(found: Found, name: str) -> None:
    assert [one for one in found[name] if isinstance(one, Proposal)] == []
    (refusal,) = found[name]
    assert isinstance(refusal, Refusal)
    assert refusal.line
    assert refusal.reason


@pytest.mark.parametrize("name", ["test_omitted", "test_literal_none", "test_every_type", "test_in_set_up"])
def test_a_plain_value_of_a_test_needs_no_judgement(found: Found, name: str) -> None:
    (proposal,) = found[name]
    assert isinstance(proposal, Proposal)
    assert proposal.applicability is None
    assert not proposal.judge


@pytest.mark.parametrize("name", ["test_in_a_loop", "test_kwargs_helper", "test_parent_by_relationship"])
def test_what_is_computed_or_means_another_row_is_judged(found: Found, name: str) -> None:
    (proposal,) = found[name]
    assert isinstance(proposal, Proposal)
    assert proposal.applicability is Applicability.UNSAFE
    assert proposal.judge


def test_a_refusal_of_the_product_names_its_line(found: Found) -> None:
    (refusal,) = found["test_left_product"]
    assert isinstance(refusal, Refusal)
    assert "bug of the product: models.py:" in refusal.reason


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("'ann@example.org'", "app.py:3 gives each User the same email 'ann@example.org'"),
        ("address()", "app.py:3 stores a value of email that another row has"),
    ],
)
def test_a_value_that_the_product_stores_twice_is_told_by_its_column(
    tmp_path: Path, given: str, said: str
) -> None:
    (tmp_path / "models.py").write_text(
        "class User(db.Model):\n    email = db.Column(db.String, unique=True)\n", "utf-8"
    )
    (tmp_path / "app.py").write_text(
        f"from models import User\ndef register():\n    return User(email={given})\n", "utf-8"
    )
    target = Target("", "app.py", 3, "register", {"model": "User", "table": "user", "column": "email"})
    (refusal,) = proposals(["rollback-session-fixture", "use-another-value"], target, SourceTree(tmp_path))
    assert isinstance(refusal, Refusal)
    assert refusal.reason == f"a bug of the product: {said}"
