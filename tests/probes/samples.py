"""Small projects that the plugin is run over; bench/probe_matrix.py runs them under 3.8 too."""

from collections.abc import Mapping

Sources = Mapping[str, str]

CONFTEST = """
import os, sys
import pytest

@pytest.fixture
def app():
    yield "app"

@pytest.fixture
def tenant(app):
    return object()

@pytest.fixture
def service(app, tenant):
    return tenant.id

@pytest.fixture(scope="module")
def shared():
    raise LookupError("shared")

@pytest.fixture
def leaving():
    yield
    raise RuntimeError("left badly")

@pytest.fixture
def asked(request):
    return request.getfixturevalue("tenant")
"""

OUTCOMES = """
import os, sys, unittest, warnings
import pytest
from shop.logic import price

def test_passes():
    pass

def test_hidden():
    assert not [name for name in os.environ if name.startswith("TRIAGE_PROBE")]
    assert "triage_probe" not in os.environ.get("PYTEST_ADDOPTS", "")
    places = sys.path + os.environ.get("PYTHONPATH", "").split(os.pathsep)
    assert not [place for place in places if os.path.exists(os.path.join(place, "triage_probe.py"))]

def test_fails():
    é = "é"; price(None)

def test_skipped():
    pytest.skip("no")

@pytest.mark.xfail
def test_xfails():
    assert 0

@pytest.mark.xfail
def test_xpasses():
    pass

@pytest.mark.xfail(strict=True)
def test_xpasses_strictly():
    pass

def test_setup_fails(service):
    pass

def test_shared_first(shared):
    pass

def test_shared_again(shared):
    pass

def test_fails_and_leaves_badly(leaving):
    assert 1 == 2, "body"

def test_leaves_badly(leaving):
    pass

def test_fixture_unknown(nowhere):
    pass

@pytest.mark.parametrize("value", range(6), ids=["a b", "a::b", "[x]", "new\\nline", "-k", "@f"])
def test_awkward(value):
    assert value < 0

class TestPlain:
    def test_method(self, app):
        assert app == "other"

class TestUnit(unittest.TestCase):
    def test_unit(self):
        self.assertEqual(1, 2)

    @unittest.skip("no")
    def test_unit_skipped(self):
        pass

def test_warns():
    warnings.warn("careful", DeprecationWarning)
"""

EVIDENCE = """
import json, os, sys, time
import pytest
from helpers import helper

class Broken(Exception):
    def __str__(self):
        raise ValueError("no words")

class Base(Exception):
    pass

class Derived(Base, KeyError):
    pass

def test_caused():
    try:
        {}["key"]
    except KeyError as error:
        raise Derived("while looking") from error

def test_in_context():
    try:
        1 / 0
    except ZeroDivisionError:
        raise Base("second")

def test_context_hidden():
    try:
        1 / 0
    except ZeroDivisionError:
        raise Base("alone") from None

def test_chain_in_a_ring():
    first, second = Base("one"), Base("two")
    first.__cause__, second.__cause__ = second, first
    raise first

def test_broken_str():
    raise Broken()

def test_surrogate():
    raise ValueError("lone \\ud800 surrogate")

def test_long_message():
    raise ValueError("x" * 50000)

def test_recursion():
    def down(n):
        return down(n + 1)
    down(0)

def test_helper(asked):
    helper()

def test_generated_code():
    exec(compile("raise Base('made')", "<made>", "exec"), globals())

def test_replaced_functions(monkeypatch):
    def broken(*args, **kwargs):
        raise OSError("replaced")
    monkeypatch.setattr(time, "time", lambda: 0.0)
    monkeypatch.setattr(time, "perf_counter", lambda: 0.0)
    monkeypatch.setattr(json, "dumps", broken)
    raise ValueError("replaced all")

@pytest.mark.skipif(sys.version_info < (3, 11), reason="no groups")
def test_group():
    raise ExceptionGroup("many", [ValueError("a"), KeyError("b")])
"""

HELPERS = """
def helper():
    raise NotImplementedError("in a helper")
"""

LOGIC = """
def price(item):
    return item.cents
"""

DATABASE = """
import pytest

pytest.importorskip("sqlalchemy")
from sqlalchemy.exc import IntegrityError
from shop.models import Item, Session, make_engine
from sqlalchemy.orm import Session as PlainSession

@pytest.fixture(scope="module")
def session():
    session = PlainSession(make_engine())
    yield session
    session.close()

def test_first_breaks(session):
    session.add(Item())
    session.flush()

def test_then_pending(session):
    session.add(Item(name="later"))
    session.flush()

def test_registry():
    Session.configure(bind=make_engine())
    Session.add_all([Item(name="one"), Item(name="two"), Item()])
    Session.flush()

def test_no_database_error():
    raise RuntimeError("plain")
"""

