"""Stage: gives a project the environment that its tests run in."""

from collections.abc import Callable

from triage.environments.cached import cached_environment
from triage.environments.existing import existing_environment
from triage.environments.options import ProvisionOptions
from triage.model.environment import Environment
from triage.model.project import Project
from triage.workspace import WorkspaceFolders


def provision(
    project: Project,
    folders: WorkspaceFolders,
    options: ProvisionOptions,
    *,
    progress: Callable[[str], None] = lambda _: None,
) -> Environment:
    """An existing environment where the project names one, else one kept by its content.

    `progress` gets a few words before each step that takes long.

    Raises:
        ProvisionError: there is none and none can be made.
    """
    spec = project.environment
    if spec.use:
        return existing_environment(project.root, spec, folders)
    return cached_environment(project.root, spec, folders, options, progress)
