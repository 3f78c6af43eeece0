"""One failure in two checkouts is one: the folder that a runner shows is found and left out."""

from pathlib import Path

import pytest

from triage.clustering.signature import signature
from triage.junit.cases import read_cases
from triage.text import Masker

FOLDERS = ("/home/runner/work/a", "/builds/77/b", "/app", "C:\\ci\\w1", "/__w/shop/shop")
OUTSIDE = "/usr/lib/python3.11/json/decoder.py"


def native(*frames: tuple[str, str]) -> str:
    shown = "".join(f'  File "{path}", line 3, in {name}\n    f()\n' for path, name in frames)
    return f"Traceback (most recent call last):\n{shown}ValueError: no\n"


def write(path: Path, *cases: tuple[str, str]) -> Path:
    shown = (
        f"<testcase classname='{name}' name='test_x'><error><![CDATA[{text}]]></error></testcase>"
        for name, text in cases
    )
    path.write_text(f"<testsuite>{''.join(shown)}</testsuite>", "utf-8")
    return path


def places(path: Path) -> list[str]:
    """The own places of every case's failure."""
    cases = [case.problems[0].chain[0] for case in read_cases(path, Masker())]
    return [signature("E", "", one.frames).removeprefix("E | ") for one in cases]


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_folder_of_the_checkout_is_no_part_of_a_place(folder: str, tmp_path: Path) -> None:
    def at(path: str) -> str:
        return folder + (f"/{path}" if "\\" not in folder else "\\" + path.replace("/", "\\"))

    test = (at("tests/test_a.py"), "test_x")
    cases = [
        ("tests.test_a.TestX", native(test, (at("shop/models.py"), "save"), (OUTSIDE, "decode"))),
        ("unittest.loader._FailedTest", native((at("shop/other.py"), "<module>"))),
        ("tests.test_a.TestX", native(test)),
        (
            "tests.test_a",
            f"{at('tests/test_a.py')}:3: in test_x\n{at('shop/b.py')}:4: in g\nE   ValueError: no",
        ),
    ]
    assert places(write(tmp_path / "a.xml", *cases)) == [
        "shop/models.py:save",
        "shop/other.py:<module>",
        "tests/test_a.py",
        "shop/b.py:g",
    ]


def test_tests_run_in_their_own_folder_name_the_program_beside_it(tmp_path: Path) -> None:
    text = native(("/ci/9/tests/test_a.py", "test_x"), ("/ci/9/shop/models.py", "save"))
    later = native(("/ci/9/tests/helpers.py", "make"))
    cases = [
        ("test_a.TestX", text),
        ("test_a.TestX", native(("/ci/9/tests/test_a.py", "test_x"))),
        ("y", later),
    ]
    assert places(write(tmp_path / "a.xml", *cases)) == [
        "shop/models.py:save",
        "tests/test_a.py",
        "tests/helpers.py:make",
    ]


def test_without_a_frame_in_the_test_s_file_paths_stay_as_they_are(tmp_path: Path) -> None:
    text = native(("/ci/9/shop/models.py", "save"))
    assert places(write(tmp_path / "a.xml", ("tests.test_a.TestX", text))) == ["/ci/9/shop/models.py:save"]


def test_the_text_of_the_failure_stays_whole(tmp_path: Path) -> None:
    text = native(("/ci/9/tests/test_a.py", "test_x"))
    (case,) = read_cases(write(tmp_path / "a.xml", ("tests.test_a", text)), Masker())
    assert case.problems[0].text.rstrip() == text.rstrip()
