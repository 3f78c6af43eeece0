"""A project in which objects lose their sessions in every way; each test fails of one of them."""

from tests.probes.samples import Sources

_MODELS = """
from contextlib import contextmanager

from sqlalchemy import Column, ForeignKey, Integer, String, create_engine
from sqlalchemy.orm import declarative_base, relationship, scoped_session, sessionmaker
from sqlalchemy.pool import QueuePool

Base = declarative_base()
engine = create_engine("sqlite:///shop.db", poolclass=QueuePool)
Session = sessionmaker(engine)
current = scoped_session(Session)

class Customer(Base):
    __tablename__ = "customers"
    id = Column(Integer, primary_key=True)
    name = Column(String, nullable=False)
    orders = relationship("Order", back_populates="customer")
    letters = relationship("Letter", lazy="dynamic")

class Order(Base):
    __tablename__ = "orders"
    id = Column(Integer, primary_key=True)
    customer_id = Column(ForeignKey("customers.id"))
    customer = relationship(Customer, back_populates="orders")

class Letter(Base):
    __tablename__ = "letters"
    id = Column(Integer, primary_key=True)
    customer_id = Column(ForeignKey("customers.id"))

def find(name):
    with Session() as session:  # product block
        return session.query(Customer).filter_by(name=name).first()

def describe(order):
    return "for " + order.customer.name  # product touch

@contextmanager
def unit():
    session = Session()
    try:
        yield session
        session.commit()
    finally:
        session.close()  # product close
"""

_CONFTEST = """
import os

import pytest

from shop import Base, Customer, Order, Session, current, engine

@pytest.fixture(autouse=True, scope="session")
def tables():
    Base.metadata.create_all(engine)
    yield
    assert engine.pool.checkedout() == 0
    Base.metadata.drop_all(engine)
    os.unlink("shop.db")

@pytest.fixture(autouse=True)
def clean(tables):
    yield
    current.remove()
    assert engine.pool.checkedout() == 0

def stored(session, name="Ann"):
    customer = Customer(name=name)  # born
    session.add(customer)  # attached
    session.commit()
    return customer

@pytest.fixture
def by_block():
    with Session() as session:  # block
        return stored(session)

@pytest.fixture
def by_close():
    session = Session()
    customer = stored(session)
    session.close()  # close
    return customer

@pytest.fixture
def by_remove():
    customer = stored(current)
    current.remove()  # remove
    return customer

@pytest.fixture(scope="module")
def by_module():
    with Session() as session:  # module block
        yield_later = stored(session)
    return yield_later

@pytest.fixture
def order():
    with Session() as session:  # order block
        order = Order(customer=Customer(name="Ann"))
        session.add(order)
        session.commit()
        order.id
    return order
"""

_TESTS = """
import gc

import pytest

from shop import Customer, Letter, Order, Session, current, describe, find, unit
from tests.conftest import stored

def test_block(by_block):
    assert by_block.name == "Ann"  # touched

def test_close(by_close):
    assert by_close.name == "Ann"

def test_remove(by_remove):
    assert by_remove.name == "Ann"

def test_expunge():
    session = Session()
    customer = stored(session)
    session.expunge(customer)  # expunge
    assert customer.name == "Ann"

def test_expunge_all():
    session = Session()
    customer = stored(session)
    session.expunge_all()  # everything
    assert customer.name == "Ann"

def first():
    return Session().query(Customer).first()  # loses its session

def test_collected(by_close):
    customer = first()
    gc.collect()
    assert customer.orders == []

def test_deleted():
    order = Order(customer_id=stored(current).id)
    current.add(order)
    current.commit()
    current.delete(order)
    current.commit()  # commits the deletion
    assert order.customer.name == "Ann"

def test_found_by_product(by_close):
    assert find("Ann").orders == []

def test_touched_by_product(order):
    assert describe(order) == "for Ann"

def test_unit_of_work():
    with unit() as session:
        customer = stored(session)
    assert customer.name == "Ann"

def test_never_attached():
    customer = Customer(name="Eve")  # never attached
    assert customer.letters.filter_by(id=1).all() == []

def test_wrapped(by_close):
    try:
        by_close.name
    except Exception as error:
        raise ValueError("no name") from error

def test_nested_blocks():
    with Session() as outer:
        with Session() as inner:  # inner block
            customer = stored(inner)
        stored(outer, "Bob")
    assert customer.name == "Ann"

def test_pending_stays_out(by_close):
    session = Session()
    customer = stored(session)
    session.add(Customer(name="never written"))
    session.close()  # with one pending
    assert customer.orders == []
    with Session() as other:
        assert other.query(Customer).filter_by(name="never written").count() == 0

def test_added_again():
    session = Session()
    customer = stored(session)
    session.close()  # before it is added again
    name = customer.name
    current.add(customer)
    assert customer in current
    assert name == "Ann"

def test_one_of_two():
    session = Session()
    customer = stored(session)
    session.close()  # the first
    other = Session()
    second = stored(other, "Bob")
    other.close()  # the second
    assert customer.name == "Ann"
    assert second.name == "Bob"

def test_final_close():
    session = Session(close_resets_only=False)
    customer = stored(session)
    session.close()  # final
    assert customer.name == "Ann"

class TestShared:
    def test_first(self, by_module):
        assert by_module.name == "Ann"

    def test_second(self, by_module):
        assert by_module.name == "Ann"

    def test_passes(self, by_module):
        assert by_module
"""

