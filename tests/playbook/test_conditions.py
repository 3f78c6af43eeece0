"""Conditions of a symptom: globs on the module that raised and on frames."""

import pytest

from tests.builders import frame, playbook, problem, raised
from triage.model.case import Frame
from triage.model.playbook import Symptom, places_in_words
from triage.playbook.explain import explain
from triage.playbook.match import Matcher

MOCK = "lib/python3.11/unittest/mock.py"


@pytest.mark.parametrize(
    ("globs", "place", "holds"),
    [
        (("!unittest/mock",), MOCK, False),
        (("!unittest/mock",), "unittest.mock", False),
        (("!unittest/mock",), "shop/clients.py", True),
        (("!unittest/mock", "!mock/*"), "site-packages/mock/mock.py", False),
        (("socket", "!unittest/mock"), "lib/python3.11/socket.py", True),
        (("socket", "!unittest/mock"), "shop/clients.py", False),
        (("unittest/*", "!unittest/mock"), MOCK, False),
        (("unittest/*", "!unittest/mock"), "lib/python3.11/unittest/case.py", True),
    ],
)
def test_a_glob_with_an_exclamation_mark_must_not_fit(
    globs: tuple[str, ...], place: str, holds: bool
) -> None:
    known = playbook("gone", Symptom(exception=("ValueError",), raised_in=globs))
    match, _ = Matcher([known]).match(problem(raised("ValueError", raised_in=place)))
    assert (match is not None) is holds


def test_where_nothing_says_who_raised_it_the_match_is_less_sure() -> None:
    known = playbook("gone", Symptom(exception=("ValueError",), raised_in=("!unittest/mock",)))
    told, _ = Matcher([known]).match(problem(raised("ValueError", raised_in="shop.py")))
    untold, _ = Matcher([known]).match(problem(raised("ValueError", raised_in=None)))
    assert told is not None
    assert untold is not None
    assert untold.confidence < told.confidence


@pytest.mark.parametrize(
    ("globs", "words"),
    [
        (("a/*", "b"), "a/* or b"),
        (("!a/*", "!b"), "not a/* or b"),
        (("a/*", "!a/b"), "a/* but not a/b"),
    ],
)
def test_globs_are_said_in_words(globs: tuple[str, ...], words: str) -> None:
    assert places_in_words(globs) == words


@pytest.mark.parametrize(
    ("globs", "holds"),
    [
        (("site-packages/asyncpg/*",), True),
        (("!site-packages/asyncpg/*",), False),
        (("!site-packages/aiohttp/*",), True),
        (("asyncpg/*",), False),
        (("app/*", "!site-packages/asyncpg/*"), False),
        (("app/*", "!site-packages/aiohttp/*"), True),
    ],
)
def test_frames_of_packages_are_asked_for_by_their_folder(globs: tuple[str, ...], holds: bool) -> None:
    path = "/opt/venv/lib/python3.11/site-packages/asyncpg/connection.py"
    one = raised("ValueError", "no", frame("app/shop.py"), frame(path, kind="library"))
    known = playbook("gone", Symptom(exception=("ValueError",), frames=globs))
    match, _ = Matcher([known]).match(problem(one))
    assert (match is not None) is holds


@pytest.mark.parametrize(
    ("file", "said", "holds"),
    [
        ("tests/webshop/test_cart.py", "No module named 'webshop'", True),
        ("tests/webshop/test_cart.py", "No module named 'webshop.cart'", True),
        ("src\\webshop\\cart.py", "No module named 'webshop'", True),
        ("tests/webshop/test_cart.py", "No module named 'teapot'", False),
        ("tests/test_webshop.py", "No module named 'webshop'", False),
        (None, "No module named 'webshop'", True),
    ],
)
def test_a_name_is_the_projects_own_where_a_folder_on_the_way_has_it(
    file: str | None, said: str, holds: bool
) -> None:
    frames = () if file is None else (frame(file), frame("lib/webshop/a.py", kind="library"))
    asked = Symptom(exception=("ImportError",), message=r"named '(?P<module>[\w.]+)'", own="module")
    match, _ = Matcher([playbook("gone", asked)]).match(problem(raised("ImportError", said, *frames)))
    assert (match is not None) is holds


@pytest.mark.parametrize(
    ("said", "line", "holds"),
    [
        ("7 != 7", "assertNotEqual(a.age, b.age)", True),
        ("7 != 8", "assertNotEqual(a.age, b.age)", False),
        ("7 != 7", "assertNotEqual(a.age, b.size)", False),
        ("7 != 7", "check(a)", False),
        ("7 != 7", None, True),
    ],
)
def test_pairs_of_groups_hold_where_they_took_equal_text(said: str, line: str | None, holds: bool) -> None:
    asked = Symptom(
        exception=("ValueError",),
        message=r"(?P<left>\d) != (?P<right>\d)",
        source=r"\.(?P<one>\w+), \w\.(?P<other>\w+)",
        same={"left": "right", "one": "other"},
    )
    one = raised("ValueError", said, frame("app/shop.py", source=line))
    match, _ = Matcher([playbook("gone", asked)]).match(problem(one))
    assert (match is not None) is holds


@pytest.mark.parametrize(
    ("frames", "own"),
    [
        ([frame("shop.py", source="raise ValueError('no')")], True),
        ([frame("shop.py", source="return int(text)")], False),
        (
            [frame("shop.py", source="raise_it()"), frame("lib/json.py", kind="library", source="raise X")],
            False,
        ),
        ([frame("shop.py")], False),
        ([], False),
    ],
)
def test_what_the_project_raised_itself_is_told_apart(frames: list[Frame], own: bool) -> None:
    for wanted in (True, False):
        known = playbook("gone", Symptom(exception=("ValueError",), own_raise=wanted))
        match, _ = Matcher([known]).match(problem(raised("ValueError", "no", *frames)))
        assert (match is not None) is (wanted is own)


@pytest.mark.parametrize(
    ("said", "holds"),
    [
        ("no such table: desk\n[SQL: SELECT 1]\n[parameters: (1,)]", True),
        ("syntax error\n[SQL: SELECT 'no such table: desk']", False),
        (
            "UNIQUE constraint failed: faults.said\n[SQL: INSERT]\n[parameters: ('no such table: desk',)]",
            False,
        ),
        ("too long\nDETAIL:  Failing row contains (1, no such table: desk).\n", False),
        ("Error binding parameter 0\n[SQL: SELECT ?]\n[parameters: (no such table: desk,)]", True),
        ("[SQL: no such table: desk]", True),
        ("Duplicate entry 'no such table: desk' for key 'faults.said'", False),
        ("duplicate key\nDETAIL:  Key (said)=(no such table: desk) already exists.", False),
        ("syntax error\nLINE 1: insert into faults values ('no such table: desk')\n   ^", False),
        ("You have an error near 'no such table: desk' at line 1", False),
        ("duplicate key: no such table: desk\nDETAIL:  Key (said)=(a) already exists.", True),
    ],
)
def test_statements_and_rows_that_an_error_quotes_are_no_words_of_its_own(said: str, holds: bool) -> None:
    known = playbook("gone", Symptom(exception=("ValueError",), message="no such table: (?P<table>desk)"))
    one = problem(raised("ValueError", said))
    match, _ = Matcher([known]).match(one)
    assert (match is not None) is holds
    assert [tried.held for tried in explain(known, one)] == [holds]
