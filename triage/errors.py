"""Errors for people: what, where, what is allowed, what to do next.

Exit statuses are public (`docs/guide/exit-statuses.md`).
"""

from enum import IntEnum


class ExitStatus(IntEnum):
    """What the process tells its caller."""

    OK = 0
    FAILURES = 1
    USAGE = 2
    BUG = 3
    NOT_RUN = 4
    INTERRUPTED = 130


class TriageError(Exception):
    """A foreseen error; printed as text, never with a traceback.

    `what` is one sentence; `where` a file (with line and column), a project or an option;
    `allowed` what would have been accepted; `hint` the next thing to do.
    """

    exit_status = ExitStatus.BUG

    def __init__(
        self, what: str, *, where: str | None = None, allowed: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.allowed = allowed
        self.hint = hint

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.allowed:
            lines.append(f"  allowed: {self.allowed}")
        if self.hint:
            lines.append(f"  next:    {self.hint}")
        return "\n".join(lines)


class UsageError(TriageError):
    """The command line asks for something that does not exist."""

    exit_status = ExitStatus.USAGE


class ConfigurationError(TriageError):
    """A workspace file, project file or playbook is not valid."""

    exit_status = ExitStatus.USAGE


class ReportError(TriageError):
    """A JUnit XML file cannot be read to its end; what came before it was kept."""

    exit_status = ExitStatus.USAGE


class ProvisionError(TriageError):
    """A project's environment could not be made."""

    exit_status = ExitStatus.NOT_RUN


class RunError(TriageError):
    """A project's tests could not be started."""

    exit_status = ExitStatus.NOT_RUN


class StoreError(TriageError):
    """The history cannot be opened, read or written."""

    exit_status = ExitStatus.NOT_RUN


class WorkTreeError(UsageError):
    """Changes cannot be written to a project's folder, or to a branch; nothing was changed."""
