"""Failure texts of every style, made by the real pytest, and hostile ones."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.junit.exception_line import split_type, unwrap
from triage.junit.failure_text import parse_failure
from triage.junit.reader import read_report
from triage.junit.report import RawResult
from triage.model.case import ExceptionInfo

pytestmark = pytest.mark.children

STYLES = ("auto", "long", "short", "native", "line")
CAUSE = "The above exception was the direct cause of the following exception:"
CONTEXT = "During handling of the above exception, another exception occurred:"
WITH_FRAMES = ("auto", "long", "short", "native")
FILES = {
    "app/__init__.py": "",
    "app/logic.py": """class DomainError(Exception):
    pass


def inner(x):
    raise KeyError(x)


def outer(x):
    try:
        inner(x)
    except KeyError as error:
        raise DomainError(f"no {x}\\nsecond line\\n\\n  indented") from error


def handling():
    try:
        inner(1)
    except KeyError:
        raise ValueError("while: handling")
""",
    "tests/conftest.py": """import pytest


@pytest.fixture
def bad():
    raise RuntimeError("setup broke")


@pytest.fixture
def late():
    yield
    raise RuntimeError("teardown broke")
""",
    "tests/test_a.py": """import unittest

import pytest

from app import logic


def test_cause():
    logic.outer("k")


def test_context():
    logic.handling()


def test_bare():
    value = [1, 2]
    assert value == [1, 3]


def test_words():
    assert 1 == 2, "words: more"


def test_setup(bad):
    pass


def test_teardown(late):
    pass


def test_fixture(nosuch):
    pass


def test_raises():
    with pytest.raises(ValueError):
        pass


def test_empty():
    raise KeyError


def test_local():
    class Local(Exception):
        pass

    raise Local("a: b")


def test_group():
    raise ExceptionGroup("many", [ValueError("a"), TypeError("b")])


class TestCase(unittest.TestCase):
    def test_unit(self):
        self.assertEqual(1, 2)
