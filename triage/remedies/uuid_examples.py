"""Examples of texts that become UUIDs, and of those that stay."""

from collections.abc import Mapping

from triage.remedies.example import Cured, Spot, Untouched

_MODELS = """\
import uuid
from app import db
class Tenant(db.Model):
    id = db.Column(db.Uuid, primary_key=True, default=uuid.uuid4)
    name = db.Column(db.String(80))
class Booking(db.Model):
    id = db.Column(db.Uuid(), primary_key=True, default=uuid.uuid4)
    tenant_id = db.Column(db.ForeignKey('tenant.id'))
"""
_TEST = "from m import Booking, Tenant, db\n\n\ndef test_it(session, client, t, b):\n"
_NAMES = {"model": "Booking", "column": "tenant_id", "violation": "uuid"}


def _case(body: str, after: str, line: int = 5, names: Mapping[str, str] = _NAMES) -> Cured:
    before = {"m.py": _MODELS, "test_m.py": _TEST + body}
    return Cured(before, Spot("test_m.py", line, names), {"test_m.py": after})


def _left(body: str, because: str, line: int = 5) -> Untouched:
    return Untouched({"m.py": _MODELS, "test_m.py": _TEST + body}, Spot("test_m.py", line, _NAMES), because)


_IMPORTED = _TEST.replace("db\n", "db\nfrom uuid import UUID\n", 1)
_TEXT = '"8c0f5d9e-2a4b-4c6d-8e1f-0123456789ab"'
_HELPER = "def fetch(session, key):\n    key = str(key)\n    return session.get(Tenant, key)\n\n\n"
_HANDED = "def fetch(session, key):\n    return session.get(Tenant, key)\n\n\ndef test_it(session, t):\n"
_PARAMETRISED = "import pytest\n\n@pytest.mark.parametrize('key', UUIDS)\ndef test_it(session, key):\n"
_GETS = "    session.get(Tenant, {})\n"
_TOP = f"KEY = {_TEXT}\n\n\ndef test_it(session, client):\n    client.get(f'/t/{{KEY}}')\n"
_IDS = "import pytest\n@pytest.fixture\ndef ids(t):\n    return {'t': str(t.id)}\n\n\ndef test_it(ids):\n"
_UNIT = (
    "class TestIt(Base):\n    def setUp(self):\n        self.key = str(self.t.id)\n\n"
    "    def test_it(self):\n        session.get(Tenant, {})\n"
)


def _plain(before: str, after: str, line: int, tests: tuple[str, ...] = ()) -> Cured:
    return Cured(
        {"m.py": _MODELS, "test_m.py": before}, Spot("test_m.py", line, _NAMES, tests), {"test_m.py": after}
    )


CURED: tuple[Cured, ...] = (
    _plain(_HELPER, _HELPER.replace("    key = str(key)\n", ""), 3),
    _plain(
        _HANDED + "    assert fetch(session, str(t.id)) is t\n",
        _HANDED + "    assert fetch(session, t.id) is t\n",
        2,
        ("test_m.py::test_it",),
    ),
    _plain(
        "import uuid\n" + _PARAMETRISED.replace("UUIDS", f"[{_TEXT}]") + _GETS.format("key"),
        "import uuid\n" + _PARAMETRISED.replace("UUIDS", f"[{_TEXT}]") + _GETS.format("uuid.UUID(key)"),
        6,
    ),
    _plain(
        "import uuid\n" + _TOP + _GETS.format("KEY"),
        "import uuid\n" + _TOP + _GETS.format("uuid.UUID(KEY)"),
        7,
    ),
    _plain(
        "import uuid\n" + _IDS + _GETS.format("ids['t']"),
        "import uuid\n" + _IDS + _GETS.format("uuid.UUID(ids['t'])"),
        9,
    ),
    _plain(
        "import uuid\n" + _UNIT.format("self.key"),
        "import uuid\n" + _UNIT.format("uuid.UUID(self.key)"),
        7,
    ),
    _case(
        "    Booking.query.filter_by(tenant_id=str(t.id)).all()\n",
        _TEST + "    Booking.query.filter_by(tenant_id=t.id).all()\n",
    ),
    _case(
        "    key = str(t.id)\n    found = session.get(Tenant, key)\n    assert found.id == t.id\n",
        _TEST + "    key = t.id\n    found = session.get(Tenant, key)\n    assert found.id == t.id\n",
        6,
    ),
    _case(
        "    key = str(t.id)\n    client.get(f'/tenants/{key}')\n    session.get(Tenant, key)\n",
        _TEST + "    key = str(t.id)\n    client.get(f'/tenants/{key}')\n    session.get(Tenant, t.id)\n",
        7,
    ),
    _case(
        '    ids = {"t": str(t.id), "b": str(b.id)}\n    find(ids["t"], ids["b"])\n',
        _TEST + '    ids = {"t": t.id, "b": b.id}\n    find(ids["t"], ids["b"])\n',
        6,
    ),
    _case(
        f"    session.get(Tenant, {_TEXT})\n",
        _IMPORTED + f"    session.get(Tenant, UUID({_TEXT}))\n",
    ),
    _case(
        "    assert session.query(Booking).filter(Booking.tenant_id == f'{t.id}').count() == 0\n",
        _TEST + "    assert session.query(Booking).filter(Booking.tenant_id == t.id).count() == 0\n",
    ),
    _case(
        "    session.add(Booking(\n        tenant_id=uuid4().hex,\n    ))\n",
        _TEST + "    session.add(Booking(\n        tenant_id=uuid4(),\n    ))\n",
        6,
    ),
)
UNTOUCHED: tuple[Untouched, ...] = (
    Untouched(
        {
            "m.py": _MODELS,
            "views.py": "from m import Tenant\ndef show(key: str):\n    return Tenant.query.get(key)\n",
            "test_m.py": _TEST + "    assert show(str(t.id)) is t\n",
        },
        Spot("test_m.py", 5, _NAMES),
        "the product says that it takes text",
    ),
    Untouched(
        {"m.py": _MODELS, "test_m.py": _HANDED + "    fetch(session, 'nonsense')\n"},
        Spot("test_m.py", 2, _NAMES),
        "what is handed to the helper is no UUID",
    ),
    Untouched(
        {"m.py": _MODELS, "test_m.py": _PARAMETRISED.replace("UUIDS", '["x", "y"]') + _GETS.format("key")},
        Spot("test_m.py", 5, _NAMES),
        "the parameters are no UUIDs",
    ),
    _left("    assert client.get('/x').json['id'] == str(t.id)\n", "an answer holds text"),
    _left("    client.post('/x', json={'tenant': str(t.id)})\n", "what is sent is text"),
    _left("    client.get('/tenants/' + str(t.id))\n", "an address is text"),
    _left("    session.get(Tenant, 'nonsense')\n", "no UUID is written there"),
    _left("    session.add(Tenant(name=str(t.id)))\n", "the column takes text"),
    Untouched(
        {
            "m.py": _MODELS,
            "views.py": "from m import Tenant\ndef show(key):\n    return Tenant.query.get(str(key))\n",
        },
        Spot("views.py", 3, _NAMES),
        "code of the product",
    ),
)
