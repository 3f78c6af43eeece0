"""How far the block reaches that `push-context-around-call` makes."""

from textwrap import indent

from triage.remedies.example import Cured, Spot

_FILE = "tests/support.py"
_BEFORE = """\
from shop import Store, db


def store(app):
    db.create_all()
    return Store(db, size=1), app


def fill(app):
    found = app.shop.store
    make_roles(found)
    make_users(app, found)
    return found.size
"""


def _reaches(line: int, *statements: str) -> Cured:
    lines = "".join(f"    {each}\n" for each in statements)
    after = _BEFORE.replace(lines, "    with app.app_context():\n" + indent(lines, "    "))
    return Cured({_FILE: _BEFORE}, Spot(_FILE, line), {_FILE: after})


_CALLED = "from shop import db\n\n\ndef make_roles(store):\n    store.put(1)\n\n\n"
_CALLER = "def fill(app):\n    found = app.shop.store\n"

RUNS = (
    Cured(
        {_FILE: _CALLED + _CALLER + "    make_roles(found)\n"},
        Spot(_FILE, 5),
        {_FILE: _CALLED + _CALLER + "    with app.app_context():\n        make_roles(found)\n"},
    ),
    _reaches(5, "db.create_all()"),
    _reaches(11, "make_roles(found)", "make_users(app, found)", "return found.size"),
)
