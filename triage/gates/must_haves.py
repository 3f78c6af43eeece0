"""Truths, artifacts and key links of a project file against the files that are there."""

from collections.abc import Callable, Iterator, Sequence

from triage.gates.check import Check, outside
from triage.gates.texts import Hit, compiled, files_below, hits, is_inside, text_of
from triage.model.project import Artifact, KeyLink, Project, Truth

Run = Callable[[Sequence[str]], str | None]


def check_form(project: Project) -> None:
    """Looks at all expressions and paths before anything is run.

    Raises:
        ConfigurationError: an expression is not valid, or a path leads out of the project.
    """
    where = str(project.root / "triage.yaml")
    wanted = project.must_haves
    for truth in wanted.truths:
        for expression in filter(None, (truth.pattern, truth.excepting)):
            compiled(expression, f"{where}: {truth.claim}")
    for link in wanted.key_links:
        compiled(link.pattern, f"{where}: {link.via}")
    paths = [
        *(truth.within for truth in wanted.truths if truth.within),
        *(one.path for one in wanted.artifacts),
        *(path for link in wanted.key_links for path in (link.source, link.target)),
    ]
    for path in paths:
        if not is_inside(project.root, path):
            raise outside(path, where)


def must_haves(project: Project, run: Run) -> Iterator[Check]:
    """One check each, in the order of the project file; `run` says why a command fails, or None."""
    yield from (_truth(one, project, run) for one in project.must_haves.truths)
    yield from (_artifact(one, project) for one in project.must_haves.artifacts)
    yield from (_key_link(one, project) for one in project.must_haves.key_links)


def _truth(truth: Truth, project: Project, run: Run) -> Check:
    if truth.pattern is None and not truth.command:
        return Check("truth", truth.claim, holds=False, detail="nothing checks it: no pattern and no command")
    if truth.pattern is not None:
        found = _searched(truth, truth.pattern, project)
        if not found.holds:
            return found
    why = run(truth.command) if truth.command else None
    return Check("truth", truth.claim, holds=why is None, detail=why or "", count=0 if why is None else 1)


def _searched(truth: Truth, pattern: str, project: Project) -> Check:
    within = truth.within or "."
    if not (project.root / within).exists():
        return Check("truth", truth.claim, holds=False, detail=f"there is no {within}", count=1)
    files = list(files_below(project.root, within))
    found = list(hits(compiled(pattern, truth.claim), project.root, files))
    if truth.excepting:
        exception = compiled(truth.excepting, truth.claim)
        found = [one for one in found if not exception.search(one.text)]
    if truth.forbids:
        return _forbidden(truth.claim, found)
    if found:
        return Check("truth", truth.claim, holds=True)
    return Check("truth", truth.claim, holds=False, detail=f"{pattern} is not found in {within}", count=1)


def _forbidden(claim: str, found: Sequence[Hit]) -> Check:
    if not found:
        return Check("truth", claim, holds=True)
    first = found[0]
    said = " ".join(first.text.split())
    return Check("truth", claim, False, f"found: {said}", first.file, first.line, len(found))


def _artifact(artifact: Artifact, project: Project) -> Check:
    claim = f"{artifact.path} provides {artifact.provides}"
    place = project.root / artifact.path
    if not place.exists():
        return Check("artifact", claim, holds=False, detail="it is missing", file=artifact.path, count=1)
    if not artifact.min_lines:
        return Check("artifact", claim, holds=True)
    lines = len((text_of(place) or "").splitlines())
    if lines >= artifact.min_lines:
        return Check("artifact", claim, holds=True)
    detail = f"it has {lines} lines, at least {artifact.min_lines} are wanted"
    return Check("artifact", claim, holds=False, detail=detail, file=artifact.path, line=lines, count=1)


def _key_link(link: KeyLink, project: Project) -> Check:
    claim = f"{link.source} leads to {link.target} ({link.via})"
    for path in (link.source, link.target):
        if not (project.root / path).exists():
            return Check("key link", claim, holds=False, detail="it is missing", file=path, count=1)
    files = list(files_below(project.root, link.source))
    if any(True for _ in hits(compiled(link.pattern, claim), project.root, files)):
        return Check("key link", claim, holds=True)
    detail = f"{link.pattern} is not found"
    return Check("key link", claim, holds=False, detail=detail, file=link.source, count=1)
