"""Provokes the failures that playbooks know, for real, and records them below `playbooks/examples/`.

    tools/record_examples.py [PLAYBOOK...]

`tools/example_cases/<playbook>.yaml` says how: each case is one test in a small project of its own.
Names that begin with `not-` are neighbours that the playbook must leave alone. Environments are made
by uv where it is (`TRIAGE_UV` or PATH), else by venv and pip; servers are started where installed.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import yaml
from example_servers import servers
from example_xml import documented, one_failure

from triage.playbook.examples import FINDINGS, SESSIONS
from triage.rules.registry import find_all
from triage.rules.source import SourceTree

TOP = Path(__file__).resolve().parents[1]
CASES = TOP / "tools" / "example_cases"
EXAMPLES = TOP / "playbooks" / "examples"
CASE_TIMEOUT_S = 120
SETUP_TIMEOUT_S = 900

CURRENT = (
    *("flask", "flask-sqlalchemy", "sqlalchemy>=2.1", "factory_boy", "pytest", "pytest-mock", "pytest-xdist"),
    *("pytest-timeout", "psycopg[binary]", "psycopg2-binary", "asyncpg", "greenlet", "PyMySQL"),
    *("pydantic-settings", "python-decouple", "environs"),
)
PREVIOUS = (
    *("flask>=2.3,<3", "werkzeug>=2.3,<3", "flask-sqlalchemy", "sqlalchemy>=2.0,<2.1", "pytest>=8,<9"),
    *("asyncpg", "greenlet"),
)
LEGACY = (
    *("flask==1.1.4", "werkzeug==1.0.1", "jinja2==2.11.3", "markupsafe==2.0.1", "itsdangerous==1.1.0"),
    *("flask-sqlalchemy==2.5.1", "sqlalchemy==1.3.24", "pytest==6.2.5"),
)
ENVIRONMENTS: Mapping[str, tuple[str | None, tuple[str, ...]]] = {
    "current": (None, CURRENT),
    "previous": (None, PREVIOUS),
    "legacy": ("3.8", LEGACY),
}
_ONE_AT_A_TIME = Lock()  # the cases of a server share its tables
_SHOWN = ("pytest", "sqlalchemy", "flask", "psycopg", "psycopg2-binary", "asyncpg", "pymysql")


@dataclass(frozen=True, slots=True)
class Case:
    playbook: str
    name: str
    database: str
    environment: str = "current"
    files: Mapping[str, str] = field(default_factory=dict)
    folder: str = "."
    arguments: tuple[str, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict)
    documented: str | None = None

    @property
    def target(self) -> Path:
        return EXAMPLES / self.playbook / f"{self.name}.xml"


@dataclass(frozen=True, slots=True)
class Environment:
    python: Path
    versions: str


def read_cases(playbook: str) -> Iterator[Case]:
    common = yaml.safe_load((CASES / "common.yaml").read_text("utf-8"))
    data = yaml.safe_load((CASES / f"{playbook}.yaml").read_text("utf-8"))
    for one in data["cases"]:
        databases = one.get("databases")
        for database in databases or ("sqlite",):
            name = f"{database}-{one['name']}" if databases else one["name"]
            yield _case(playbook, name, database, one, common)


def _case(playbook: str, name: str, database: str, one: dict[str, Any], common: dict[str, Any]) -> Case:
    use = one.get("use", {})
    folder = one.get("folder", ".")
    files = dict(common[use] if isinstance(use, str) else use) | one.get("files", {})
    if "test" in one:
        files[f"{folder}/test_{playbook.replace('-', '_')}.py"] = one["test"]
    properties = {FINDINGS: " ".join(one["findings"])} if "findings" in one else {}
    if "sessions" in one:
        properties[SESSIONS] = str(one["sessions"])
    return Case(
        playbook,
        name,
        database,
        one.get("environment", "current"),
        files,
        folder,
        tuple(one.get("arguments", ())),
        properties,
        one.get("documented"),
    )


def record(case: Case, environment: Environment, url: str, parent: Path) -> str:
    """Run one case and write its example.

    Raises:
        ValueError: it did not fail once, or its report is too large.
    """
    if case.documented is not None:
        text = documented(case.documented, {"source": "documented"})
    else:
        root = parent / case.playbook / case.name
        for name, content in case.files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, "utf-8")
        report = parent / case.playbook / f"{case.name}.xml"
        _check_findings(case, root)
        said = _pytest(case, environment, url, root, report)
        if not report.is_file():
            raise ValueError(f"pytest wrote no report:\n{said}")
        text = one_failure(report, root, {"recorded-with": environment.versions}, dict(case.properties))
    case.target.parent.mkdir(parents=True, exist_ok=True)
    case.target.write_text(text, "utf-8")
    return text


def _check_findings(case: Case, root: Path) -> None:
    """What a case claims that static rules find in its project, they find; neighbours may be alike."""
    wanted = case.properties.get(FINDINGS, "").split()
    found = {one.rule for one in find_all(SourceTree(root, (), ()), wanted)}
    if found != set(wanted) and not case.name.startswith("not-"):
        raise ValueError(f"the rules find {sorted(found)} instead of {wanted}")


def _pytest(case: Case, environment: Environment, url: str, root: Path, report: Path) -> str:
    command = [
        *(str(environment.python), "-m", "pytest", f"--junitxml={report}", "-o", "junit_family=xunit1"),
        *("--tb=short", "--color=no", "-p", "no:cacheprovider", f"--rootdir={root}", *case.arguments),
        case.folder,
    ]
    env = {"PATH": os.environ["PATH"], "HOME": str(root), "LC_ALL": "C.UTF-8", "DATABASE_URL": url}
    if case.folder != ".":
        command[1:3] = ["-m", "pytest", "--import-mode=importlib"]
        env["PYTHONSAFEPATH"] = "1"
    turn: AbstractContextManager[object] = nullcontext() if case.database == "sqlite" else _ONE_AT_A_TIME
    with turn:
        done = subprocess.run(
            command, cwd=root, env=env, capture_output=True, text=True, timeout=CASE_TIMEOUT_S, check=False
        )
    return done.stdout[-2000:] + done.stderr[-2000:]


def make_environment(name: str, parent: Path) -> Environment:
    version, requirements = ENVIRONMENTS[name]
    folder = parent / name
    python = folder / "bin" / "python"
    uv = os.environ.get("TRIAGE_UV") or shutil.which("uv")
    if uv:
        _run([uv, "venv", "--quiet", "--python", version or sys.executable, str(folder)])
        _run([uv, "pip", "install", "--quiet", "--python", str(python), *requirements])
        listed = _run([uv, "pip", "list", "--quiet", "--python", str(python), "--format=json"])
    else:
        base = shutil.which(f"python{version}") if version else sys.executable
        if base is None:
            raise FileNotFoundError(f"no python{version}")
        _run([base, "-m", "venv", str(folder)])
        _run([str(python), "-m", "pip", "install", "--quiet", *requirements])
        listed = _run([str(python), "-m", "pip", "list", "--format=json"])
    found = {one["name"].lower(): one["version"] for one in json.loads(listed)}
    running = _run([str(python), "-c", "import platform; print(platform.python_version())"]).strip()
    shown = [f"{each} {found[each]}" for each in _SHOWN if each in found]
    return Environment(python, ", ".join([f"Python {running}", *shown]))


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=SETUP_TIMEOUT_S, check=True)
    return done.stdout


def main(wanted: list[str]) -> int:
    names = wanted or sorted(path.stem for path in CASES.glob("*.yaml") if path.stem != "common")
    cases = [case for name in names for case in read_cases(name)]
    problems = []
    with tempfile.TemporaryDirectory(prefix="record-") as temporary:
        parent = Path(temporary)
        environments = {}
        for name in {case.environment for case in cases}:
            try:
                environments[name] = make_environment(name, parent)
            except (OSError, subprocess.CalledProcessError) as error:
                problems.append(f"environment {name}: {error}; its cases were left as they are")
        with servers(parent) as urls, ThreadPoolExecutor(os.cpu_count()) as pool:
            ready = [case for case in cases if case.environment in environments and case.database in urls]
            problems += [
                f"{case.target.name}: no server for {case.database}"
                for case in cases
                if case.database not in urls
            ]
            running = [
                (case, pool.submit(record, case, environments[case.environment], urls[case.database], parent))
                for case in ready
            ]
            for case, future in running:
                try:
                    future.result()
                except (ValueError, subprocess.TimeoutExpired) as error:
                    problems.append(f"{case.playbook}/{case.name}: {error}")
    print(f"{len(running)} cases, {len(problems)} problems")
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
