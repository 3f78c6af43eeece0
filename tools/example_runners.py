"""How each test runner is called, and which XML files it leaves."""

import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from example_case import Case

CASE_TIMEOUT_S = 120
_SETTINGS = (
    'SECRET_KEY = "shop"\n'
    "INSTALLED_APPS = []\n"
    'DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}\n'
)
_DJANGO_RUNNER = "xmlrunner.extra.djangotestrunner.XMLTestRunner"
_PATH = "/usr/local/bin:/usr/bin:/bin"  # it may be shown in a failure


@dataclass(frozen=True, slots=True)
class Runner:
    """`arguments` follow the interpreter; `reports` are globs in the project's folder."""

    arguments: Callable[[Case], Iterable[str]]
    reports: str
    needs: tuple[str, ...] = ()
    files: Mapping[str, str] | None = None


def _pytest(case: Case) -> Iterable[str]:
    importing = () if case.folder == "." else ("--import-mode=importlib",)
    return (
        *("-m", "pytest", *importing, "--junitxml=report.xml", "-o", "junit_family=xunit1"),
        *(f"--tb={case.style}", "--color=no", "-p", "no:cacheprovider", "--rootdir=.", *case.arguments),
        case.folder,
    )


def _unittest(case: Case) -> Iterable[str]:
    return ("-m", "xmlrunner", "discover", "-s", case.folder, "-o", "reports", *case.arguments)


def _nose2(case: Case) -> Iterable[str]:
    plugin = ("--plugin", "nose2.plugins.junitxml", "--junit-xml")
    return ("-m", "nose2", "-s", case.folder, *plugin, *case.arguments)


def _nose(case: Case) -> Iterable[str]:
    return ("-m", "nose", "--with-xunit", "--xunit-file=report.xml", *case.arguments, case.folder)


def _django(case: Case) -> Iterable[str]:
    return ("-m", "django", "test", "--settings=settings", f"--testrunner={_DJANGO_RUNNER}", *case.arguments)


def _absl(case: Case) -> Iterable[str]:
    """absl's own main writes the XML, as Bazel's Python tests do."""
    test = next(name for name in case.files if Path(name).name.startswith("test_"))
    return (test, "--xml_output_file=report.xml", *case.arguments)


_XML_RUNNER = Runner(_unittest, "reports/*.xml", ("unittest-xml-reporting",))
RUNNERS: Mapping[str, Runner] = {
    "pytest": Runner(_pytest, "report.xml"),
    "unittest": _XML_RUNNER,
    "xmlrunner": _XML_RUNNER,
    "nose2": Runner(_nose2, "nose2-junit.xml", ("nose2",)),
    "nose": Runner(_nose, "report.xml", ("pynose",)),
    "absl": Runner(_absl, "report.xml", ("absl-py",)),
    "django": Runner(_django, "TEST-*.xml", ("django", "unittest-xml-reporting"), {"settings.py": _SETTINGS}),
}


def run_case(case: Case, python: Path, url: str, root: Path) -> list[Path]:
    """Write the project to `root` and run its tests; gives the reports.

    Raises:
        ValueError: the runner left none.
        TimeoutExpired: it did not end.
    """
    runner = RUNNERS[case.runner]
    for name, content in {**(runner.files or {}), **case.files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
    env = {"PATH": _PATH, "HOME": str(root), "LC_ALL": "C.UTF-8", "DATABASE_URL": url}
    if case.folder != ".":
        env["PYTHONSAFEPATH"] = "1"
    env |= case.env
    command = [str(python), *runner.arguments(case)]
    done = subprocess.run(
        command, cwd=root, env=env, capture_output=True, text=True, timeout=CASE_TIMEOUT_S, check=False
    )
    found = sorted(root.glob(runner.reports))
    if not found:
        raise ValueError(f"{case.runner} wrote no report:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return found
