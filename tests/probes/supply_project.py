"""A project whose every test misses a value, for test_supply_value.py; a site bears the test's name."""

from tests.probes.supply_badges import BADGE_CASES, BADGES, CONFTEST

MODELS = """
import datetime, decimal, enum, uuid
import sqlalchemy as sa
from sqlalchemy.orm import declarative_base, relationship, sessionmaker

Base = declarative_base()

class Colour(enum.Enum):
    RED = "r"
    BLUE = "b"

class Code(sa.types.TypeDecorator):
    impl = sa.String(36)
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return None if value is None else str(uuid.UUID(str(value)))

    def process_result_value(self, value, dialect):
        return None if value is None else uuid.UUID(value)

class User(Base):
    __tablename__ = "users"
    id = sa.Column(sa.Integer, primary_key=True)
    name = sa.Column(sa.String(40))
    email = sa.Column(sa.String(20), nullable=False, unique=True)

class Everything(Base):
    __tablename__ = "everything"
    id = sa.Column(sa.String(6), primary_key=True)
    count = sa.Column(sa.Integer, nullable=False)
    price = sa.Column(sa.Numeric(4, 2), nullable=False)
    weight = sa.Column(sa.Float, nullable=False)
    live = sa.Column(sa.Boolean, nullable=False)
    moment = sa.Column(sa.DateTime(timezone=True), nullable=False)
    day = sa.Column(sa.Date, nullable=False)
    hour = sa.Column(sa.Time, nullable=False)
    code = sa.Column(Code, nullable=False)
    colour = sa.Column(sa.Enum(Colour), nullable=False)
    size = sa.Column(sa.Enum("s", "m", name="size"), nullable=False)
    extra = sa.Column(sa.JSON, nullable=False)
    raw = sa.Column(sa.LargeBinary, nullable=False)
    spent = sa.Column(sa.Interval, nullable=False)
    pickled = sa.Column(sa.PickleType, nullable=False)
    letter = sa.Column(sa.String(1), nullable=False)

class Organisation(Base):
    __tablename__ = "organisations"
    id = sa.Column(sa.Integer, primary_key=True)
    title = sa.Column(sa.String, nullable=False)

class Team(Base):
    __tablename__ = "teams"
    id = sa.Column(sa.Integer, primary_key=True)
    title = sa.Column(sa.String, nullable=False, unique=True)
    organisation_id = sa.Column(sa.ForeignKey("organisations.id"), nullable=False)

class Task(Base):
    __tablename__ = "tasks"
    id = sa.Column(sa.Integer, primary_key=True)
    title = sa.Column(sa.String, nullable=False)
    team_id = sa.Column(sa.Integer, sa.ForeignKey("teams.id"), nullable=False)
    team = relationship(Team, backref="tasks")

class Note(Base):
    __tablename__ = "notes"
    id = sa.Column(sa.Integer, primary_key=True)
    team_id = sa.Column(sa.Integer, sa.ForeignKey("teams.id"), nullable=False)

class Member(Base):
    __tablename__ = "members"
    __table_args__ = (sa.UniqueConstraint("team_id", "nick"),)
    id = sa.Column(sa.Integer, primary_key=True)
    team_id = sa.Column(sa.Integer, sa.ForeignKey("teams.id"))
    nick = sa.Column(sa.String(10))
    team = relationship(Team)

class Link(Base):
    __tablename__ = "links"
    team_id = sa.Column(sa.Integer, sa.ForeignKey("teams.id"), primary_key=True)
    other_id = sa.Column(sa.Integer, sa.ForeignKey("teams.id"), primary_key=True)

class Label(Base):
    __tablename__ = "labels"
    id = sa.Column(sa.Integer, primary_key=True)
    text = sa.Column(sa.String(10))

sa.Index("label_text", sa.func.lower(Label.text), unique=True)

class Product(Base):
    __tablename__ = "products"
    __table_args__ = (
        sa.CheckConstraint("price > 0", name="price_positive"),
        sa.CheckConstraint("low <= high", name="in_order"),
        sa.CheckConstraint("length(code) = 3"),
        sa.CheckConstraint("kind IN ('plain', 'rare')"),
    )
    id = sa.Column(sa.Integer, primary_key=True)
    price = sa.Column(sa.Numeric(8, 2), nullable=False)
    low = sa.Column(sa.Integer, default=1)
    high = sa.Column(sa.Integer, default=10)
    code = sa.Column(sa.String(3), nullable=False)
    kind = sa.Column(sa.String, default="plain")

connect_args = {"check_same_thread": False}
engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool, connect_args=connect_args)

@sa.event.listens_for(engine, "connect")
def enforce(connection, record):
    connection.execute("PRAGMA foreign_keys=ON")

Base.metadata.create_all(engine)
Session = sessionmaker(engine)
"""

