"""Which test of which suite is recorded where, and the command lines of the runners."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from labels import Label

STYLES = ("auto", "auto", "short", "long", "native", "line", "no")
WITH_FRAMES = ("auto", "short", "long", "native")
ENVIRONMENTS = ("py38", "py39", "py312", "py313")
# how often each test is recorded, in different environments
SUITES: Mapping[str, int] = {
    "loans": 2,
    "apart": 2,
    "parcels": 1,
    "clinic": 2,
    "tricky": 3,
    "crashing": 3,
    "broken": 3,
}


@dataclass(frozen=True)
class Run:
    suite: str
    environment: str
    style: str
    labels: tuple[Label, ...]

    @property
    def name(self) -> str:
        return f"{self.suite}-{self.environment}-{self.style}"


def number(*words: str | None) -> int:
    """The same number for the same words, on every machine."""
    text = "\0".join(str(word) for word in words)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def _places(suite: str, label: Label, environments: tuple[str, ...]) -> list[tuple[str, str]]:
    ranked = sorted(environments, key=lambda name: number(suite, label.module, label.name, name))
    styles = WITH_FRAMES if label.frames else STYLES
    start = number(suite, label.module, label.name)
    return [(name, styles[(start + 3 * at) % len(styles)]) for at, name in enumerate(ranked[: SUITES[suite]])]


def runs(suite: str, labels: list[Label], environments: tuple[str, ...]) -> list[Run]:
    chosen: dict[tuple[str, str], list[Label]] = {}
    for label in labels:
        for place in _places(suite, label, environments):
            chosen.setdefault(place, []).append(label)
    return [Run(suite, *place, tuple(found)) for place, found in sorted(chosen.items())]


def pytest_command(run: Run, python: Path, report: Path) -> list[str]:
    family = "xunit1" if run.style in {"short", "native"} else "xunit2"
    modules = sorted({f"tests/{label.module}.py" for label in run.labels})
    options = [f"--tb={run.style}", f"--junitxml={report}", "-o", f"junit_family={family}"]
    if run.style in {"auto", "short", "line"}:
        options += ["-o", "junit_logging=all"]
    if run.suite == "crashing" or run.name in {"tricky-py312-auto", "loans-py313-short", "clinic-py39-auto"}:
        options += ["-p", "xdist", "-n", "2"]
    elif (run.suite, run.environment) == ("apart", "py38"):
        options.append("--forked")  # SQLAlchemy 1.3 has one registry of mappers for the whole process
    return [
        *(str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "--continue-on-collection-errors"),
        *(*options, *modules),
    ]


def runner_commands(python: Path, report: Path) -> dict[str, tuple[str, list[str]]]:
    """What runs the unittest suites, by a name for the file: suite and command line."""
    start = [str(python), "-m"]
    xmlrunner = ["xmlrunner", "discover", "-s", "tests", "-t", ".", "--output-file", str(report)]
    nose = ["nose2", "-s", ".", "--plugin", "nose2.plugins.junitxml", "--junit-xml"]
    return {
        "ferry-xmlrunner": ("ferry", [*start, *xmlrunner]),
        "ferry-nose2": ("ferry", [*start, *nose, "--junit-xml-path", str(report), "tests.test_ferry"]),
        "ferry-pytest": ("ferry", [*start, "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}"]),
        "harbour-django": ("harbour", [*start, "django", "test", "tests"]),
    }
