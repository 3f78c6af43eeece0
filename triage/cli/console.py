"""The only place that prints: data to standard output, everything else to standard error."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from triage.render.plain import visible

_PARTS = 100  # of a document that are written at once


@dataclass(frozen=True, slots=True)
class Console:
    """How this call speaks; `json` keeps standard output for one JSON document alone."""

    quiet: bool = False
    verbose: bool = False
    color: bool = False

    def data(self, text: str) -> None:
        """What the command was asked for."""
        _write((text, "" if text.endswith("\n") else "\n"))

    def document(self, value: Mapping[str, Any]) -> None:
        self.pieces((json.dumps(value, indent=2, ensure_ascii=False), "\n"))

    def pieces(self, parts: Iterable[str]) -> None:
        """A JSON document too large to be held at once; a CI system finds no command in it."""
        _write(_in_encoding(part.replace("##", "#\\u0023")) for part in _gathered(parts))

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


def _write(parts: Iterable[str]) -> None:
    """A reader that is gone (`| head`) changes nothing in what the command then says by its status."""
    try:
        for part in parts:
            sys.stdout.write(part)
        sys.stdout.flush()
    except BrokenPipeError:
        discard_output()


def discard_output() -> None:
    """Nothing more is written to a pipe that nobody reads, at the interpreter's end least of all."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 1)
    os.close(devnull)


def _gathered(parts: Iterable[str]) -> Iterator[str]:
    """Larger parts: what is done to each costs as much for a short one."""
    some: list[str] = []
    for part in parts:
        some.append(part)
        if len(some) == _PARTS:
            yield "".join(some)
            some.clear()
    yield "".join(some)


def _in_encoding(part: str) -> str:
    """JSON that standard output can hold; what it cannot is escaped as JSON does."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        part.encode(encoding)
    except UnicodeEncodeError:
        return "".join(one if one.isascii() else json.dumps(one)[1:-1] for one in part)
    return part


def wants_color(*, no_color: bool, environ: Mapping[str, str] = os.environ) -> bool:
    """NO_COLOR, then FORCE_COLOR, then whether standard error is a terminal (no-color.org)."""
    if no_color or environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return sys.stderr.isatty() and environ.get("TERM") != "dumb"
