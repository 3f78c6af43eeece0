"""Which finding belongs to which failure."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders import finding, frame, problem, raised
from tests.rules.trees import tree_of
from triage.model.case import FixtureSite, Problem
from triage.model.finding import Finding
from triage.rules.involved import Involved, involved, touched_name
from triage.rules.lookup import Lookup
from triage.rules.near import FindingIndex, nearest
from triage.rules.source import SourceTree

SHOP = """\
import pytest


def helper():
    return Post()


@pytest.fixture
def tenant():
    return helper()


def other():
    pass


def test_a(tenant):
    tenant.id
    other()
"""


@pytest.fixture
def tree(tmp_path: Path) -> SourceTree:
    return tree_of(tmp_path, {"test_shop.py": SHOP, "far.py": SHOP})


def here(line: int = 18, **more: object) -> Problem:
    return problem(raised("E", "no", frame("test_shop.py", line, "test_a", kind="test", **more)))


def best(tree: SourceTree, one: Problem, *findings: Finding, **names: str) -> Finding | None:
    """The same whether all findings are looked at or only those that the index gives."""
    functions = involved(tree, one)
    found = nearest(findings, one, names, functions)
    assert nearest(FindingIndex(findings).candidates(names, functions), one, names, functions) == found
    return found


def test_a_finding_inside_a_function_that_took_part_belongs(tree: SourceTree) -> None:
    inside = finding(file="test_shop.py", line=18)
    assert best(tree, here(), inside) == inside


@pytest.mark.parametrize(("file", "line"), [("test_shop.py", 14), ("far.py", 18), ("test_shop.py", 2)])
def test_one_file_alone_is_no_reason(tree: SourceTree, file: str, line: int) -> None:
    assert best(tree, here(), finding(file=file, line=line)) is None


def test_a_function_that_is_called_is_reason_enough(tree: SourceTree) -> None:
    called = finding(file="test_shop.py", line=14, function="other")
    assert best(tree, here(), called) == called
    assert best(tree, here(), finding(file="test_shop.py", line=14, function="never")) is None


def test_a_fixture_that_the_test_asked_for_took_part(tree: SourceTree) -> None:
    site = FixtureSite("tenant", "function", "test_shop.py", 8)
    asked = problem(*here().chain, fixtures=(site,))
    wanted = finding(file="test_shop.py", line=10, fixture="tenant")
    assert best(tree, asked, wanted) == wanted
    assert best(tree, here(), wanted) is None
    foreign = FixtureSite("tenant", "function", "test_shop.py", 8, is_own=False)
    assert best(tree, problem(*here().chain, fixtures=(foreign,)), wanted) is None


def test_names_join_and_different_names_part(tree: SourceTree) -> None:
    posts, users = finding(file="far.py", table="Posts"), finding(file="far.py", table="users")
    assert best(tree, here(), users, posts, table="posts") == posts
    assert best(tree, here(), users, table="posts") is None
    assert best(tree, here(), users) is None


def test_more_names_beat_fewer_and_the_deeper_function_beats_the_outer(tree: SourceTree) -> None:
    wide, narrow = finding(file="far.py", table="p"), finding(file="far.py", table="p", column="c")
    assert best(tree, here(), wide, narrow, table="p", column="c") == narrow
    frames = (frame("test_shop.py", 18, "test_a", kind="test"), frame("test_shop.py", 5, "helper"))
    outer, deep = finding(file="test_shop.py", line=18), finding(file="test_shop.py", line=5)
    assert best(tree, problem(raised("E", "no", *frames)), outer, deep) == deep


SUBJECT = st.dictionaries(
    st.sampled_from(["table", "column", "model", "function", "fixture"]),
    st.sampled_from(["posts", "Posts", "helper", "tenant", "other", ""]),
)
FINDING = st.builds(
    lambda file, line, subject: finding(file=file, line=line, **subject),
    st.sampled_from(["test_shop.py", "far.py"]),
    st.integers(1, 20),
    SUBJECT,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # the tree is only read
@given(st.lists(FINDING, max_size=8), SUBJECT)
def test_the_index_leaves_nothing_out(
    tree: SourceTree, findings: list[Finding], names: dict[str, str]
) -> None:
    best(tree, here(), *findings, **names)


def test_the_first_of_equal_findings_wins(tree: SourceTree) -> None:
    later, first = finding(file="test_shop.py", line=19), finding(file="test_shop.py", line=18)
    assert best(tree, here(), later, first) == first


def test_the_name_that_was_touched_decides_between_fixtures(tree: SourceTree) -> None:
    touching = here(source="tenant.id", columns=(0, 9))
    tenant = finding(file="test_shop.py", line=19, variable="tenant")
    other = finding(file="test_shop.py", line=18, variable="other")
    assert touched_name(touching) == "tenant"
    assert best(tree, touching, other, tenant) == tenant


@pytest.mark.parametrize(
    ("source", "columns", "name"),
    [("tenant.id", (0, 9), "tenant"), ("é = x.y", (4, 7), "x"), ("(1)", (0, 3), None), ("a", (5, 9), None)],
)
def test_the_name_that_was_touched_is_the_first_of_the_expression(
    source: str, columns: tuple[int, int], name: str | None
) -> None:
    assert touched_name(here(source=source, columns=columns)) == name


def test_without_frames_or_columns_nothing_is_touched(tree: SourceTree) -> None:
    assert touched_name(problem(raised())) is None
    assert touched_name(here(source="a.b")) is None
    assert involved(tree, problem(raised())) == ()


def test_functions_are_found_from_their_first_decorator_and_the_deepest_first(tree: SourceTree) -> None:
    frames = (frame("test_shop.py", 18, "test_a"), frame("test_shop.py", 8, "tenant"), frame("gone.py", 1))
    found: tuple[Involved, ...] = involved(tree, problem(raised("E", "no", *frames)))
    assert [(one.node.name, one.first, one.depth) for one in found] == [("tenant", 8, 1), ("test_a", 17, 2)]


CHAIN = {
    "service.py": "def profile(key):\n    return fetch(key)\n",
    "repository.py": "def fetch(key):\n    return key\n\ndef twice():\n    pass\n",
    "test_chain.py": "def test_a():\n    profile(1)\n\ndef test_b():\n    other()\n",
}


def test_equal_names_do_not_join_what_stands_in_a_function_that_took_no_part(tree: SourceTree) -> None:
    elsewhere = finding(file="far.py", line=18, function="test_b", table="posts", column="id")
    assert best(tree, here(), elsewhere, table="posts", column="id") is None


def test_a_function_that_is_called_at_one_remove_needs_a_name(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, CHAIN)
    asked = problem(raised("E", "no", frame("test_chain.py", 2, "test_a", kind="test")))
    other = problem(raised("E", "no", frame("test_chain.py", 5, "test_b", kind="test")))
    found = finding(file="repository.py", line=2, function="fetch", model="Row")
    assert best(tree, asked, found, model="Row") == found
    assert best(tree, asked, found) is None
    assert best(tree, other, found, model="Row") is None


def test_a_name_that_two_functions_share_leads_nowhere(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, {**CHAIN, "other.py": "def profile():\n    pass\n"})
    asked = problem(raised("E", "no", frame("test_chain.py", 2, "test_a", kind="test")))
    found = finding(file="repository.py", line=2, function="fetch", model="Row")
    assert best(tree, asked, found, model="Row") is None


SETUP = """\
class Base:
    def setUp(self):
        self.row = make()

