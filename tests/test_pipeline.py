"""The whole line over tiny projects, in the environment that these tests run in."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.builders import write_files
from triage.errors import ProvisionError
from triage.model.progress import Progress
from triage.model.project import Project
from triage.model.terms import RunStatus
from triage.pipeline import ProjectResult, run_project, run_projects
from triage.schema import first_problem
from triage.settings import Settings
from triage.stages.discover import load_project
from triage.tools import Tools

pytestmark = pytest.mark.children

HEAD = f"environment: {{use: {sys.prefix}}}\ntest: {{env: {{PYTEST_DISABLE_PLUGIN_AUTOLOAD: '1'}}}}\n"
MODELS = """\
from sqlalchemy import Column, Integer, String, create_engine
from sqlalchemy.orm import Session, declarative_base

Base = declarative_base()


class Item(Base):
    __tablename__ = "items"
    id = Column(Integer, primary_key=True)
    name = Column(String, nullable=False)


def make(session, **values):
    item = Item(**values)
    session.add(item)
    session.flush()
    return item
"""
TESTS = """\
import pytest
import models


@pytest.fixture(scope="module")
def session():
    engine = models.create_engine("sqlite://")
    models.Base.metadata.create_all(engine)
    with models.Session(engine) as session:
        yield session


def test_good(session):
    assert models.make(session, name="a").id == 1


def test_without_name(session):
    models.make(session)


def test_after_it(session):
    assert session.query(models.Item).count() == 1


@pytest.mark.parametrize("word", ["a|b", "`x`", "é <b>"])
def test_word(word):
    raise LookupError("strange word")
