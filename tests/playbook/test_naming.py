"""Ids are made of words that people chose, never of values."""

import pytest

from triage.playbook.naming import name_of


@pytest.mark.parametrize(
    ("exception", "messages", "wanted"),
    [
        (
            "shop.DrawerLockedError",
            ["drawer 7 is locked by ann", "drawer 18 is locked by bob"],
            "drawer-locked",
        ),
        ("", ["??"], "unknown-failure"),
        ("", [], "unknown-failure"),
        ("FileNotFoundError", ["[Errno 2] No such file or directory: 'x'"], "file-not-found-such-directory"),
        ("shop.ErreurÉlevée", ["le numéro était modifié"], "erreur-elevee-numero-etait-modifie"),
        ("app.HTTPStatusError", ["404 Not Found"], "http-status-not-found"),
        ("app.A1_2Error", ["a b c 日本語 x"], "a1"),
        (
            "app.Denied",
            ["key sk_live_4eC39HqLyjWDarjtT1 aGVsbG8gd29ybGQ= Qwxzvbnmkl zxcvbnmasdfg"],
            "denied-key",
        ),
        ("app.Denied", ["password 'correct' token=horse " + "a" * 21], "denied-password"),
    ],
)
def test_an_id_tells_the_exception_and_the_words_that_all_share(
    exception: str, messages: list[str], wanted: str
) -> None:
    assert name_of(exception, messages, ()) == wanted
    assert name_of(exception, messages, (wanted,)) == f"{wanted}-2"
