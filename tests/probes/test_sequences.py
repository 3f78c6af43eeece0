"""The order in which the tests of a run started, by process."""

import json
from pathlib import Path

from triage.probes.sequences import sequences


def written(path: Path, *ids: str) -> Path:
    lines = [{"t": "collected", "n": 3, "ids": ["c", "b", "a"]}, *({"t": "start", "id": one} for one in ids)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return path


def test_each_process_has_the_order_of_its_own_starts(tmp_path: Path) -> None:
    controller = written(tmp_path / "events.jsonl")
    workers = [written(tmp_path / "events.jsonl.gw0", "b", "a"), written(tmp_path / "events.jsonl.gw1", "c")]
    assert sequences([controller, *workers]) == (("b", "a"), ("c",))