"""


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tools]:
    """One for all: the environment is then examined once."""
    folder = tmp_path_factory.mktemp("workspace")
    with Tools(Settings(folder, probe=False), os.environ) as made:
        yield made


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Project]:
    def project(name: str, head: str = HEAD, **files: str) -> Project:
        content = {key.replace("__", "/") + ".py": text for key, text in files.items()}
        root = write_files(tmp_path / name, {"triage.yaml": f"name: {name}\n{head}", **content})
        return load_project(root)

    return project


def go(project: Project, tools: Tools, seen: list[Progress] | None = None) -> ProjectResult:
    return run_project(project, tools, (seen if seen is not None else []).append)


def test_a_project_with_models_goes_as_far_as_the_plan(tools: Tools, make: Callable[..., Project]) -> None:
    project = make("models", HEAD + "playbooks: [books]\n", models=MODELS, test_shop=TESTS)
    write_files(project.root, {"books/bad.yaml": "id: bad\n"})
    seen: list[Progress] = []
    result = go(project, tools, seen)
    summary = result.summary
    assert {key: summary["counts"][key] for key in ("total", "passed", "failed")} == {
        "total": 6,
        "passed": 1,
        "failed": 5,
    }
    failing = [one["nodeid"] for one in summary["failures"]]
    planned = [t for phase in summary["plan"]["phases"] for task in phase["tasks"] for t in task["tests"]]
    diagnosed = [t for one in summary["diagnoses"] for t in (*one["tests"], *one["dependents"])]
    assert sorted(planned) == sorted(failing) == sorted(diagnosed)
    assert all(one["playbook"] or one["cluster"] for one in summary["failures"])
    assert first_problem(summary, "summary") is None
    assert result.changes.new == tuple(sorted(failing))
    stages = list(dict.fromkeys(one.stage for one in seen))
    assert stages[0] == "preparing its environment"
    assert stages[-1] == "done"
    for name in ("junit.xml", "events.jsonl", "output.log", "summary.json", "plan.md", "plan.json"):
        assert (result.folder / name).is_file()
    assert (result.folder.parent / "latest").resolve() == result.folder.resolve()
    names = sorted(path.name for path in project.root.iterdir())
    assert names == ["books", "models.py", "test_shop.py", "triage.yaml"]
    errors = [str(error) for library in tools.libraries() for error in library.errors]
    assert any("bad.yaml" in error for error in errors)  # left out, said, and nothing stopped
    _commands_run_as_they_stand(project, result)


def _commands_run_as_they_stand(project: Project, result: ProjectResult) -> None:
    tasks = [task for phase in result.summary["plan"]["phases"] for task in phase["tasks"]]
    command = next(task["verify"][0] for task in tasks if any("test_word" in test for test in task["tests"]))
    done = subprocess.run(
        f"{command} -p no:cacheprovider",
        shell=True,
        cwd=project.root,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "3 failed" in done.stdout, done.stdout + done.stderr


def test_a_cure_is_not_flaky_but_a_change_of_mind_is(tools: Tools, make: Callable[..., Project]) -> None:
    flag = tools.settings.workspace / "flag"
    text = (
        "import os\n\ndef test_a():\n    assert False\n\n"
        f"def test_b():\n    assert os.path.exists({str(flag)!r})\n"
    )
    project = make("cured", test_a=text)
    write_files(project.root, {".git/HEAD": "0123456789abcdef0123456789abcdef01234567\n"})
    go(project, tools)
    write_files(project.root, {"test_a.py": text.replace("False", "True")})
    changes = go(project, tools).changes
    assert (changes.fixed, changes.flaky) == (("test_a.py::test_a",), ())
    flag.write_text("")
    assert go(project, tools).changes.flaky == ("test_a.py::test_b",)


def test_what_cannot_be_provisioned_is_recorded_without_its_secrets(
    tmp_path: Path, make: Callable[..., Project]
) -> None:
    project = make("shop", f"environment: {{use: {tmp_path}/hunter2hunter2}}\n", test_a="")
    environ = {**os.environ, "DEPLOY_PASSWORD": "hunter2hunter2"}
    with Tools(Settings(tmp_path), environ) as tools:
        result = go(project, tools)
        assert isinstance(result.error, ProvisionError)
        assert result.summary["run"]["status"] == "not_started"
        assert "hunter2" not in json.dumps(result.summary["run"])
        assert "there is no Python environment" in result.summary["run"]["detail"]
        latest = tools.store.latest("shop")
        assert latest
        assert latest.id == result.summary["run"]["id"]


def test_a_run_leaves_no_secret_in_its_folder(tools: Tools, make: Callable[..., Project]) -> None:
    head = HEAD.replace("'1'}", "'1', SECRET_KEY: 'hunter2&<hunter2>', WORD: 'two words'}")
    text = (
        "import os\n\nimport pytest\n\nKEY = os.environ['SECRET_KEY']\n\n"
        "@pytest.mark.parametrize('key', [KEY + '1', KEY + '2'])\n"
        "def test_a(key):\n    os.write(1, KEY.encode())\n    raise LookupError(repr(key))\n"
        "def test_b():\n    assert os.environ['WORD'] == 'two words'\n"
    )
    result = go(make("secret", head, test_a=text), tools)
    assert result.summary["counts"]["failed"] == 2
    files = [path for path in result.folder.rglob("*") if path.is_file()]
    assert {"junit.xml", "events.jsonl", "output.log"} <= {path.name for path in files}
    assert [path.name for path in files if b"hunter2" in path.read_bytes()] == []
    ET.parse(result.folder / "junit.xml")
    command = result.summary["plan"]["phases"][0]["tasks"][0]["verify"][0]
    assert command.startswith(
        "env PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 SECRET_KEY=\"$SECRET_KEY\" 'WORD=two words' "
    )


def test_one_project_that_cannot_run_does_not_stop_the_others(
    tools: Tools, make: Callable[..., Project]
) -> None:
    good = "def test_a(): pass\n"
    projects = [
        make("one", test_a=good),
        make("two", "environment: {use: nowhere}\n", test_a=good),
        make("three", test_a="raise RuntimeError('no import')\n"),
    ]
    results = run_projects(projects, tools, lambda _: None, jobs=2)
    assert [one.project for one in results] == ["one", "two", "three"]
    assert [bool(one.error) for one in results] == [False, True, False]
    assert results[0].summary["counts"]["passed"] == 1
    assert [one["phase"] for one in results[2].summary["failures"]] == ["collect"]


def test_no_projects_give_no_results(tools: Tools) -> None:
    assert run_projects([], tools, lambda _: None) == []


def test_an_interruption_ends_what_runs_and_records_it(tools: Tools, make: Callable[..., Project]) -> None:
    slow = "import time\n\ndef test_a(): pass\n\ndef test_b():\n    time.sleep(300)\n"
    project = make("slow", test_a=slow)

    def stop(progress: Progress) -> None:
        if progress.project == "slow" and progress.done:
            raise KeyboardInterrupt

    caught: list[BaseException] = []

    def fleet() -> None:
        try:
            run_projects([project, make("other", test_a=slow)], tools, stop, jobs=2)
        except KeyboardInterrupt as error:
            caught.append(error)

    thread = threading.Thread(target=fleet)
    thread.start()
    thread.join(60)
    assert caught
    run = tools.store.latest("other")
    assert run
    assert run.status in (RunStatus.INTERRUPTED, RunStatus.NOT_STARTED)
