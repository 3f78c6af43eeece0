"""The only door to PyYAML: YAML text to plain values with positions, hostile input refused.

Values are built from the event stream, so nothing is constructed before its limits are checked
(no aliases, no tags, bounded depth and size), duplicate keys are errors, and scalars follow the
YAML 1.2 core schema: `no`, `on` and `12:30` are strings.
"""

import math
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from triage.errors import ConfigurationError

Path_ = tuple[str | int, ...]

MAX_BYTES = 1_000_000
MAX_DEPTH = 40
MAX_NODES = 50_000
MAX_DIGITS = 4_000  # below CPython's own limit for int(), whose error has no position

# What people mean by the usual slips, by words of PyYAML's and libyaml's message.
_ADVICE = (
    (
        "unknown escape character",
        r"write an expression in single quotes: '\d+' (in double ones each \ stands twice)",
    ),
    ("mapping values are not allowed", "quote a text that holds a colon and a blank: 'no such table: users'"),
    ("did not find expected alphabetic or numeric", "quote a text that begins with & or *: '*.py'"),
    ("block collections are not allowed", "begin a list on a line of its own"),
    ("found unexpected end of stream", "a quote or bracket is not closed"),
    ("did not find expected ',' or", "a bracket is not closed, or a text in it needs quotes"),
    (
        "did not find expected key",
        "lines of one level begin in one column; a text is quoted whole or not at all",
    ),
    ("could not find expected ':'", "a key is followed by a colon and a blank"),
)
_QUOTE = "quote a text that begins with @, %, ` or the like: '@app'"


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """Plain data, and where each value stands: `marks[path]` is (line, column), from 1."""

    data: Any
    name: str
    marks: dict[Path_, tuple[int, int]] = field(default_factory=dict)

    def where(self, path: Path_) -> str:
        """`file:line:column` of the value at `path`, or of its nearest parent that is known."""
        while path and path not in self.marks:
            path = path[:-1]
        line, column = self.marks.get(path, (1, 1))
        return f"{self.name}:{line}:{column}"


def read_yaml(path: Path) -> YamlDocument:
    """Read one YAML file.

    Raises:
        ConfigurationError: it cannot be read or is not acceptable YAML; says where.
    """
    raw = read_limited(path)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigurationError("is not UTF-8", where=f"{path}:{line}", allowed="UTF-8") from error
    return parse_yaml(text, str(path))


def read_limited(path: Path) -> bytes:
    """The bytes of a regular file of at most `MAX_BYTES`.

    Raises:
        ConfigurationError: it cannot be read, is a pipe or device, or is too large.
    """
    try:
        found = path.stat()
        if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
            raise ConfigurationError("is no regular file", where=str(path))
        if found.st_size > MAX_BYTES:
            raise ConfigurationError(
                "the file is too large", where=str(path), allowed=f"at most {MAX_BYTES:,} bytes"
            )
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror}", where=str(path)) from error


def parse_yaml(text: str, name: str) -> YamlDocument:
    """Parse YAML text; `name` stands in messages.

    Raises:
        ConfigurationError: not acceptable YAML; says where.
    """
    import yaml  # noqa: PLC0415 - not needed by `--help`

    builder = _Builder(name)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        data = builder.document(iter(yaml.parse(text, Loader=loader)))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        said = error.problem or str(error)
        hint = _advice(said, _line(text, mark.line) if mark else "", mark.column if mark else 0)
        raise ConfigurationError(f"not valid YAML: {said}", where=at, hint=hint) from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        sentence = next(iter(str(error).splitlines()), type(error).__name__)
        raise ConfigurationError(f"not valid YAML: {sentence}", where=name) from error
    return YamlDocument(data, name, builder.marks)


def _advice(said: str, line: str, column: int) -> str | None:
    """What to do about a message that names only what the parser met."""
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "indent with spaces instead of tabs"
    if "cannot start any token" in said:
        return "use spaces instead of tabs" if line[column : column + 1] == "\t" else _QUOTE
    return next((hint for words, hint in _ADVICE if words in said), None)


