"""Everything known about one kind of failure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from triage.model.terms import Applicability, Category, Level, Phase, Risk, Severity


@dataclass(frozen=True, slots=True)
class Symptom:
    """One way to recognise the failure; all its conditions hold together, absent ones always hold.

    `exception` are class names (qualified; bare: a builtin, else any class so named) of which the exception
    or one of its bases must be one; with `exact` the bases do not count. `message` is searched in the
    exception's message, `text` in the whole failure text. `where` says which exception of the
    chain may meet them: `head` (the one that decided), `cause` (its direct cause) or `any` of the
    two. `raised_in` are globs on module paths, `frames` on the project's own frames, and on those of
    packages as `site-packages/*`; of those that begin with `!` none may fit. `own` is a group of `message`
    whose first part is a folder on the way to the project's own frames. `same` are pairs of groups, of
    `message` or `source`, that took equal text. `own_raise`: whether a `raise` of the project's own is seen
    to have raised it. With `certain` it holds only where the report decides all.
    """

    exception: tuple[str, ...] = ()
    exact: bool = False
    message: str | None = None
    unless: str | None = None
    where: str = "any"
    raised_in: tuple[str, ...] = ()
    frames: tuple[str, ...] = ()
    source: str | None = None
    own: str | None = None
    same: Mapping[str, str] = field(default_factory=dict)
    own_raise: bool | None = None
    phase: tuple[Phase, ...] = ()
    fact: Mapping[str, object] = field(default_factory=dict)
    finding: str | None = None
    certain: bool = False


@dataclass(frozen=True, slots=True)
class Remedy:
    use: str
    applicability: Applicability
    note: str = ""


@dataclass(frozen=True, slots=True)
class Effort:
    """Minutes: `base` once for a playbook in a plan, `per_site` for each place to change."""

    base: int
    per_site: int = 0


@dataclass(frozen=True, slots=True)
class PlanTemplate:
    phase: int
    effort: Effort
    title: str
    steps: tuple[str, ...]
    alternatives: tuple[str, ...] = ()
    risk: Risk = Risk.LOW
    mitigation: str = ""
    rollback: str = ""
    changes_schema: bool = False


@dataclass(frozen=True, slots=True)
class Diagnose:
    """How to find the cause: a `probe` watches, `rules` point at places, `site` stands in for both.

    `interventions` are facts to change, in the order in which they are tried. Of the sentences in
    `explanation`, which take names in braces, the first holds whose names are all known; with
    `latent` a finding of the rules is a defect even while no test fails. Without `reruns` its tests
    are not run again: they hang or end the process.
    """

    probe: str | None = None
    interventions: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    site: str = "test-frame"
    explanation: tuple[str, ...] = ()
    latent: bool = False
    reruns: bool = True


@dataclass(frozen=True, slots=True)
class Cascade:
    """Failures of these playbooks are what this one may only follow from, within `scope`."""

    of: tuple[str, ...] = ()
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """A recorded failure: `source` is the path of a JUnit XML file, relative to its playbook."""

    source: str
    because: str = ""


@dataclass(frozen=True, slots=True)
class Playbook:
    id: str
    title: str
    status: str
    category: Category
    severity: Severity
    level: Level
    why: str
    symptoms: tuple[Symptom, ...]
    plan: PlanTemplate
    applies_to: Mapping[str, str] = field(default_factory=dict)
    beats: tuple[str, ...] = ()
    cascade: Cascade = field(default_factory=Cascade)
    diagnose: Diagnose = field(default_factory=Diagnose)
    remedies: tuple[Remedy, ...] = ()
    known_limits: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    match_examples: tuple[Example, ...] = ()
    no_match_examples: tuple[Example, ...] = ()
    review_by: str = ""
    path: Path | None = None


def places_in_words(globs: tuple[str, ...]) -> str:
    """`a/* or b/*`, `a/* but not b/*`, `not b/*`."""
    wanted = " or ".join(one for one in globs if not one.startswith("!"))
    others = " or ".join(one[1:] for one in globs if one.startswith("!"))
    negated = f"not {others}" if others else ""
    return f"{wanted} but {negated}" if wanted and negated else wanted or negated


def pairs_in_words(pairs: Mapping[str, str]) -> str:
    """`left = right and first = second`."""
    return " and ".join(f"{one} = {other}" for one, other in pairs.items())
