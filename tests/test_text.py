"""The boundary for text from outside."""

import base64
import json
import unicodedata
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.text import Masker, clean_text, shorten

SECRET = 'p4ss/w0rd+"&<é>'


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("plain\n\ttext", "plain\n\ttext"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("#x1B[31mred#x1B[0m as pytest writes it into XML", "red as pytest writes it into XML"),
        ("\x1b]0;title\x07", "#x1B]0;title#x07"),
        ("nul\0", "nul#x00"),
        ("one\r\ntwo\rthree", "one\ntwo#x0Dthree"),
        ("evil\u202etxt", "evil#x202Etxt"),
        ("lone \ud800 surrogate", "lone #xD800 surrogate"),
        ("\x9b31m c1", "#x9B31m c1"),
        ("nöt ascii ✓ 👩\u200d💻\xa0€", "nöt ascii ✓ 👩\u200d💻\xa0€"),
        ("\ufffe\U000e0041", "#xFFFE#xE0041"),
    ],
)
def test_what_cannot_be_seen_is_shown_as_pytest_shows_it(given_text: str, shown: str) -> None:
    assert clean_text(given_text) == shown


@given(st.text(st.characters(codec=None)))
def test_clean_text_leaves_nothing_that_acts_on_a_terminal_or_cannot_be_stored(text: str) -> None:
    cleaned = clean_text(text)
    cleaned.encode()
    assert not [c for c in cleaned if unicodedata.category(c) == "Cc" and c not in "\n\t"]
    assert not {unicodedata.bidirectional(c) for c in cleaned} & {
        "RLO",
        "LRO",
        "RLE",
        "LRE",
        "RLI",
        "LRI",
        "PDF",
    }


@given(st.text(), st.integers(0, 60))
def test_shorten_never_exceeds_its_limit(text: str, limit: int) -> None:
    short = shorten(text, limit)
    assert len(short) <= limit
    assert short == text or len(text) > limit


def test_shorten_says_how_much_it_left_out() -> None:
    assert shorten("a" * 1000, 100).endswith("a… [+900 characters]")


def masked(text: str, **env: str) -> str:
    return Masker.from_environment(env).mask(text)


@pytest.mark.parametrize(
    "name", ["SECRET_KEY", "DB_PASSWORD", "GITHUB_TOKEN", "API_KEY", "apikey", "PGPASSWORD"]
)
def test_a_variable_whose_name_says_so_is_secret(name: str) -> None:
    assert masked(f"got {SECRET} here", **{name: SECRET}) == "got *** here"


@pytest.mark.parametrize("name", ["PWD", "OLDPWD", "HOME", "KEYBOARD", "TOKEN_TYPE", "KEY_FILE", "MONKEY"])
def test_other_variables_are_not_secret(name: str) -> None:
    assert masked("in /some/folder", **{name: "/some/folder"}) == "in /some/folder"


@pytest.mark.parametrize("value", ["short", "", "testing", "password"])
def test_short_and_commonplace_values_would_mask_ordinary_words(value: str) -> None:
    assert masked("a short testing password", SECRET_KEY=value) == "a short testing password"


@pytest.mark.parametrize(
    "form",
    [
        repr(SECRET),
        json.dumps(SECRET),
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        SECRET.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;"),
    ],
)
def test_a_secret_is_masked_in_every_form_that_it_is_written_in(form: str) -> None:
    assert masked(f"[{form}]", SECRET_KEY=SECRET).strip("[]\"'") == "***"


@given(st.binary(max_size=8), st.binary(max_size=8), st.binary(min_size=12, max_size=40))
def test_a_secret_is_masked_in_base64_at_any_offset(before: bytes, after: bytes, raw: bytes) -> None:
    secret = raw.hex()
    encoded = base64.b64encode(before + secret.encode() + after).decode()
    shown = masked(encoded, API_TOKEN=secret)
    assert "***" in shown
    assert len(shown) - 3 <= len(base64.b64encode(before + after)) + 8


def test_the_password_of_a_url_is_secret_in_the_url_and_alone() -> None:
    url = "postgresql://app:Tr0ub4dor%263@db/x"
    env = {"DATABASE_URL": url}
    assert masked(f"cannot reach {url}", **env) == "cannot reach postgresql://app:***@db/x"
    assert masked("password=Tr0ub4dor&3", **env) == "password=***"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ghp_" + "a1B2" * 9, "***"),
        ("id AKIAIOSFODNN7EXAMPLE.", "id ***."),
        ("xoxb-123456789012-abcdef", "***"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "***"),
        ("Authorization: Bearer abc.def-ghi_jkl/mno=", "Authorization: Bearer ***"),
        ("redis://user:hunter2@cache:6379/0", "redis://user:***@cache:6379/0"),
        ("sqlite:///test.db and http://host:80/a@b", "sqlite:///test.db and http://host:80/a@b"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc-d\n", "***"),
        ("Bearer authentication failed", "Bearer authentication failed"),
    ],
)
def test_what_looks_like_a_token_is_masked_and_what_does_not_is_kept(text: str, shown: str) -> None:
    assert Masker().mask(text) == shown


