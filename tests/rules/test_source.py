"""Which files the rules see, and what becomes of files that cannot be read."""

import ast
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rules.trees import tree_of
from triage.model.finding import Finding
from triage.rules import registry
from triage.rules.ignore import IgnoreFile, is_ignored
from triage.rules.registry import RULES, find_all
from triage.rules.source import SIZE_LIMIT, SourceTree

MODEL = "from app import db\nclass User(db.Model):\n    id = db.Column(db.Integer, primary_key=True)\n"
FROZEN = MODEL + "    at = db.Column(db.DateTime, default=datetime.utcnow())\n"


def test_only_the_projects_own_files_are_listed(tmp_path: Path) -> None:
    tree = tree_of(
        tmp_path,
        {
            "app.py": "",
            "pkg/mod.py": "",
            "notes.txt": "",
            ".venv/lib/x.py": "",
            "env/pyvenv.cfg": "",
            "env/lib/x.py": "",
            "node_modules/x.py": "",
            "build/x.py": "",
            ".triage/x.py": "",
            "lib/site-packages/x.py": "",
            "out/x.py": "",
            "gen/keep.py": "",
            "gen/drop_pb2.py": "",
            ".gitignore": "# made\n/out\n*_pb2.py\n",
        },
    )
    assert list(tree.files) == ["app.py", "gen/keep.py", "pkg/mod.py"]


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "secret.py").write_text("x = 1\n")
    root = tmp_path / "project"
    tree_of(root, {"app.py": ""})
    (root / "linked").symlink_to(tmp_path / "elsewhere")
    (root / "linked.py").symlink_to(tmp_path / "elsewhere" / "secret.py")
    (root / "loop").symlink_to(root)
    assert list(SourceTree(root).files) == ["app.py"]


def test_source_folders_limit_all_but_tests(tmp_path: Path) -> None:
    files = {"app/a.py": "", "scripts/b.py": "", "tests/test_a.py": "", "conftest.py": ""}
    assert list(tree_of(tmp_path, files, "app").files) == ["app/a.py", "conftest.py", "tests/test_a.py"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("test_a.py", True),
        ("a_test.py", True),
        ("app/conftest.py", True),
        ("tests/builders.py", True),
        ("checks/unit/helper.py", True),
        ("app/testing.py", False),
        ("app/latest.py", False),
    ],
)
def test_what_is_a_test_file(tmp_path: Path, path: str, *, expected: bool) -> None:
    (tmp_path / "checks").mkdir()
    (tmp_path / "app").mkdir()
    assert SourceTree(tmp_path, (), ("checks/unit", "./checks", "-k", "app")).is_test(path) is expected


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + FROZEN.encode(),
        FROZEN.replace("\n", "\r\n").encode(),
        b"# -*- coding: latin-1 -*-\n# caf\xe9\n" + FROZEN.encode(),
        FROZEN.encode() + b"x = '\\d'\n",
    ],
    ids=["bom", "crlf", "latin-1", "invalid escape"],
)
def test_odd_but_legal_files_are_read(tmp_path: Path, content: bytes) -> None:
    tree = tree_of(tmp_path, {"m.py": content})
    findings = find_all(tree, ["evaluated-default"])
    assert [each.line for each in findings] == [6 if b"coding" in content else 4]
    assert tree.notes == []


@pytest.mark.parametrize(
    "content",
    [
        b"def broken(:\n    db.Column(\n",
        b"x = 'db.Column('\x00\n",
        b"# coding: nonsense\ndb.Column(1)\n",
        b"x = 'caf\xe9 db.Column('\n",
        b"db.Column(" + b"(" * 5000 + b")" * 5001,
        b"db.Column(" + b"-" * 100_000 + b"1)",
        b"print 'db.Column('\n",
    ],
    ids=["syntax", "nul", "codec", "bytes", "brackets", "unary", "python 2"],
)
def test_a_file_that_cannot_be_parsed_is_noted_and_hides_no_other(tmp_path: Path, content: bytes) -> None:
    tree = tree_of(tmp_path, {"bad.py": content, "good.py": FROZEN})
    assert [each.file for each in find_all(tree, RULES)] == ["good.py"]
    assert [note.partition(":")[0] for note in tree.notes] == ["bad.py"]


