"""Unknown failures of known causes: CPU seconds and adjusted Rand index of masks, clusters and Drain3.

Usage: python bench/clustering.py [failures]; writes bench/results/clustering.md. Drain3 is installed
into an environment of its own, where a package index can be reached.
"""

import gc
import json
import subprocess
import sys
import tempfile
import time
import venv
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import comb
from pathlib import Path
from typing import NamedTuple

from side_by_side import machine

from triage.clustering.clusters import clusters
from triage.clustering.signature import parts_of, signature
from triage.junit.cases import read_cases
from triage.model.case import Frame
from triage.store.opening import open_store
from triage.store.store import Store
from triage.text import Masker

ROOT = Path(__file__).resolve().parent.parent
CPU_LIMIT_S, RAND_LIMIT = 2.0, 0.99
DRAIN = """
import json, sys, time
from drain3 import TemplateMiner
from drain3.template_miner_config import TemplateMinerConfig
lines = json.load(sys.stdin)
config = TemplateMinerConfig()
config.parametrize_numeric_tokens = False  # else places with a digit are no places to it
miner = TemplateMiner(config=config)
began = time.process_time()
found = [miner.add_log_message(line)["cluster_id"] for line in lines]
json.dump([time.process_time() - began, found], sys.stdout)
"""


class Value(NamedTuple):
    """What clustering begins with."""

    type: str
    message: str
    frames: tuple[Frame, ...]


@dataclass(frozen=True)
class Failures:
    values: list[Value]
    causes: list[int]


class Found(NamedTuple):
    cpu_s: float
    labels: Sequence[Hashable]


def rand_index(truth: Sequence[Hashable], found: Sequence[Hashable]) -> float:
    """The adjusted Rand index of Hubert and Arabie: 1 for equal partitions, 0 for chance."""
    both, one, other = (
        sum(comb(size, 2) for size in Counter(labels).values())
        for labels in (zip(truth, found, strict=True), truth, found)
    )
    expected = one * other / comb(len(truth), 2)
    return (both - expected) / ((one + other) / 2 - expected)


def failures(folder: Path, count: int, noise: int, night: int = 0) -> Failures:
    """Generated, and read as any report is."""
    path, truth = folder / "report.xml", folder / "truth.jsonl"
    command = [sys.executable, str(ROOT / "bench" / "generate_junit.py"), "--cases", str(count)]
    options = ["--failing", "1", "--noise", str(noise), "--night", str(night), "--truth", str(truth)]
    subprocess.run([*command, *options, str(path)], check=True)
    heads = [case.problems[0].head for case in read_cases(path, Masker(())) if case.outcome.is_failing]
    values = [Value(head.type, head.message, head.frames) for head in heads if head is not None]
    causes = [json.loads(line)["cause"] for line in truth.open(encoding="utf-8")]
    gc.freeze()  # what is given is no part of the cost
    return Failures(values, causes)


def masks(given: Failures) -> Found:
    """Signatures as they are."""
    began = time.process_time()
    found = [signature(*value) for value in given.values]
    return Found(time.process_time() - began, found)


def ours(given: Failures) -> Found:
    began = time.process_time()
    signatures = [signature(*value) for value in given.values]
    found = clusters(signatures)
    labels = [found[one].fingerprint for one in signatures]
    return Found(time.process_time() - began, labels)


def drain(lines: Sequence[str], python: Path | None) -> Found | None:
    """By itself, in one process."""
    if python is None:
        return None
    ran = subprocess.run(
        [str(python), "-c", DRAIN], input=json.dumps(lines), capture_output=True, text=True, check=True
    )
    return Found(*json.loads(ran.stdout))


def plain_line(value: Value) -> str:
    """The own places first, which its tree begins with, then three lines of the message as they are."""
    own = [f"{frame.file}:{frame.function}" for frame in value.frames if frame.kind == "project"]
    return " ".join([*own, f"{value.type}:", *value.message.split("\n")[:3]])


def masked_line(value: Value) -> str:
    parts = parts_of(signature(*value))
    return f"{parts.places} {parts.type}: {parts.said}"


