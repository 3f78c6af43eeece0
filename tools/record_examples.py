"""Provokes the failures that playbooks know, for real, and records them below `playbooks/examples/`.

    tools/record_examples.py [--cache DIR] [--check] [PLAYBOOK[/CASE]...]

`tools/example_cases/<playbook>.yaml` says how (its keys: `tools/example_cases/README.md`): each case is
one test in a small project of its own. Names that begin with `not-` are neighbours that the playbook
must leave alone. Environments are made by uv where it is (`TRIAGE_UV` or PATH), else by venv and pip;
interpreters are found in the folder `TRIAGE_PYTHONS`, on PATH, or by uv; servers are started where they
are installed. What cannot be had is named, and its examples stay as they are.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from fnmatch import fnmatchcase
from pathlib import Path
from threading import Lock

from example_case import CASES, Case, read_cases
from example_environments import Environment, make_environment
from example_runners import RUNNERS, run_case
from example_servers import servers
from example_xml import documented, fingerprint, one_failure

from triage.playbook.examples import FINDINGS
from triage.rules.registry import find_all
from triage.rules.source import SourceTree

_ONE_AT_A_TIME = Lock()  # the cases of a server share its tables
_Layer = tuple[str, frozenset[str]]


def record(case: Case, environment: Environment | None, url: str, parent: Path) -> str:
    """Run one case; gives its example.

    Raises:
        ValueError: it did not fail once, or its report is too large.
    """
    if case.documented is not None:
        return documented(case.documented, {"source": "documented"})
    assert environment is not None
    root = parent / case.playbook / case.name
    root.mkdir(parents=True)
    _check_findings(case, parent / case.playbook / f"{case.name}-source")
    turn: AbstractContextManager[object] = nullcontext() if case.database == "sqlite" else _ONE_AT_A_TIME
    with turn:
        reports = run_case(case, environment.python, url, root)
    return one_failure(reports, root, {"recorded-with": environment.versions}, case.properties)


def _check_findings(case: Case, root: Path) -> None:
    """What a case claims that static rules find in its project, they find; neighbours may be alike."""
    wanted = case.properties.get(FINDINGS, "").split()
    if not wanted or case.name.startswith("not-"):
        return
    for name, content in case.files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
    found = {one.rule for one in find_all(SourceTree(root, (), ()), wanted)}
    if found != set(wanted):
        raise ValueError(f"the rules find {sorted(found)} instead of {wanted}")


def chosen_cases(wanted: Iterable[str]) -> Iterator[Case]:
    """The cases of each `PLAYBOOK` or `PLAYBOOK/CASE` (a glob); all where nothing is named."""
    names = sorted(path.stem for path in CASES.glob("*.yaml") if path.stem != "common")
    for one in wanted or names:
        playbook, _, name = one.partition("/")
        for case in read_cases(playbook):
            if not name or fnmatchcase(case.name, name) or case.group == name:
                yield case


def layer_of(case: Case) -> _Layer:
    return case.environment, case.needs | set(RUNNERS[case.runner].needs)


def environments_of(cases: Iterable[Case], folder: Path, problems: list[str]) -> Mapping[_Layer, Environment]:
    found = {}
    for layer in sorted({layer_of(case) for case in cases}, key=lambda one: (one[0], sorted(one[1]))):
        try:
            found[layer] = make_environment(*layer, folder)
        except (LookupError, OSError, subprocess.CalledProcessError) as error:
            said = getattr(error, "stderr", None) or error
            problems.append(
                f"environment {layer[0]} {sorted(layer[1])}: {said}; its examples stay as they are"
            )
    return found


def keep(case: Case, text: str, seen: set[str]) -> None:
    """Store an example that says what no earlier variant of its case says."""
    said = fingerprint(text)
    if said in seen:
        case.target.unlink(missing_ok=True)
        return
    seen.add(said)
    case.target.parent.mkdir(parents=True, exist_ok=True)
    case.target.write_text(text, "utf-8")


def compare(case: Case, text: str, seen: set[str]) -> None:
    """Raises ValueError where the stored example says something else."""
    said = fingerprint(text)
    is_repeated = said in seen
    seen.add(said)
    stored = fingerprint(case.target.read_text("utf-8")) if case.target.is_file() else None
    if not is_repeated and stored != said:
        raise ValueError("not recorded yet" if stored is None else f"has changed to:\n{text}")


def record_all(cases: list[Case], cache: Path | None, *, is_check: bool, jobs: int) -> list[str]:
    """Record or compare every case; gives what went wrong."""
    problems: list[str] = []
    use = compare if is_check else keep
    with tempfile.TemporaryDirectory(prefix="record-") as temporary:
        parent = Path(temporary)
        recorded = [case for case in cases if case.documented is None]
        environments = environments_of(recorded, cache or parent / "environments", problems)
        needs_server = any(case.database != "sqlite" for case in recorded)
        serving = servers(parent) if needs_server else nullcontext({"sqlite": "sqlite://"})
        with serving as urls, ThreadPoolExecutor(jobs) as pool:
            absent = sorted({case.database for case in recorded} - set(urls))
            problems += [f"no server for {one}; its examples stay as they are" for one in absent]
            running = [
                (
                    case,
                    pool.submit(record, case, environments.get(layer_of(case)), urls[case.database], parent),
                )
                for case in cases
                if case.documented is not None or (layer_of(case) in environments and case.database in urls)
            ]
            seen: dict[tuple[str, str], set[str]] = {}
            for case, future in running:
                try:
                    use(case, future.result(), seen.setdefault((case.playbook, case.group), set()))
                except (ValueError, subprocess.TimeoutExpired) as error:
                    problems.append(f"{case.label}: {error}")
    return problems


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Record the examples of playbooks from real runs.")
    parser.add_argument("playbooks", nargs="*", metavar="PLAYBOOK[/CASE]")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep the environments there")
    parser.add_argument("--check", action="store_true", help="compare with what is stored; write nothing")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N")
    given = parser.parse_args(arguments)
    cases = list(chosen_cases(given.playbooks))
    problems = record_all(cases, given.cache, is_check=given.check, jobs=given.jobs)
    print(f"{len(cases)} cases, {len(problems)} problems")
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