@pytest.mark.parametrize("deep", ["1" + "+1" * 900, "a." * 900 + "b", "f" + ".g()" * 400, "1" + "+1" * 9000])
def test_a_deep_expression_hides_nothing_elsewhere(tmp_path: Path, deep: str) -> None:
    column = f"    at = db.Column({deep}, default={deep})\n"
    use = f"def test_it(session):\n    session.add(User(at={deep}))\n    session.get(User, {deep})\n"
    tree = tree_of(tmp_path, {"deep.py": MODEL + column, "test_deep.py": use, "good.py": FROZEN})
    assert [each.file for each in find_all(tree, RULES)] == ["good.py"]


def test_a_rule_that_goes_too_deep_is_noted_and_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_deep(tree: SourceTree) -> list[Finding]:
        raise RecursionError

    rules = dict(RULES)
    monkeypatch.setattr(registry, "RULES", rules)
    rules["uuid-as-text"] = replace(RULES["uuid-as-text"], find=too_deep)
    tree = tree_of(tmp_path, {"good.py": FROZEN})
    assert [each.rule for each in find_all(tree, rules)] == ["evaluated-default"]
    assert ["uuid-as-text" in note for note in tree.notes] == [True]


def test_a_huge_file_is_left_out_with_a_note(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, {"huge.py": b"#" * (SIZE_LIMIT + 1), "good.py": FROZEN})
    assert [each.file for each in find_all(tree, RULES)] == ["good.py"]
    assert len(tree.notes) == 1
    assert "huge.py" in tree.notes[0]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_noted(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, {"closed.py": FROZEN})
    (tmp_path / "closed.py").chmod(0)
    assert find_all(tree, RULES) == ()
    assert "closed.py" in tree.notes[0]


def test_a_missing_root_has_no_files(tmp_path: Path) -> None:
    assert find_all(SourceTree(tmp_path / "absent"), RULES) == ()


def test_a_project_without_models_is_never_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = tree_of(tmp_path, {f"test_{n}.py": "def test_it():\n    assert 1 + 1 == 2\n" for n in range(5)})
    monkeypatch.setattr(ast, "parse", lambda _: pytest.fail("parsed"))
    assert find_all(tree, RULES) == ()
    assert len(tree.files) == 5


@pytest.mark.parametrize(
    ("lines", "path", "expected"),
    [
        ("foo", "a/foo", True),
        ("/foo", "a/foo", False),
        ("/foo", "foo", True),
        ("a/*.py", "a/b.py", True),
        ("a/*.py", "a/b/c.py", False),
        ("**/gen/*.py", "x/y/gen/c.py", True),
        ("a/**", "a/b/c.py", True),
        ("*.py\n!keep.py", "keep.py", False),
        ("*.py\n!keep.py", "drop.py", True),
        ("# foo\n\nbar ", "bar", True),
        ("foo/", "foo", False),
    ],
)
def test_gitignore_patterns(lines: str, path: str, *, expected: bool) -> None:
    chain = [("", IgnoreFile.read(lines))]
    verdict = is_ignored(chain, path, path.rpartition("/")[2], is_folder=False)
    assert verdict is expected or lines == "foo/"
    if lines == "foo/":
        assert is_ignored(chain, path, path, is_folder=True)


@given(st.text(max_size=200))
def test_any_gitignore_can_be_read(content: str) -> None:
    assert IgnoreFile.read(content).verdict("a/b.py", "b.py", is_folder=False) in (True, False, None)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_noted(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    tree = tree_of(tmp_path_factory.mktemp("any"), {"m.py": content + b"#db.Column("})
    assert find_all(tree, RULES) == ()
    assert (tree.module("m.py") is None) == bool(tree.notes)
