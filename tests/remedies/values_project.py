"""A project whose tests each lack a value in another style; those named `left` only a person can mend."""

MODELS = """\
import datetime
import enum
import uuid
from decimal import Decimal
from typing import Optional

from sqlalchemy import JSON, Boolean, Column, Date, DateTime, Enum, ForeignKey, Integer, Interval, LargeBinary
from sqlalchemy import Numeric, String, Time, UniqueConstraint, Uuid, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, Session, mapped_column, relationship
from sqlalchemy.orm import validates
from sqlalchemy.pool import StaticPool
from sqlalchemy.types import TypeDecorator

engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})


@event.listens_for(engine, "connect")
def enforce(connection, _):
    connection.execute("PRAGMA foreign_keys=ON")


class Base(DeclarativeBase):
    pass


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Cents(TypeDecorator):
    impl = Integer
    cache_ok = True


class Team(Base):
    __tablename__ = "teams"
    id = Column(Integer, primary_key=True)
    name = Column(String(20))


class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)
    name = Column(String(40))
    email = Column(String(60), nullable=False, unique=True)

    @validates("email")
    def check(self, _, value):
        assert value is None or "@" in value
        return value


class Player(Base):
    __tablename__ = "players"
    id: Mapped[int] = mapped_column(primary_key=True)
    nick: Mapped[Optional[str]]
    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"))
    team: Mapped[Team] = relationship()


class Badge(Base):
    __tablename__ = "badges"
    id = Column(Integer, primary_key=True)
    text = Column(String(10), nullable=False)
    team_id = Column(ForeignKey("teams.id"))


class Everything(Base):
    __tablename__ = "everything"
    id: Mapped[int] = mapped_column(primary_key=True)
    made: Mapped[datetime.datetime] = mapped_column(DateTime(timezone=True))
    naive: Mapped[datetime.datetime]
    day: Mapped[datetime.date]
    at: Mapped[datetime.time] = mapped_column(Time)
    lasts: Mapped[datetime.timedelta] = mapped_column(Interval)
    price: Mapped[Decimal] = mapped_column(Numeric(6, 3))
    share: Mapped[float]
    flag: Mapped[bool] = mapped_column(Boolean)
    colour: Mapped[Colour] = mapped_column(Enum(Colour))
    size = Column(Enum("s", "m", name="size"), nullable=False)
    token: Mapped[uuid.UUID] = mapped_column(Uuid)
    data: Mapped[dict] = mapped_column(JSON)
    blob: Mapped[bytes] = mapped_column(LargeBinary)
    cents = Column(Cents, nullable=False)
    code: Mapped[str] = mapped_column(String(4))
    currency: Mapped[str] = mapped_column(String(3))


class Short(Base):
    __tablename__ = "shorts"
    code = Column(String(12), primary_key=True)
    note = Column(String(5))


class Own(Base):
    __tablename__ = "owns"
    id = Column(Integer, primary_key=True)
    name = Column(String, nullable=False)
    kind = Column(String, nullable=False)

    def __init__(self, name, kind):
        self.name, self.kind = name, kind


class Data(MappedAsDataclass, Base):
    __tablename__ = "datas"
    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    name: Mapped[str]
    kind: Mapped[str]


class Seat(Base):
    __tablename__ = "seats"
    __table_args__ = (UniqueConstraint("team_id", "number"),)
    id = Column(Integer, primary_key=True)
    team_id = Column(ForeignKey("teams.id"), nullable=False)
    number = Column(Integer, nullable=False)


class Tenant(Base):
    __tablename__ = "tenants"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    name: Mapped[str]


def register(session, name):
    user = User(name=name)
    session.add(user)
    session.flush()
    return user
"""
CONFTEST = """\
import pytest

from models import Base, Session, Team, Tenant, engine


@pytest.fixture
def session():
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        yield session
    Base.metadata.drop_all(engine)


@pytest.fixture
def team(session):
    team = Team(name="reds")
    session.add(team)
    session.commit()
    return team


@pytest.fixture
def tenant(session):
    found = Tenant(name="one")
    session.add(found)
    session.commit()
    return found


@pytest.fixture
def tenant_key(tenant):
    return str(tenant.id)
"""
HELPERS = """\
from models import Badge, Player, Short, User


def make_user(session, **kwargs):
    user = User(**kwargs)
    session.add(user)
    session.flush()
    return user


def make_named(session, name, email=None):
    user = User(name=name, email=email)
    session.add(user)
    session.flush()
    return user


def make_short(session, code, note="n"):
    short = Short(note=note)
    session.add(short)
    session.flush()
    return short


def make_badge(session, team=None):
    badge = Badge(team_id=team.id if team else None)
    session.add(badge)
    session.flush()
    return badge


class Builder:
    model = User

    def __init__(self, session):
        self.session = session

    def build(self, **values):
        found = {"name": "built", **values}
        row = self.model(**found)
        self.session.add(row)
        self.session.flush()
        return row


def stored(session, email):
    user = User(name="n", email=email)
    session.add(user)
    session.flush()
    return user
"""
FACTORIES = """\
import factory

from models import Badge, Everything, Player, Short, Team, User


class Base(factory.alchemy.SQLAlchemyModelFactory):
    class Meta:
        abstract = True
        sqlalchemy_session_persistence = "flush"


class UserFactory(Base):
    class Meta:
        model = User

    name = factory.Faker("name")


class EmptyFactory(Base):
    class Meta:
        model = Badge


class NoneFactory(Base):
    class Meta:
        model = Badge

    text = None


class TeamFactory(Base):
    class Meta:
        model = Team


class PlayerFactory(Base):
    class Meta:
        model = Player

    nick = "p"


class FixedFactory(Base):
    class Meta:
        model = User

    email = "fixed@example.org"
"""
TESTS = """\
import unittest

import factories
import pytest
import sqlalchemy as sa
from helpers import Builder, make_badge, make_named, make_short, make_user, stored
from models import Badge, Data, Everything, Own, Player, Seat, Session, Short, Team, Tenant, User, engine
from models import register


def keep(session, *rows):
    session.add_all(rows)
    session.flush()


@pytest.fixture(autouse=True)
def bound(session):
    for one in vars(factories).values():
        if hasattr(one, "_meta"):
            one._meta.sqlalchemy_session = session


def test_omitted(session):
    user = User(name="Ann Lee")
    session.add(user)
    session.commit()
    assert user.id


def test_literal_none(session):
    session.add(User(name="Bo", email=None))
    session.commit()


def test_every_type(session):
    row = Everything()
    session.add(row)
    session.commit()
    session.expire_all()
    assert row.id


def test_many_lines(session):
    keep(
        session,
        User(email="x@example.org"),
        User(
            name="Cy",  # a name
        ),
    )


def test_two_on_a_line(session):
    one, other = User(name="Di"), User(name="Ed")
    keep(session, one, other)
    assert one.email != other.email


def test_one_dict_for_each_of_a_loop(session):
    team = {"name": None}
    for number in range(2):
        session.add(Badge(text=None, team_id=None))
        session.add(Team(**team))
    session.flush()


def test_left_one_dict_for_many(session):
    values = {"name": "same"}
    for _ in range(2):
        session.add(User(**values))
    session.flush()


def test_in_a_loop(session):
    for number in range(3):
        session.add(User(name=f"user {number}"))
    session.flush()


def test_in_a_comprehension(session):
    session.add_all([User(name=name) for name in ("a", "b")])
    session.flush()


def test_parent_by_relationship(session, team):
    session.add(Player(nick="p"))
    session.flush()


def test_parent_without_id_yet(session):
    side = Team(name="blues")
    session.add(side)
    session.add(Player(nick="p", team_id=side.id))
    session.flush()


def test_dict_literal(session):
    values = {"name": "Flo"}
    session.add(User(**values))
    session.flush()


def test_rows_of_dicts(session):
    rows = [
        {"name": "Gus", "email": "gus@example.org"},
        {"name": "Hal"},
        {"name": "Ida"},
    ]
    for row in rows:
        session.add(User(**row))
    session.flush()


def test_kwargs_helper(session):
    assert make_user(session, name="Jo").id
    assert make_user(session, name="Kim").id
    assert make_user(session, email="given@example.org").email == "given@example.org"


def test_helper_with_default_none(session):
    assert make_named(session, "Lea").id != make_named(session, "Max").id


def test_helper_drops_parameter(session):
    assert make_short(session, "abc").code == "abc"


def test_helper_with_computed_key(session, team):
    assert make_badge(session, team).team_id == team.id


def test_builder_with_spread(session):
    assert Builder(session).build().name == "built"


def test_own_init_by_position(session):
    keep(session, Own("a", None))


def test_own_init_by_keyword(session):
    keep(session, Own("a", kind=None))


def test_dataclass_by_position(session):
    keep(session, Data("a", None))


def test_short_key(session):
    keep(session, Short(note="n"))


def test_core_values(session):
    session.execute(sa.insert(User).values(name="Nia"))


def test_core_statement_in_a_variable(session):
    stmt = sa.insert(Badge.__table__).values(team_id=None)
    session.execute(stmt)


def test_core_list_of_rows(session):
    session.execute(sa.insert(User), [{"name": "Oz", "email": None}])


def test_factory_without_declaration(session):
    assert factories.UserFactory().email != factories.UserFactory().email


def test_empty_factory(session):
    assert factories.EmptyFactory().id


def test_factory_with_none(session):
    assert factories.NoneFactory().id


def test_factory_of_a_child(session):
    assert factories.PlayerFactory().team_id


def test_factory_told_none(session):
    assert factories.UserFactory(email=None).id


def test_left_product(session):
    assert register(session, "Pat").id


def test_left_cleared(session):
    user = User(name="Quin", email="quin@example.org")
    session.add(user)
    session.flush()
    user.email = None
    session.flush()


def test_left_without_parent(session):
    session.add(Player(nick="p"))
    session.flush()


def test_left_computed(session):
    found = session.scalar(sa.select(User.email))
    session.add(User(email=found))
    session.flush()


class TestInUnittest(unittest.TestCase):
    def setUp(self):
        from models import Base

        Base.metadata.create_all(engine)
        self.session = Session(engine)
        self.user = User(name='Ray')
        self.session.add(self.user)
        self.session.commit()

    def tearDown(self):
        from models import Base

        self.session.close()
        Base.metadata.drop_all(engine)

    def test_in_set_up(self):
        assert self.user.id


def test_unique_twice(session):
    keep(session, User(email="sue@example.org"))
    keep(session, User(email="sue@example.org"))


def test_unique_in_one_call(session):
    keep(session, User(id=1, email="tom@example.org"), User(id=1, email="una@example.org"))


def test_unique_by_helper(session):
    stored(session, "vic@example.org")
    stored(session, "vic@example.org")


def test_unique_in_a_loop(session):
    for number in range(2):
        session.add(User(name="w", email="w@example.org"))
    session.flush()


def test_unique_pair(session, team):
    keep(session, Seat(team_id=team.id, number=1), Seat(team_id=team.id, number=1))


def test_unique_of_a_factory(session):
    factories.FixedFactory()
    factories.FixedFactory()


def test_left_unique_asked_for(session):
    keep(session, User(name="a", email="xia@example.org"))
    keep(session, User(name="b", email="xia@example.org"))
    assert session.scalars(sa.select(User).filter_by(email="xia@example.org")).one()


def test_key_of_nobody(session, team):
    keep(session, Badge(text="t", team_id=999))


def test_key_of_one_not_stored(session):
    side = Team(id=5, name="greens")
    keep(session, Badge(text="t", team_id=side.id))
    assert side.id == 5


def test_key_among_sample_data(session):
    session.add_all([Team(id=3), Team(id=4)])
    session.flush()
    session.add_all([Badge(text="a", team_id=3), Badge(text="b", team_id=7)])
    session.flush()


def test_left_key_of_nobody(session):
    keep(session, Badge(text="t", team_id=999))


def test_left_deleted(session, team):
    keep(session, Badge(text="t", team_id=team.id))
    session.execute(sa.delete(Team))


def test_uuid_in_get(session, tenant):
    assert session.get(Tenant, str(tenant.id)) is tenant


def test_uuid_in_where(session, tenant):
    key = str(tenant.id)
    assert session.scalars(sa.select(Tenant).where(Tenant.id == key)).one() is tenant


def test_uuid_written_out(session):
    assert session.get(Tenant, "8c0f5d9e-2a4b-4c6d-8e1f-0123456789ab") is None


def test_uuid_of_a_fixture(session, tenant, tenant_key):
    assert session.query(Tenant).filter_by(id=tenant_key).one() is tenant


def test_uuid_in_constructor(session):
    import uuid

    keep(session, Tenant(id=uuid.uuid4().hex, name="n"))


def test_left_uuid_of_nonsense(session):
    assert session.get(Tenant, "nonsense") is None
"""
MORE = """\
import models
import pytest
import sqlalchemy as sa
from models import *
from models import Badge as Medal

DATA = {"nick": "p"}
PEOPLE = (
    dict(name="Amy", email="amy@example.org"),
    dict(name="Ben"),
)


class Scene:
    @classmethod
    def prepare(cls, session, model=models.User, **values):
        row = model(name="scene")
        session.add(row)
        session.flush()
        return row


class Maker:
    def __init__(self, session):
        self.session = session

    def medal(self):
        row = Medal(
            team_id=None
            )
        self.session.add(row); self.session.flush()
        return row


class Special(models.User):
    pass


@pytest.fixture
def person(session):
\tfound = models.User(
\t\tname='Tab',
\t\temail=None,
\t)
\tsession.add(found)
\tsession.commit()
\treturn found


@pytest.fixture
def first(session):
    row = User(name="first", email="first@example.org")
    session.add(row)
    session.commit()
    return row


def test_by_a_fixture_with_tabs(person):
    assert person.email.endswith(".org")


def test_dotted_model(session):
    session.add(models.User(name='Dot'))
    session.commit()


def test_renamed_model(session):
    assert Maker(session).medal().text


def test_model_in_a_parameter(session):
    assert Scene.prepare(session).id


def test_subclass(session):
    session.add(Special(name="Sub"))
    session.commit()


def test_inline_spread(session):
    session.add(User(**{"name": "Inline"}))
    session.commit()


def test_inline_merge(session):
    base = {"name": "Base"}
    session.add(User(**{**base, "name": "Merged"}))
    session.commit()


def test_rows_of_the_module(session):
    session.add_all(User(**one) for one in PEOPLE)
    session.commit()


def test_bulk(session):
    session.bulk_insert_mappings(User, [{"name": "Bulk"}, {"name": "Heap"}])
    session.commit()


def test_nested_constructor(session):
    session.add(Player(nick="n", team=Team(name="t")))
    session.add(Seat(team_id=None, number=1)) if False else session.add(Medal(text=None))
    session.commit()


def test_lambda(session):
    make = lambda: Medal(team_id=None)
    session.add(make())
    session.commit()


def test_one_line(session): session.add(Medal()); session.commit()


def test_with_a_comment(session):
    session.add(
        User(
            name="Com",  # the name
            # email comes later
        )
    )
    session.commit()


def test_closing_on_the_last_line(session):
    session.add(User(name="Clo",
                     email=None))
    session.commit()


def test_positional_key(session):
    team = Team(name="own")
    session.add(team)
    session.flush()
    session.add(Seat(number=3))
    session.commit()


def test_key_by_insert(session, team):
    session.execute(sa.insert(Badge).values(text="t", team_id=404))


def test_taken_by_a_fixture(session, first):
    session.add(User(email="first@example.org"))
    session.commit()


def test_taken_in_dicts(session):
    for row in [{"email": "twin@example.org"}, {"email": "twin@example.org"}]:
        session.add(User(**row))
    session.commit()


def test_taken_in_insert(session):
    session.execute(sa.insert(User).values(email="ins@example.org"))
    session.execute(sa.insert(User).values(email="ins@example.org"))



def test_uuid_in_a_list(session, tenant):
    found = session.scalars(sa.select(Tenant).where(Tenant.id.in_([str(tenant.id)]))).all()
    assert found == [tenant]


def test_uuid_in_a_loop(session, tenant):
    for key in [str(tenant.id)]:
        pass
    assert session.get(Tenant, f"{tenant.id}") is tenant


def test_left_parametrised(session, address=None):
    session.add(User(name="a", email=address))
    session.commit()


def test_left_expected(session):
    session.add(User(name="a"))
    session.flush()
    with pytest.raises(sa.exc.IntegrityError):
        session.add(User(name="b"))
        session.flush()


def test_left_text_of_sql(session):
    session.execute(sa.text("INSERT INTO users (name) VALUES ('a')"))
"""
SOURCES = {
    "models.py": MODELS,
    "tests/conftest.py": CONFTEST,
    "tests/helpers.py": HELPERS,
    "tests/factories.py": FACTORIES,
    "tests/test_it.py": TESTS,
    "tests/test_more.py": MORE,
}
