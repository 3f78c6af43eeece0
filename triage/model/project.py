"""A project under triage, as its project file (or its layout) describes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class EnvironmentSpec:
    """How to make the project's environment.

    `python` is a version range (`>=3.11`) or a path to an interpreter; `use` names an existing
    environment, relative to the project's root or absolute; `requirements` are requirement files
    relative to the root; `extras` are what is installed beside them (`.` for the project itself,
    `.[test]`, a requirement); `pass_env` names variables of the caller that the tests may see.
    """

    python: str | None = None
    use: str | None = None
    requirements: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    pass_env: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TestSpec:
    """What follows `python -m pytest`, the variables it needs, and its time limit in seconds."""

    __test__ = False  # pytest would collect a class of this name

    arguments: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 3600.0


@dataclass(frozen=True, slots=True)
class CoverageTarget:
    path: str
    percent: float


@dataclass(frozen=True, slots=True)
class Targets:
    """Gates; `pass_rate` in percent of the tests that ran, `duration_s` in seconds of wall time."""

    pass_rate: float = 100.0
    errors: int = 0
    duration_s: float | None = None
    coverage: CoverageTarget | None = None


@dataclass(frozen=True, slots=True)
class Truth:
    """A sentence that can be checked.

    With `forbids` the expression `pattern` must not occur in the files of `within`, matches that
    contain `excepting` aside; without, it must occur; `command` must exit with 0.
    """

    claim: str
    pattern: str | None = None
    within: str | None = None
    excepting: str | None = None
    forbids: bool = False
    command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Artifact:
    path: str
    provides: str
    min_lines: int = 0


@dataclass(frozen=True, slots=True)
class KeyLink:
    source: str
    target: str
    via: str
    pattern: str


@dataclass(frozen=True, slots=True)
class MustHaves:
    truths: tuple[Truth, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    key_links: tuple[KeyLink, ...] = ()


@dataclass(frozen=True, slots=True)
class Project:
    """`root` is absolute; `source` are the folders of the project's own code, relative to it.

    An empty `source` means: all but tests. `explicit` is False where no project file exists.
    """

    name: str
    root: Path
    environment: EnvironmentSpec = field(default_factory=EnvironmentSpec)
    test: TestSpec = field(default_factory=TestSpec)
    source: tuple[str, ...] = ()
    targets: Targets = field(default_factory=Targets)
    must_haves: MustHaves = field(default_factory=MustHaves)
    playbooks: tuple[str, ...] = ()
    explicit: bool = False
