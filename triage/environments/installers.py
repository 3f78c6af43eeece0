"""The two ways to fill an environment: uv, or venv and pip."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from triage.environments.interpreters import Interpreter
from triage.environments.options import ProvisionOptions
from triage.errors import ProvisionError, RunError
from triage.process.child import Limits, capture, run
from triage.process.environ import INSTALLER_VARIABLES, child_environment
from triage.workspace import write_whole

_SHOWN = 8  # lines of an error
_LEAST_PIP = (22, 3)  # the first with `--python`
_SECRET = re.compile(r"(://)[^/\s@]+@")
_DECISIVE = re.compile(r"(ERROR|error)\b|\u00d7 ")  # uv marks its errors by a multiplication sign
_UNREACHABLE = re.compile(
    r"NewConnectionError|ConnectTimeout|name resolution|Failed to fetch|dns error|ProxyError"
)
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_SCM = "SETUPTOOLS_SCM_PRETEND_VERSION"


@dataclass(frozen=True, slots=True)
class Installer:
    """Runs the steps of one installation; what they print is added to `log`."""

    interpreter: Interpreter
    folder: Path
    options: ProvisionOptions
    log: Path

    @property
    def name(self) -> str:
        return "uv" if self.options.uv else "pip"

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def create(self) -> None:
        """Makes an empty environment.

        Raises:
            ProvisionError: uv or venv fails.
        """
        if self.options.uv:
            self._do(
                [self.options.uv, "venv", "--no-project", "--python", self.interpreter.path, self.folder]
            )
        elif _has_pip(self.interpreter.path):
            self._do([self.interpreter.path, "-m", "venv", "--without-pip", self.folder])
        else:
            self._do([self.interpreter.path, "-m", "venv", self.folder])

    def install(self, arguments: Sequence[str | Path], cwd: Path) -> None:
        """Installs what follows `pip install`.

        Raises:
            ProvisionError: with the installer's decisive lines.
        """
        if self.options.uv:
            argv = [self.options.uv, "pip", "install", "--python", self.python, *self._sources()]
        else:
            argv = [*self._pip(), "install", "--no-compile", "--no-warn-script-location", *self._sources()]
        self._do([*argv, *arguments], cwd)

    def _sources(self) -> list[str | Path]:
        if self.options.wheels:
            return ["--no-index", "--find-links", self.options.wheels]
        if self.options.offline:
            return ["--offline"] if self.options.uv else ["--no-index"]
        return []

    def _pip(self) -> list[str | Path]:
        if _has_pip(self.interpreter.path):
            return [self.interpreter.path, "-m", "pip", "--python", self.python]
        return [self.python, "-m", "pip"]

    def _do(self, argv: Sequence[str | Path], cwd: Path | None = None) -> None:
        step = self.log.with_name(f"{self.log.name}.step")
        limits = Limits(self.options.timeout_s, output_bytes=5_000_000)
        try:
            done = run(argv, cwd=cwd or self.log.parent, env=self._environment(), output=step, limits=limits)
            text = masked(step.read_text(encoding="utf-8", errors="replace"))
        except RunError as error:
            raise ProvisionError(error.what, where=error.where) from error
        finally:
            step.unlink(missing_ok=True)
        earlier = self.log.read_text(encoding="utf-8") if self.log.exists() else ""
        write_whole(self.log, f"{earlier}$ {masked(' '.join(map(str, argv)))}\n{text}\n")
        if done.timed_out:
            raise self._error(f"the installation did not end within {self.options.timeout_s:g} s")
        if done.exit_status:
            raise self._error(decisive_lines(text) or f"{argv[0]} ended with status {done.exit_status}", text)

    def _environment(self) -> dict[str, str]:
        # The user's settings for indexes and caches count, those on where to install must not. A copy
        # without .git has no version that setuptools-scm could find.
        fixed = {
            "PIP_USER": "0",
            "PIP_REQUIRE_VIRTUALENV": "0",
            "PIP_NO_INPUT": "1",
            "PIP_PROGRESS_BAR": "off",
        }
        fixed |= {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "UV_NO_PROGRESS": "1", "NO_COLOR": "1"}
        fixed |= {"UV_PYTHON_DOWNLOADS": "never", _SCM: os.environ.get(_SCM, "0.0.0")}
        passed = child_environment(os.environ, fixed, pass_env=(*INSTALLER_VARIABLES, *self.options.pass_env))
        return {name: value for name, value in passed.items() if name not in ("PIP_TARGET", "PIP_PREFIX")}

    def _error(self, what: str, text: str = "") -> ProvisionError:
        return ProvisionError(
            f"cannot be installed:\n{what}", hint=f"{self._hint(text)}; the full log is {self.log}"
        )

    def _hint(self, text: str) -> str:
        if self.options.wheels:
            return f"only {self.options.wheels} is searched (TRIAGE_WHEELS)"
        if self.options.offline:
            searched = "only uv's cache is searched" if self.options.uv else "pip has nothing to search"
            return f"{searched} offline (TRIAGE_OFFLINE); name a wheel folder by TRIAGE_WHEELS"
        if _UNREACHABLE.search(text):
            return (
                "the package index cannot be reached: mend the network or name a wheel folder (TRIAGE_WHEELS)"
            )
        return "correct the requirements, or name an environment that works by `environment.use`"


def masked(text: str) -> str:
    """Without the credentials of index URLs, and without colour codes."""
    return _SECRET.sub(r"\1****@", _ANSI.sub("", text))


def decisive_lines(text: str) -> str:
    """The last error of pip or uv in its own words, with the end of what a failing build said."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    starts = [number for number, line in enumerate(lines) if _DECISIVE.match(line)]
    ends = [number for number, line in enumerate(lines) if line == "[end of output]"]  # pip's, of a build
    pip = [line for line in lines if line.startswith("ERROR")]
    if pip or ends:
        failed = [line for line in lines if line.startswith("\u00d7")][-1:] if ends else []
        chosen = [*(pip[-3:] or failed), *(lines[ends[-1] - 2 : ends[-1]] if ends else ())]
    elif starts:
        block = lines[starts[-1] :]
        chosen = block if len(block) <= _SHOWN else [*block[:3], "...", *block[3 - _SHOWN :]]
    else:
        chosen = lines[-3:]
    return "\n".join(f"    {line}"[:300] for line in chosen)


@cache
def _has_pip(python: Path) -> bool:
    """True where an interpreter's own pip can fill another environment."""
    try:
        said = capture([python, "-m", "pip", "--version"], env=child_environment(os.environ, {}), time_s=60)
    except RunError:
        return False
    found = re.match(r"pip (\d+)\.(\d+)", said)
    return found is not None and tuple(map(int, found.groups())) >= _LEAST_PIP
