"""Statements of the tests go into a block that pushes a context of Flask's."""

import ast
from collections.abc import Iterator, Sequence

from triage.model.fix import Edit, Reach, Target
from triage.remedies.applications import application
from triage.remedies.blocks import frozen_lines, indent, line_text
from triage.remedies.needs import runs
from triage.remedies.scenes import SETUPS, Block, Scene, first_line, scene_of, tested
from triage.remedies.source import SourceFile
from triage.rules.entries import handed_on
from triage.rules.factories import factory_index
from triage.rules.handing import Births
from triage.rules.makers import makers
from triage.rules.model_index import model_index
from triage.rules.source import SourceTree
from triage.rules.syntax import calls_within, contains, last_line, terminal, within

_DEPTH = 3  # helpers that call one another


def wrapped(source: SourceFile, run: Sequence[ast.stmt], head: str) -> list[Edit]:
    """`head` above these statements of one block, and one step more before each of their lines.

    The edits replace the white space at the start of the lines, so that two blocks round the same
    line clash. Lines inside a string stay as they are.
    """
    first, last = first_line(run[0]), max(last_line(each) for each in run)
    outer, frozen = indent(source, first), frozen_lines(source)
    found = [_led(source, first, f"{outer}{head}{source.newline}{outer}{source.unit}")]
    moved = [n for n in range(first + 1, last + 1) if n not in frozen and line_text(source, n).strip()]
    return [*found, *(_led(source, line, source.unit + indent(source, line)) for line in moved)]


def _led(source: SourceFile, line: int, text: str) -> Edit:
    start = source.offset(line, 0)
    return Edit(source.file, start, start + len(indent(source, line)), text)


def with_context(scene: Scene, method: str, chosen: Sequence[Block] = ()) -> tuple[Edit, ...] | str:
    """The statements that need it, or those chosen, inside `with <application>.<method>:`."""
    found = list(chosen) or runs(scene)[0]
    if shares_header(scene, found[0]):
        return "the call stands on the line of what holds it; give it a line of its own first"
    known = application(scene, first_line(found[0][0]))
    if isinstance(known, str):
        return known
    head = f"with {known.expression}.{method}:"
    return (*known.edits, *(edit for run in found for edit in wrapped(scene.source, run, head)))


def refused(scene: Scene) -> str:
    """Why no block round this statement helps; empty: it may."""
    for node in ast.walk(scene.statement):
        starts = handed_on(node) if isinstance(node, ast.Call) else ()
        if any("thread" in start.remark for _, start in starts):
            return "the code runs in a thread of its own, and a context does not follow into a thread"
    own = scene.functions[0] if scene.functions else None
    for piece in scene.target.evidence:
        is_here = piece.kind == "thread" and piece.file == scene.source.file and own is not None
        if is_here and own is not None and contains(own, piece.line):
            return f"the code runs in a thread started at line {piece.line}, where no context follows"
    return ""


def shares_header(scene: Scene, run: Block) -> bool:
    """Whether the statements stand on the line of what holds them (`def f(): return 1`)."""
    owners = [step.owner for step in scene.steps if run[0] in step.block]
    return bool(owners) and first_line(run[0]) == getattr(owners[0], "lineno", 0)


def hands_out_rows(scene: Scene) -> bool:
    """Whether the function returns, yields or keeps as `self.x` an object of a model."""
    models = model_index(scene.tree)
    if not models.models or not scene.functions:
        return False
    births = Births(models, factory_index(scene.tree), makers(scene.tree))
    return any(births.handed_out(scene.functions[0], scene.module, attributes=True))


def leaving(scene: Scene) -> list[ast.Return | ast.Yield]:
    """Where the innermost function hands something out."""
    nodes = within(scene.functions[0]) if scene.functions else ()
    return [each for each in nodes if isinstance(each, ast.Return | ast.Yield) and each.value is not None]


def is_helper(scene: Scene) -> bool:
    """What tests and fixtures call, also what a fixture hands them; pytest and unittest do not."""
    if scene.outer is None or scene.is_test:
        return False
    if scene.fixture is not None:
        return len(scene.functions) > 1
    return scene.outer.name not in (*SETUPS, "tearDown", "tearDownClass", "teardown_method")


def reach(scene: Scene) -> Reach:
    is_set_up = scene.fixture is not None or not (scene.is_test or is_helper(scene))
    return Reach.FIXTURE if is_set_up else Reach.STATEMENT


def callers(scene: Scene) -> Iterator[Scene]:
    """The statements of the target's tests that call this helper, also through other helpers.

    Where no test does, those of fixtures and helpers that call it themselves.
    """
    if scene.outer is None:
        return
    names = _leading_to(scene.tree, scene.outer.name)
    seen = set()
    for test in scene.target.tests:
        known = tested(scene.tree, test)
        calls = [each for each in calls_within(known[1]) if terminal(each) in names] if known else []
        if known and calls and (known[0], calls[0].lineno) not in seen:
            seen.add((known[0], calls[0].lineno))
            found = scene_of(scene.target, scene.tree, known[0], calls[0].lineno)
            if isinstance(found, Scene):
                yield found
    if not seen:
        yield from _in_support(scene, scene.outer.name)


def _in_support(scene: Scene, name: str) -> Iterator[Scene]:
    for module in scene.tree.modules(name.encode(), tests=True):
        for function in module.functions:
            calls = [each for each in calls_within(function) if terminal(each) == name]
            found = scene_of(scene.target, scene.tree, module.path, calls[0].lineno) if calls else ""
            if isinstance(found, Scene) and not found.is_test and not hands_out_rows(found):
                yield found


def _leading_to(tree: SourceTree, name: str) -> set[str]:
    names = {name}
    for _ in range(_DEPTH):
        names |= {
            function.name
            for module in tree.modules(*(each.encode() for each in sorted(names)), tests=True)
            for function in module.functions
            if not function.name.startswith("test")
            and any(terminal(e) in names for e in calls_within(function))
        }
    return names


def in_production(target: Target, *, is_request: bool = False) -> str:
    """For the head of a judgement: which entry of the product reaches the code, where the source tells it.

    An application's context that is pushed there says nothing of a request.
    """
    told = [one.text for one in target.evidence if one.kind == "production"]
    without = next((one for one in told if "without" in one), "")
    if without:
        return f"{without}, which this change would hide from the tests; "
    within_one = next((one for one in told if one.startswith("in production")), "")
    return f"{within_one}; " if within_one and not is_request else ""


def used_in(target: Target) -> str:
    """For a sentence: what needs the context."""
    name = target.names.get("function", "")
    return f"`{name}`" if name and not name.startswith(("__", "<")) else "the code that is called"