def test_a_key_of_many_lines_is_masked_line_by_line() -> None:
    key = "first-line-of-key\nsecond-line-of-key"
    assert masked("E   second-line-of-key", DEPLOY_KEY=key) == "E   ***"


@given(st.text(st.characters(codec=None), min_size=6), st.text(st.characters(codec=None)))
def test_any_value_and_any_text_can_be_masked(secret: str, text: str) -> None:
    shown = Masker([secret]).clean(text + secret + text)
    shown.encode()


def test_only_the_parameters_of_a_test_can_hold_a_secret() -> None:
    masker = Masker(["booking"])
    assert masker.clean_id("tests/booking/test_a.py::test_booking[booking-\x07]") == (
        "tests/booking/test_a.py::test_booking[***-#x07]"
    )


@given(st.lists(st.text(st.characters(codec=None)), max_size=4), st.text(min_size=6, max_size=9))
def test_a_suited_masker_does_the_same_for_the_texts_that_it_was_made_for(texts: list[str], key: str) -> None:
    masker = Masker([key])
    texts = [*texts, *(text + key for text in texts[:1])]
    suited = masker.suited(texts)
    for text in texts:
        assert suited.clean(text) == masker.clean(text)
        assert suited.clean_id(text) == masker.clean_id(text)
        assert suited.mask(text) == masker.mask(text)


@pytest.mark.parametrize(
    "text", ["\x1b[1m", "#x1B[31m", "a\r\nb", "x\u202ey", "\ud800", "bearer " + "a1" * 9, "hunter2!"]
)
def test_a_suited_masker_still_cleans_what_must_be_cleaned(text: str) -> None:
    masker = Masker(["hunter2!"])
    assert masker.suited(["plain", text]).clean(text) == masker.clean(text) != text


def test_secrets_may_be_long_and_many() -> None:
    keys = [f"{number}-" * 300 for number in range(1000, 1004)]
    masker = Masker(keys)
    assert masker.clean(f"[{keys[-1]}]") == "[***]"
    assert masker.suited([keys[0]]).clean(keys[0]) == "***"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("password=hunter2hunter2", "password=***"),
        ("DB_PASSWORD=geheim x", "DB_PASSWORD=*** x"),
        ('PASSWORD="hunter2"', 'PASSWORD="***"'),
        ("password: hunter2hunter2", "password: ***"),
        ("DSN pwd=hunter2;x=1", "DSN pwd=***;x=1"),
        ("/?api_key=abcd1234&user=5&token=ab&cdef", "/?api_key=***&user=5&token=***"),
        ("{'password': 'it\\'s', 'user': 'bob'}", "{'password': '***', 'user': 'bob'}"),
        ("\"{\\'secret_key\\': \\'hunter2\\'}\"", "\"{\\'secret_key\\': \\'***\\'}\""),
        ("run --password geheim -v", "run --password *** -v"),
        ("['--token', 'abcdef']", "['--token', '***']"),
        ("password   = b'hunterhunter'", "password   = b'***'"),
        ("os.environ['DB_PASSWORD'] = 'hunter2'", "os.environ['DB_PASSWORD'] = '***'"),
        ("é token=" + "a1" * 300 + " end", "é token=*** end"),
    ],
)
def test_what_stands_behind_a_secret_s_name_is_masked(text: str, shown: str) -> None:
    masker = Masker()
    assert masker.clean(text) == shown
    assert masker.clean(shown) == shown
    assert masker.suited(["plain", text]).clean(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        'password authentication failed for user "x"',
        "fe_sendauth: no password supplied",
        "KeyError: 'SECRET_KEY'",
        "'DB_PASSWORD' is not set",
        "The SECRET_KEY setting must not be empty",
        'Environment variable "API_TOKEN" not set',
        "token: Invalid",
        "NOT NULL constraint failed: users.password_hash",
        "UPDATE users SET password=? WHERE password = %s",
        "password=None, password=:password, password=%(password)s, password=${PASSWORD}, token=<Token 1>",
        "'password': None, 'secret_key': '', 'token': 'ab'",
        "assert token == 'abcd1234'",
        "def f(password: str = None):",
        "User(password=password, token=self.token)",
        "password = get_password(user1)",
        "(using password: YES)",
        "unexpected token: 'select'",
        "{'password': 'This field is required.'}",
        "argument --token: expected one argument",
        "--password is required; the --token option",
        "tests/test_token.py::test_a",
        "PWD=/home/x/shop",
        "token_type='bearer', max_tokens=4096, primary_key=True",
    ],
)
def test_what_is_said_of_a_secret_and_stands_for_it_is_kept(text: str) -> None:
    assert Masker().mask(text) == text
