"""Conditions of a symptom: globs on the module that raised and on frames."""

import pytest

from tests.builders import frame, playbook, problem, raised
from triage.model.playbook import Symptom, places_in_words
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
