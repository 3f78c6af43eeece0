"""A drafted playbook to YAML that a person goes on with; every text is a quoted scalar."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from triage.text import clean_text

_WIDTH = 118
_RESERVED = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}  # of YAML 1.1 and 1.2


def playbook_yaml(data: Mapping[str, Any], head: Sequence[str]) -> str:
    """The file; `head` are its comments, the first of them the editors' modeline."""
    return "\n".join([*(f"# {line}" for line in head), *_entries(data, "")]) + "\n"


def _entries(data: Mapping[str, Any], indent: str) -> list[str]:
    return [line for key, value in data.items() for line in _entry(key, value, indent)]


def _entry(key: str, value: Any, indent: str) -> list[str]:
    if isinstance(value, Mapping) and any(isinstance(one, (list, tuple, Mapping)) for one in value.values()):
        return [f"{indent}{key}:", *_entries(value, f"{indent}  ")]
    if isinstance(value, (list, tuple)) and value:
        return [f"{indent}{key}:", *(line for one in value for line in _item(one, f"{indent}  "))]
    return [f"{indent}{key}: {_flow(value)}"]


def _item(value: Any, indent: str) -> list[str]:
    if isinstance(value, Mapping) and ("message" in value or len(f"{indent}- {_flow(value)}") > _WIDTH):
        first, *others = _entries(value, f"{indent}  ")
        return [f"{indent}- {first.lstrip()}", *others]
    return [f"{indent}- {_flow(value)}"]


def scalar(value: Any) -> str:
    """On one line."""
    return _flow(value)


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str) and _is_plain(value):
        return value
    if isinstance(value, str) and "\\" in value and "\n" not in value:
        return "'" + clean_text(value).replace("'", "''") + "'"  # an expression stays as it is read
    return json.dumps(clean_text(value) if isinstance(value, str) else value, ensure_ascii=False)


def _is_plain(text: str) -> bool:
    """A word that no reader of YAML takes for anything but a text."""
    return text.replace("-", "").isalpha() and text.isascii() and text.lower() not in _RESERVED
