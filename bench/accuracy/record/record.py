"""Records the corpus again: runs the suites over the environments and cuts their reports down.

    python bench/accuracy/record/record.py --environments FOLDER [--only SUITE]

FOLDER holds virtual environments named py38, py39, py312 and py313, made from `environments/*.txt`.
PostgreSQL and MariaDB are started where they are installed. Writes ../corpus/*.xml and ../labels.jsonl;
the lines of `documented` cases stay as they are.
"""

import argparse
import importlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from cut import Cut, Failing, cut, write_suite
from labels import Label, function_of, read_labels
from runs import ENVIRONMENTS, SUITES, Run, number, pytest_command, runner_commands, runs

HERE = Path(__file__).resolve().parent
CORPUS, LABELS = HERE.parent / "corpus", HERE.parent / "labels.jsonl"
sys.path.insert(0, str(HERE.parents[2] / "tools"))
LIMIT_S = 120
LONGEST = 25_000  # characters of one failure's text; longer ones are recorded with --tb=short instead


def _lay_out(suite: str, folder: Path) -> Path:
    target = folder / suite
    for path in (HERE / "suites" / suite).rglob("*.in"):
        place = target / path.relative_to(HERE / "suites" / suite).with_suffix("")
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.suffix == ".latin-1":  # a file that is no UTF-8, kept as UTF-8
            place.with_suffix("").write_text(path.read_text("utf-8"), "latin-1")
        else:
            shutil.copyfile(path, place)
    shutil.copyfile(HERE / "suites" / "corpus_selection.py.in", target / "corpus_selection.py")
    return target


def _variables(urls: Mapping[str, str], folder: Path) -> dict[str, str]:
    more = {f"CORPUS_{name.upper()}": url for name, url in urls.items() if name != "sqlite"}
    if "psycopg2" in urls:
        more["CORPUS_DSN"] = urls["psycopg2"].replace("+psycopg2", "")
    if "pymysql" in urls:
        more["CORPUS_MARIA"] = urls["pymysql"].partition("@")[2].partition("/")[0]
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(folder),
        "PYTHONDONTWRITEBYTECODE": "1",
        "DJANGO_SETTINGS_MODULE": "harbour.settings" if folder.name == "harbour" else "",
        **more,
    }


def _execute(command: list[str], folder: Path, variables: dict[str, str]) -> None:
    kept = {name: value for name, value in variables.items() if value}
    try:
        result = subprocess.run(
            command, cwd=folder, env=kept, timeout=LIMIT_S, capture_output=True, text=True, check=False
        )
    except subprocess.TimeoutExpired:
        sys.stderr.write(f"{' '.join(command)}: stopped after {LIMIT_S} s\n")
        return
    if result.returncode not in {0, 1, 2}:
        sys.stderr.write(f"{' '.join(command)}\n{result.stdout[-1500:]}\n{result.stderr[-1500:]}\n")


def _versions(python: Path) -> dict[str, str]:
    code = (
        "import importlib.metadata as m, json, platform as p\n"
        "d = {'python': p.python_version()}\n"
        "for n in ('pytest', 'SQLAlchemy', 'Flask', 'Django'):\n"
        "    try: d[n.lower()] = m.version(n)\n"
        "    except m.PackageNotFoundError: pass\n"
        "print(json.dumps(d))"
    )
    found: dict[str, str] = json.loads(subprocess.check_output([str(python), "-c", code], text=True))
    return found


