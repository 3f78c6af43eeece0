"""Reads the labels that stand as comments above the tests of the suites.

    # label: not-null
    # label: unknown|plain-assertion; tricky: handled cause; needs: frames

Several ids mean that each of them is right and none is specific enough to be claimed. `needs: frames`
leaves out the traceback styles that print no frames, where nobody could tell. A comment never gets into
a traceback: a statement's source starts at its decorators.
"""

import re
from dataclasses import dataclass
from pathlib import Path

_LABEL = re.compile(r"^\s*# label(?P<module>-module)?: (?P<text>.+)$")
_TEST = re.compile(r"^\s*(?:async )?def (?P<name>test_\w+|setUpClass)\(")


@dataclass(frozen=True)
class Label:
    module: str  # the test file's name without suffix
    name: str | None  # None: the whole module does not load
    ids: str  # one id, or several separated by |
    tricky: str | None
    frames: bool


def _label(module: str, name: str | None, text: str) -> Label:
    ids, *rest = (part.strip() for part in text.split(";"))
    more = dict(part.split(": ", 1) for part in rest)
    return Label(module, name, ids, more.get("tricky"), more.get("needs") == "frames")


def read_labels(suite: Path) -> list[Label]:
    """The labels of every test file of a suite, in the order of the files."""
    labels = []
    for path in sorted((suite / "tests").glob("test_*.in")):
        module, waiting = path.name.partition(".")[0], None
        for line in path.read_text("utf-8").splitlines():
            if found := _LABEL.match(line):
                if found["module"]:
                    labels.append(_label(module, None, found["text"]))
                else:
                    waiting = found["text"]
            elif (test := _TEST.match(line)) and waiting is not None:
                labels.append(_label(module, test["name"], waiting))
                waiting = None
    return labels


def function_of(name: str) -> str:
    """`test_a` of `test_a[3]`, of `test_a (tests.test_x.Case)` and of a subtest's longer name."""
    found = re.match(r"\w+", name)
    return found[0] if found else name
