"""Counting finished tests while they run."""

from pathlib import Path

from triage.model.progress import Progress
from triage.probes.progress import EventTail

DONE = '{"t":"done","id":"a","o":"passed","d":0.1}\n'
BAD = '{"t":"done","id":"b","o":"failed","d":0.1}\n'
ERROR = '{"t":"done","id":"c","o":"error","d":0.1}\n'


def test_lines_count_once_they_are_whole(tmp_path: Path) -> None:
    out = tmp_path / "events.jsonl"
    tail = EventTail(out)
    tail.poll()
    assert (tail.done, tail.total) == (0, None)
    out.write_text('{"t":"collected","n":12}\n' + DONE + BAD[:20])
    tail.poll()
    assert (tail.done, tail.failing, tail.total) == (1, 0, 12)
    with out.open("a") as file:
        file.write(BAD[20:] + ERROR)
    tail.poll()
    tail.poll()
    assert (tail.done, tail.failing) == (3, 2)


def test_workers_of_xdist_are_added_up_and_their_collections_are_not(tmp_path: Path) -> None:
    out = tmp_path / "events.jsonl"
    for name in ("events.jsonl.gw0", "events.jsonl.gw1", "events.jsonl.gw10"):
        (tmp_path / name).write_text('{"t":"collected","n":7}\n' + DONE)
    (tmp_path / "events.jsonl.stacks").write_text(DONE)
    tail = EventTail(out)
    tail.poll()
    assert (tail.done, tail.total) == (3, 7)


def test_what_a_test_prints_into_its_name_counts_for_nothing(tmp_path: Path) -> None:
    out = tmp_path / "events.jsonl"
    out.write_text(
        r'{"t":"start","id":"a[\"t\":\"done\",\"o\":\"failed\"]"}' + "\n\xff\n" + '{"t":"collected"}\n'
    )
    tail = EventTail(out)
    tail.poll()
    assert (tail.done, tail.failing, tail.total) == (0, 0, None)


def test_the_time_left_is_guessed_only_from_something() -> None:
    assert Progress("a", "x", done=0, total=10, elapsed_s=3).left_s is None
    assert Progress("a", "x", done=5, total=None, elapsed_s=3).left_s is None
    assert Progress("a", "x", done=10, total=10, elapsed_s=3).left_s is None
    assert Progress("a", "x", done=4, total=10, elapsed_s=2).left_s == 3.0
