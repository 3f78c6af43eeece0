"""The same projects in unlike styles, each with the steps that cure it."""

from tests.remedies.session_projects import (
    APP,
    ATTACHED,
    FACTORIES,
    FIXTURE,
    FLASK,
    FLASK_FACTORIES,
    FLASK_FIXTURES,
    GOOD,
    MODEL,
    NO_ID,
    OLD_FIXTURE,
    ON_DISK,
    PLAIN,
    ROLLBACK,
    TEARDOWN,
    TESTS,
    TO_FACTORY,
    UNITTEST,
    USES,
    Step,
    mixed,
    shape,
)

SHAPES = (
    shape("a scoped session, and nothing good to imitate", mixed()),
    shape("the same on a file that two connections lock", mixed(app=ON_DISK)),
    shape(
        "the hand-over alone",
        mixed(test_pets=TESTS.partition("\n\ndef test_again")[0]),
        Step(USES, "test_pets.py", ATTACHED, 2),
        failing=1,
    ),
    shape("a good fixture elsewhere", {**mixed(), "good/conftest.py": GOOD}),
    shape("a fixture of a module", mixed(conftest=OLD_FIXTURE)),
    shape(
        "a wide fixture that others of its kind ask for",
        mixed(
            conftest=OLD_FIXTURE
            + '\n\n@pytest.fixture(scope="module", name="shared")\ndef _shared(db):\n    return db\n',
            test_pets=TESTS.replace("test_again(db)", "test_again(db, shared)"),
        ),
    ),
    shape(
        "a session from a block",
        mixed(
            conftest=FIXTURE.replace(
                "    session = SessionLocal()\n    yield session\n    session.close()\n",
                "    with SessionLocal() as session:\n        yield session\n",
            )
        ),
    ),
    shape(
        "a session that is returned at once",
        mixed(
            conftest=FIXTURE.replace(
                "    session = SessionLocal()\n    yield session\n    session.close()\n",
                "    return SessionLocal()\n",
            )
        ),
    ),
    shape(
        "try and finally, tables round it, a rollback before",
        mixed(
            app=APP.replace("Base.metadata.create_all(engine)\n", ""),
            conftest="""\
import pytest

from app import Base, SessionLocal, engine


@pytest.fixture(name="db", scope="function")
def db_fixture():
    \"\"\"With tables.\"\"\"
    Base.metadata.create_all(engine)
    session = SessionLocal(expire_on_commit=True)
    try:
        yield session
    finally:
        session.rollback()
        session.close()
        Base.metadata.drop_all(engine)
""",
        ),
        failing=1,
        passing=1,
    ),
    shape(
        "the engine is a fixture",
        mixed(
            conftest="""\
import pytest
from sqlalchemy.orm import Session

import app


@pytest.fixture(scope="session")
def engine():
    yield app.engine
    app.engine.dispose()


@pytest.fixture(scope="class")
def db(engine):
    with Session(engine, autoflush=False) as session:
        yield session
"""
        ),
    ),
    shape(
        "a global session",
        mixed(
            factories=FACTORIES.replace(
                "scoped_session(sessionmaker(bind=engine))", "sessionmaker(bind=engine)()"
            ).replace(
                "Registry = sessionmaker(bind=engine)()",
                "Session = sessionmaker(bind=engine)\nRegistry = Session()",
            )
        ),
    ),
    shape(
        "a session made of the engine at the top of the module",
        mixed(
            factories=FACTORIES.replace(
                "scoped_session(sessionmaker(bind=engine))", "Session(engine)"
            ).replace("import scoped_session, sessionmaker", "import Session")
        ),
    ),
    shape(
        "a session factory of factory_boy",
        mixed(
            factories=FACTORIES.replace(
                "sqlalchemy_session = Registry", "sqlalchemy_session_factory = lambda: Registry()"
            )
        ),
    ),
    shape(
        "a sessionmaker as session factory",
        mixed(
            factories=FACTORIES.replace(
                "sqlalchemy_session = Registry", "sqlalchemy_session_factory = SessionLocal"
            )
            .replace("Owner, Pet, engine", "Owner, Pet, SessionLocal")
            .replace("Registry = scoped_session(sessionmaker(bind=engine))\n", "")
        ),
    ),
    shape(
        "no session at all",
        mixed(
            factories=FACTORIES.replace("sqlalchemy_session = Registry", "sqlalchemy_session = None")
            .replace("from sqlalchemy.orm import scoped_session, sessionmaker\n", "")
            .replace("Owner, Pet, engine", "Owner, Pet")
            .replace("Registry = scoped_session(sessionmaker(bind=engine))\n", "")
        ),
        failing=1,
        passing=1,
    ),
    shape(
        "a base without Meta",
        mixed(
            factories=FACTORIES.replace(
                """    class Meta:
        abstract = True
        sqlalchemy_session = Registry
        sqlalchemy_session_persistence = "commit"
""",
                '    """Stores."""\n',
            )
        ),
        failing=1,
        passing=1,
    ),
    shape(
        "Meta in each factory",
        mixed(
            factories=FACTORIES.replace(
                """class Base(SQLAlchemyModelFactory):
    class Meta:
        abstract = True
        sqlalchemy_session = Registry
        sqlalchemy_session_persistence = "commit"


""",
                "",
            )
            .replace("(Base)", "(SQLAlchemyModelFactory)")
            .replace(
                "        model = Owner\n", "        model = Owner\n        sqlalchemy_session = Registry\n"
            )
            .replace(
                "        model = Pet\n",
                "        model = Pet\n        sqlalchemy_session = Registry\n"
                "        sqlalchemy_session_persistence = 'commit'\n",
            )
        ),
        failing=1,
        passing=1,
    ),
    shape(
        "factories in fixtures that come first",
        mixed(
            conftest=FIXTURE
            + '\n\n@pytest.fixture\ndef owner():\n    return OwnerFactory(email="a@example.com")\n',
            test_pets=TESTS.replace(
                'test_attached(db):\n    owner = OwnerFactory(email="a@example.com")\n',
                "test_attached(owner, db):\n",
            ),
        )
        | {
            "conftest.py": "from factories import OwnerFactory\n"
            + FIXTURE
            + '\n\n@pytest.fixture\ndef owner():\n    return OwnerFactory(email="a@example.com")\n'
        },
    ),
    shape("setUp without an end", {"app.py": APP, "factories.py": FACTORIES, "test_pets.py": UNITTEST}),
    shape(
        "setUp and tearDown",
        {"app.py": APP, "factories.py": FACTORIES, "test_pets.py": UNITTEST + TEARDOWN},
    ),
    shape(
        "setUp in a base class of another file",
        {
            "app.py": APP,
            "factories.py": FACTORIES,
            "tests/__init__.py": "",
            "tests/base.py": "import unittest\n\nfrom app import SessionLocal\n\n\n"
            "class DatabaseTest(unittest.TestCase):\n"
            "    def setUp(self):\n        self.session = SessionLocal()\n" + TEARDOWN,
            "tests/test_pets.py": UNITTEST.replace(
                "import unittest\n\n", "from tests.base import DatabaseTest\n"
            )
            .replace("unittest.TestCase", "DatabaseTest")
            .replace("SessionLocal\n", "Pet\n")
            .replace(", Pet, Pet", ", Pet")
            .replace("    def setUp(self):\n        self.session = Pet()\n\n", "")
            .replace("    def setUp(self):\n        self.session = SessionLocal()\n\n", ""),
        },
        Step(USES, "tests/test_pets.py", ATTACHED),
    ),
    shape(
        "setup_method and teardown_method",
        {
            "app.py": APP,
            "factories.py": FACTORIES,
            "test_pets.py": (UNITTEST + TEARDOWN)
            .replace("(unittest.TestCase)", "")
            .replace("class PetTest", "class TestPets")
            .replace("setUp(self)", "setup_method(self)")
            .replace("tearDown(self)", "teardown_method(self)")
            .replace('self.assertEqual(pet.owner.email, "a@example.com")', "assert pet.owner.email")
            .replace(
                "self.assertEqual(self.session.query(Owner).count(), 1)",
                "assert self.session.query(Owner).count() == 1",
            ),
        },
    ),
    shape(
        "Flask-SQLAlchemy's session beside another",
        {
            "app.py": FLASK,
            "factories.py": FLASK_FACTORIES,
            "conftest.py": FLASK_FIXTURES,
            "test_pets.py": TESTS.replace("db", "session"),
        },
        failing=1,
        passing=1,
    ),
    shape(
        "keys become objects, and a key without a row goes",
        mixed(test_pets=NO_ID),
        *TO_FACTORY,
    ),
    shape(
        "rows and a failed transaction left behind",
        {**PLAIN, "conftest.py": OLD_FIXTURE},
        Step(ROLLBACK, "test_pets.py", "def test_poisoned"),
        failing=2,
        passing=1,
    ),
    shape("rows left behind", PLAIN, Step(ROLLBACK, "test_pets.py", "def test_taken"), failing=1, passing=2),
    shape(
        "a scoped session as the test's own",
        {
            **PLAIN,
            "conftest.py": FIXTURE.replace(
                "from app import SessionLocal\n",
                "from sqlalchemy.orm import scoped_session\n\nfrom app import SessionLocal\n\n"
                "Scoped = scoped_session(SessionLocal)\n",
            )
            .replace("session = SessionLocal()", "session = Scoped()")
            .replace("session.close()", "Scoped.remove()"),
        },
        Step(ROLLBACK, "test_pets.py", "def test_taken"),
        failing=1,
        passing=2,
    ),
    shape(
        "a registry in a module of its own, and relative imports",
        {
            "shop/__init__.py": "",
            "shop/app.py": APP,
            "shop/tests/__init__.py": "",
            "shop/tests/common.py": "from sqlalchemy import orm\n\nfrom shop.app import engine\n\n"
            "Session = orm.scoped_session(orm.sessionmaker(bind=engine))\n",
            "shop/tests/factories.py": FACTORIES.replace("= Registry", "= common.Session")
            .replace("from sqlalchemy.orm import scoped_session, sessionmaker\n", "")
            .replace("Registry = scoped_session(sessionmaker(bind=engine))\n", "")
            .replace(
                "from app import Owner, Pet, engine", "from ..app import Owner, Pet\nfrom . import common"
            ),
            "shop/tests/conftest.py": FIXTURE.replace(
                "from app import SessionLocal",
                "from sqlalchemy.orm import Session\n\nfrom ..app import engine",
            ).replace("SessionLocal()", "Session(engine)"),
            "shop/tests/test_pets.py": TESTS.replace("from app", "from ..app")
            .replace("from factories import OwnerFactory", "from . import factories")
            .replace("OwnerFactory(", "factories.OwnerFactory("),
        },
        Step(USES, "shop/tests/test_pets.py", ATTACHED),
        Step(MODEL, "shop/tests/test_pets.py", ATTACHED),
    ),
    shape(
        "one object in two sessions",
        mixed(
            test_pets="""\
from app import Owner, SessionLocal
from factories import OwnerFactory


def test_twice(db):
    owner = Owner(email="x@example.com")
    other = SessionLocal()
    other.add(owner)
    db.add(owner)
    db.commit()
    assert owner.id
"""
        ),
        Step(USES, "test_pets.py", "db.add(owner)"),
        failing=1,
    ),
)