FACTORIES = """
import factory
from models import Session, User

shared = Session()

class Base(factory.alchemy.SQLAlchemyModelFactory):
    class Meta:
        abstract = True
        sqlalchemy_session = shared
        sqlalchemy_session_persistence = "flush"

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        return super()._create(model_class, *args, **kwargs)

class UserFactory(Base):
    class Meta:
        model = User

    name = "Ann"
    email = None
"""

HEAD = """
import datetime, decimal, uuid
import pytest, sqlalchemy as sa
from models import *
from badges import Badge
from factories import UserFactory, shared

@pytest.fixture
def parents(session):
    session.add(Organisation(id=1, title="o"))
    session.flush()
    session.add(Team(id=3, title="t", organisation_id=1))
    session.commit()

def make(name):
    return User(name=name, email="ann@example.org")  # test_a_taken_value_becomes_another
"""

CASES = """
def test_a_missing_value_is_supplied(session):
    other = User(name="Bo", email="bo@example.org")
    user = User(name="Ann")  # test_a_missing_value_is_supplied
    session.add_all([other, user])
    session.commit()
    assert user.name == "Ann" and "@" in user.email and len(user.email) <= 20

def test_every_type_gets_a_value(session):
    made = [Everything() for _ in range(2)]  # test_every_type_gets_a_value
    session.add_all(made)
    session.commit()
    one = session.get(Everything, made[0].id)
    assert one.id != made[1].id
    assert isinstance(one.price, decimal.Decimal) and isinstance(one.code, uuid.UUID)
    assert one.colour is Colour.RED and one.size == "s" and one.extra == {}
    assert isinstance(one.moment, datetime.datetime) and isinstance(one.spent, datetime.timedelta)
    assert one.pickled and len(one.letter) == 1

def test_the_object_at_hand_by_its_relationship(session, parents):
    team = Team(title="second", organisation_id=1)
    session.add(team)
    task = Task(title="t", team_id=team.id)  # test_the_object_at_hand_by_its_relationship
    session.add(task)
    session.commit()
    assert task.team_id == team.id != 3

def test_the_object_at_hand_without_a_relationship(session, parents):
    team = Team(title="second", organisation_id=1)
    session.add(team)
    note = Note(team_id=team.id)  # test_the_object_at_hand_without_a_relationship
    session.add(note)
    session.commit()
    assert note.team_id == team.id != 3

def test_the_object_of_another_session(session, parents):
    with Session() as other:
        team = Team(title="second", organisation_id=1)
        other.add(team)
        task = Task(title="t", team_id=team.id)  # test_the_object_of_another_session
        session.add(task)
        session.commit()
        assert task.team_id == team.id != 3

def test_a_new_parent_where_there_is_none(session):
    task = Task(title="t", team=None)  # test_a_new_parent_where_there_is_none
    session.add(task)
    session.commit()
    assert task.team.organisation_id is not None
    assert session.query(Team).count() == session.query(Organisation).count() == 1

def test_a_parent_that_is_there_comes_first(session, parents):
    task = Task(title="t")  # test_a_parent_that_is_there_comes_first
    session.add(task)
    session.commit()
    assert task.team_id == 3

def test_a_related_object_is_left_alone(session, parents):
    other = Team(title="b", organisation_id=1)
    session.add(other)
    session.flush()
    made = [Task(team=other), Task()]  # test_a_related_object_is_left_alone
    session.add_all(made)
    with session.no_autoflush:
        other.tasks.append(made[1])
    session.commit()
    assert [task.team for task in made] == [other, other]
    assert session.query(Team).count() == 2

def test_a_value_is_not_taken_away(session):
    user = User(email="ann@example.org")
    session.add(user)
    session.commit()
    user.email = None  # test_a_value_is_not_taken_away
    session.commit()
    assert user.email == "ann@example.org"

def test_a_relationship_is_not_taken_away(session, parents):
    task = Task(title="t", team_id=3)
    session.add(task)
    session.commit()
    team = task.team
    task.team = None  # test_a_relationship_is_not_taken_away
    session.commit()
    assert task.team is team

def test_a_factory_that_is_told_the_wrong_value():
    shared.rollback()
    UserFactory(email=None)  # test_a_factory_that_is_told_the_wrong_value

def test_a_taken_value_becomes_another(session):
    session.add(make("a"))
    session.add(make("b"))
    session.commit()
    assert session.query(User.email).filter_by(name="a").scalar() == "ann@example.org"

def test_one_column_of_a_pair_is_enough(session, parents):
    session.add(Member(team_id=3, nick="ann"))
    session.flush()
    member = Member(team_id=3, nick="ann")  # test_one_column_of_a_pair_is_enough
    session.add(member)
    session.commit()
    assert member.team_id == 3 and member.nick != "ann"

def test_a_pair_of_keys_gets_a_new_parent(session, parents):
    session.add(Link(team_id=3, other_id=3))
    session.commit()
    link = Link(team_id=3, other_id=3)  # test_a_pair_of_keys_gets_a_new_parent
    session.add(link)
    session.commit()
    assert (link.team_id, link.other_id) != (3, 3)

def test_a_taken_key_becomes_another(session):
    session.execute(sa.insert(User.__table__).values(id=1, email="a"))
    user = User(id=1, email="b")  # test_a_taken_key_becomes_another
    session.add(user)
    session.commit()
    assert user.id != 1 and user.email == "b"

def test_an_index_over_an_expression(session, parents):
    session.add(Label(text="Red"))
    session.flush()
    session.add(label := Label(text="RED"))  # test_an_index_over_an_expression
    session.commit()
    assert label.text != "RED"

def test_a_number_that_is_too_small(session):
    session.add(product := Product(price=0, code="abc"))  # test_a_number_that_is_too_small
    session.commit()
    assert product.price > 0

def test_two_columns_in_the_wrong_order(session):
    session.add(product := Product(price=1, code="abc", low=50))  # test_two_columns_in_the_wrong_order
    session.commit()
    assert product.low <= product.high and {product.low, product.high} & {10, 50}

def test_a_text_of_the_wrong_length(session):
    session.add(product := Product(price=1, code="ab"))  # test_a_text_of_the_wrong_length
    session.commit()
    assert len(product.code) == 3

def test_a_word_that_is_none_of_the_words(session):
    session.add(product := Product(price=1, code="abc", kind="new"))  # test_a_word_that_is_none_of_the_words
    session.commit()
    assert product.kind in ("plain", "rare")

def test_two_columns_that_are_both_wrong(session):
    session.add(product := Product(price=-1, code="ab"))  # test_two_columns_that_are_both_wrong
    session.commit()
    assert product.price > 0 and len(product.code) == 3

def test_a_key_of_nothing_is_replaced(session):
    session.add(note := Note(team_id=99))  # test_a_key_of_nothing_is_replaced
    session.commit()
    assert session.get(Team, note.team_id) is not None

def make_user():
    return User()

@pytest.mark.parametrize("number", [1, 2])
def test_others(session, number):
    session.add(make_user())
    session.commit()

def test_core(session):
    session.execute(sa.insert(User).values(name="Ann"))

@pytest.mark.parametrize("site", ["class", "name", "email"])
def test_factory(site):
    shared.rollback()
    UserFactory()
"""

SOURCES = {
    "models.py": MODELS,
    "badges.py": BADGES,
    "conftest.py": CONFTEST,
    "factories.py": FACTORIES,
    "test_it.py": HEAD + CASES + BADGE_CASES,
}
