"""One failing test as JUnit XML: the example that a playbook keeps."""

from posixpath import basename, isabs
from xml.etree.ElementTree import Element, SubElement, indent, tostring  # builds only, parses nothing

from triage.model.case import Problem
from triage.model.terms import Outcome, Phase

MAX_CHARS = 6_000  # of a failure's text; its end decides

_SAID = {
    Phase.SETUP: 'failed on setup with "{}"',
    Phase.TEARDOWN: 'failed on teardown with "{}"',
    Phase.COLLECT: "collection failure",
}


def example_xml(name: str, problem: Problem, source: str) -> str:
    """A whole report; `source` says where the failure was seen, of an absolute path its last part."""
    suites = Element("testsuites", name="pytest tests")
    suite = SubElement(suites, "testsuite", name="pytest", tests="1")
    notes = SubElement(suite, "properties")
    SubElement(notes, "property", name="recorded-from", value=basename(source) if isabs(source) else source)
    case = SubElement(suite, "testcase", classname="", name=name, time="0.010")
    head = problem.head
    said = head.message.partition("\n")[0] if head else ""
    shown = f"{head.type}: {said}" if head and head.type else said
    kind = "failure" if problem.outcome is Outcome.FAILED else "error"
    element = SubElement(case, kind, message=_SAID.get(problem.phase, "{}").format(shown))
    element.text = _text(problem)
    indent(suites, " ", 0)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(suites, "unicode")}\n'


def _text(problem: Problem) -> str:
    """As it was reported; where only class and message are known, as pytest would mark them."""
    head = problem.head
    if head is not None and problem.text == head.message:
        lines = (f"{head.type}: {head.message}" if head.type else head.message).split("\n")
        return "\n".join(f"E   {line}" for line in lines)[:MAX_CHARS]
    return problem.text[-MAX_CHARS:]
