"""Masks what a run left in its folder; small parts of each file at a time, whole files replaced."""

import html
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from triage.text import Masker

_PART = 1_000_000
_KEY_LINES = 200  # no private key has more
_TAG = re.compile(r"<[^<>]*>")
_VALUE = re.compile(r'"[^"<>]*"')
_BEGIN, _END = b"PRIVATE KEY-----", b"-----END "


def mask_folder(folder: Path, masker: Masker) -> tuple[str, ...]:
    """Masks the report, the lines and the output in `folder`; gives a sentence for each that stays as it was.

    Parse first: two tests whose parameters are masked have one name.
    """
    ways: list[tuple[str, Callable[[str, Masker], str]]] = [
        ("junit.xml", _xml),
        ("output.log", _plain),
        ("events.jsonl", _lines),
        ("events.jsonl.gw*", _lines),
        ("events.jsonl.stacks", _plain),
        ("cache/v/cache/*", _plain),  # names of tests
    ]
    notes = []
    for pattern, way in ways:
        for path in sorted(folder.glob(pattern)):
            try:
                _mask_file(path, way, masker)
            except OSError as error:
                notes.append(f"{path.name} may hold secrets: it could not be masked: {error.strerror}")
    return tuple(notes)


def _mask_file(path: Path, way: Callable[[str, Masker], str], masker: Masker) -> None:
    if all(_masked(part, way, masker) is part for part in _parts(path)):
        return
    temporary = path.with_name(f"{path.name}.masked")
    try:
        with temporary.open("wb") as file:
            file.writelines(_masked(part, way, masker) for part in _parts(path))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _parts(path: Path) -> Iterator[bytes]:
    """Whole lines, a private key's together."""
    with path.open("rb") as file:
        while lines := file.readlines(_PART):
            part = b"".join(lines)
            if part.rfind(_BEGIN) > part.rfind(_END):
                rest = []
                for line in file:
                    rest.append(line)
                    if _END in line or len(rest) == _KEY_LINES:
                        break
                part += b"".join(rest)
            yield part


def _masked(part: bytes, way: Callable[[str, Masker], str], masker: Masker) -> bytes:
    """`part` itself where nothing in it is masked."""
    text = part.decode(errors="replace")
    found = way(text, masker)
    return part if found == text else found.encode()


def _plain(text: str, masker: Masker) -> str:
    return masker.mask(text)


def _xml(text: str, masker: Masker) -> str:
    """Texts and values of attributes one by one, so that no pattern reaches over a tag."""
    shown = html.unescape(text)
    if masker.mask(shown) == shown and masker.mask(text) == text:
        return text
    found, end = [], 0
    for tag in _TAG.finditer(text):
        found += [
            _escaped(text[end : tag.start()], masker),
            _VALUE.sub(lambda value: _attribute(value[0], masker), tag[0]),
        ]
        end = tag.end()
    return "".join([*found, _escaped(text[end:], masker)])


def _attribute(quoted: str, masker: Masker) -> str:
    found = _escaped(quoted[1:-1], masker)
    return (
        quoted if found == quoted[1:-1] else '"' + found.replace('"', "&quot;").replace("\n", "&#10;") + '"'
    )


def _escaped(text: str, masker: Masker) -> str:
    """Masks a text as it is read, and escapes it again."""
    shown = html.unescape(text)
    found = masker.mask(shown)
    return text if found == shown else escape(found)


def _lines(text: str, masker: Masker) -> str:
    if masker.mask(text) == text and "\\" not in text:
        return text
    return "".join(_line(line, masker) for line in re.findall(r"[^\n]*\n|[^\n]+", text))


def _line(line: str, masker: Masker) -> str:
    """A record is masked string by string: so it stays one."""
    if "\\" not in line and masker.mask(line) == line:
        return line
    try:
        record = json.loads(line)
        found = _values(record, masker)
    except (ValueError, RecursionError):
        return masker.mask(line)
    return line if found == record else json.dumps(found, separators=(",", ":")) + "\n"


def _values(value: Any, masker: Masker) -> Any:
    if isinstance(value, str):
        return _string(value, masker)
    if isinstance(value, dict):
        return {_string(key, masker): _values(one, masker) for key, one in value.items()}
    return [_values(one, masker) for one in value] if isinstance(value, list) else value


def _string(value: str, masker: Masker) -> str:
    """A lone surrogate alone changes nothing."""
    shown = value.encode(errors="replace").decode()
    found = masker.mask(shown)
    return value if found == shown else found
