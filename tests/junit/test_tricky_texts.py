"""Texts that look like what they are not, and shapes that few runners write."""

from pathlib import Path

import pytest

from triage.junit.cases import read_cases
from triage.junit.failure_text import parse_failure
from triage.junit.places import place
from triage.junit.run_log import first_failure
from triage.model.case import Problem
from triage.model.terms import Phase
from triage.text import Masker

TITLE = "Traceback (most recent call last):\n"
CAUSE = "\nThe above exception was the direct cause of the following exception:\n"
FRAME = '  File "/srv/app/tests/test_a.py", line 3, in test_a\n    f()\n'
LINKED = f"a log\n{CAUSE}\n{TITLE}{FRAME}KeyError: 1"
NOSE = "3 != 4\n-------------------- >> begin captured logging << --------------------\nKeyError: 1"
TESTTOOLS = "testtools.testresult.real._StringException"
GROUP = f"""  + Exception Group {TITLE}  |   File "/srv/app/a.py", line 2, in f
  |     g()
  | ExceptionGroup: many (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | KeyError: 'a'
    +---------------- 2 ----------------
    | SECOND
    +------------------------------------
"""


@pytest.mark.parametrize(
    ("text", "message", "type_", "wanted"),
    [
        ("E   KeyError: 1\nmore", "Failed: E   KeyError: 1\nmore", "", [("Failed", "E   KeyError: 1\nmore")]),
        ("a\nE   KeyError: 1", "a\nE   KeyError: 1", "", [("", "a\nE   KeyError: 1")]),
        (
            "a.py:1: in f\n    x\nE   KeyError: 1\n        E   ValueError: a local",
            "",
            "",
            [("KeyError", "1")],
        ),
        (
            "E          = 3\n\na.py:1: \n>  x\nE   KeyError: 1\n\na.py:2: KeyError",
            "",
            "",
            [("KeyError", "1")],
        ),
        (f"{TITLE}{FRAME}app.odd: {LINKED}", f"app.odd: {LINKED}", "", [("app.odd", LINKED)]),
        (f"{TITLE}{FRAME}app.odd: {LINKED}", LINKED, "odd", [("app.odd", LINKED)]),
        (
            f"{TITLE}{FRAME}app.odd: {LINKED}",
            "app.odd: a log\n[+9 more lines; full report in element text]",
            "",
            [("app.odd", LINKED)],
        ),
        (f"{TITLE}{FRAME}ValueError: a\n\nStdout:\nKeyError: 1\n", "a", "ValueError", [("ValueError", "a")]),
        (
            f"{TITLE}{FRAME}AssertionError: {NOSE}",
            NOSE,
            "builtins.AssertionError",
            [("AssertionError", "3 != 4")],
        ),
        (f"{TITLE}{FRAME}IntegrityError: a", "a", "app.db.IntegrityError", [("app.db.IntegrityError", "a")]),
        ("", "a", "django.db.utils.IntegrityError", [("django.db.utils.IntegrityError", "a")]),
        ("", "IntegrityError: a", "app.IntegrityError", [("app.IntegrityError", "a")]),
        ("", "a: b", "failure", [("", "a: b")]),
        ("what happened", "collection failure", "", [("", "what happened")]),
        (
            f"{TESTTOOLS}: stdout: {{{{{{\n{TITLE}KeyError: 1\n}}}}}}\n\n{TITLE}{FRAME}ValueError: a",
            "",
            TESTTOOLS,
            [("ValueError", "a")],
        ),
        (GROUP.replace("SECOND", "ValueError: b"), "", "", [("ExceptionGroup", "many (2 sub-exceptions)")]),
        (
            GROUP.replace("SECOND", "KeyError: 'b'"),
            "",
            "",
            [("ExceptionGroup", "many (2 sub-exceptions)"), ("KeyError", "'a'")],
        ),
    ],
)
def test_only_what_was_raised_and_its_cause_decide(
    text: str, message: str, type_: str, wanted: list[tuple[str, str]]
) -> None:
    chain = parse_failure(text, message, type_)
    assert [(one.type, one.message) for one in chain if one.via in ("raised", "cause")] == wanted


def problems(tmp_path: Path, inner: str) -> list[Problem]:
    path = tmp_path / "junit.xml"
    path.write_text(f"<testsuites>{inner}</testsuites>")
    return [problem for case in read_cases(path, Masker()) for problem in case.problems]


IN_MODULE = '  File "/srv/app/tests/test_a.py", line 3, in &lt;module>\n    f()\n'
LOG = f"<system-out>{TITLE}{IN_MODULE}KeyError: 1\n</system-out>"
EXIT = "<error message='exited with error code 1'/>"


