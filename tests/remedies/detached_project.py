"""What the small test files of detached objects share: two products and a conftest."""

SHOP = """\
from flask import Flask
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()


class Tenant(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String)
    orders = db.relationship("Order", back_populates="tenant")


class Order(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    tenant_id = db.Column(db.ForeignKey("tenant.id"))
    tenant = db.relationship("Tenant", back_populates="orders")


def create_app():
    app = Flask("shop")
    app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite://"
    db.init_app(app)
    with app.app_context():
        db.create_all()
    return app


def make(name="Ann"):
    tenant = Tenant(name=name, orders=[Order()])
    db.session.add(tenant)
    db.session.commit()
    return tenant


def register(name):
    tenant = make(name)
    db.session.remove()  # ends: register
    return tenant
"""
PLAIN = """\
from contextlib import contextmanager

from sqlalchemy import Column, ForeignKey, Integer, String, create_engine
from sqlalchemy.orm import Session, declarative_base, relationship, scoped_session, sessionmaker
from sqlalchemy.pool import StaticPool

Base = declarative_base()
engine = create_engine("sqlite://", poolclass=StaticPool)
SessionLocal = sessionmaker(engine)
registry = scoped_session(SessionLocal)


class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)
    name = Column(String)
    posts = relationship("Post")


class Post(Base):
    __tablename__ = "posts"
    id = Column(Integer, primary_key=True)
    user_id = Column(ForeignKey("users.id"))


Base.metadata.create_all(engine)


@contextmanager
def session_scope():
    session = SessionLocal()
    try:
        yield session
        session.commit()
    finally:
        session.close()  # ends: scope


class UnitOfWork:
    def __enter__(self):
        self.session = SessionLocal()
        return self

    def __exit__(self, *_):
        self.session.close()  # ends: work

    def add(self, one):
        self.session.add(one)
        self.session.commit()
        return one
"""
CONFTEST = """\
import pytest

from shop import create_app


@pytest.fixture
def app():
    return create_app()
"""
