"""Which breakages are made of a source."""

import ast
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.rules.source import Module
from triage.sabotage.declared import declared_mutants
from triage.sabotage.mutants import function_mutants
from triage.sabotage.pieces import Mutant, Piece, words_of

STANDARD = [path for path in sorted(Path(ast.__file__).parent.glob("*.py")) if path.stat().st_size < 50_000]


def piece(source: str | bytes) -> Piece:
    data = source.encode() if isinstance(source, str) else source
    return Piece(Module("a.py", is_test=False, tree=ast.parse(data)), data)


def made(source: str | bytes) -> list[Mutant]:
    return [*function_mutants(piece(source)), *declared_mutants(piece(source))]


def replaced(source: str) -> set[tuple[str, str]]:
    return {(one.at.partition(" ")[0], one.text) for one in made(source)}


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        ("return a.b", "expr", "__triage_other__(a.b)"),
        ("raise Error", "stmt", "pass"),
        ("a.status = b", "expr", "__triage_other__(b)"),
        ("session.add(a)", "expr", "None"),
        ("await a.add(b)", "expr", "None"),
        ("if a: pass", "expr", "not (a)"),
        ("if a < b: pass", "expr", "(a) >= (b)"),
        ("if a is not b: pass", "expr", "(a) is (b)"),
        ("x = [i for i in a if i in b]", "expr", "(i) not in (b)"),
        ("a(b, limit=c + 1)", "expr", "__triage_other__(c + 1)"),
        ("return send([i for i in a])", "expr", "__triage_other__([i for i in a])"),
        ("yield a", "expr", "__triage_other__(a)"),
        ("a += 1", "expr", "__triage_other__(1)"),
    ],
)
def test_a_statement_is_broken_so(body: str, kind: str, text: str) -> None:
    assert (kind, text) in replaced(f"async def f():\n    {body}\n")


@pytest.mark.parametrize(
    "body",
    ["while a < b: pass", 'x: "int"', '"""Text."""', "pass", "return", "import a", "del a", "global a"],
)
def test_nothing_is_made_of(body: str) -> None:
    assert made(f"def f():\n    {body}\n") == []


def test_after_a_handler_the_function_ends() -> None:
    source = "def f():\n    try:\n        a()\n    except E:\n        raise X\n"
    assert ("stmt", "return") in replaced(source)


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        ("Column(String, default='free')", "value", "__triage_other__('free')"),
        ("Column(String, unique=True)", "refusal", "False"),
        ("Column(String, nullable=False)", "refusal", "True"),
        ("mapped_column(String)", "refusal", "mapped_column(String, nullable=True)"),
        ("Column(Integer, ForeignKey('a.id'))", "refusal", "Column(Integer)"),
        ("relationship('B', cascade='all', **more)", "value", "relationship('B', **more)"),
        ("relationship('B', order_by='B.id')", "value", "relationship('B')"),
        ("relationship('B', lazy=True)", "value", "relationship('B', lazy='noload')"),
        ("3", "value", "__triage_other__(3)"),
        ("field(default_factory=lambda: now())", "function", "__triage_other__(now())"),
    ],
)
def test_what_a_class_declares_is_broken_so(value: str, kind: str, text: str) -> None:
    found = made(f"class A:\n    a = {value}\n")
    assert (kind, text) in {(one.kind, one.text) for one in found}


def test_each_constraint_of_a_table_is_dropped_alone() -> None:
    source = "class A:\n    __table_args__ = (UniqueConstraint('a'), CheckConstraint('b'), {'schema': 'c'})\n"
    assert [one.text for one in made(source)] == [
        "(CheckConstraint('b'), {'schema': 'c'}, )",
        "(UniqueConstraint('a'), {'schema': 'c'}, )",
    ]


def test_the_order_of_kinds_is_the_one_that_tests_notice() -> None:
    source = "def f(a):\n    log.info(a)\n    b.c = a\n    raise a\n    return a\n"
    ranked = sorted(made(source), key=lambda one: one.weight)
    assert [one.line for one in ranked] == [5, 3, 4, 2]


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("head", ["", "\ufeff", "# \u00e4\f\x0b\n"])
def test_spans_are_cut_out_of_any_text(head: str, ends: str) -> None:
    source = (head + 'def f():\n    x = "\u00e4\u4e16"; return "\u00f6" + (1 +\n        2)\n').replace(
        "\n", ends
    )
    (one,) = [each for each in made(source.encode()) if each.what.startswith("another value returned")]
    assert ast.dump(ast.parse(one.text, mode="eval")) == ast.dump(
        ast.parse('__triage_other__("\u00f6" + (1 + 2))', mode="eval")
    )


@settings(deadline=None, max_examples=15)
@given(st.sampled_from(STANDARD))
def test_every_breakage_of_any_source_is_python(path: Path) -> None:
    for one in made(path.read_bytes()):
        if one.kind != "attribute":
            text = one.text if one.at.startswith("stmt") else f"({one.text}\n)"
            compile(text, "a", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("planTiers", {"plan", "tier"}),
        ("HTTPStatus.OK", {"http", "status", "ok"}),
        ("test_get_user", {"user"}),
        ("address", {"address"}),
    ],
)
def test_words_of_names(text: str, words: set[str]) -> None:
    assert words_of(text) == words
