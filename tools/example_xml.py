"""What a test runner wrote, cut down to the one failing case and free of the machine that it ran on."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

from example_case import Documented

MAX_BYTES = 8_000

_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,16}\b")
_LIBRARY = re.compile(r"(?:\.\./)*[^\s\"'(<>]*?(?:site|dist)-packages/")
_PYTHON = re.compile(r"[^\s\"'(<>]*/lib/(python3\.\d+)/")
_MOCK_ID = re.compile(r"\bid='\d{12,}'")
_STAMP = re.compile(r"-\d{14}$")  # unittest-xml-reporting's
_ILLEGAL = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# versions and times, lines, addresses, UUIDs, large numbers, the fixtures of installed plugins
_VARIES = re.compile(
    r"\d+(?:[.:]\d+)+|\d+(?:-\d+){2,}|(?<=:)\d+\b|(?<=line )\d+|\b0x[0-9a-f]+\b"
    r"|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-\w{12}|\bpython3\.\d+|\b\d{5,}\b|(?<=available fixtures: ).*"
)
_SAID = re.compile(r"^E (.*)$", re.MULTILINE)


def one_failure(
    reports: Iterable[Path], root: Path, notes: Mapping[str, str], properties: Mapping[str, str]
) -> str:
    """The report with its one failing case.

    Raises:
        ValueError: there is not exactly one.
    """
    suites = [suite for report in reports for suite in ET.parse(report).iter("testsuite")]
    cases = [(suite, case) for suite in suites for case in suite.iterfind("testcase") if _is_failing(case)]
    if len(cases) != 1:
        raise ValueError(f"{len(cases)} failing cases instead of one")
    suite, case = cases[0]
    return write(_cleaned(case, str(root)), notes, properties, _STAMP.sub("", suite.get("name", "")))


def documented(given: Documented, notes: Mapping[str, str]) -> str:
    """A report around a failure text that no recording can show."""
    case = ET.Element("testcase", classname="test_documented", name="test_documented", time="0.010")
    lines = given.text.strip("\n").split("\n")
    said = next((line[1:].strip() for line in lines if line.startswith("E ")), lines[-1])
    kind = "error" if given.is_error else "failure"
    ET.SubElement(case, kind, message=given.message or said).text = "\n".join(lines)
    return write(case, notes, {})


def fingerprint(text: str) -> str:
    """What a report's failure says, without what differs from one environment to the next."""
    said = []
    for element in ET.fromstring(text).iter():
        if element.tag in ("failure", "error"):
            body = element.text or ""
            lines = _SAID.findall(body) or [line for line in body.splitlines() if not line.startswith("  ")]
            said += [element.tag, element.get("type", ""), element.get("message", ""), *lines]
    return _VARIES.sub("#", "\n".join(said))


def write(
    case: ET.Element, notes: Mapping[str, str], properties: Mapping[str, str], suite_name: str = "pytest"
) -> str:
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
    suites = ET.Element("testsuites", {"name": "pytest tests"} if suite_name == "pytest" else {})
    counts = {"errors": str(kinds.count("error")), "failures": str(kinds.count("failure"))}
    suite = ET.SubElement(suites, "testsuite", {"name": suite_name, **counts, "skipped": "0", "tests": "1"})
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

    def mock_id(match: re.Match[str]) -> str:
        return addresses.setdefault(match[0], f"id='14000000000{len(addresses) + 1:04}'")

    def clean(text: str) -> str:
        text = text.replace(f"{root}/", "/project/" if f"'{root}/" in text else "").replace(root, "/project")
        text = _PYTHON.sub(r"lib/\1/", _LIBRARY.sub("site-packages/", text))
        return _ILLEGAL.sub("?", _MOCK_ID.sub(mock_id, _ADDRESS.sub(address, text)))

    for element in case.iter():
        element.text = clean(element.text) if element.text and element.text.strip() else None
        element.tail = None
        for name, value in element.attrib.items():
            element.set(name, clean(value))
    case.set("time", "0.010")
    case.attrib.pop("timestamp", None)
    return case
