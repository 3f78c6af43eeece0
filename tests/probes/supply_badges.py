"""Parts of the project of `supply_project`: its fixtures, rules within columns, a parent that has expired."""

CONFTEST = """
import pytest
from models import Base, Session, engine

@pytest.fixture
def session():
    with Session() as session:
        yield session
    with engine.begin() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(table.delete())
"""

BADGES = """
import sqlalchemy as sa
from models import Base, engine

class Badge(Base):
    __tablename__ = "badges"
    id = sa.Column(sa.Integer, primary_key=True)
    code = sa.Column(sa.String(10), unique=True, default="none")  # one default
    size = sa.Column(sa.Integer, sa.CheckConstraint("size > 0"), default=1)

Base.metadata.create_all(engine)
"""

BADGE_CASES = """
def test_a_check_within_a_column(session):
    session.add(badge := Badge(size=-1))  # test_a_check_within_a_column
    session.commit()
    assert badge.size > 0

def test_a_parent_that_has_expired(session, parents):
    team = session.get(Team, 3)
    session.add(Member(team=team, nick="bo"))
    session.commit()
    member = Member(team=team, nick="bo")  # test_a_parent_that_has_expired
    session.add(member)
    session.commit()
    assert member.team_id == 3 and member.nick != "bo"

def test_a_parent_that_is_lost_by_its_collection(session, parents):
    task = Task(title="t", team_id=3)
    session.add(task)
    session.commit()
    task.team.tasks.remove(task)  # test_a_parent_that_is_lost_by_its_collection
    session.commit()
    assert task.team_id == 3

def test_one_default_for_all():
    with Session() as session:
        session.add_all([Badge(), Badge()])
        session.flush()
"""
