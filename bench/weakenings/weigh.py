"""The guard over hand-written edits: ways to weaken a test or loosen a model, and honest cures.

Usage: python bench/weakenings/weigh.py [--write]. Exit status 1 where one is missed or an honest one alarms.
A case is a file below `weaker/` (with the kinds of which one must be reported) or `honest/`.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))  # triage itself, from this checkout

from triage.guard.compare import weakenings  # noqa: E402 - needs the path
from triage.model.fix import Weakening  # noqa: E402 - needs the path

RESULTS = ROOT / "bench" / "results" / "weakenings.md"


@dataclass(frozen=True, slots=True)
class Case:
    """`kinds`: one of them must be reported; empty for an honest edit."""

    name: str
    title: str
    kinds: tuple[str, ...]
    before: dict[str, bytes]
    after: dict[str, bytes]

    def is_right(self, found: tuple[Weakening, ...]) -> bool:
        kinds = {each.kind for each in found}
        return bool(kinds & set(self.kinds)) if self.kinds else not found


def is_test(path: str) -> bool:
    return path.startswith("tests/")


def cases() -> Iterator[Case]:
    for path in sorted(FOLDER.glob("*/*.yaml")):
        data = yaml.safe_load(path.read_text("utf-8"))
        yield Case(
            f"{path.parent.name}/{path.stem}",
            data["title"],
            tuple(data.get("kinds", ())),
            {name: text.encode() for name, text in data["before"].items()},
            {name: text.encode() for name, text in data["after"].items()},
        )


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.relative_to(ROOT)}")
    asked = parser.parse_args(argv)
    started = time.process_time()
    judged = [(case, weakenings(case.before, case.after, is_test)) for case in cases()]
    used_ms = (time.process_time() - started) * 1000 / len(judged)
    weaker = [case.is_right(found) for case, found in judged if case.kinds]
    honest = [case.is_right(found) for case, found in judged if not case.kinds]
    lines = [
        "# Ways to weaken a test or loosen a model",
        "",
        "Made by `python bench/weakenings/weigh.py --write`; a case is a file there. The guard of the",
        "nearest peer catches 3 of the first twelve (`assert` deleted, skip mark, xfail mark).",
        "",
        f"- caught: {sum(weaker)} of {len(weaker)} (limit: all, of at least 30)",
        f"- false alarms: {honest.count(False)} of {len(honest)} honest edits (limit 0)",
        f"- {used_ms:.1f} ms of CPU for one",
        "",
        "| case | what | said | right |",
        "| --- | --- | --- | --- |",
        *(_row(case, found) for case, found in judged),
    ]
    if asked.write:
        RESULTS.write_text("\n".join(lines) + "\n", "utf-8")
    print("\n".join(lines))
    return 0 if all(weaker) and all(honest) else 1


def _row(case: Case, found: tuple[Weakening, ...]) -> str:
    said = ", ".join(dict.fromkeys(each.kind for each in found)) or "nothing"
    return f"| {case.name} | {case.title} | {said} | {'yes' if case.is_right(found) else 'NO'} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
