"""A workaround: an automatic fixture of the test module pushes an application context for every test.

Right only where all tests of a module are about code that always runs inside a context. It hides every
missing context of the module, also one that is missing in production: a test of a job or a command turns
green while the program itself still fails.

Judge: run the entry point that calls this code (the command, the job, the script) outside of the tests.

Never touched: modules that have such a fixture, and tests that no application reaches.
"""

import ast
from collections.abc import Iterator

from triage.model.fix import Edit, Proposal, Reach, Refusal, Target
from triage.remedies.applications import app_fixtures, makes_app
from triage.remedies.blocks import line_end
from triage.remedies.contexts import in_production, used_in
from triage.remedies.example import Cured, Spot, Untouched
from triage.remedies.imports import import_edits, top_level_names
from triage.remedies.needs import is_yielding
from triage.remedies.scenes import first_line, pushes
from triage.remedies.source import SourceFile, open_source
from triage.rules.fixtures import Fixture, fixture_index
from triage.rules.source import Module, SourceTree
from triage.rules.syntax import assigned, last_line, within

ID = "autouse-app-context"
_LABEL = "workaround: push an application context for every test of the module"


def propose(target: Target, tree: SourceTree) -> Iterator[Proposal | Refusal]:
    files = list(dict.fromkeys(test.partition("::")[0] for test in target.tests)) or [target.file]
    edits: list[Edit] = []
    for file in files:
        found = _edits(target, tree, file)
        if isinstance(found, str):
            yield Refusal(ID, found, file, target.line)
            return
        edits += found
    yield Proposal(ID, _LABEL, tuple(edits), Reach.MODULE, _judge(target))


def _judge(target: Target) -> str:
    return (
        f"{in_production(target)}"
        "a workaround that hides every missing context of this module, also one that is missing in "
        f"production: run the command, job or script that calls {used_in(target)} outside of the tests "
        "before taking it"
    )


def _edits(target: Target, tree: SourceTree, file: str) -> tuple[Edit, ...] | str:
    if not tree.is_test(file) or file.endswith("conftest.py"):
        return "no test module is known, and for a whole folder of tests this hides too much"
    source, module = open_source(tree, file), tree.module(file)
    if module is None:
        return "the module cannot be parsed"
    if any(_keeps_context(each) for each in fixture_index(tree).closure((), file)):
        return "an automatic fixture pushes a context for every test already"
    fixture = _fixture(target, tree, module, source)
    made = [name for each in module.tree.body for name, value in assigned(each) if makes_app(value)]
    if fixture is None and len(made) != 1:
        return "no single application is in reach of the whole module"
    used = fixture or made[0]
    name = next(n for n in ("app_context", "pushed_app_context") if n not in top_level_names(source))
    lines = (
        "",
        "",
        "@pytest.fixture(autouse=True)",
        f"def {name}({fixture or ''}):",
        f"{source.unit}with {used}.app_context():",
        f"{source.unit * 2}yield",
    )
    return (_at_head(source, module, lines), *import_edits(source, "", "pytest"))


def _keeps_context(fixture: Fixture) -> bool:
    return fixture.autouse and any(
        pushes(each) and is_yielding(each) for each in within(fixture.node) if isinstance(each, ast.stmt)
    )


def _fixture(target: Target, tree: SourceTree, module: Module, source: SourceFile) -> str | None:
    """The only one that gives an application, the observed one, or the one of the usual name."""
    known = [
        each for each in app_fixtures(tree, module.path) if each.scope in ("function", "session", "module")
    ]
    chosen = [each for each in known if each.name == target.names.get("fixture")]
    chosen = chosen or [each for each in known if each.name == "app"] or known
    is_hidden = any(each.file != module.path and each.name in top_level_names(source) for each in chosen)
    return chosen[0].name if len(chosen) == 1 and not is_hidden else None


def _at_head(source: SourceFile, module: Module, lines: tuple[str, ...]) -> Edit:
    """Before the first function or class; what the module binds before it stays before it."""
    body = module.tree.body
    first = next(
        (n for n, each in enumerate(body) if isinstance(each, ast.ClassDef | ast.FunctionDef)), len(body)
    )
    after = last_line(body[first - 1]) if first else first_line(body[0]) - 1
    at = line_end(source, after) if after else 0
    return Edit(source.file, at, at, "".join(f"{line}{source.newline}" for line in lines))


_FILE = "tests/test_shop.py"
_FIXTURE = (
    "@pytest.fixture(autouse=True)\ndef app_context({0}):\n    with {1}.app_context():\n        yield\n"
)
_TEST = "def test_lead():\n    assert lead() == 3\n"
_CONFTEST = "@pytest.fixture\ndef app():\n    return create_app()\n"
_APP = "from shop import create_app, lead\n\nflask_app = create_app()\n"

CURED = (
    Cured(
        {"tests/conftest.py": _CONFTEST, _FILE: f"import pytest\nfrom shop import lead\n\n\n{_TEST}"},
        Spot(_FILE, 6),
        {_FILE: f"import pytest\nfrom shop import lead\n\n\n{_FIXTURE.format('app', 'app')}\n\n{_TEST}"},
    ),
    Cured(
        {_FILE: f"{_APP}\n\n{_TEST}"},
        Spot(_FILE, 7, tests=(f"{_FILE}::test_lead",)),
        {
            _FILE: f"{_APP}\n\n{_FIXTURE.format('', 'flask_app')}\n\n{_TEST}".replace(
                "lead\n\n", "lead\nimport pytest\n\n", 1
            )
        },
    ),
)
UNTOUCHED = (
    Untouched({_FILE: _TEST}, Spot(_FILE, 2), "no application is in reach"),
    Untouched(
        {_FILE: _FIXTURE.format("app", "app") + _CONFTEST + _TEST},
        Spot(_FILE, 9),
        "one pushes a context already",
    ),
    Untouched(
        {"tests/conftest.py": _CONFTEST}, Spot("tests/conftest.py", 3), "it would act on a whole folder"
    ),
)
