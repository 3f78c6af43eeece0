"""Runs the injected plugin under many Pythons and pytests, and checks what it writes.

python bench/probe_matrix.py --environments DIR [--write bench/results/probe-matrix.md] PYTHON...

Each PYTHON is an interpreter; every one gets an environment per pytest in DIR (kept, and used again).
uv makes them where it is on PATH, venv and pip otherwise.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.probes.children import Records, start
from tests.probes.samples import SEGFAULTS, SHOP, SHOP_OUTCOMES, Sources

PYTESTS = ("pytest==7.4.4", "pytest==8.4.2", "pytest")
BESIDE = ("pytest-xdist", "sqlalchemy")
VERSIONS = (
    "import platform, pytest, xdist, sqlalchemy as s;"
    "print(platform.python_version(), pytest.__version__, xdist.__version__, s.__version__)"
)
SURROGATE = "tests/test_evidence.py::test_surrogate"  # xdist itself dies of it


@dataclass(frozen=True, slots=True)
class Variant:
    name: str
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] | None = None
    differs: Mapping[str, str] | None = None


VARIANTS = (
    Variant("plain"),
    Variant("-n 2", ("-n2", f"--deselect={SURROGATE}")),
    Variant(
        "-n 2 loadfile, safe path",
        ("-n2", "--dist=loadfile", f"--deselect={SURROGATE}"),
        {"PYTHONSAFEPATH": "1"},
    ),
    Variant("importlib", ("--import-mode=importlib",)),
    Variant("safe path, no faulthandler", ("-p", "no:faulthandler"), {"PYTHONSAFEPATH": "1"}),
    Variant(
        "strict, -W error, no legacypath",
        ("-W", "error", "--strict-markers", "--strict-config", "-p", "no:legacypath"),
        differs={"test_warns": "failed"},
    ),
)


def environments(folder: Path, interpreters: Iterable[str]) -> Iterator[tuple[Path, str]]:
    """The Python of each environment, and its versions; none where a pytest has no release for the Python."""
    seen = set()
    for number, interpreter in enumerate(interpreters):
        for wanted in PYTESTS:
            place = folder / f"{number}-{wanted.replace('==', '-')}"
            python = place / "bin" / "python"
            if not (place / "complete").exists() and not build(place, interpreter, wanted):
                continue
            found = subprocess.run([python, "-c", VERSIONS], capture_output=True, text=True, check=True)
            if found.stdout not in seen:  # the newest pytest may be one of the others
                seen.add(found.stdout)
                yield python, found.stdout.strip()


def build(place: Path, interpreter: str, wanted: str) -> bool:
    shutil.rmtree(place, ignore_errors=True)
    uv = shutil.which("uv")
    python = str(place / "bin" / "python")
    steps: tuple[list[str], ...] = (
        [interpreter, "-m", "venv", str(place)],
        [python, "-m", "pip", "install", "-q", wanted, *BESIDE],
    )
    if uv:
        steps = (
            [uv, "venv", "-q", "--python", interpreter, str(place)],
            [uv, "pip", "install", "-q", "--compile-bytecode", "--python", python, wanted, *BESIDE],
        )
    for step in steps:
        ended = subprocess.run(step, capture_output=True, text=True, check=False)
        if ended.returncode:
            print(f"{interpreter}: {wanted}: not installable", flush=True)
            return False
    (place / "complete").touch()
    return True


def run(python: Path, sources: Sources, variant: Variant) -> Records:
    environment = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "", **(variant.environment or {})}
    with tempfile.TemporaryDirectory() as folder:
        arguments = ("--junitxml=../out/junit.xml", *variant.arguments)
        return start(Path(folder), sources, *arguments, python=str(python), environment=environment).records()


def problems(records: Records, variant: Variant) -> list[str]:
    """What is wrong with the records of the sample project, in words."""
    expected = {**SHOP_OUTCOMES, **(variant.differs or {})}
    found = records.outcomes()
    wrong = [f"{name}: {found.get(name)}" for name in expected if found.get(name) != expected[name]]
    wrong += [f"probe_error: {record['text']}" for record in records.of("probe_error")]
    ids: list[str] = next((record["ids"] for record in records.of("collected") if record.get("ids")), [])
    starts = sorted(record["id"] for record in records.of("start"))
    ends = sorted(record["id"] for record in records.of("done"))
    conditions = {
        "every test starts and ends once": sorted(ids) == starts == ends != [],
        "exit status 1": records.exit_status == 1 and all(end["exit"] == 1 for end in records.of("end")),
        "an end for every session": len(records.of("end")) == len(records.of("session")),
    }
    try:
        conditions.update(evidence(records, variant))
    except (ValueError, KeyError, IndexError) as error:
        wrong.append(f"evidence: {error!r}")
    return wrong + [name for name, holds in conditions.items() if not holds]


def evidence(records: Records, variant: Variant) -> dict[str, bool]:
    setup, database = records.fail("test_setup_fails"), records.fail("test_first_breaks")
    pending, caused = records.fail("test_then_pending"), records.fail("test_caused")
    helper, last = records.fail("test_helper"), setup["chain"][0]["frames"][-1]
    leaving = records.fails("test_fails_and_leaves_badly")
    warned = [record for record in records.of("warn") if record["msg"] == "careful"]
    same_process = "-n2" not in variant.arguments or "--dist=loadfile" in variant.arguments
    follows = pending["chain"][0].get("follows") == database["chain"][0]["oid"]
    has_columns = tuple(map(int, records.of("session")[0]["python"].split(".")[:2])) >= (3, 11)
    return {
        "in_fixture": setup["in_fixture"] == ["service"],
        "fixtures": [one["name"] for one in setup["fixtures"]] == ["app", "tenant", "service"],
        "generator": [one["gen"] for one in setup["fixtures"]] == [True, False, False],
        "site": setup["fixtures"][1]["def"]["line"] == 9,
        "frames": (last["file"], last["func"], last["kind"]) == ("tests/conftest.py", "service", "test"),
        "columns": ("col" in last) == has_columns,
        "chain": [one["via"] for one in caused["chain"]] == ["raised", "cause"],
        "bases": caused["chain"][0]["mro"][1:3] == ["KeyError", "LookupError"],
        "teardown": [(one["when"], one["in_fixture"]) for one in leaving]
        == [("call", []), ("teardown", ["leaving"])],
        "dynamic fixture": "tenant" in [one["name"] for one in helper["fixtures"]],
        "cause of the driver": database["chain"][1]["type"] == "sqlite3.IntegrityError",
        "sessions": any(session["failing"] for session in database["facts"]["sessions"]),
        "follows": follows or not same_process,
        "warning": [one["file"] for one in warned] == ([] if variant.differs else ["tests/test_outcomes.py"]),
    }


def crash_problems(records: Records) -> list[str]:
    crashes = [(record["id"], str(record["w"])[:2]) for record in records.of("crash")]
    return [] if crashes == [("test_x.py::test_b", "gw")] else [f"crash records {crashes}"]


def report(folder: Path, interpreters: list[str]) -> str:
    names = [*(variant.name for variant in VARIANTS), "-n 2, a worker dies"]
    lines = [
        "# The injected plugin under Pythons and pytests",
        "",
        "Every cell is one run of the sample project of `tests/probes/samples.py` (outcomes, chains,",
        "fixtures, frames, warnings and SQLAlchemy sessions are checked), the last one of a project whose",
        "second test kills its process.",
        "Written by `bench/probe_matrix.py`.",
        "",
        f"| Python | pytest | xdist | SQLAlchemy | {' | '.join(names)} |",
        f"| {' | '.join(['---'] * (4 + len(names)))} |",
    ]
    runs = bad = 0
    for python, versions in environments(folder, interpreters):
        results = [problems(run(python, SHOP, variant), variant) for variant in VARIANTS]
        results.append(crash_problems(run(python, SEGFAULTS, Variant("", ("-n2",)))))
        runs, bad = runs + len(results), bad + sum(map(bool, results))
        cells = ["; ".join(wrong) or "ok" for wrong in results]
        lines.append(f"| {' | '.join(versions.split())} | {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    lines += ["", f"{runs} runs, {bad} with something wrong."]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("interpreters", nargs="+", metavar="PYTHON")
    parser.add_argument("--environments", type=Path, default=Path(tempfile.gettempdir()) / "probe-matrix")
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    os.environ.pop("PYTHONPATH", None)
    text = report(options.environments, options.interpreters)
    if options.write:
        options.write.write_text(text)


if __name__ == "__main__":
    main()
