"""Small test files whose objects outlive their session, in unlike styles; `# ends` marks where it ends."""

_SHOP = "import pytest\n\nfrom shop import Order, Tenant, create_app, db, make, register\n\n\n"
_PLAIN = (
    "import pytest\n\nfrom plain import Post, Session, SessionLocal, UnitOfWork, User\n"
    "from plain import engine, registry, session_scope\n\n\n"
)
_FIXTURE = _SHOP + "@pytest.fixture\ndef tenant(app):\n"
_USED = "\n\ndef test_it(tenant):\n    assert tenant.name == 'Ann'\n    assert len(tenant.orders) == 1\n"
_ASKED = "\n\ndef test_it(user):\n    assert user.posts == []\n    assert user.name == 'Ann'\n"

YIELD = "yield-inside-context"
APP = "fixture-yields-app-inside-context"
KEEP = "keep-session-open-for-test"
EXTEND = "extend-session-block"

# name: (remedy, number of its proposal, names of the diagnosis, source)
SHAPES: dict[str, tuple[str, int, dict[str, str], str]] = {
    "returned": (
        YIELD,
        0,
        {},
        _FIXTURE + "    with app.app_context():  # ends\n        return make()\n" + _USED,
    ),
    "below": (
        YIELD,
        0,
        {},
        _FIXTURE + "    with app.app_context():  # ends\n        one = make()\n    return one\n" + _USED,
    ),
    "annotated": (
        YIELD,
        0,
        {},
        _FIXTURE.replace("(app):", "(app) -> Tenant:")
        + "    with app.app_context():  # ends\n        return make()\n"
        + _USED,
    ),
    "bundle": (
        YIELD,
        0,
        {},
        _FIXTURE.replace("tenant(app)", "bundle(app)")
        + "    with app.app_context():  # ends\n        ann, bob = make(), make('Bob')\n"
        "        return {\n            'ann': ann,\n            'all': [ann, bob],\n        }\n"
        "\n\ndef test_it(bundle):\n    assert [one.name for one in bundle['all']] == ['Ann', 'Bob']\n",
    ),
    "early": (
        YIELD,
        0,
        {},
        _FIXTURE + "    with app.app_context():  # ends\n        known = Tenant.query.first()\n"
        "        if known: return known\n"
        "        for name in ['Ann', 'Bob']:\n            return make(name)\n        return None\n" + _USED,
    ),
    "generator": (
        YIELD,
        0,
        {},
        _FIXTURE
        + "    with app.app_context():  # ends\n        one = make()\n    # for the test\n    yield one\n"
        "    with app.app_context():\n        db.drop_all()\n" + _USED,
    ),
    "in_class": (
        YIELD,
        0,
        {},
        _SHOP + "class TestIt:\n    @pytest.fixture(autouse=True)\n    def prepared(self, app):\n"
        "        with app.app_context():  # ends\n            self.tenant = make()\n\n"
        "    def test_it(self):\n        assert self.tenant.name == 'Ann'\n",
    ),
    "nested": (
        YIELD,
        0,
        {},
        _SHOP + "@pytest.fixture(scope='class')\ndef shop():\n    return create_app()\n\n\n"
        "@pytest.fixture(scope='class')\ndef tenant(shop):\n    with shop.app_context():  # ends\n"
        "        with db.session.no_autoflush:\n            return make()\n"
        "\n\nclass TestIt:\n    def test_one(self, tenant):\n        assert tenant.name\n\n"
        "    def test_two(self, tenant):\n        assert tenant.orders\n",
    ),
    "plain_session": (
        YIELD,
        0,
        {},
        _PLAIN + "@pytest.fixture\ndef user():\n    with Session(engine) as session, session.begin():\n"
        "        session.add(User(name='Zoe'))\n    with SessionLocal() as session:  # ends\n"
        "        return session.query(User).filter_by(name='Zoe').first()\n" + _ASKED.replace("Ann", "Zoe"),
    ),
    "finally_closes": (
        YIELD,
        0,
        {},
        _PLAIN + "@pytest.fixture(name='user')\ndef user_fixture():\n\tsession = SessionLocal()\n\ttry:\n"
        "\t\tuser = User(name='Ann')\n\t\tsession.add(user)\n\t\tsession.commit()\n\t\treturn user\n"
        "\tfinally:\n\t\tsession.close()  # ends\n" + _ASKED,
    ),
    "collected": (
        YIELD,
        0,
        {"via": "session collected"},
        _PLAIN
        + "@pytest.fixture\ndef user():\n    session = SessionLocal()  # ends\n    user = User(name='Ann')\n"
        "    session.add(user)\n    session.commit()\n    return user\n" + _ASKED,
    ),
    "scope_helper": (
        YIELD,
        0,
        {"fixture": "user", "in": "plain.py: scope"},
        _PLAIN + "@pytest.fixture\ndef user():\n    with session_scope() as session:\n"
        "        user = User(name='Ann')\n"
        "        session.add(user)\n        session.commit()\n        return user\n" + _ASKED,
    ),
    "unit_of_work": (
        YIELD,
        0,
        {"fixture": "user", "in": "plain.py: work"},
        _PLAIN + "@pytest.fixture\ndef user():\n    with UnitOfWork() as work:\n"
        "        return work.add(User(name='Ann'))\n" + _ASKED,
    ),
    "app_context": (
        APP,
        0,
        {},
        _FIXTURE + "    with app.app_context():  # ends\n        return make()\n" + _USED,
    ),
    "app_of_its_own": (
        APP,
        0,
        {},
        _SHOP + "@pytest.fixture\ndef application():\n    shop = create_app()\n    with shop.app_context():\n"
        "        db.create_all()\n    yield shop\n\n\n@pytest.fixture\ndef tenant(application):\n"
        "    with application.app_context():  # ends\n        tenant = make()\n    return tenant\n" + _USED,
    ),
    "closed_in_fixture": (
        KEEP,
        0,
        {},
        _PLAIN + "@pytest.fixture\ndef user():\n    session = SessionLocal()\n    user = User(name='Ann')\n"
        "    session.add(user)\n    session.commit()\n    session.close()  # ends\n    return user\n"
        + _ASKED,
    ),
    "closed_before_value": (
        KEEP,
        0,
        {},
        _PLAIN + "@pytest.fixture\ndef posts():\n    user = User(name='Ann', posts=[Post()])\n"
        "    registry.add(user)\n"
        "    registry.commit()\n    registry.remove()  # ends\n    return user.posts\n"
        "\n\ndef test_it(posts):\n    assert len(posts) == 1\n",
    ),
    "removed_in_block": (
        KEEP,
        0,
        {},
        _FIXTURE
        + "    with app.app_context():\n        tenant = make()\n        db.session.close()  # ends\n"
        "    return tenant\n" + _USED,
    ),
    "closed_in_test": (
        KEEP,
        0,
        {},
        _SHOP + "def test_it(app):\n    with app.app_context():\n        tenant = make()\n"
        "        db.session.close()  # ends\n"
        "        assert tenant.orders\n",
    ),
    "closed_to_read_anew": (
        KEEP,
        1,
        {},
        _SHOP + "def test_it(app):\n    with app.app_context():\n        tenant = make()\n"
        "        tenant.name = 'Bob'\n"
        "        db.session.commit()\n        db.session.remove()  # ends\n"
        "        assert tenant.name == 'Bob'\n",
    ),
    "expunged": (
        KEEP,
        0,
        {},
        _PLAIN
        + "def test_it():\n    user = User(name='Ann')\n    registry.add(user)\n    registry.commit()\n"
        "    registry.expunge(user)  # ends\n    assert user.name == 'Ann'\n    assert not user.posts\n",
    ),
    "closed_in_setup": (
        KEEP,
        0,
        {},
        "from unittest import TestCase\n\n" + _PLAIN + "class TestIt(TestCase):\n    def setUp(self):\n"
        "        session = SessionLocal()\n        self.user = User(name='Ann')\n"
        "        session.add(self.user)\n"
        "        session.commit()\n        session.close()  # ends\n\n    def test_it(self):\n"
        "        self.assertEqual(self.user.name, 'Ann')\n",
    ),
    "context_popped": (
        KEEP,
        0,
        {},
        _FIXTURE + "    context = app.app_context()\n    context.push()\n    tenant = make()\n"
        "    context.pop()  # ends\n"
        "    return tenant\n" + _USED,
    ),
    "removed_in_product": (
        KEEP,
        0,
        {"in": "shop.py: register"},
        _SHOP
        + "def test_it(app):\n    with app.app_context():\n        assert register('Ann').name == 'Ann'\n",
    ),
    "block_in_test": (
        EXTEND,
        0,
        {},
        _SHOP + "def test_it(app):\n    with app.app_context():  # ends\n        tenant = make()\n"
        "    client = app.test_client()\n    assert client.get('/').status_code == 404\n"
        "    assert tenant.name == 'Ann'\n",
    ),
    "session_in_test": (
        EXTEND,
        0,
        {},
        _PLAIN + "def test_it():\n    with SessionLocal() as s:  # ends\n"
        "        user = User(name='Ann')\n        s.add(user)\n"
        "        s.commit()\n        key = user.id\n    posts = user.posts\n    assert (\n"
        "        posts == []\n    )\n"
        "    assert key\n",
    ),
    "inner_context": (
        EXTEND,
        0,
        {},
        _SHOP + "def test_it(app):\n    with app.app_context():\n        make()\n"
        "        with app.app_context():  # ends\n"
        "            tenant = Tenant.query.one()\n"
        "        tenant.name = f'{tenant.name}{len(tenant.orders)}'\n        db.session.commit()\n"
        "        assert Tenant.query.one().name == 'Ann1'\n",
    ),
    "finally_in_test": (
        EXTEND,
        0,
        {},
        _PLAIN + "def test_it():\n    session = SessionLocal()\n    try:\n        user = User(name='Ann')\n"
        "        session.add(user)\n        session.commit()\n    finally:\n        session.close()  # ends\n"
        "    assert user.name == 'Ann'\n",
    ),
    "helper_in_case": (
        EXTEND,
        0,
        {},
        "from unittest import TestCase\n\n" + _SHOP + "class Base(TestCase):\n    def setUp(self):\n"
        "        self.app = create_app()\n        self.context = self.app.app_context()\n"
        "        self.context.push()\n"
        "        make()\n\n    def tearDown(self):\n        self.context.pop()\n\n    def load(self, key):\n"
        "        with self.app.app_context():  # ends\n            return db.session.get(Tenant, key)\n\n\n"
        "class TestIt(Base):\n    def test_it(self):\n        tenant = self.load(1)\n"
        "        self.assertEqual(len(tenant.orders), 1)\n",
    ),
    "helper_of_bare_callers": (
        EXTEND,
        0,
        {},
        _SHOP + "def load(shop, name):\n    with shop.app_context():  # ends\n        return make(name)\n\n\n"
        "@pytest.fixture\ndef tenant(app):\n    return load(app, 'Ann')\n"
        "\n\ndef test_other(app):\n    tenant = load(shop=app, name='Bob')\n    assert tenant.name == 'Bob'\n"
        "    assert app\n" + _USED,
    ),
    "factory_fixture": (
        EXTEND,
        0,
        {},
        _FIXTURE.replace("tenant(app)", "build(app)")
        + "    def inner(name):\n        with app.app_context():  # ends\n"
        "            return make(name)\n\n    return inner\n"
        "\n\ndef test_it(build):\n    assert [build('Ann').name, build('Bob').name] == ['Ann', 'Bob']\n",
    ),
    "factory_of_sessions": (
        EXTEND,
        0,
        {},
        _PLAIN + "@pytest.fixture\ndef build():\n    def inner(name):\n"
        "        with SessionLocal() as session:  # ends\n"
        "            user = User(name=name)\n            session.add(user)\n            session.commit()\n"
        "            return user\n\n    yield inner\n"
        "\n\ndef test_it(build):\n    assert build('Ann').name == 'Ann'\n",
    ),
    "setup_of_case": (
        EXTEND,
        0,
        {},
        "import unittest\n\n"
        + _SHOP
        + "class ShopTest(unittest.TestCase):\n    def setUp(self):\n        app = create_app()\n"
        "        with app.app_context():  # ends\n            self.tenant = make()\n\n"
        "    def test_it(self):\n        self.assertEqual(self.tenant.name, 'Ann')\n",
    ),
    "setup_method": (
        EXTEND,
        0,
        {},
        _SHOP + "class TestIt:\n    def setup_method(self):\n        self.app = create_app()\n"
        "        with self.app.app_context():  # ends\n            self.tenant = make()\n\n"
        "    def teardown_method(self):\n        del self.tenant\n\n"
        "    def test_it(self):\n        assert self.tenant.name == 'Ann'\n",
    ),
    "setup_with_session": (
        EXTEND,
        0,
        {},
        "import unittest\n\n"
        + _PLAIN
        + "class UserTest(unittest.TestCase):\n    @classmethod\n    def setUpClass(cls):\n"
        "        with SessionLocal() as session:  # ends\n            cls.user = User(name='Ann')\n"
        "            session.add(cls.user)\n            session.commit()\n\n"
        "    def test_it(self):\n        self.assertEqual(self.user.name, 'Ann')\n",
    ),
}