def drain_python(folder: Path) -> Path | None:
    """An environment with Drain3; None where it cannot be had."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "drain3==0.9.11"]
    return python if subprocess.run(pip, check=False).returncode == 0 else None


def kept(folder: Path, count: int, noise: int) -> float:
    """The share of causes that keep a fingerprint from one night of a history to the next."""
    with open_store(folder / f"nights-{count}-{noise}.db") as store:
        first, second = (_names(failures(folder, count, noise, night), store) for night in (1, 2))
    both = first.keys() & second.keys()
    same = [cause for cause in both if second[cause].most_common(1)[0][0] in first[cause]]
    return len(same) / len(both)


def _names(given: Failures, store: Store) -> dict[int, Counter[str]]:
    """Fingerprints of each cause; they are kept as recording a run does."""
    from triage.store.clusters import remember  # noqa: PLC0415 - SQLAlchemy, for this part alone

    signatures = [signature(*value) for value in given.values]
    found = clusters(signatures, store.known_clusters)
    with store._database.writing() as connection:  # noqa: SLF001 - without the rest of a run
        remember(connection, found.values())
    names: dict[int, Counter[str]] = defaultdict(Counter)
    for cause, one in zip(given.causes, signatures, strict=True):
        names[cause][found[one].fingerprint] += 1
    return names


def row(name: str, given: Failures, found: Found | None) -> str:
    if found is None:
        return f"| {name} | not installed | - | - |"
    index = rand_index(given.causes, found.labels)
    return f"| {name} | {found.cpu_s:.2f} | {len(set(found.labels))} | {index:.4f} |"


def table(title: str, given: Failures, python: Path | None) -> list[str]:
    return [
        f"## {title}",
        "",
        "| what | CPU s | clusters | adjusted Rand index |",
        "| --- | --- | --- | --- |",
        row("masks alone", given, masks(given)),
        row("clusters", given, ours(given)),
        row("Drain3 0.9.11", given, drain([plain_line(one) for one in given.values], python)),
        row(
            "Drain3 0.9.11 behind our masks", given, drain([masked_line(one) for one in given.values], python)
        ),
        "",
    ]


def growth(given: Failures) -> str:
    count = len(given.values)
    sizes = (count // 4, count // 2, count)
    found = {size: ours(Failures(given.values[:size], given.causes[:size])).cpu_s for size in sizes}
    shown = ", ".join(f"{size:,}: {cpu_s:.2f} s" for size, cpu_s in found.items())
    times = found[count] / found[count // 4] / 4
    return f"{shown}; for each failure {times:.2f} times the time of the smallest."


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        python = drain_python(folder / "drain")
        plain, noisy = failures(folder, count, 0), failures(folder, count, 2)
        lines = [
            "# Unknown failures, clustered",
            "",
            f"{count:,} failures of 200 causes of `bench/generate_junit.py`, from exception class, message",
            "and frames on, as the reader of reports gives them; in the second table every line of the",
            "messages and of the source shown has two random words more.",
            f"Made by `python bench/clustering.py`; {machine()}.",
            "",
            f"Limits: {CPU_LIMIT_S:g} s of CPU, index {RAND_LIMIT} (without noise).",
            "",
            *table("As they are", plain, python),
            *table("Noise in every line", noisy, python),
            "## Growth",
            "",
            f"As they are: {growth(plain)}",
            "",
            f"Noise in every line: {growth(noisy)}",
            "",
            "## Two nights",
            "",
            "Causes that fail in both, and whose largest cluster of the second night has a fingerprint that",
            "the cause had in the first; other failures, other noise.",
            "",
            f"- {count // 5:,} failures a night, as they are: {kept(folder, count // 5, 0):.1%}",
            f"- {count // 5:,} failures a night, noise in every line: {kept(folder, count // 5, 2):.1%}",
            f"- {count // 50:,} failures a night, noise in every line: {kept(folder, count // 50, 2):.1%}",
        ]
    (ROOT / "bench" / "results" / "clustering.md").write_text("\n".join(lines) + "\n", "utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
