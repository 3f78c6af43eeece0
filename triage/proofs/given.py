"""What a proof bundle is made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from triage.model.environment import Environment
from triage.model.fix import FixReport
from triage.model.project import Project
from triage.text import Masker


@dataclass(frozen=True, slots=True)
class ProofRun:
    """A run of the whole suite in a scratch copy.

    `scratch` is that copy's root and `out` the folder of the run's files: both stand as
    `{scratch}` and `{out}` in the command that is kept.
    """

    junit: Path
    command: tuple[str, ...]
    scratch: Path
    out: Path


@dataclass(frozen=True, slots=True)
class ProofInput:
    """`project` is the real one, whose files are as they were before the fixes, or have them all.

    `probe_logs` are `events.jsonl` files of the reruns that proved the causes. `environ` is the
    caller's. `mask` masks `junit.xml` and `events.jsonl` in a folder (`probes.masking.mask_folder`
    with the run's masker), `masker` masks single texts. `top` is pytest's root folder where it is
    not the project's.
    """

    project: Project
    commit: str | None
    environment: Environment
    playbooks_fingerprint: str
    report: FixReport
    before: ProofRun
    after: ProofRun
    environ: Mapping[str, str]
    masker: Masker
    mask: Callable[[Path], object]
    probe_logs: tuple[Path, ...] = ()
    top: Path | None = None