MODELS = """
from sqlalchemy import Column, Integer, String, create_engine
from sqlalchemy.orm import declarative_base, scoped_session, sessionmaker
from sqlalchemy.pool import StaticPool

Base = declarative_base()
Session = scoped_session(sessionmaker())

class Item(Base):
    __tablename__ = "items"
    id = Column(Integer, primary_key=True)
    name = Column(String(20), nullable=False)

def make_engine():
    engine = create_engine("sqlite://", poolclass=StaticPool)
    Base.metadata.create_all(engine)
    return engine
"""

SHOP: Sources = {
    "pytest.ini": "[pytest]\npythonpath = . tests\n",
    "shop/__init__.py": "",
    "shop/logic.py": LOGIC,
    "shop/models.py": MODELS,
    "tests/conftest.py": CONFTEST,
    "tests/helpers.py": HELPERS,
    "tests/test_outcomes.py": OUTCOMES,
    "tests/test_evidence.py": EVIDENCE,
    "tests/test_database.py": DATABASE,
}

SHOP_OUTCOMES = {
    "test_passes": "passed",
    "test_hidden": "passed",
    "test_fails": "failed",
    "test_skipped": "skipped",
    "test_xfails": "xfailed",
    "test_xpasses": "xpassed",
    "test_xpasses_strictly": "failed",
    "test_setup_fails": "error",
    "test_shared_first": "error",
    "test_shared_again": "error",
    "test_fails_and_leaves_badly": "failed",
    "test_leaves_badly": "error",
    "test_fixture_unknown": "error",
    "test_awkward[a b]": "failed",
    "test_awkward[a::b]": "failed",
    "test_awkward[[x]]": "failed",
    "test_awkward[new\\nline]": "failed",
    "test_awkward[-k]": "failed",
    "test_awkward[@f]": "failed",
    "TestPlain::test_method": "failed",
    "TestUnit::test_unit": "failed",
    "TestUnit::test_unit_skipped": "skipped",
    "test_warns": "passed",
}

LEAVES_AT_ONCE: Sources = {
    "test_x.py": "import os\ndef test_a(): pass\ndef test_b(): os._exit(0)\ndef test_c(): pass\n"
}
SEGFAULTS: Sources = {
    "test_x.py": "import os, signal\ndef test_a(): pass\n"
    "def test_b(): os.kill(os.getpid(), signal.SIGSEGV)\ndef test_c(): pass\n"
}
EXITS: Sources = {
    "test_x.py": "import sys, pytest\ndef test_a(): sys.exit(0)\n"
    "def test_b(): pytest.exit('enough', returncode=7)\ndef test_c(): pass\n"
}
EXITS_AT_IMPORT: Sources = {"test_x.py": "import sys\nsys.exit(3)\n"}
NOT_COLLECTED: Sources = {
    "test_import.py": "import shop_that_is_not_there\n",
    "test_syntax.py": "def test_a(:\n    pass\n",
    "test_value.py": "def made():\n    raise ValueError('at import')\n\nmade()\n",
    "test_fine.py": "def test_fine(): pass\n",
}
CONFTEST_BROKEN: Sources = {
    "conftest.py": "from settings import value\n",
    "settings.py": "value = {}['missing']\n",
    "test_x.py": "def test_a(): pass\n",
}
HANGS: Sources = {
    "test_x.py": "import time\ndef wait():\n    time.sleep(600)\ndef test_a(): pass\ndef test_b(): wait()\n"
}
FORKS: Sources = {
    "test_x.py": "import os\ndef test_a():\n    os.fork()\n"
    "def test_b(): pass\ndef test_c():\n    assert os.getpid() == 0\n"
}
CLOSES_DESCRIPTORS: Sources = {
    "test_x.py": """
import os

def test_a():
    os.closerange(3, 200)
    global kept
    kept = [open("own-%d.txt" % number, "w") for number in range(40)]

def test_b(monkeypatch):
    def broken(*args):
        raise OSError("replaced")
    for name in ("write", "open", "getpid", "fstat"):
        monkeypatch.setattr(os, name, broken)
    assert 1 == 2

def test_c():
    for file in kept:
        file.close()
    assert [os.path.getsize("own-%d.txt" % number) for number in range(40)] == [0] * 40
"""
}
NESTED: Sources = {
    "tests/pytest.ini": "[pytest]\n",
    "tests/test_x.py": "from lib.code import call\n\ndef test_a():\n    call()\n",
    "tests/conftest.py": "import os, sys\nsys.path.insert(0, os.getcwd())\n",
    "lib/__init__.py": "",
    "lib/code.py": "def call():\n    raise ValueError('outside of the root directory')\n",
}
RERUNS: Sources = {
    "conftest.py": """
import pytest
from _pytest.runner import runtestprotocol

@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    outcome = yield
    outcome.get_result()

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    for attempt in (1, 2):
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in runtestprotocol(item, nextitem=nextitem, log=False):
            if report.failed and attempt == 1:
                report.outcome = "rerun"
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True

def pytest_report_teststatus(report):
    return ("rerun", "R", "RERUN") if report.outcome == "rerun" else None
""",
    "test_x.py": "tries = []\ndef test_a():\n    tries.append(1)\n    assert len(tries) > 1\n"
    "def test_b():\n    assert 0\n",
}
