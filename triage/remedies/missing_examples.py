"""Examples of rows that get a missing value, and of those that are left to a person."""

from collections.abc import Mapping

from triage.remedies.example import Cured, Spot, Untouched

_MODELS = """\
from app import db
class User(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(80))
    email = db.Column(db.String(80), nullable=False, unique=True)
class Invoice(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    number = db.Column(db.String(20))
    amount = db.Column(db.Numeric(10, 2), nullable=False)
    due_on = db.Column(db.Date, nullable=False)
    user_id = db.Column(db.ForeignKey('user.id'), nullable=False)
    user = db.relationship(User)
"""
_HEAD = "from m import Invoice, User, db\n\n\ndef test_it():\n"
_EMAIL = {"model": "User", "table": "user", "column": "email"}


def _case(
    body: str, after: str, names: Mapping[str, str] = _EMAIL, line: int = 5, head: str = _HEAD
) -> Cured:
    return Cured(
        {"m.py": _MODELS, "test_m.py": _HEAD + body},
        Spot("test_m.py", line, names),
        {"test_m.py": head + after},
    )


def _left(body: str, because: str, names: Mapping[str, str] = _EMAIL, line: int = 5) -> Untouched:
    return Untouched({"m.py": _MODELS, "test_m.py": _HEAD + body}, Spot("test_m.py", line, names), because)


_STORE = "    db.session.add(user)\n    db.session.commit()\n"
_AMOUNT = {"model": "Invoice", "table": "invoice", "column": "amount"}
_OWNER = {"model": "Invoice", "table": "invoice", "column": "user_id"}
_LOOKUP = '    assert find_user(email="a@b.c") is user\n'
CURED: tuple[Cured, ...] = (
    _case(
        '    user = User(name="Ann")\n' + _STORE + _LOOKUP,
        '    user = User(name="Ann", email="a@b.c")\n' + _STORE + _LOOKUP,
    ),
    _case(
        '    user = User(name="Ann")\n' + _STORE,
        '    user = User(name="Ann", email="ann@example.org")\n' + _STORE,
    ),
    _case(
        '    user = User(\n        name="Noor Haddad",\n        email=None,  # not yet\n    )\n' + _STORE,
        '    user = User(\n        name="Noor Haddad",\n        email="noor.haddad@example.org",  # not yet\n'
        "    )\n" + _STORE,
    ),
    _case(
        "    user = User(\n        name='Ann',\n    )\n" + _STORE,
        "    user = User(\n        name='Ann',\n        email='ann@example.org',\n    )\n" + _STORE,
    ),
    _case(
        '    owner = User(email="a@b.c")\n    one = Invoice(number="7", user=owner)\n',
        '    owner = User(email="a@b.c")\n    one = Invoice(number="7", user=owner, amount=Decimal("1.00"),'
        " due_on=date(2025, 1, 1))\n",
        _AMOUNT,
        6,
        _HEAD.replace("db\n", "db\nfrom decimal import Decimal\nfrom datetime import date\n", 1),
    ),
    _case(
        '    owner = User(email="a@b.c")\n    Invoice(amount=1, due_on=2)\n',
        '    owner = User(email="a@b.c")\n    Invoice(amount=1, due_on=2, user=owner)\n',
        _OWNER,
        6,
    ),
    _case(
        '    db.session.add_all([\n        User(email="a@b.c"),\n        User(),\n    ])\n',
        '    db.session.add_all([\n        User(email="a@b.c"),\n'
        '        User(email="it@example.org"),\n    ])\n',
        line=7,
    ),
    _case(
        '    data = {"name": "Ann"}\n    user = User(**data)\n',
        '    data = {"name": "Ann", "email": "ann@example.org"}\n    user = User(**data)\n',
        line=6,
    ),
    _case(
        '    def make(**kwargs):\n        return User(name="x", **kwargs)\n',
        "    def make(**kwargs):\n"
        '        kwargs.setdefault("email", f"{uuid4().hex}@example.org")\n'
        '        return User(name="x", **kwargs)\n',
        line=6,
        head=_HEAD.replace("db\n", "db\nfrom uuid import uuid4\n", 1),
    ),
    _case(
        "    def make(name, email):\n        return User(name=name)\n    make('a', 'b')\n",
        "    def make(name, email):\n        return User(name=name, email=email)\n    make('a', 'b')\n",
        line=6,
    ),
    _case(
        '    db.session.execute(db.insert(User).values(name="Ann"))\n',
        '    db.session.execute(db.insert(User).values(name="Ann", email="ann@example.org"))\n',
    ),
    Cured(
        {
            "m.py": _MODELS,
            "tests/factories.py": "import factory\nfrom m import User\n\n\nclass UserFactory("
            "factory.alchemy.SQLAlchemyModelFactory):\n    class Meta:\n        model = User\n\n"
            '    name = "Ann"\n',
        },
        Spot("tests/factories.py", 5, {**_EMAIL, "factory": "UserFactory"}),
        {
            "tests/factories.py": "import factory\nfrom m import User\n\n\nclass UserFactory("
            "factory.alchemy.SQLAlchemyModelFactory):\n    class Meta:\n        model = User\n\n"
            '    name = "Ann"\n    email = factory.Sequence(lambda n: f"user{n}@example.org")\n'
        },
    ),
)
CURED = (
    *CURED,
    Cured(
        {"m.py": _MODELS, "test_m.py": _HEAD + '    user = User(name="Ann")\n'},
        Spot("test_m.py", 5, message="NOT NULL constraint failed: user.email"),
        {"test_m.py": _HEAD + '    user = User(name="Ann", email="ann@example.org")\n'},
    ),
    Cured(
        {"m.py": _MODELS, "test_m.py": _HEAD + '    user = User(name="Ann")\n'},
        Spot("test_m.py", 5),
        {"test_m.py": _HEAD + '    user = User(name="Ann", email="ann@example.org")\n'},
    ),
)
_ENROL = """\
from m import User
def enrol(data):
    return User(**data)
def invite(name, email='a'):
    return User(name=name, email=email)
"""
_HANDED = "from m import Invoice, User, db\nfrom app import enrol, invite\n\n\ndef test_it():\n"


