"""`roll-back-after-failure`: the failure is raised as ever, and the session that it left is usable again."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.probes.second import Order, Seen, line_of, order, second_pass

MODELS = """
import sqlalchemy as sa
from sqlalchemy.orm import Session, declarative_base, sessionmaker

Base = declarative_base()

class Task(Base):
    __tablename__ = "tasks"
    id = sa.Column(sa.Integer, primary_key=True)
    title = sa.Column(sa.String(40), nullable=False)

connect_args = {"check_same_thread": False}
engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool, connect_args=connect_args)
Base.metadata.create_all(engine)
"""

CONFTEST = """
import pytest
from models import Session, engine

@pytest.fixture(scope="module")
def session():
    with Session(engine) as session:
        yield session
"""

HEAD = "import pytest, sqlalchemy as sa\nfrom models import *\n"

POISONED = """
def test_poisoner(session):
    session.rollback()
    task = Task()  # made
    session.add(task)
    with pytest.raises(sa.exc.IntegrityError):
        {fails}  # failed
    {after}

def test_victim(session):
    session.add(Task(title="a"))
    session.flush()
    assert session.query(Task).count() == 1

def test_second_victim(session):
    assert session.query(Task).count() == 1

def test_free():
    with Session(engine) as own:
        own.execute(sa.text("SELECT 1"))
"""

TESTS = [
    "test_it.py::test_poisoner",
    "test_it.py::test_victim",
    "test_it.py::test_second_victim",
    "test_it.py::test_free",
]


def project(tests: str) -> Mapping[str, str]:
    return {"models.py": MODELS, "conftest.py": CONFTEST, "test_it.py": HEAD + tests}


def poisoned(fails: str = "session.flush()", after: str = "pass") -> Mapping[str, str]:
    return project(POISONED.replace("{fails}", fails).replace("{after}", after))


def asked(sources: Mapping[str, str], text: str, tests: Sequence[str] = TESTS, **names: str) -> Order:
    return order(
        "roll-back-after-failure", "test_it.py", line_of(sources, "test_it.py", text), tests, **names
    )


def run(folder: Path, sources: Mapping[str, str], *orders: Order) -> Seen:
    seen = second_pass(folder, sources, "--tb=no", orders=orders)
    assert seen.errors() == []
    return seen


def outcomes(seen: Seen) -> list[str]:
    return [
        seen.outcome(name) for name in ("test_poisoner", "test_victim", "test_second_victim", "test_free")
    ]


HEALED = ["passed", "passed", "passed", "passed"]
POISON = ["passed", "failed", "failed", "passed"]


FAILS = {"flush": "session.flush()", "commit": "session.commit()", "query": "session.query(Task).all()"}


def test_victims_pass_after_a_failure_at_the_line(tmp_path: Path) -> None:
    """The line that failed, or that made the object, by every way to flush; each file has its own session."""
    sources, orders = dict(poisoned()), []
    for name, fails in FAILS.items():
        for site in ("made", "failed"):
            file = f"test_{name}_{site}.py"
            sources[file] = poisoned(fails)["test_it.py"]
            tests = [test.replace("test_it.py", file) for test in TESTS]
            orders.append(order("roll-back-after-failure", file, line_of(sources, file, f"# {site}"), tests))
    del sources["test_it.py"]
    seen = run(tmp_path, sources, *orders)
    done = {record["id"]: record["o"] for record in seen.records.of("done")}
    assert set(done.values()) == {"passed"}, seen.printed
    assert len(done) == len(orders) * len(TESTS)
    told = {one["id"]: one["text"] for one in seen.applied()}
    assert told == {
        test: f"session rolled back after its failure in {test.partition('::')[0]}::test_poisoner"
        for test in done
        if "victim" in test
    }


def test_victims_fail_with_the_order_at_other_lines(tmp_path: Path) -> None:
    sources = poisoned()
    others = [
        asked(sources, text) for text in ("session.rollback()", "session.add(task)", "with pytest.raises")
    ]
    seen = run(tmp_path, sources, *others, asked(sources, "# failed", tests=TESTS[1:]))
    assert (outcomes(seen), seen.applied()) == (POISON, [])


def test_only_failures_of_the_named_poisoner_are_rolled_back(tmp_path: Path) -> None:
    sources = poisoned()
    other = run(tmp_path, sources, asked(sources, "# failed", poisoner="test_it.py::test_victim"))
    assert (outcomes(other), other.applied()) == (POISON, [])
    right = run(tmp_path, sources, asked(sources, "# failed", poisoner="test_it.py::test_poisoner"))
    assert outcomes(right) == HEALED


def test_the_poisoner_itself_can_go_on(tmp_path: Path) -> None:
    sources = poisoned(after="assert session.query(Task).count() == 0")
    assert run(tmp_path, sources).outcome("test_poisoner") == "failed"
    seen = run(tmp_path, sources, asked(sources, "# failed"))
    assert outcomes(seen) == HEALED
    assert len(seen.applied("test_poisoner")) == 1


def test_what_the_project_rolls_back_itself_stays_its_own(tmp_path: Path) -> None:
    """A savepoint that ends with its block, a rollback by hand: nothing more is lost than without us."""
    sources = project("""
def test_savepoint(session):
    session.add(Task(title="kept"))
    session.flush()
    with pytest.raises(sa.exc.IntegrityError):
        with session.begin_nested():
            session.add(Task())
            session.flush()  # inside
    assert session.query(Task).count() == 1

def test_block(session):
    session.rollback()
    with pytest.raises(sa.exc.IntegrityError):
        with session.begin():
            session.add(Task())  # left
    assert session.query(Task).count() == 0

def test_by_hand(session):
    session.rollback()
    session.add(Task())
    with pytest.raises(sa.exc.IntegrityError):
        session.commit()  # by hand
    session.rollback()
    assert session.query(Task).count() == 0
""")
    tests = [f"test_it.py::test_{name}" for name in ("savepoint", "block", "by_hand")]
    seen = run(
        tmp_path, sources, *[asked(sources, text, tests) for text in ("# inside", "# left", "# by hand")]
    )
    assert [seen.outcome(test.partition("::")[2]) for test in tests] == ["passed"] * 3
    assert seen.applied() == []


def test_a_failure_that_the_test_does_not_expect_is_still_its_failure(tmp_path: Path) -> None:
    sources = project("""
def test_poisoner(session):
    session.add(Task())
    session.flush()  # failed

def test_victim(session):
    assert session.query(Task).count() == 0
""")
    seen = run(tmp_path, sources, asked(sources, "# failed"))
    assert (seen.outcome("test_poisoner"), seen.outcome("test_victim")) == ("failed", "passed")
    (message,) = seen.messages("test_poisoner")
    assert "NOT NULL constraint failed" in message
