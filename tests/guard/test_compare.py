"""The guard over whole files: layout says nothing, each lost assertion is seen, no input breaks it."""

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.guard.compare import weakenings
from triage.model.fix import Weakening

HERE = Path(__file__).parents[1]
FILES = [HERE / name for name in ("process/test_environ.py", "rules/test_near.py", "stages/test_record.py")]
PRODUCT = [HERE.parent / "triage" / name for name in ("settings.py", "process/child.py", "rules/models.py")]
TEXTS = [
    *("def test_a():\n    assert f() == 1\n", "x = (\n", "\ufeffx = 1\n"),
    *("# -*- coding: nope -*-\n", "a\x00b", "def f(:"),
]


def _said(before: bytes, after: bytes, path: str = "tests/test_a.py") -> tuple[Weakening, ...]:
    return weakenings({path: before}, {path: after}, lambda name: name.startswith("tests/"))


@pytest.mark.parametrize("path", [*FILES, *PRODUCT], ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_another_layout_of_a_file_says_nothing(path: Path) -> None:
    text = path.read_text("utf-8")
    name = "tests/test_a.py" if path in FILES else "app/a.py"
    assert _said(text.encode(), ast.unparse(ast.parse(text)).encode(), name) == ()
    assert _said(text.encode(), text.replace("\n", "\r\n").encode(), name) == ()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_assertion_that_is_taken_out_of_a_file_is_seen(path: Path) -> None:
    text = path.read_text("utf-8")
    asserts = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Assert)]
    for node in asserts:
        lines = text.splitlines()
        margin = " " * node.col_offset
        lines[node.lineno - 1 : node.end_lineno] = [f"{margin}pass"]
        assert _said(text.encode(), "\n".join(lines).encode()), node.lineno


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_context_round_each_assertion_says_nothing(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    wrapped = ast.unparse(ast.fix_missing_locations(_Wrapped().visit(tree)))
    assert _said(path.read_bytes(), wrapped.encode()) == ()


class _Wrapped(ast.NodeTransformer):
    def visit_Assert(self, node: ast.Assert) -> ast.With:
        context = ast.parse("app.app_context()", mode="eval").body
        return ast.With([ast.withitem(context)], [node])


@pytest.mark.parametrize(
    "text", ["x = (\n", "a\x00b", "# -*- coding: nope -*-\nx = 1\n", "f(" * 3000 + ")" * 3000]
)
def test_a_file_without_a_tree_is_reported(text: str) -> None:
    assert [each.kind for each in _said(b"x = 1\n", text.encode())] == ["unreadable"]
    assert [each.kind for each in _said(text.encode(), b"x = 1\n")] == ["unreadable"]


@pytest.mark.parametrize("name", ["pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg"])
def test_settings_that_cannot_be_read_are_reported(name: str) -> None:
    assert [each.kind for each in _said(b"[a]\n", b"no section = [\n", name)] == ["unreadable"]


@given(
    before=st.one_of(st.binary(max_size=60), st.sampled_from(TEXTS).map(str.encode)),
    after=st.one_of(st.binary(max_size=60), st.sampled_from(TEXTS).map(str.encode)),
    path=st.sampled_from(
        ["tests/test_a.py", "app/a.py", "pytest.ini", "pyproject.toml", "setup.cfg", "a.txt"]
    ),
)
def test_no_input_breaks_it(before: bytes, after: bytes, path: str) -> None:
    found = _said(before, after, path)
    assert all(each.file == path and each.kind and each.text for each in found)
    if before == after or path == "a.txt":
        assert found == ()


def test_what_a_new_file_holds_is_compared_with_nothing() -> None:
    new = {"tests/conftest.py": b"collect_ignore = ['test_a.py']\n"}
    assert [each.kind for each in weakenings({}, new, lambda _: True)] == ["test-not-collected"]
    assert weakenings({}, {"tests/factories.py": b"class A:\n    x = 1\n"}, lambda _: True) == ()


def test_helpers_of_unchanged_files_count() -> None:
    helpers = b"def check(x):\n    assert x == 1\n"
    before = {"tests/helpers.py": helpers, "tests/test_a.py": b"def test_a():\n    check(f())\n"}
    after = before | {"tests/test_a.py": b"def test_a():\n    f()\n"}
    assert [each.kind for each in weakenings(before, after, lambda _: True)] == ["assertion-removed"]


def test_the_line_is_that_of_the_text_after() -> None:
    before = b"def test_a():\n    assert f() == 1\n"
    after = b"import os\n\n\ndef test_a():\n    assert f() == 2\n"
    assert [(each.kind, each.line) for each in _said(before, after)] == [("expected-changed", 5)]
