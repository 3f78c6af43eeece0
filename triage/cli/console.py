"""The only place that prints: data to standard output, everything else to standard error."""

import json
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from triage.render.plain import visible


@dataclass(frozen=True, slots=True)
class Console:
    """How this call speaks; `json` keeps standard output for one JSON document alone."""

    quiet: bool = False
    verbose: bool = False
    color: bool = False

    def data(self, text: str) -> None:
        """What the command was asked for."""
        sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
        sys.stdout.flush()

    def document(self, value: Mapping[str, Any]) -> None:
        self.data(json.dumps(value, indent=2, ensure_ascii=False))

    def pieces(self, parts: Iterable[str]) -> None:
        """A document too large to be held at once."""
        sys.stdout.writelines(parts)
        sys.stdout.flush()

    def say(self, text: str) -> None:
        """A message for a person; silent with --quiet."""
        if not self.quiet:
            sys.stderr.write(f"{visible(text)}\n")

    def detail(self, text: str) -> None:
        """Only with --verbose."""
        if self.verbose and not self.quiet:
            sys.stderr.write(f"{visible(text)}\n")

    def error(self, text: str) -> None:
        sys.stderr.write(f"error: {visible(text)}\n")


def wants_color(*, no_color: bool, environ: Mapping[str, str] = os.environ) -> bool:
    """NO_COLOR, then FORCE_COLOR, then whether standard error is a terminal (no-color.org)."""
    if no_color or environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return sys.stderr.isatty() and environ.get("TERM") != "dumb"