class TestIt(Base):
    def helper(self):
        pass
    def test_a(self):
        assert self.row.id

class TestOther:
    def setUp(self):
        pass
"""


def test_what_a_class_runs_before_each_test_took_part(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, {"test_setup.py": SETUP})
    asked = problem(raised("E", "no", frame("test_setup.py", 9, "test_a", kind="test")))
    assert [(one.node.name, one.first) for one in involved(tree, asked)] == [("test_a", 8), ("setUp", 2)]


def test_a_text_for_a_uuid_in_another_test_is_not_the_cause(tmp_path: Path) -> None:
    source = (
        "import uuid\nfrom app import db\nclass Row(db.Model):\n"
        "    id = db.Column(db.Uuid, primary_key=True)\n"
        "def test_a(session, key):\n    session.get(Row, key)\n"
        "def test_b(session):\n    session.get(Row, 'x')\n"
    )
    lookup = Lookup(tree_of(tmp_path, {"test_rows.py": source}))
    assert [one.line for one in lookup.findings(["uuid-as-text"])] == [8]
    names = {"model": "Row", "table": "row", "column": "id"}
    for line, expected in ((6, False), (8, True)):
        asked = problem(raised("E", "no", frame("test_rows.py", line, "test", kind="test")))
        assert lookup.has_near("uuid-as-text", asked, names) is expected