_WEB = """
from flask import Flask
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()

class Tenant(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    slug = db.Column(db.String(20), nullable=False)

class Service(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    tenant_id = db.Column(db.ForeignKey("tenant.id"), nullable=False)
    tenant = db.relationship(Tenant)

def create_app():
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///web.db"
    db.init_app(app)
    return app
"""

_TEST_WEB = """
import pytest

from web import Service, Tenant, create_app, db

@pytest.fixture
def app(tmp_path):
    app = create_app()
    with app.app_context():
        db.create_all()
    yield app
    with app.app_context():
        db.session.remove()
        db.drop_all()

@pytest.fixture
def tenant(app):
    with app.app_context():  # tenant block
        tenant = Tenant(slug="acme")
        db.session.add(tenant)
        db.session.commit()
        return tenant

@pytest.fixture
def service(app, tenant):
    with app.app_context():  # service block
        service = Service(tenant_id=tenant.id)  # touched in a fixture
        db.session.add(service)
        db.session.commit()
        return service

def test_slug(tenant):
    assert tenant.slug == "acme"

def test_service(service):
    assert service.id == 1

def test_in_another_context(app, tenant):
    with app.app_context():
        assert tenant.slug == "acme"
"""

LIFECYCLES: Sources = {
    "shop/__init__.py": _MODELS,
    "web/__init__.py": _WEB,
    "tests/__init__.py": "",
    "tests/conftest.py": _CONFTEST,
    "tests/test_shop.py": _TESTS,
    "tests/test_web.py": _TEST_WEB,
}

CAUSES = {
    "test_block": ("tests/conftest.py", "# block"),
    "test_close": ("tests/conftest.py", "# close"),
    "test_remove": ("tests/conftest.py", "# remove"),
    "test_expunge": ("tests/test_shop.py", "# expunge"),
    "test_expunge_all": ("tests/test_shop.py", "# everything"),
    "test_collected": ("tests/test_shop.py", "# loses its session"),
    "test_deleted": ("tests/test_shop.py", "# commits the deletion"),
    "test_found_by_product": ("shop/__init__.py", "# product block"),
    "test_touched_by_product": ("tests/conftest.py", "# order block"),
    "test_unit_of_work": ("tests/test_shop.py", "with unit() as session"),
    "test_wrapped": ("tests/conftest.py", "# close"),
    "test_nested_blocks": ("tests/test_shop.py", "# inner block"),
    "test_pending_stays_out": ("tests/test_shop.py", "# with one pending"),
    "test_added_again": ("tests/test_shop.py", "# before it is added again"),
    "test_one_of_two": ("tests/test_shop.py", "# the first"),
    "test_final_close": ("tests/test_shop.py", "# final"),
    "test_first": ("tests/conftest.py", "# module block"),
    "test_second": ("tests/conftest.py", "# module block"),
    "test_slug": ("tests/test_web.py", "# tenant block"),
    "test_service": ("tests/test_web.py", "# tenant block"),
    "test_in_another_context": ("tests/test_web.py", "# tenant block"),
}
"""Each failing test that had a session, and the line (by a part of its text) that took it away."""
