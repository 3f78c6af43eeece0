"""Truths, artifacts and key links against small folders."""

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import write_files
from triage.errors import ConfigurationError
from triage.gates.check import Check
from triage.gates.commands import fails
from triage.gates.must_haves import check_form, must_haves
from triage.model.environment import Environment, EnvironmentKind
from triage.model.project import Artifact, KeyLink, MustHaves, Project, TestSpec, Truth

FILES = {
    "tests/test_a.py": "from factories import UserFactory\n\n\ndef test_a():\n"
    "    assert User(1) and UserFactory()\n",
    "tests/unit/test_b.py": "def test_b():\n    assert lib.FakeUser(\n        2,\n        email=None)\n",
    "tests/.hidden/test_c.py": "User(3)\n",
    "app.py": "x = 1\r\ny = 2\r\n",
    "picture.bin": "User(\0",
}


def project(root: Path, *wanted: Truth | Artifact | KeyLink, **more: object) -> Project:
    return Project(
        "shop",
        write_files(root, FILES),
        must_haves=MustHaves(
            tuple(one for one in wanted if isinstance(one, Truth)),
            tuple(one for one in wanted if isinstance(one, Artifact)),
            tuple(one for one in wanted if isinstance(one, KeyLink)),
        ),
        **more,  # type: ignore[arg-type] # the fields of a project
    )


def only(root: Path, wanted: Truth | Artifact | KeyLink) -> Check:
    (check,) = must_haves(project(root, wanted), lambda _: None)
    return check


def forbid(pattern: str, within: str | None = "tests", excepting: str | None = None) -> Truth:
    return Truth("no users", pattern, within, excepting, forbids=True)


def test_a_forbidden_pattern_is_named_by_its_first_place_and_how_many_there_are(tmp_path: Path) -> None:
    check = only(tmp_path, forbid(r"User\("))
    assert (check.holds, check.file, check.line, check.count) == (False, "tests/test_a.py", 5, 2)
    assert check.detail == "found: User("


def test_an_exception_speaks_of_the_whole_name_and_of_nothing_beside_it(tmp_path: Path) -> None:
    check = only(tmp_path, forbid(r"User\w*\(", excepting="Factory|Fake"))
    assert (check.file, check.line, check.count) == ("tests/test_a.py", 5, 1)
    assert only(tmp_path, forbid(r"User\(", within="tests/unit", excepting=r"lib\.")).holds


def test_a_pattern_may_reach_over_lines_and_knows_their_ends(tmp_path: Path) -> None:
    assert only(tmp_path, forbid(r"User\([^)]*email=None")).line == 2
    assert only(tmp_path, forbid("^y = 2$", "app.py")).line == 2


def test_a_required_pattern_holds_where_it_is_found(tmp_path: Path) -> None:
    assert only(tmp_path, Truth("t", "FakeUser", "tests/unit/test_b.py")).holds
    missed = only(tmp_path, Truth("t", "Absent"))
    assert (missed.holds, missed.detail) == (False, "Absent is not found in .")


@pytest.mark.parametrize("forbids", [True, False])
def test_a_pattern_that_looks_nowhere_does_not_hold(tmp_path: Path, forbids: bool) -> None:
    check = only(tmp_path, Truth("t", "x", "nowhere", forbids=forbids))
    assert (check.holds, check.detail) == (False, "there is no nowhere")


def test_a_claim_that_nothing_checks_does_not_hold(tmp_path: Path) -> None:
    assert not only(tmp_path, Truth("all is well")).holds


def test_hidden_folders_and_what_is_no_text_are_passed_over(tmp_path: Path) -> None:
    assert only(tmp_path, forbid(r"User\(3|User\($", None)).detail == "found: lib.FakeUser("


@pytest.mark.parametrize(
    ("wanted", "detail"),
    [
        (Artifact("app.py", "x", 2), ""),
        (Artifact("tests", "x"), ""),
        (Artifact("app.py", "x", 3), "it has 2 lines, at least 3 are wanted"),
        (Artifact("gone.py", "x"), "it is missing"),
        (KeyLink("tests/test_a.py", "app.py", "v", "from factories import"), ""),
        (KeyLink("tests/test_a.py", "app.py", "v", "absent"), "absent is not found"),
        (KeyLink("tests/test_a.py", "gone.py", "v", "from factories"), "it is missing"),
        (KeyLink("gone.py", "app.py", "v", "x"), "it is missing"),
    ],
)
def test_artifacts_and_key_links(tmp_path: Path, wanted: Artifact | KeyLink, detail: str) -> None:
    check = only(tmp_path, wanted)
    assert (check.holds, check.detail) == (not detail, detail)


@pytest.mark.parametrize(
    "wanted",
    [
        forbid("(?=x)"),
        forbid("x", excepting="("),
        forbid("x", within="../elsewhere"),
        Artifact("/etc/passwd", "x"),
        KeyLink("app.py", "..", "v", "x"),
        KeyLink("app.py", "app.py", "v", "["),
    ],
)
def test_what_has_no_valid_form_is_refused_before_anything_runs(
    tmp_path: Path, wanted: Truth | Artifact | KeyLink
) -> None:
    with pytest.raises(ConfigurationError, match=r"not valid|leads out of the project"):
        check_form(project(tmp_path, wanted))


def test_a_link_that_leads_out_of_the_project_is_refused(tmp_path: Path) -> None:
    shop = project(tmp_path / "shop", Artifact("out", "x"))
    (shop.root / "out").symlink_to(tmp_path)
    with pytest.raises(ConfigurationError, match="leads out"):
        check_form(shop)


@given(st.text(), st.text())
def test_no_text_and_no_pattern_breaks_the_search(text: str, pattern: str) -> None:
    from tempfile import TemporaryDirectory  # noqa: PLC0415 - hypothesis runs this many times in one tmp_path

    with TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "a.txt").write_text(text, "utf-8", "surrogatepass")
        shop = Project("shop", root, must_haves=MustHaves((forbid(pattern or "x", None),)))
        try:
            check_form(shop)
        except ConfigurationError:
            return
        (check,) = must_haves(shop, lambda _: None)
        assert check.holds or check.line >= 1


def here(root: Path) -> Environment:
    return Environment(Path(sys.executable), EnvironmentKind.EXISTING, "k", "3.11", "-", root / "cache")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("python", "-c", "import os; assert os.environ['WORD'] == 'a b'; open('app.py')"), None),
        (("python", "-c", "raise SystemExit('not so')"), "ended with status 1: not so"),
        (("python", "-c", "import time; time.sleep(60)"), "did not end within 2 s"),
        (("no-such-program",), "cannot start"),
    ],
)
def test_a_command_runs_in_the_project_with_its_python_and_its_variables(
    tmp_path: Path, words: tuple[str, ...], said: str | None
) -> None:
    shop = project(tmp_path, test=TestSpec(env={"WORD": "a b"}, timeout_s=2))
    found = fails(words, shop, here(tmp_path))
    assert found is None if said is None else said in (found or "")


def test_a_truth_of_a_command_holds_where_the_command_does(tmp_path: Path) -> None:
    shop = project(tmp_path, Truth("a", command=("x",)), Truth("b", "Factory", command=("y",)))
    checks = list(must_haves(shop, lambda words: "it fails" if words == ("y",) else None))
    assert [(one.holds, one.detail) for one in checks] == [(True, ""), (False, "it fails")]
