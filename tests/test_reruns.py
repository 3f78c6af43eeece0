"""Failing tests are run again by real children, and what proves their causes is what they did."""

import hashlib
import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.builders import write_files
from tests.small_projects import (
    BROKEN,
    ENDS,
    FIRST,
    GREEN,
    LOCKS,
    PAIR,
    PLAIN,
    SECOND,
    SHOP,
    Sources,
)
from triage.pipeline import run_project
from triage.settings import Settings
from triage.stages.discover import load_project
from triage.tools import Tools

pytestmark = pytest.mark.children

# At least once more after the first two runs; on a busy machine the time is used up then.
ALWAYS = re.compile(r"failed in (3 of 3|4 of 4) runs; a test that fails less often than \d\d % ")
Told = Mapping[str, Any]
Folders = pytest.TempPathFactory


@dataclass(frozen=True)
class Looked:
    """One project that went through the whole line."""

    sources: Sources
    folder: Path
    summary: Told
    before: str
    after: str

    def of(self, test: str) -> Told:
        """The one diagnosis of the test of this name."""
        (found,) = [
            one
            for one in self.summary["diagnoses"]
            if any(each.endswith("::" + test) for each in (*one["tests"], *one["dependents"]))
        ]
        return found  # type: ignore[no-any-return] # JSON

    def cause(self, test: str) -> tuple[str, int]:
        cause = self.of(test)["cause"]
        return cause["file"], cause["line"]

    def line(self, text: str) -> tuple[str, int]:
        """The only line of the sources that ends with this."""
        (found,) = [
            (name, number)
            for name, source in self.sources.items()
            for number, line in enumerate(source.splitlines(), 1)
            if line.endswith(text)
        ]
        return found

    @property
    def trials(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("reruns/*"))

    def selected(self, trial: str) -> str:
        """The events of a trial, in which each test that ran is named."""
        (folder,) = self.folder.glob(f"reruns/*-{trial}")
        return "".join(path.read_text("utf-8") for path in folder.glob("events.jsonl*"))


@pytest.fixture(scope="module")
def tools(tmp_path_factory: Folders) -> Iterator[Tools]:
    with Tools(Settings(tmp_path_factory.mktemp("workspace")), os.environ) as made:
        yield made


# The bytecode of big libraries is there already; a project's own goes elsewhere by default.
COMPILED = "PYTHONPYCACHEPREFIX: '', PYTHONDONTWRITEBYTECODE: '1'"


def look(
    tools: Tools,
    folder: Path,
    sources: Sources,
    arguments: str = "",
    timeout_s: int = 120,
    env: str = COMPILED,
) -> Looked:
    head = (
        f"name: {folder.name}\nenvironment: {{use: {sys.prefix}}}\n"
        f"test: {{arguments: [{arguments}], timeout_s: {timeout_s}, "
        f"env: {{PYTEST_DISABLE_PLUGIN_AUTOLOAD: '1', {env}}}}}\n"
    )
    root = write_files(folder / "project", {**sources, "triage.yaml": head})
    before = tree(root)
    result = run_project(load_project(root), tools, lambda _: None)
    return Looked(sources, result.folder, result.summary, before, tree(root))


def tree(root: Path) -> str:
    """A hash of every path and byte."""
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        digest.update(f"{path.relative_to(root)}\0{path.lstat().st_mode}\0".encode())
        digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()


@pytest.fixture(scope="module")
def shop(tools: Tools, tmp_path_factory: Folders) -> Looked:
    return look(tools, tmp_path_factory.mktemp("shop"), SHOP)


@pytest.fixture(scope="module")
def plain(tools: Tools, tmp_path_factory: Folders) -> Looked:
    outside = str(tmp_path_factory.mktemp("outside"))
    sources = {"test_a.py": PLAIN.format(outside=outside), "test_b.py": PAIR}
    return look(tools, tmp_path_factory.mktemp("plain"), sources, env="")


@pytest.mark.parametrize(
    ("test", "playbook", "line"),
    [
        ("test_detached", "detached-instance", "# cause: detached"),
        ("test_without_name", "not-null", "# cause: constructor"),
        ("test_within_a_coroutine", "not-null", "# cause: coroutine"),
        ("test_hostile", "not-null", "# cause: hostile"),
        ("test_each_order_has_its_own_time", "evaluated-default", "# cause: evaluated"),
        ("test_context", "flask-app-context", "# cause: context"),
    ],
)
def test_each_defect_is_proven_at_its_line(shop: Looked, test: str, playbook: str, line: str) -> None:
    one = shop.of(test)
    assert (one["playbook"], shop.cause(test), one["proof"]) == (playbook, shop.line(line), "flipped")


def test_the_projects_tree_is_as_it_was(shop: Looked, plain: Looked) -> None:
    assert shop.trials
    assert plain.trials
    assert (shop.before, plain.before) == (shop.after, plain.after)