@pytest.mark.parametrize(
    ("inner", "type_"),
    [
        (f"<testsuite name='t'><testcase name='t'>{EXIT}</testcase>{LOG}</testsuite>", "KeyError"),
        (f"<testsuite name='t'><testcase name='t'>{EXIT}{LOG}</testcase></testsuite>", "KeyError"),
        (f"<testsuite name='t'><testcase name='t'>{EXIT}</testcase></testsuite>", ""),
        (f"<testsuite name='t'><testcase name='u'>{EXIT}</testcase>{LOG}</testsuite>", ""),
        (f"<testsuite name='t'><testcase classname='c' name='t'>{EXIT}{LOG}</testcase></testsuite>", ""),
        (f"<testsuite name='t'><testcase name='t'><error message='a'/>{LOG}</testcase></testsuite>", ""),
        (f"<testsuite name='t'><testcase name='t'><failure/>{LOG}</testcase>{LOG}</testsuite>", ""),
        ("<testsuite name='t'><error type='KeyError' message='1'/></testsuite>", "KeyError"),
    ],
)
def test_a_log_decides_in_bazel_s_own_shape_alone(tmp_path: Path, inner: str, type_: str) -> None:
    (problem,) = problems(tmp_path, inner)
    assert problem.chain[0].type == type_


def test_the_case_before_the_log_is_not_lost_where_the_file_breaks(tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    path.write_text(
        f"<testsuites><testsuite name='t'><testcase name='t'>{EXIT}</testcase><system-out>{TITLE}"
    )
    found = iter(read_cases(path, Masker()))
    assert next(found).name == "t"


RULE, LINE = "=" * 70, "-" * 70
COUNTS = f"{LINE}\nRan 1 test in 0.1s\n\nFAILED (errors=1)\n"
UNITTEST = f"{RULE}\nERROR: test_b (tests.T)\n{LINE}\n{TITLE}{FRAME}ValueError: b\n\n{COUNTS}"
PYTEST = """= test session starts =
=== ERRORS ===
_ ERROR at setup of test_a _
E   KeyError: 1
---- Captured stdout setup ----
E   ValueError: no
=== 1 error in 0.1s ===
"""
PRINTED = f"{RULE}\nERROR: test_x (tests.T)\n{LINE}\n{TITLE}{FRAME}KeyError: printed\n\n"


@pytest.mark.parametrize(
    ("log", "shown", "phase"),
    [
        (UNITTEST, "ValueError: b", Phase.CALL),
        (PRINTED + UNITTEST, "ValueError: b", Phase.CALL),
        (UNITTEST.replace("test_b (", "setUpClass ("), "ValueError: b", Phase.SETUP),
        (UNITTEST.replace("(tests.T)", "(unittest.loader._FailedTest)"), "ValueError: b", Phase.COLLECT),
        (PYTEST, "E   KeyError: 1", Phase.SETUP),
    ],
)
def test_the_runner_s_own_report_is_found_in_a_log(log: str, shown: str, phase: Phase) -> None:
    found = first_failure(log)
    assert found is not None
    assert (found.text.splitlines()[-1], found.phase) == (shown, phase)


@pytest.mark.parametrize("log", ["", TITLE, f"{TITLE}{FRAME}KeyError: 1\n", PRINTED, "E   KeyError: 1"])
def test_a_log_without_a_runner_s_report_tells_nothing(log: str) -> None:
    assert first_failure(log) is None


@pytest.mark.parametrize(
    ("path", "root", "wanted"),
    [
        (r"tests\test_a.py", "", ("tests/test_a.py", "test")),
        (r"C:\ci\app\models.py", r"C:\ci", ("app/models.py", "project")),
        (r"C:\Python311\Lib\json\decoder.py", "", ("C:/Python311/Lib/json/decoder.py", "library")),
        (r"D:\a\.tox\py\Lib\site-packages\x.py", r"D:\a", ("D:/a/.tox/py/Lib/site-packages/x.py", "library")),
        ("/b/bin/a_test.runfiles/_main/tests/a_test.py", "", ("tests/a_test.py", "test")),
        ("/b/a.runfiles/pypi__six/six.py", "", ("/b/a.runfiles/pypi__six/six.py", "library")),
        ("/b/a.runfiles/rules~pip/x.py", "", ("/b/a.runfiles/rules~pip/x.py", "library")),
        ("python/lib/x.py", "", ("python/lib/x.py", "project")),
    ],
)
def test_a_path_tells_whose_code_it_is_on_every_system(path: str, root: str, wanted: tuple[str, str]) -> None:
    assert place(path, root) == wanted


def test_a_windows_location_is_a_frame() -> None:
    (found,) = parse_failure("C:\\ci\\tests\\test_a.py:3: in test_a\n    f()\nE   KeyError: 1")
    assert [(frame.file, frame.line) for frame in found.frames] == [("C:/ci/tests/test_a.py", 3)]
