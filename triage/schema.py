"""The only door to jsonschema: validation with errors that a person can act on."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from triage.errors import ConfigurationError
from triage.resources import data_folder
from triage.yamlfile import YamlDocument

MAX_SHOWN = 120  # characters of an offending value in a message

_PATTERNS = {
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}$": "a date such as 2027-06-01",
    "^[a-z][a-z0-9]*(-[a-z0-9]+)*$": "lower-case words with dashes between them, such as not-null",
}
_MISSING = {
    "string": "a text is missing",
    "array": "a list is missing",
    "object": "keys and values are missing",
    "integer": "a number is missing",
    "number": "a number is missing",
}

_HINTS = {
    "project": "see docs/reference/project-file.md; `triage init` writes one for a folder that has none",
    "workspace": "see docs/reference/workspace-file.md",
    "playbook": "compare with one that is valid: triage playbooks show not-null",
}


@cache
def _validator(name: str) -> Any:
    from jsonschema import Draft7Validator  # noqa: PLC0415 - costs 0.1 s that `--help` must not pay
    from referencing import Registry  # noqa: PLC0415 - likewise

    schema = json.loads((data_folder("schemas") / f"{name}.schema.json").read_text("utf-8"))
    return Draft7Validator(schema, registry=Registry())  # empty registry: no $ref is ever fetched


def warm(schema: str) -> None:
    """Gets a schema ready, so that the first validation need not."""
    _validator(schema)


def validate(document: YamlDocument, schema: str, memory: Path | None = None) -> None:
    """Check a file's data against `schemas/<schema>.schema.json`.

    `memory` is a folder that remembers what was valid: the same data is not checked twice.

    Raises:
        ConfigurationError: lists every problem with file, line, column and what is allowed.
    """
    known = memory / _key(document.data, schema) if memory else None
    if known is not None and known.exists():
        return
    problems = [(document.where(path), sentence) for path, sentence in _problems(document.data, schema)]
    if problems:
        (where, sentence), *rest = dict.fromkeys(problems)
        what = "\n".join([sentence, *(f"  {at}: {told}" for at, told in rest)])
        raise ConfigurationError(what, where=where, hint=_HINTS.get(schema))
    if known is not None:
        with suppress(OSError):  # a memory that cannot be written costs time, nothing else
            known.parent.mkdir(parents=True, exist_ok=True)
            known.touch()


def _key(data: Any, schema: str) -> str:
    content = (data_folder("schemas") / f"{schema}.schema.json").read_bytes()
    return hashlib.sha256(content + json.dumps(data, sort_keys=True).encode()).hexdigest()[:32]


def first_problem(data: Any, schema: str) -> str | None:
    """The first way in which plain data does not fit the schema, for output that we wrote ourselves."""
    for path, sentence in _problems(data, schema):
        return f"{'.'.join(map(str, path)) or 'document'}: {sentence}"
    return None


def _problems(data: Any, schema: str) -> Iterator[tuple[tuple[str | int, ...], str]]:
    errors = sorted(_validator(schema).iter_errors(data), key=lambda error: list(map(str, error.path)))
    for error in errors:
        yield from _explain(error)


def _explain(error: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    path = tuple(error.absolute_path)
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        for key in (key for key in error.instance if key not in known):
            yield (*path, key), _unknown_key(key, known)
    elif error.validator in ("anyOf", "oneOf"):
        inner = min(error.context, key=lambda one: -len(one.absolute_path), default=None)
        if inner is not None and len(inner.absolute_path) > len(path):
            yield from _explain(inner)
        elif error.instance is None:
            yield path, "a value is missing" + _description(error.schema)
        else:
            yield path, f"{_shown(error.instance)} is not of an allowed form" + _description(error.schema)
    elif error.validator == "enum":
        allowed = ", ".join(map(str, error.validator_value))
        yield path, f"{_shown(error.instance)} is not allowed; allowed: {allowed}"
    elif error.validator == "type":
        yield path, _of_type(error.instance, error.validator_value, path)
    elif error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        yield path, f"missing: {', '.join(missing)}"
    else:
        yield path, _of_text(error)


def _of_type(value: Any, wanted: Any, path: tuple[str | int, ...]) -> str:
    if value is None and not path:
        return "the file is empty"
    if value is None and isinstance(wanted, str) and wanted in _MISSING:
        return _MISSING[wanted]
    return f"{_shown(value)} is not of type {wanted}"


def _of_text(error: Any) -> str:
    if error.validator == "pattern" and error.validator_value in _PATTERNS:
        return f"{_shown(error.instance)} is not allowed; allowed: {_PATTERNS[error.validator_value]}"
    if error.validator == "minLength" and not error.instance:
        return _MISSING["string"]
    message: str = error.message
    return message if len(message) <= MAX_SHOWN else f"{message[:MAX_SHOWN]}..."


def _unknown_key(key: str, known: Iterable[str]) -> str:
    close = get_close_matches(key, list(known), n=1)
    hint = f"; did you mean {close[0]!r}?" if close else f"; allowed: {', '.join(sorted(known))}"
    return f"unknown key {key!r}{hint}"


def _description(schema: Any) -> str:
    text = schema.get("description")
    return f"; allowed: {text}" if text else ""


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."