class Recorder:
    def __init__(self, environments: Path, urls: Mapping[str, str], scratch: Path) -> None:
        self.environments, self.urls, self.scratch = environments, urls, scratch
        self.lines: list[dict[str, object]] = []

    def _python(self, environment: str) -> Path:
        return self.environments / environment / "bin" / "python"

    def _failing(self, run: Run, folder: Path) -> list[Failing]:
        report = self.scratch / f"{run.name}.xml"
        keep = ",".join(f"{label.module}:{label.name}" for label in run.labels if label.name)
        variables = _variables(self.urls, folder) | {"CORPUS_KEEP": keep or "nothing"}
        command = pytest_command(run, self._python(run.environment), report)
        _execute([*command[:3], "-p", "corpus_selection", *command[3:]], folder, variables)
        return cut(report, Cut.of(folder, self._python(run.environment))) if report.exists() else []

    def _keep(self, file: str, cases: list[Failing], labels: list[Label], more: dict[str, object]) -> None:
        kept, seen = [], set()
        for case in cases:
            label = _label_of(case, labels)
            key = (case.classname, case.name)
            if label is None or key in seen:
                continue
            seen.add(key)
            kept.append(case)
            line = {"file": file, "classname": case.classname, "name": case.name, "label": label.ids}
            self.lines.append(line | {"tricky": label.tricky, "source": "recorded"} | more)
        if kept:
            write_suite(CORPUS / file, kept)

    def suite(self, suite: str) -> None:
        folder = _lay_out(suite, self.scratch)
        present = tuple(name for name in ENVIRONMENTS if self._python(name).exists())
        again: list[Run] = []
        for run in runs(suite, read_labels(HERE / "suites" / suite), present):
            cases = self._failing(run, folder)
            long = {function_of(case.name) for case in cases if len(case.text) > LONGEST}
            if long and run.style != "short":
                left = tuple(label for label in run.labels if label.name in long)
                again.append(Run(suite, run.environment, "short", left))
            kept = [case for case in cases if function_of(case.name) not in long]
            self._add(run, kept, f"{run.name}.xml")
        for index, run in enumerate(again):
            self._add(run, self._failing(run, folder), f"{run.name}-{index + 2}.xml")

    def _add(self, run: Run, cases: list[Failing], file: str) -> None:
        versions = _versions(self._python(run.environment))
        more: dict[str, object] = {"runner": "pytest", "style": run.style, "versions": versions}
        self._keep(file, cases, list(run.labels), more)
        print(file, len(cases), "of", len(run.labels), flush=True)

    def other_runners(self) -> None:
        for environment in (name for name in ENVIRONMENTS if self._python(name).exists()):
            python = self._python(environment)
            for name in runner_commands(python, Path("x")):
                self._other(name, environment, python)

    def _other(self, name: str, environment: str, python: Path) -> None:
        report = self.scratch / f"{name}-{environment}.xml"
        suite, command = runner_commands(python, report)[name]
        shutil.rmtree(self.scratch / suite, ignore_errors=True)
        folder = _lay_out(suite, self.scratch)
        _execute(command, folder, _variables(self.urls, folder))
        found = [report] if report.exists() else sorted((folder / "reports").glob("*.xml"))
        cases = [case for path in found for case in cut(path, Cut.of(folder, python))]
        share = [case for case in cases if _taken(case, environment, name)]
        more: dict[str, object] = {"runner": name.partition("-")[2], "versions": _versions(python)}
        self._keep(f"{name}-{environment}.xml", share, read_labels(HERE / "suites" / suite), more)
        print(name, environment, len(share), "of", len(cases), flush=True)


def _taken(case: Failing, environment: str, name: str) -> bool:
    """Each test of the unittest suites is kept in two of four environments per runner; pytest in one."""
    at = (number(name, function_of(case.name)) + ENVIRONMENTS.index(environment)) % 4
    return at == 0 if name == "ferry-pytest" else at in {0, 2}


def _label_of(case: Failing, labels: list[Label]) -> Label | None:
    module = case.classname or case.name
    for label in labels:
        if label.name is None and label.module in f"{module}.{case.name}".replace("/", ".").split("."):
            return label
    return next((label for label in labels if label.name and label.name == function_of(case.name)), None)


def main() -> None:
    servers = importlib.import_module("example_servers").servers  # of tools/, which is no package
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--environments", type=Path, required=True)
    parser.add_argument("--only", action="append", help="a suite, or `runners`")
    given = parser.parse_args()
    wanted = given.only or [*SUITES, "runners"]
    with tempfile.TemporaryDirectory(prefix="corpus") as scratch, servers(Path(scratch)) as urls:
        recorder = Recorder(given.environments.absolute(), urls, Path(scratch))
        for suite in wanted:
            if suite == "runners":
                recorder.other_runners()
            else:
                recorder.suite(suite)
    _merge(recorder.lines, wanted)


def _merge(lines: list[dict[str, object]], wanted: list[str]) -> None:
    old = [json.loads(line) for line in LABELS.read_text("utf-8").splitlines()] if LABELS.exists() else []
    again = {name for suite in wanted for name in (("ferry", "harbour") if suite == "runners" else (suite,))}
    kept = [line for line in old if str(line["file"]).partition("-")[0] not in again]
    recorded = {str(line["file"]) for line in lines}
    for path in CORPUS.glob("*.xml"):
        if path.name.partition("-")[0] in again and path.name not in recorded:
            path.unlink()
    rows = sorted([*kept, *lines], key=lambda line: (line["file"], line["classname"], line["name"]))
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in rows)
    LABELS.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