def test_no_failing_test_is_left_without_a_diagnosis(shop: Looked) -> None:
    told = [test for one in shop.summary["diagnoses"] for test in (*one["tests"], *one["dependents"])]
    assert sorted(told) == sorted(one["nodeid"] for one in shop.summary["failures"])


def test_a_project_without_any_library_is_run_again_as_well(plain: Looked) -> None:
    one = plain.of("test_sum")
    assert (one["playbook"], one["proof"], plain.cause("test_sum")) == (
        "plain-assertion",
        "none",
        plain.line("# cause: sum"),
    )
    assert ALWAYS.match(one["repeats"])


def test_a_test_that_another_one_spoils_is_proven_at_the_line_that_does(plain: Looked) -> None:
    spoilt(plain)
    assert plain.cause("test_price") == plain.line("# cause: state")


def spoilt(found: Looked) -> None:
    one = found.of("test_price")
    assert (one["playbook"], one["proof"]) == ("order-dependent", "flipped")
    assert one["repeats"].startswith("passes alone and fails after ")


def test_a_test_whose_outcome_changes_is_flaky(plain: Looked) -> None:
    one = plain.of("test_now_and_then")
    assert (one["playbook"], one["proof"]) == ("flaky", "none")
    assert one["repeats"].endswith("identical runs: flaky")


def test_without_failures_nothing_is_run_again(tools: Tools, tmp_path: Path) -> None:
    assert not (look(tools, tmp_path / "green", GREEN).folder / "reruns").exists()


def test_without_the_probe_nothing_is_run_again(tools: Tools, tmp_path: Path) -> None:
    tools.settings = replace(tools.settings, probe=False)
    try:
        found = look(tools, tmp_path / "unwatched", {"test_a.py": "def test_a():\n    assert False\n"})
    finally:
        tools.settings = replace(tools.settings, probe=True)
    assert not (found.folder / "reruns").exists()
    assert [one["proof"] for one in found.summary["diagnoses"]] == ["none"]


@pytest.fixture(scope="module")
def parallel(tools: Tools, tmp_path_factory: Folders) -> Looked:
    outside = str(tmp_path_factory.mktemp("shared"))
    # Two files, so that each is one process's.
    sources = {"locks.py": LOCKS.format(outside=outside), "test_a.py": PAIR + FIRST, "test_b.py": SECOND}
    folder = tmp_path_factory.mktemp("parallel")
    return look(tools, folder, sources, "'-p', xdist, '-n', '2', '--dist', loadfile")


def test_what_ran_in_parallel_is_run_again_in_one_process_and_proven(parallel: Looked) -> None:
    spoilt(parallel)
    assert parallel.cause("test_price") == parallel.line("# cause: state")
    workers = {path.parts[-2][3:] for path in parallel.folder.glob("reruns/*/events.jsonl.gw*")}
    assert workers == {"in-parallel"}


def test_what_fails_only_in_parallel_is_told_so_and_neither_flaky_nor_proven(parallel: Looked) -> None:
    one = parallel.of("test_second")
    assert one["playbook"] != "flaky"
    assert one["proof"] != "flipped"
    assert one["repeats"] == "fails only while other processes run tests; in one process it passes"


def test_a_test_that_ends_the_process_is_not_run_again_and_the_others_are_proven(
    tools: Tools, tmp_path: Path
) -> None:
    found = look(tools, tmp_path / "crash", {"test_a.py": PAIR, "test_z.py": ENDS["crash"]})
    spoilt(found)
    assert found.of("test_last")["playbook"] == "crash"
    assert found.trials
    assert not any("test_last" in found.selected(name[3:]) for name in found.trials)


def test_a_test_that_hangs_is_not_run_again_and_the_others_are(tools: Tools, tmp_path: Path) -> None:
    sources = {"test_a.py": "def test_a():\n    assert 1 == 2\n", "test_z.py": ENDS["hang"]}
    found = look(tools, tmp_path / "hang", sources, timeout_s=4)
    assert found.of("test_last")["playbook"] == "timeout"
    assert ALWAYS.match(found.of("test_a")["repeats"])
    assert not any("test_last" in found.selected(name[3:]) for name in found.trials)


def test_an_observer_that_cannot_work_is_noted_and_the_run_goes_on(tools: Tools, tmp_path: Path) -> None:
    found = look(tools, tmp_path / "broken", {"test_a.py": PAIR, "conftest.py": BROKEN})
    notes = [one for one in found.summary["run"]["notes"] if "no threads here" in one]
    assert notes[0].startswith("a probe failed and the run went on")
    spoilt(found)
    assert found.cause("test_price") == ("test_a.py", 4)  # the test: what it leaves could not be seen