def _line(text: str, number: int) -> str:
    return next(islice(text.split("\n"), number, None), "")


class _Builder:
    """Builds values from events, one document, under limits."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.marks: dict[Path_, tuple[int, int]] = {}
        self._nodes = 0

    def document(self, events: Iterator[Any]) -> Any:
        import yaml  # noqa: PLC0415 - see parse_yaml

        data: Any = None
        seen = False
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                if seen:
                    self._refuse("a second document", event, "one document per file")
                seen = True
                data = self._node(next(events), events, ())
        return data

    def _node(self, event: Any, events: Iterator[Any], path: Path_) -> Any:
        import yaml  # noqa: PLC0415 - see parse_yaml

        self._check(event, path)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(events, path)
        return self._mapping(events, path)

    def _check(self, event: Any, path: Path_) -> None:
        import yaml  # noqa: PLC0415 - see parse_yaml

        self._nodes += 1
        self.marks[path] = (event.start_mark.line + 1, event.start_mark.column + 1)
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            self._refuse("an anchor or alias", event, "write the value out")
        if event.tag is not None and event.tag != "!":
            self._refuse(f"the tag {event.tag!r}", event, "plain values without tags")
        if len(path) > MAX_DEPTH:
            self._refuse("deeper nesting than any playbook needs", event, f"at most {MAX_DEPTH} levels")
        if self._nodes > MAX_NODES:
            self._refuse("more values than any playbook needs", event, f"at most {MAX_NODES:,}")

    def _sequence(self, events: Iterator[Any], path: Path_) -> list[Any]:
        import yaml  # noqa: PLC0415 - see parse_yaml

        items: list[Any] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(self._node(event, events, (*path, len(items))))
        return items

    def _mapping(self, events: Iterator[Any], path: Path_) -> dict[str, Any]:
        import yaml  # noqa: PLC0415 - see parse_yaml

        items: dict[str, Any] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                self._refuse("a key that is not a name", event, "text keys")
            if event.anchor is not None or event.value == "<<":
                self._refuse("an anchor or merge key", event, "write the values out")
            if event.tag is not None and event.tag != "!":
                self._refuse(f"the tag {event.tag!r}", event, "plain values without tags")
            key = event.value
            if key in items:
                self._refuse(f"the key {key!r} a second time", event, "each key once")
            mark = event.start_mark
            items[key] = self._node(next(events), events, (*path, key))
            self.marks[*path, key] = (mark.line + 1, mark.column + 1)
        return items

    def _scalar(self, event: Any) -> Any:
        value: str = event.value
        if not event.implicit[0] or event.tag == "!":
            return value
        from yamlcore import CCoreLoader  # noqa: PLC0415 - see parse_yaml

        resolvers = CCoreLoader.yaml_implicit_resolvers
        for tag, expression in [*resolvers.get(value[:1], ()), *resolvers.get(None, ())]:
            if expression.match(value):
                return self._typed(tag.rpartition(":")[2], value, event)
        return value

    def _typed(self, kind: str, value: str, event: Any) -> Any:
        if kind == "null":
            return None
        if kind == "bool":
            return value.lower() == "true"
        if kind == "int":
            if len(value) > MAX_DIGITS:
                self._refuse("a number that is too long", event, f"at most {MAX_DIGITS} digits")
            return int(value, 0) if value[:2] in ("0x", "0o") else int(value)
        if kind == "float":
            number = float(value.lower().replace(".inf", "inf").replace(".nan", "nan"))
            if not math.isfinite(number):
                self._refuse("a number that is not finite", event, "finite numbers")
            return number
        return value

    def _refuse(self, what: str, event: Any, allowed: str) -> None:
        mark = event.start_mark
        raise ConfigurationError(
            f"{what} is not accepted here",
            where=f"{self.name}:{mark.line + 1}:{mark.column + 1}",
            allowed=allowed,
        )