""",
    "tests/test_b.py": "def broken(:\n",
    "tests/test_c.py": "import nosuchmodule\n",
}
EXPECTED = {
    "test_cause": [
        ("raised", "app.logic.DomainError", "no k\nsecond line\n\n  indented"),
        ("cause", "KeyError", "'k'"),
    ],
    "test_context": [("raised", "ValueError", "while: handling"), ("context", "KeyError", "1")],
    "test_setup": [("raised", "RuntimeError", "setup broke")],
    "test_teardown": [("raised", "RuntimeError", "teardown broke")],
    "test_fixture": [("raised", "_pytest.fixtures.FixtureLookupError", "fixture 'nosuch' not found")],
    "test_raises": [("raised", "Failed", "DID NOT RAISE ValueError")],
    "test_empty": [("raised", "KeyError", "")],
    "test_local": [("raised", "test_a.test_local.<locals>.Local", "a: b")],
    "test_unit": [("raised", "AssertionError", "1 != 2")],
    "test_group": [
        ("raised", "ExceptionGroup", "many (2 sub-exceptions)"),
        ("group", "ValueError", "a"),
        ("group", "TypeError", "b"),
    ],
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("project")
    for name, text in FILES.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.fixture(scope="module", params=STYLES)
def reported(project: Path, request: pytest.FixtureRequest) -> tuple[str, Mapping[str, RawResult]]:
    out = project / f"{request.param}.xml"
    arguments = ["-q", "-p", "no:cacheprovider", "--continue-on-collection-errors", f"--tb={request.param}"]
    subprocess.run(
        [sys.executable, "-m", "pytest", *arguments, f"--junitxml={out}", "tests"],
        cwd=project,
        capture_output=True,
        check=False,
    )
    return request.param, {case.name: case.results[0] for case in read_report(out)}


def parsed(result: RawResult, root: Path | str = "") -> tuple[ExceptionInfo, ...]:
    return parse_failure(result.text, result.message, result.type, str(root))


def test_pytest_s_own_texts_give_types_messages_and_chains(
    reported: tuple[str, Mapping[str, RawResult]], project: Path
) -> None:
    _, results = reported
    for name, wanted in EXPECTED.items():
        found = [(one.via, one.type, one.message) for one in parsed(results[name], project)]
        assert found == wanted, name


def test_a_bare_assert_is_an_assertion_error_with_its_explanation(
    reported: tuple[str, Mapping[str, RawResult]],
) -> None:
    _, results = reported
    (bare,) = parsed(results["test_bare"])
    assert (bare.type, bare.message.splitlines()[0]) == ("AssertionError", "assert [1, 2] == [1, 3]")
    assert "At index 1 diff: 2 != 3" in bare.message
    (words,) = parsed(results["test_words"])
    assert (words.type, words.message) == ("AssertionError", "words: more\nassert 1 == 2")


def test_the_styles_with_frames_give_the_project_s_own(
    reported: tuple[str, Mapping[str, RawResult]], project: Path
) -> None:
    style, results = reported
    head, cause = parsed(results["test_cause"], project)
    if style not in WITH_FRAMES:
        assert head.frames == cause.frames == ()
        return
    shown = [(f.file, f.line, f.function, f.kind, f.source) for f in head.frames]
    raised = 'raise DomainError(f"no {x}\\nsecond line\\n\\n  indented") from error'
    assert shown == [
        ("tests/test_a.py", 9, "test_cause", "test", 'logic.outer("k")'),
        ("app/logic.py", 13, "outer", "project", raised),
    ]
    assert [(f.line, f.function) for f in cause.frames] == [(11, "outer"), (6, "inner")]
    assert head.raised_in == "app/logic.py"


def test_modules_that_do_not_import_name_their_error(
    reported: tuple[str, Mapping[str, RawResult]], project: Path
) -> None:
    style, results = reported
    (syntax,) = parsed(results["tests.test_b"], project)
    (missing,) = parsed(results["tests.test_c"], project)
    if style in WITH_FRAMES:
        assert syntax.type == "SyntaxError"
        assert (syntax.frames[-1].file, syntax.frames[-1].line) == ("tests/test_b.py", 1)
    assert (missing.type, missing.message) == ("ModuleNotFoundError", "No module named 'nosuchmodule'")
    assert missing.frames[-1].file == "tests/test_c.py"


def test_a_plain_python_traceback_is_read() -> None:
    text = (
        "Traceback (most recent call last):\n"
        '  File "/usr/lib/python3.11/unittest/case.py", line 57, in testPartExecutor\n    yield\n'
        '  File "/ci/app/tests/test_x.py", line 7, in test_x\n    self.assertEqual(f(1), 2)\n'
        "    ^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
        "AssertionError: 1 != 2\n"
    )
    (found,) = parse_failure(text, "1 != 2", "AssertionError")
    assert (found.type, found.message, found.raised_in) == (
        "AssertionError",
        "1 != 2",
        "/ci/app/tests/test_x.py",
    )
    assert [(f.function, f.kind) for f in found.frames] == [("test_x", "test")]


CRASH = "worker 'gw0' crashed while running 'a'"
JAVA = "java.lang.AssertionError"


@pytest.mark.parametrize(
    ("text", "message", "type_", "wanted"),
    [
        ("", "ValueError: x", "", ("ValueError", "x")),
        ("", 'failed on setup with "pkg.Broken: a"', "", ("pkg.Broken", "a")),
        (
            "",
            'failed on teardown with "KeyError: 1\n[+2 more lines; full report in element text]',
            "",
            ("KeyError", "1"),
        ),
        ("\tat com.x.Y.z(Y.java:12)", "expected: <1>", JAVA, (JAVA, "expected: <1>")),
        ("[XPASS(strict)] known", "[XPASS(strict)] known", "", ("", "[XPASS(strict)] known")),
        ("", "assert 1 == 2", "", ("AssertionError", "assert 1 == 2")),
        (CRASH, f'failed on setup with "{CRASH}"', "", ("", CRASH)),
        ("", "", "", ("", "")),
    ],
)
def test_without_a_traceback_the_attributes_speak(
    text: str, message: str, type_: str, wanted: tuple[str, str]
) -> None:
    (found,) = parse_failure(text, message, type_)
    assert (found.type, found.message) == wanted


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (
            "sqlalchemy.exc.IntegrityError: (sqlite3.X) a: b",
            ("sqlalchemy.exc.IntegrityError", "(sqlite3.X) a: b"),
        ),
        ("socket.timeout: timed out", ("socket.timeout", "timed out")),
        ("KeyError", ("KeyError", "")),
        ("pkg.Odd", ("pkg.Odd", "")),
        ("failed: something", None),
        ("Expected something", None),
        ("12: x", None),
    ],
)
def test_a_line_begins_with_a_class_name_or_it_does_not(line: str, wanted: tuple[str, str] | None) -> None:
    assert split_type(line) == wanted


def test_the_sentence_between_two_tracebacks_inside_a_message_links_nothing() -> None:
    assert len(parse_failure(f"a.py:1: in f\n    x\nE   ValueError: {CAUSE}\nE   y")) == 1
    assert len(parse_failure(f"E   KeyError: 1\n\n{CAUSE}\na.py:1: in f\n    x\nE   ValueError: y")) == 2


def test_the_environment_s_code_is_no_code_of_the_project() -> None:
    text = "\n".join(
        f"{path}:1: in f"
        for path in (
            "tests/test_a.py",
            "app/models.py",
            "../env/lib/python3.12/site-packages/flask/app.py",
            "/usr/lib/python3.12/json/decoder.py",
            ".venv/lib/python3.12/site-packages/x.py",
            "<sqlalchemy generated _go() wrapper 1>",
        )
    )
    (found,) = parse_failure(text + "\nE   KeyError: 1", root="/p")
    kinds = [frame.kind for frame in found.frames]
    assert kinds == ["test", "project", "library", "library", "library", "generated"]
    assert found.raised_in == ".venv/lib/python3.12/site-packages/x.py"


def test_unwrapping_leaves_other_messages_alone() -> None:
    assert unwrap('plain "quoted"') == 'plain "quoted"'


PIECES = st.sampled_from(
    [
        *(
            "E   ",
            "E       ValueError: x",
            "E",
            "a.py:3: in f",
            "a.py:3: ",
            'File "a", line 3, in f',
            "    source",
        ),
        *(">   mark", CAUSE, CONTEXT, "_ _ _", "Traceback (most recent call last):", "", " ", "def f():"),
        *("  + Exception Group Traceback (most recent", "  +-+---------------- 1 ----------------"),
        *("    | ValueError: a", "a" * 50, ":" * 50),
    ]
)


@given(st.lists(PIECES | st.text(max_size=20), max_size=30), st.text(max_size=30), st.text(max_size=10))
def test_any_text_gives_a_chain_whose_head_was_raised(lines: list[str], message: str, type_: str) -> None:
    chain = parse_failure("\n".join(lines), message, type_)
    assert 1 <= len(chain) <= 10
    assert chain[0].via == "raised"
    assert all(one.via in ("cause", "context", "group") for one in chain[1:])


HOSTILE = (
    *("a:", "a.", ":1", "\nE   ", "\n ", "\n", "a:1: ", '\n  File "', "x" * 10, "\na.py:1: in f", "\n    "),
    *("+-", "\n| ", f"\n{CAUSE}\n", "<locals>.", "\n> ", "def "),
)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_repetition_ends(hostile: str) -> None:
    text = hostile * (400_000 // len(hostile))
    for start in ("", "Exception Group Traceback (", "E   ", "\nE   X: "):
        assert parse_failure(start + text, text)


def test_a_text_that_old_pytest_repeats_whole_as_message_is_read_as_the_traceback_that_it_is() -> None:
    text = (
        "def test_a():\n>       sell(5)\n\ntests/test_a.py:7: \n_ _ _ _\n"
        "app/shop.py:3: in sell\n    check()\n_ _ _\n\n"
        ">   raise Locked('drawer')\nE   shop.Locked: drawer 7\n\napp/shop.py:9: Locked"
    )
    (head,) = parse_failure(text, text)
    assert (head.type, head.message) == ("shop.Locked", "drawer 7")
    assert head.frames[-1].file == "app/shop.py"


@pytest.mark.parametrize("message", ["Failed", "", "x_test.go:9: got 3 want 4"])
def test_what_another_language_says_is_no_exception_of_pytest(message: str) -> None:
    for text in (
        "x_test.go:9: got 3 want 4",
        "=== RUN TestY\n    x_test.go:9: got 3 want 4\n--- FAIL: TestY",
    ):
        (one,) = parse_failure(text, message)
        assert one.type == ""
        assert "got 3 want 4" in one.message
