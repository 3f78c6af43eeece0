"""Paths and files to `Project`s."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triage.errors import ConfigurationError, TriageError, UsageError
from triage.layout import TEST_PLACES, infer_environment, infer_tests, lack_of_tests, project_name
from triage.model.project import (
    Artifact,
    CoverageTarget,
    EnvironmentSpec,
    KeyLink,
    MustHaves,
    Project,
    Targets,
    TestSpec,
    Truth,
)
from triage.schema import validate
from triage.settings import FILE_NAME, Settings, is_workspace_file, read_file


@dataclass(frozen=True, slots=True)
class Discovery:
    """`errors` belongs to the paths that are no usable project; the others still run."""

    projects: tuple[Project, ...]
    errors: tuple[tuple[str, TriageError], ...]


def discover(paths: Sequence[str], base: Path, memory: Path | None = None) -> Discovery:
    """The projects at `paths`, relative to `base`.

    Raises:
        ConfigurationError: two of them have one name, which is the key of their history.
    """
    projects: list[Project] = []
    errors: list[tuple[str, TriageError]] = []
    for path in dict.fromkeys(paths):
        try:
            project = load_project(base / path, memory)
        except TriageError as error:
            errors.append((path, error))
        else:
            _check_unique(project, projects)
            if project not in projects:
                projects.append(project)
    return Discovery(tuple(projects), tuple(errors))


def workspace_paths(settings: Settings) -> tuple[str, ...]:
    """The project folders of the workspace, absolute, globs resolved, in the file's order.

    Raises:
        ConfigurationError: the workspace names no project.
    """
    found: list[str] = []
    for entry in settings.projects:
        hits = _folders(settings.workspace, entry)
        found += map(str, hits) if hits else [str(settings.workspace / entry)]
    if not found:
        raise ConfigurationError(
            "the workspace names no project",
            where=str(settings.workspace / FILE_NAME),
            allowed="projects: [folder, folders/*]",
            hint="name the project folders there, or give them on the command line",
        )
    return tuple(dict.fromkeys(found))


def _folders(workspace: Path, entry: str) -> list[Path]:
    """What a glob means, hidden folders left out; nothing for a plain path."""
    if not any(sign in entry for sign in "*?["):
        return []
    path = Path(entry)
    base, pattern = (
        (Path(path.anchor), str(path.relative_to(path.anchor))) if path.anchor else (workspace, entry)
    )
    try:
        hits = base.glob(pattern)
        return sorted(path for path in hits if path.is_dir() and not path.name.startswith((".", "__")))
    except ValueError as error:  # e.g. `a**`
        raise ConfigurationError(
            f"not a usable pattern: {entry!r} ({error})",
            where=str(workspace / FILE_NAME),
            allowed="projects: [folder, folders/*]",
        ) from error


def load_project(root: Path, memory: Path | None = None) -> Project:
    """One project, from its file or, without one, from its layout.

    Raises:
        UsageError: there is no such folder, or nothing in it to test.
        ConfigurationError: its project file is not valid.
    """
    try:
        root = root.resolve()
        is_folder = root.is_dir()
    except (OSError, RuntimeError, ValueError):  # a loop of links, a null character
        is_folder = False
    if not is_folder:
        raise UsageError("no such project folder", where=str(root), hint="give the path of a folder")
    path = root / FILE_NAME
    if path.is_file():
        document = read_file(path)
        if not is_workspace_file(document):
            validate(document, "project", memory)
            return _from_file(root, document.data or {})
    tests = infer_tests(root)
    if tests is None:
        raise UsageError(
            f"this folder is no project: {lack_of_tests(root)}",
            where=str(root),
            allowed=f"a {FILE_NAME}, or {TEST_PLACES}",
            hint=f"add a test, or a {FILE_NAME} that says how to test it (docs/reference/project-file.md)",
        )
    return Project(project_name(root), root, infer_environment(root), TestSpec(tests))


def _check_unique(project: Project, others: Iterable[Project]) -> None:
    for other in others:
        if other.name == project.name and other.root != project.root:
            raise ConfigurationError(
                f"the name {project.name!r} already belongs to {other.root}; nothing was run",
                where=str(project.root),
                allowed="an own name for each project",
                hint=f"give one of the two another `name` in its {FILE_NAME}",
            )


def _from_file(root: Path, data: Mapping[str, Any]) -> Project:
    environment = data.get("environment", {})
    test = data.get("test", {})
    inferred = infer_environment(root)
    return Project(
        name=data.get("name") or project_name(root),
        root=root,
        environment=_environment(environment, inferred),
        test=TestSpec(
            arguments=tuple(test.get("arguments", infer_tests(root) or ())),
            env={key: _text(value) for key, value in test.get("env", {}).items()},
            timeout_s=float(test.get("timeout_s", TestSpec().timeout_s)),
        ),
        source=tuple(data.get("source", ())),
        targets=_targets(data.get("targets", {})),
        must_haves=_must_haves(data.get("must_haves", {})),
        playbooks=tuple(data.get("playbooks", ())),
        explicit=True,
    )


def _environment(data: Mapping[str, Any], inferred: EnvironmentSpec) -> EnvironmentSpec:
    stated = {"requirements", "extras", "use"} & data.keys()
    return EnvironmentSpec(
        python=data.get("python", inferred.python),
        use=data.get("use") if stated else inferred.use,
        requirements=tuple(data.get("requirements", ())) if stated else inferred.requirements,
        extras=tuple(data.get("extras", ())) if stated else inferred.extras,
        pass_env=tuple(data.get("pass_env", ())),
    )


def _targets(data: Mapping[str, Any]) -> Targets:
    coverage = data.get("coverage")
    default = Targets()
    return Targets(
        pass_rate=data.get("pass_rate", default.pass_rate),
        errors=data.get("errors", default.errors),
        duration_s=data.get("duration_s"),
        coverage=CoverageTarget(coverage["path"], coverage["percent"]) if coverage else None,
    )


def _must_haves(data: Mapping[str, Any]) -> MustHaves:
    return MustHaves(
        truths=tuple(_truth(one) for one in data.get("truths", ())),
        artifacts=tuple(
            Artifact(one["path"], one["provides"], one.get("min_lines", 0))
            for one in data.get("artifacts", ())
        ),
        key_links=tuple(
            KeyLink(one["from"], one["to"], one["via"], one["pattern"]) for one in data.get("key_links", ())
        ),
    )


def _truth(data: Mapping[str, Any]) -> Truth:
    forbid = data.get("forbid")
    rule = forbid or data
    return Truth(
        claim=data["claim"],
        pattern=rule.get("pattern"),
        within=rule.get("in"),
        excepting=rule.get("except"),
        forbids=forbid is not None,
        command=tuple(data.get("command", ())),
    )


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
