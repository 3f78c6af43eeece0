"""Parts of the project of `refused_rows`: two sessions, poisoned ones, and text where a UUID belongs."""

FACTORIES = """\
import factory
from sqlalchemy.orm import scoped_session, sessionmaker
from shop import Country, City, Invoice, User

FactorySession = scoped_session(sessionmaker())

class UserFactory(factory.alchemy.SQLAlchemyModelFactory):
    class Meta:
        model = User
        sqlalchemy_session = FactorySession
    email = factory.Sequence(lambda n: f"u{n}@x")

class CountryFactory(factory.alchemy.SQLAlchemyModelFactory):
    class Meta:
        model = Country
        sqlalchemy_session = FactorySession
        sqlalchemy_session_persistence = "flush"
    code = "at"  # constant

class NamelessFactory(factory.alchemy.SQLAlchemyModelFactory):
    class Meta:
        model = City
        sqlalchemy_session = FactorySession

class InvoiceFactory(factory.alchemy.SQLAlchemyModelFactory):
    class Meta:
        model = Invoice
        sqlalchemy_session = FactorySession
    user = factory.SubFactory(UserFactory)
    number = "1"
    amount = 1
"""

MIXED = """\
import pytest
from datetime import date
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool
from factories import CountryFactory, FactorySession, InvoiceFactory, NamelessFactory, UserFactory
from shop import Base, Invoice, User

@pytest.fixture
def engine():
    engine = create_engine("sqlite://", poolclass=StaticPool)
    Base.metadata.create_all(engine)
    FactorySession.configure(bind=engine)
    yield engine
    FactorySession.remove()

@pytest.fixture
def session(engine):
    with Session(engine) as session:  # made
        yield session

def test_mixed(session):
    user = UserFactory()  # by factory
    session.add(Invoice(user_id=user.id, number="1", amount=1, due_on=date(2025, 1, 1)))  # by hand
    session.commit()

def test_mixed_but_complete(session):
    user = UserFactory()
    FactorySession.commit()
    session.add(Invoice(user_id=user.id, number="1", due_on=date(2025, 1, 1)))  # no amount
    session.commit()

def test_attached(session):
    user = UserFactory()  # owned
    invoice = Invoice(user=user, number="1", amount=1, due_on=date(2025, 1, 1))  # attached by hand
    session.add(invoice)

def test_attached_factory_made(session):
    user = UserFactory()  # factory alone
    session.add(user)

def test_attached_both_factory_made(session):
    user = UserFactory()
    other = UserFactory.build()
    session.add(other)
    invoice = InvoiceFactory.build(user=user)  # second factory
    session.add(invoice)

def test_constant(engine):
    CountryFactory()
    CountryFactory()  # again

def test_passed(engine):
    CountryFactory(code="de")
    CountryFactory(code="de")  # passed

def test_undeclared(engine):
    NamelessFactory()
    FactorySession.flush()

def test_one_session(engine):
    user = UserFactory()
    FactorySession.add(User(name="Ann"))  # same session
    FactorySession.flush()
"""

FAILING = """\
import pytest
from sqlalchemy.orm import Session
from shop import User, engine_with_keys

@pytest.fixture(scope="module")
def session():
    with Session(engine_with_keys()) as session:
        yield session

def test_root(session):
    session.add(User(name="Ann"))  # root
    session.commit()  # root flush

def test_follows_failing(session):
    session.add(User(email="a@x"))
    session.commit()
"""

PASSING = """\
import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from shop import User, engine_with_keys

@pytest.fixture(scope="module")
def session():
    with Session(engine_with_keys()) as session:
        yield session

def test_required(session):
    session.add(User(name="Ann"))  # expected
    with pytest.raises(IntegrityError):
        session.flush()  # expected flush

def test_follows_passing(session):
    assert session.query(User).count() == 0
"""

UNSEEN = """\
import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session
from shop import User, engine_with_keys

@pytest.fixture(scope="module")
def session():
    with Session(engine_with_keys()) as session:
        yield session

def test_broken_hook(session):
    @event.listens_for(User, "before_insert", once=True)
    def refuse(mapper, connection, user):
        raise ZeroDivisionError("hook")
    session.add(User(email="a@x"))
    with pytest.raises(ZeroDivisionError):
        session.flush()  # hook flush

def test_follows_unseen(session):
    assert session.query(User).count() == 0
"""

TENANTS = """\
import uuid
from sqlalchemy import Column, ForeignKey, String, Uuid, create_engine
from sqlalchemy.orm import declarative_base

Base = declarative_base()

class Tenant(Base):
    __tablename__ = "tenants"
    id = Column(Uuid(as_uuid=True), primary_key=True, default=uuid.uuid4)  # key
    slug = Column(String(20))

def find(session, key):
    return session.query(Tenant).filter(Tenant.id == key).one_or_none()  # product

def make_engine():
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    return engine
"""

TENANT_TESTS = """\
import uuid
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from tenants import Tenant, find, make_engine

@pytest.fixture
def session():
    with Session(make_engine()) as session:
        yield session

def test_query(session):
    find(session, "not-a-key")  # query

def test_get(session):
    session.get(Tenant, "not-a-key")  # get

def test_insert(session):
    session.add(Tenant(id="a-text", slug="acme"))  # insert
    session.commit()

def test_badly_formed():
    uuid.UUID("nonsense")  # badly

def test_other_way(session):
    session.execute(text("SELECT * FROM tenants WHERE id = :id"), {"id": uuid.uuid4()})  # other
"""
