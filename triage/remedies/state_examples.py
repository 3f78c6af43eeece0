# ruff: noqa: E501 -- source text of examples stands as it is
"""What `restore-shared-state` makes of source, and what it leaves alone."""

from triage.remedies.example import Cured, Spot, Untouched

_HEAD = """\
import os

import pytest
from shop import cache
from shop.models import Store


"""


def _cured(
    before: str,
    after: str,
    line: int,
    state: str = "",
    heads: tuple[str, str] = (_HEAD, _HEAD),
    more: dict[str, str] | None = None,
) -> Cured:
    return Cured(
        {"test_a.py": heads[0] + before, **(more or {})},
        Spot("test_a.py", line, {"state": state} if state else {}),
        {"test_a.py": heads[1] + after},
    )


_FIXTURE = """\
@pytest.fixture
def store():
    Store.create_default()
    yield
    pass
"""
_STORE = {"shop/models.py": "class Store:\n    default = None\n    known = {}\n"}
_PARTIAL = _HEAD.replace("import os\n", "import os\nfrom functools import partial\n")
_CASE = """\
from unittest import TestCase
import os
from shop import cache


class CacheTest(TestCase):
    def test_a(self):
"""
CURED = (
    _cured(
        "def test_a():\n    os.environ['MODE'] = os.path.join(\n        'a', 'b'\n    )\n    assert run()\n",
        "def test_a(monkeypatch):\n    monkeypatch.setenv('MODE', os.path.join(\n        'a', 'b'\n    ))\n"
        "    assert run()\n",
        9,
        "the environment variable MODE ('a/b')",
    ),
    _cured(
        'class TestA:\n    def test_a(self, app):\n        os.environ["MODE"] = "x"  # for now\n',
        "class TestA:\n    def test_a(self, app, monkeypatch):\n"
        '        monkeypatch.setenv("MODE", "x")  # for now\n',
        9,
        "the environment variable MODE ('x')",
    ),
    _cured(  # set twice: to put back what the second one finds would leave the first
        "def test_a():\n    os.environ['MODE'] = 'x'\n    run()\n    os.environ['MODE'] = 'y'\n",
        "def test_a(monkeypatch):\n    monkeypatch.setenv('MODE', 'x')\n    run()\n"
        "    monkeypatch.setenv('MODE', 'y')\n",
        11,
        "the environment variable MODE ('y')",
    ),
    *(
        _cured(
            "def test_a():\n    os.environ.update(MODE='x', HOME='y')\n    os.environ['MODE'] = 'z'\n",
            "def test_a(request):\n    request.addfinalizer(partial(os.environ.update, os.environ.copy()))\n"
            "    request.addfinalizer(os.environ.clear)\n"
            "    os.environ.update(MODE='x', HOME='y')\n    os.environ['MODE'] = 'z'\n",
            line,
            "the environment variable MODE ('z')",
            (_PARTIAL, _PARTIAL),
        )
        for line in (9, 10, 11)
    ),
    _cured(
        "        cache.LIMIT = 3\n        run()\n        cache.LIMIT = 4\n",
        "        self.addCleanup(setattr, cache, 'LIMIT', cache.LIMIT)\n        cache.LIMIT = 3\n"
        "        run()\n        cache.LIMIT = 4\n",
        10,
        heads=(_CASE, _CASE),
    ),
    _cured(
        "def test_a():\n    del os.environ['MODE']\n    os.environ.pop('HOME', None)\n",
        "def test_a(monkeypatch):\n    del os.environ['MODE']\n    monkeypatch.delenv('HOME', raising=False)\n",
        10,
    ),
    _cured(
        "def test_a(app):\n    cache.LIMIT = 3\n",
        "def test_a(app, monkeypatch):\n    monkeypatch.setattr(cache, 'LIMIT', 3)\n",
        9,
        "shop.cache.LIMIT (5 -> 3)",
    ),
    _cured(
        "def test_a():\n    cache.STORE['a'] = [\n        1,\n    ]\n",
        "def test_a(monkeypatch):\n    monkeypatch.setitem(cache.STORE, 'a', [\n        1,\n    ])\n",
        9,
    ),
    _cured(
        "def test_a():\n    cache.SEEN.append(1)\n",
        "def test_a(monkeypatch):\n    monkeypatch.setattr(cache, 'SEEN', cache.SEEN.copy())\n"
        "    cache.SEEN.append(1)\n",
        9,
    ),
    _cured(
        _FIXTURE,
        _FIXTURE.replace("store()", "store(monkeypatch)").replace(
            "    Store.create",
            "    monkeypatch.setattr(Store, 'default', Store.default)\n    Store.create",
        ),
        10,
        "shop.models.Store.default (None -> <Store>)",
        more=_STORE,
    ),
    _cured(
        "@pytest.fixture(scope='module')\ndef mode():\n    os.environ['MODE'] = 'x'\n    return 'x'\n",
        "@pytest.fixture(scope='module')\ndef mode(request):\n    monkeypatch = pytest.MonkeyPatch()\n"
        "    request.addfinalizer(monkeypatch.undo)\n    monkeypatch.setenv('MODE', 'x')\n    return 'x'\n",
        10,
    ),
    _cured(
        "def test_a(tmp_path):\n    os.chdir(tmp_path)\n",
        "def test_a(tmp_path, monkeypatch):\n    monkeypatch.chdir(tmp_path)\n",
        9,
        "another working directory",
    ),
    _cured(
        "def test_a():\n    assert cache.put('a', 1)\n",
        "def test_a(monkeypatch):\n    monkeypatch.setattr(cache, 'STORE', cache.STORE.copy())\n"
        "    assert cache.put('a', 1)\n",
        9,
        "shop.cache.STORE ({} -> {'a': 1})",
        more={
            "shop/cache.py": "STORE = {}\n\n\ndef put(key, value):\n    STORE[key] = value\n    return True\n"
        },
    ),
    _cured(
        "        os.environ['MODE'] = 'x'\n",
        "        self.addCleanup(os.environ.update, os.environ.copy())\n"
        "        self.addCleanup(os.environ.clear)\n        os.environ['MODE'] = 'x'\n",
        8,
        heads=(_CASE, _CASE),
    ),
    _cured(
        "        cache.LIMIT = 3\n",
        "        self.addCleanup(setattr, cache, 'LIMIT', cache.LIMIT)\n        cache.LIMIT = 3\n",
        8,
        heads=(_CASE, _CASE),
    ),
    _cured(
        "MODE = 1\n\n\ndef test_a():\n    global MODE\n    MODE = 2\n",
        "MODE = 1\n\n\ndef test_a(monkeypatch):\n    global MODE\n    monkeypatch.setitem(globals(), 'MODE', 2)\n",
        13,
    ),
)
UNTOUCHED = (
    Untouched(
        {"shop/cache.py": "STORE = {}\n\n\ndef put(key):\n    STORE[key] = 1\n"},
        Spot("shop/cache.py", 5, {"state": "shop.cache.STORE"}),
        "product code",
    ),
    Untouched(
        {"test_a.py": "import os\n\nos.environ['MODE'] = 'x'\n\n\ndef test_a():\n    pass\n"},
        Spot("test_a.py", 3, {"state": "the environment variable MODE"}),
        "set at import",
    ),
    Untouched(
        {"test_a.py": "def test_a(session):\n    session.add(User())\n    session.commit()\n"},
        Spot("test_a.py", 3, {"state": "rows in the table users"}),
        "a session that rolls back is the cure",
    ),
    Untouched(
        {"test_a.py": "def test_a(user):\n    total = 3\n    assert total\n"},
        Spot("test_a.py", 2),
        "a local name",
    ),
    Untouched(
        {"test_a.py": "import os\n\n\ndef prepare():\n    os.environ['MODE'] = 'x'\n"},
        Spot("test_a.py", 5),
        "a helper does not know when the test ends",
    ),
)
