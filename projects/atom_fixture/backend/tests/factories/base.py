"""Base class of the factories."""

from factory.alchemy import SQLAlchemyModelFactory
from sqlalchemy.orm import scoped_session, sessionmaker

from core.database import engine

FactorySession = scoped_session(sessionmaker(bind=engine))


class BaseFactory(SQLAlchemyModelFactory):
    """Stores what it makes."""

    class Meta:
        abstract = True
        sqlalchemy_session = FactorySession
        sqlalchemy_session_persistence = "commit"
