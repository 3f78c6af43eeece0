"""Node ids and the names that pytest's XML makes of them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.junit.nodeid import exact_nodeid, nodeid_below, xml_names

IDS = [
    "tests/test_a.py::test_x",
    "tests/test_a.py::TestA::test_x",
    "tests/test_a.py::TestA::TestB::test_x[a::b.c/d]",
    "test_a.py::test_x[[]",
    "a.b/test_a.py::test_x",
    "tests/test_a.py",
    "docs/guide.rst::guide.rst",
]


@pytest.mark.parametrize("nodeid", IDS)
def test_names_and_file_give_the_node_id_back(nodeid: str) -> None:
    classname, name = xml_names(nodeid)
    assert exact_nodeid(classname, name, nodeid.partition("::")[0]) == nodeid


@pytest.mark.parametrize(
    ("classname", "name", "file"),
    [
        ("tests.test_a.TestA", "test_x", None),
        ("tests.test_a.TestA", "test_x", "tests/base.py"),
        ("tests.test_ab", "test_x", "tests/test_a.py"),
        ("", "tests.test_b", "tests/test_a.py"),
        ("tests.test_a", "", "tests/test_a.py"),
    ],
)
def test_where_the_file_does_not_tell_there_is_none(classname: str, name: str, file: str | None) -> None:
    assert exact_nodeid(classname, name, file) is None


def test_a_prefix_before_the_class_name_does_not_hide_the_module() -> None:
    assert exact_nodeid("nightly.tests.test_a.TestA", "t", "tests/test_a.py") == "tests/test_a.py::TestA::t"


def test_without_the_file_the_project_itself_tells(tmp_path: Path) -> None:
    (tmp_path / "tests" / "test_a").mkdir(parents=True)
    (tmp_path / "tests" / "test_b.py").touch()
    assert nodeid_below(tmp_path, "tests.test_b.TestB", "t[x.y]") == "tests/test_b.py::TestB::t[x.y]"
    assert nodeid_below(tmp_path, "", "tests.test_b") == "tests/test_b.py"
    assert nodeid_below(tmp_path, "tests.test_c", "t") is None
    (tmp_path / "tests.py").touch()
    assert nodeid_below(tmp_path, "tests.test_b", "t") is None


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_no_name_raises(classname: str, name: str, file: str) -> None:
    exact_nodeid(classname, name, file)
    found = nodeid_below(Path("/nonexistent"), classname, name)
    assert found is None
