"""What pytest wrote, cut down to the one failing case and free of the machine that it ran on."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

MAX_BYTES = 8_000

_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,16}\b")
_LIBRARY = re.compile(r"(?:\.\./)*[^\s\"'(<>]*?(?:site|dist)-packages/")
_PYTHON = re.compile(r"[^\s\"'(<>]*/lib/(python3\.\d+)/")
_ILLEGAL = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def one_failure(report: Path, root: Path, notes: dict[str, str], properties: dict[str, str]) -> str:
    """The report with its one failing case.

    Raises:
        ValueError: there is not exactly one.
    """
    cases = [case for case in ET.parse(report).iter("testcase") if _is_failing(case)]
    if len(cases) != 1:
        raise ValueError(f"{len(cases)} failing cases instead of one")
    return write(_cleaned(cases[0], str(root)), notes, properties)


def documented(text: str, notes: dict[str, str]) -> str:
    """A report around a failure text that no recording can show."""
    case = ET.Element("testcase", classname="test_documented", name="test_documented", time="0.010")
    lines = text.strip("\n").split("\n")
    shown = [line[1:].strip() if line.startswith("E ") else line for line in lines]
    message = next(line for line, given in zip(shown, lines, strict=True) if given.startswith("E "))
    ET.SubElement(case, "failure", message=message).text = "\n".join(lines)
    return write(case, notes, {})


def write(case: ET.Element, notes: dict[str, str], properties: dict[str, str]) -> str:
    """A whole report; `properties` are what a run by triage knows beside the report.

    Raises:
        ValueError: it is larger than an example may be.
    """
    if properties:
        inner = ET.Element("properties")
        for name, value in properties.items():
            ET.SubElement(inner, "property", name=name, value=value)
        case.insert(0, inner)
    kinds = [child.tag for child in case]
    suites = ET.Element("testsuites", name="pytest tests")
    counts = {"errors": str(kinds.count("error")), "failures": str(kinds.count("failure"))}
    suite = ET.SubElement(suites, "testsuite", {"name": "pytest", **counts, "skipped": "0", "tests": "1"})
    outer = ET.SubElement(suite, "properties")
    for name, value in notes.items():
        ET.SubElement(outer, "property", name=name, value=value)
    suite.append(case)
    ET.indent(suites, " ", 0)
    text = f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(suites, "unicode")}\n'
    if len(text.encode()) > MAX_BYTES:
        raise ValueError(f"{len(text.encode()):,} bytes, allowed are {MAX_BYTES:,}")
    return text


def _is_failing(case: ET.Element) -> bool:
    return any(child.tag in ("failure", "error") for child in case)


def _cleaned(case: ET.Element, root: str) -> ET.Element:
    addresses: dict[str, str] = {}

    def address(match: re.Match[str]) -> str:
        return addresses.setdefault(match[0], f"0x7f00000000{len(addresses) + 1:02x}")

    def clean(text: str) -> str:
        text = text.replace(f"{root}/", "/project/" if f"'{root}/" in text else "").replace(root, "/project")
        text = _PYTHON.sub(r"lib/\1/", _LIBRARY.sub("site-packages/", text))
        return _ILLEGAL.sub("?", _ADDRESS.sub(address, text))

    for element in case.iter():
        element.text = clean(element.text) if element.text and element.text.strip() else None
        element.tail = None
        for name, value in element.attrib.items():
            element.set(name, clean(value))
    case.set("time", "0.010")
    return case
