"""`restore-state` puts one thing back after the test that left it changed, and nothing else."""

from pathlib import Path

import pytest

from tests.probes.second import Seen, line_of, order, second_pass

CORE = """
import functools, logging
STORE = {"kept": [1]}
LIMIT = 10
class Mode:
    name = "plain"
def seen(text, known=[]):
    known.append(text)
    return known
@functools.lru_cache(maxsize=None)
def doubled(n):
    return 2 * n * LIMIT
log = logging.getLogger("shop.core")
"""
CONFTEST = """
import pytest

class Box:
    def __init__(self):
        self.items = []

@pytest.fixture(scope="module")
def box():
    return Box()

@pytest.fixture(scope="session")
def app():
    from flask import Flask
    app = Flask("shop")
    app.config["MODE"] = "plain"
    return app
"""
TESTS = """
import logging, os
import pytest
from shop import core
from flask import has_app_context
HOME = os.getcwd()

def stores():
    core.STORE["kept"].append(2)
    core.STORE["new"] = 1
def stored():
    return core.STORE == {"kept": [1]}
def limits():
    core.LIMIT = 20
def limited():
    return core.LIMIT == 10
def adds():
    core.ADDED = 1
def added():
    return not hasattr(core, "ADDED")
def modes():
    core.Mode.name = "other"
def moded():
    return core.Mode.name == "plain"
def sees():
    core.seen("a")
def seen():
    return core.seen("b") == ["b"]
def caches():
    core.doubled(1)
def cached():
    return core.doubled.cache_info().currsize == 0
def exports():
    os.environ["SHOP"] = "x"
def exported():
    return "SHOP" not in os.environ
def moves():
    os.chdir("/")
def moved():
    return os.getcwd() == HOME
def quiets():
    core.log.disabled = True
    core.log.setLevel(50)
def quieted():
    return not core.log.disabled and core.log.level == 50
def roots():
    logging.getLogger().setLevel(50)
def rooted():
    return logging.getLogger().level != 50
def configures(app):
    app.config["MODE"] = "x"
def configured(app):
    return app.config["MODE"] == "plain"
def pushes(app):
    app.app_context().push()
def pushed(app):
    return not has_app_context()
def fills(box):
    box.items.append(1)
def filled(box):
    return box.items == []
def untouched():
    pass
def touched():
    return True
"""
PAIRS = {  # what changes something and what finds it unchanged, its kind and name
    "stores": ("stored", "module", "shop.core.STORE"),
    "limits": ("limited", "module", "shop.core.LIMIT"),
    "adds": ("added", "module", "shop.core.ADDED"),
    "modes": ("moded", "class", "shop.core.Mode.name"),
    "sees": ("seen", "module", "shop.core.seen.known"),
    "caches": ("cached", "module", "shop.core.doubled"),
    "exports": ("exported", "environment", "SHOP"),
    "moves": ("moved", "cwd", "cwd"),
    "quiets": ("quieted", "logging", "shop.core.disabled"),
    "roots": ("rooted", "logging", "root.level"),
    "configures": ("configured", "config", "MODE"),
    "pushes": ("pushed", "context", "flask.app_context"),
    "fills": ("filled", "fixture", "box.items"),
    "untouched": ("touched", "module", "shop.core.STORE"),
}
FILE = "tests/test_pairs.py"


def _test(name: str, body: str) -> str:
    given = next((one for one in ("app", "box") if f"def {name}({one})" in TESTS), "")
    return f"def test_{name}({given}):\n    {body.format(call=f'{name}({given})')}\n"


def _sources() -> dict[str, str]:
    tests = [
        _test(change, "{call}") + _test(check, "assert {call}") for change, (check, _, _) in PAIRS.items()
    ]
    return {
        "shop/__init__.py": "",
        "shop/core.py": CORE,
        "tests/conftest.py": CONFTEST,
        FILE: TESTS + "\n".join(tests),
    }


SOURCES = _sources()


@pytest.fixture(scope="module")
def restored(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    orders = [
        {
            **order("restore-state", FILE, 1, [f"{FILE}::test_{change}"]),
            "names": {"kind": kind, "name": name},
        }
        for change, (_, kind, name) in PAIRS.items()
    ]
    return second_pass(tmp_path_factory.mktemp("restored"), SOURCES, orders=orders)


@pytest.mark.parametrize("change", PAIRS)
def test_what_a_test_leaves_is_put_back_before_the_next_one(restored: Seen, change: str) -> None:
    assert restored.outcome(f"test_{PAIRS[change][0]}") == "passed"
    told = [one["text"] for one in restored.applied(f"test_{change}")]
    assert told == ([] if change == "untouched" else [f"{PAIRS[change][2]} was put back"])


def test_putting_back_raises_nothing(restored: Seen) -> None:
    assert restored.errors() == []


def test_without_an_order_the_changes_are_left_and_told(tmp_path: Path) -> None:
    seen = second_pass(tmp_path, SOURCES, observers=["process-state"])
    failing = {test.rpartition("_")[2] for test, one in seen.records.outcomes().items() if one == "failed"}
    assert failing == {check for check, _, _ in PAIRS.values()} - {"touched"}
    left = {(each["kind"], each["name"]) for one in seen.records.of("left") for each in one["changes"]}
    expected = {(kind, name) for change, (_, kind, name) in PAIRS.items() if change != "untouched"}
    assert expected <= left
    assert seen.errors() == []


def test_the_line_of_a_test_is_told_beside_that_of_the_product(tmp_path: Path) -> None:
    names = {"kind": "module", "name": "shop.core.seen.known"}
    asked = {**order("trace-state", FILE, 1, [f"{FILE}::test_sees"]), "names": names}
    (one,) = second_pass(tmp_path, SOURCES, "-k", "test_sees", orders=[asked]).records.of("left")
    (change,) = one["changes"]
    assert (change["file"], change["line"]) == (
        "shop/core.py",
        line_of(SOURCES, "shop/core.py", "known.append"),
    )
    assert change["by"] == {"file": FILE, "line": line_of(SOURCES, FILE, 'core.seen("a")')}
