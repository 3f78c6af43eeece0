"""Words of a playbook that somebody still has to write."""

import re
from collections.abc import Iterator

from triage.model.playbook import Playbook
from triage.playbook.checks.fault import CheckProblem, fault
from triage.playbook.checks.proven import EXPERIMENTAL
from triage.text import shorten
from triage.yamlfile import Path_

_PLACEHOLDER = re.compile(r"\A\s*(?i:to be (?:named|written))\b|\b(?:TODO|FIXME|TBD)\b")
_SHOWN = 60  # characters of a text that is quoted


def placeholder_faults(playbook: Playbook) -> Iterator[CheckProblem]:
    """A draft may have them; who reads a stable playbook's report would be told them."""
    for at, text in _texts(playbook):
        if _PLACEHOLDER.search(text):
            name = ".".join(str(part + 1) if isinstance(part, int) else part for part in at)
            said = f"{name} is not written yet: {shorten(text, _SHOWN)}"
            hint = "" if playbook.status == EXPERIMENTAL else "write it, or `status: experimental`"
            is_note = playbook.status == EXPERIMENTAL
            yield fault(playbook, "placeholder", said, at, hint=hint, is_note=is_note)


def _texts(playbook: Playbook) -> Iterator[tuple[Path_, str]]:
    plan = playbook.plan
    yield ("title",), playbook.title
    yield ("why",), playbook.why
    for key in ("title", "mitigation", "rollback"):
        yield ("plan", key), getattr(plan, key)
    for key in ("steps", "alternatives"):
        for place, text in enumerate(getattr(plan, key)):
            yield ("plan", key, place), text
    for place, symptom in enumerate(playbook.symptoms):
        yield ("symptoms", place, "message"), symptom.message or ""
