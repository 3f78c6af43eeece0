"""Cuts a JUnit report down to its failing cases, with paths that belong to no machine."""

import os
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

_FAILING = ("failure", "error")
_OUTPUT = ("system-out", "system-err")
_LONGEST_OUTPUT = 3000


@dataclass(frozen=True)
class Cut:
    """What stands in a report for a machine's folders."""

    pairs: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, folder: Path, python: Path) -> "Cut":
        environment = python.parents[1]
        base = python.resolve().parents[1]
        places = [(environment.resolve(), "/srv/venv"), (environment, "/srv/venv"), (base, "/usr/local")]
        # as pytest prints them: relative to the project's folder
        relative = [(os.path.relpath(path, folder), name) for path, name in places]
        return cls((*relative, (str(folder), "/srv/app"), *((str(path), name) for path, name in places)))

    def text(self, value: str | None) -> str | None:
        for found, name in self.pairs if value else ():
            value = (value or "").replace(found, name)
        return value


@dataclass(frozen=True)
class Failing:
    element: ET.Element

    @property
    def classname(self) -> str:
        return self.element.get("classname", "")

    @property
    def name(self) -> str:
        return self.element.get("name", "")

    @property
    def text(self) -> str:
        return "".join(part.text or "" for part in self.element if part.tag in _FAILING)


def _clean(case: ET.Element, places: Cut) -> None:
    for element in case.iter():
        element.tail = "\n"
        element.text = places.text(element.text)
        for name, value in element.attrib.items():
            element.set(name, places.text(value) or "")
    for element in case:
        if element.tag in _OUTPUT and element.text:
            element.text = element.text[:_LONGEST_OUTPUT]


def cut(report: Path, places: Cut) -> list[Failing]:
    """The cases of a report that failed."""
    try:
        root = ET.parse(report).getroot()
    except ET.ParseError:
        return []
    cases = []
    for case in root.iter("testcase"):
        if any(part.tag in _FAILING for part in case):
            _clean(case, places)
            cases.append(Failing(case))
    return cases


def write_suite(path: Path, cases: list[Failing]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    root = ET.Element("testsuites")
    errors = sum(case.element.find("error") is not None for case in cases)
    counts = {"tests": len(cases), "errors": errors, "failures": len(cases) - errors}
    suite = ET.SubElement(root, "testsuite", {"name": "pytest", **{k: str(v) for k, v in counts.items()}})
    suite.extend(case.element for case in cases)
    ET.ElementTree(root).write(path, "utf-8", xml_declaration=True)
