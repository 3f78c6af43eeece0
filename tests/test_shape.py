"""What keeps the house readable: sizes, and knowledge that stands where it belongs."""

import ast
import statistics
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLUGIN = ROOT / "triage" / "probes" / "plugin"  # one file by contract: it is injected into other Pythons
SOURCES = [path for path in (ROOT / "triage").rglob("*.py") if PLUGIN not in path.parents]
MAX_FILE, MAX_FUNCTION = 350, 60


def _lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def test_files_stay_short() -> None:
    sizes = {path: size for path in SOURCES if (size := _lines(path))}
    assert {str(path) for path, size in sizes.items() if size > MAX_FILE} == set()
    assert statistics.median(sizes.values()) <= 140


def test_functions_stay_short() -> None:
    sizes = [
        ((node.end_lineno or node.lineno) - node.lineno + 1, f"{path}:{node.name}")
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]
    assert [name for size, name in sizes if size > MAX_FUNCTION] == []
    assert statistics.median(size for size, _ in sizes) <= 12


def test_neither_code_nor_playbooks_know_a_reference_project() -> None:
    words = {folder.name for folder in (ROOT / "projects").iterdir() if folder.is_dir()} | {"tithi"}
    texts = {
        path: path.read_text("utf-8").lower() for path in [*SOURCES, *(ROOT / "playbooks").glob("*.yaml")]
    }
    assert [f"{path}: {word}" for path, text in texts.items() for word in words if word in text] == []