def _from_product(before: str, after: str, line: int) -> Cured:
    files = {"m.py": _MODELS, "app.py": _ENROL, "test_m.py": _HANDED + before}
    return Cured(files, Spot("app.py", line, _EMAIL, ("test_m.py::test_it",)), {"test_m.py": _HANDED + after})


CURED = (
    *CURED,
    _from_product(
        "    enrol({'name': 'Ann'})\n", "    enrol({'name': 'Ann', 'email': 'ann@example.org'})\n", 3
    ),
    _from_product(
        "    data = {'name': 'Ann'}\n    enrol(data)\n",
        "    data = {'name': 'Ann', 'email': 'ann@example.org'}\n    enrol(data)\n",
        3,
    ),
    _from_product("    invite('Ann', email=None)\n", "    invite('Ann', email='it@example.org')\n", 5),
)
_PRODUCT = {"m.py": _MODELS, "app.py": _ENROL.replace("=email", "=None")}
UNTOUCHED: tuple[Untouched, ...] = (
    Untouched(
        {
            "m.py": _MODELS,
            "app.py": _ENROL,
            "test_m.py": _HANDED.replace(
                "def test_it()", "@pytest.mark.parametrize('data', [{'name': 'a'}])\ndef test_it(data)"
            )
            + "    enrol(data)\n",
        },
        Spot("app.py", 3, _EMAIL, ("test_m.py::test_it[data0]",)),
        "a case is what the test is about",
    ),
    Untouched(
        {**_PRODUCT, "test_m.py": _HANDED + "    invite('Ann', 'b')\n"},
        Spot("app.py", 5, _EMAIL, ("test_m.py::test_it",)),
        "the product drops what it is handed",
    ),
    _left("    user = User(name='a', email='b')\n    user.email = None\n", "taken away later", line=6),
    _left("    user = User(email=address)\n", "the value is computed"),
    _left("    user = User(*parts)\n", "nobody can see what is passed"),
    _left(
        "    db.session.add(User(name='a'))\n    with pytest.raises(IntegrityError):\n"
        "        db.session.flush()\n",
        "the refusal is what the test is about",
    ),
    _left("    one = Invoice(number='7')\n", "the foreign key needs an object", _OWNER),
    _left("    rows = load()\n", "no constructor stands there"),
    Untouched(
        {"m.py": _MODELS, "app.py": "from m import User\ndef new():\n    return User(name='a')\n"},
        Spot("app.py", 3, _EMAIL),
        "code of the product",
    ),
)
