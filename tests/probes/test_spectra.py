"""Records of executed lines, those that nobody should trust among them."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.probes import spectra
from triage.probes.spectra import MAX_LINE_NUMBER, Spectra, read_spectra

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
RANGES = st.lists(st.lists(st.integers(-3, 40), min_size=2, max_size=2), max_size=6)


def write(path: Path, *records: Any, end: bytes = b"") -> Path:
    lines = [json.dumps(one, separators=(",", ":")).encode() + b"\n" for one in records]
    path.write_bytes(b"".join(lines) + end)
    return path


def record(nodeid: Any = "t::a", files: Any = None, tests: Any = ()) -> dict[str, Any]:
    return {"t": "spectrum", "id": nodeid, "files": files or {}, "tests": list(tests)}


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("spectra") / "events.jsonl"


def test_lines_of_every_test_are_read_from_all_files(tmp_path: Path) -> None:
    first = write(tmp_path / "a", {"t": "start", "id": "x"}, record("t::a", {"app/x.py": [[3, 7], [9, 9]]}))
    second = write(tmp_path / "b", record("t::b", {"app/x.py": [[1, 1]], "t.py": [[2, 2]]}, ["t.py"]))
    found = read_spectra([first, second])
    assert found.lines == {
        "t::a": {"app/x.py": ((3, 7), (9, 9))},
        "t::b": {"app/x.py": ((1, 1),), "t.py": ((2, 2),)},
    }
    assert found.test_files == {"t.py"}
    assert found.notes == ()


def test_of_a_test_that_ran_twice_the_last_counts(tmp_path: Path) -> None:
    path = write(tmp_path / "a", record(files={"x.py": [[1, 1]]}), record(files={"x.py": [[2, 2]]}))
    assert read_spectra([path]).lines == {"t::a": {"x.py": ((2, 2),)}}


def test_what_the_observer_could_not_see_is_noted_once(tmp_path: Path) -> None:
    error = {"t": "spectrum_error", "text": "sys.settrace is in use"}
    found = read_spectra([write(tmp_path / "a", error, error)])
    assert found == Spectra(notes=("sys.settrace is in use",))


def test_a_file_that_is_not_there_is_a_note(tmp_path: Path) -> None:
    (note,) = read_spectra([tmp_path / "nowhere"]).notes
    assert note.startswith("nowhere cannot be read")


def test_a_torn_last_line_costs_only_itself(tmp_path: Path) -> None:
    torn = json.dumps(record("t::b"), separators=(",", ":")).encode()
    found = read_spectra([write(tmp_path / "a", record(files={"x.py": [[1, 1]]}), end=torn)])
    assert list(found.lines) == ["t::a"]


def test_an_endless_line_is_passed_over_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spectra, "_MAX_BYTES", 100)
    inner = json.dumps(record("t::inner"), separators=(",", ":"))
    endless = b'{"t":"spectrum",' + b" " * 84 + inner.encode() + b"\n"
    path = write(tmp_path / "a", record(), end=endless + json.dumps(record("t::c")).encode() + b"\n")
    path.write_bytes(path.read_bytes() + b'{"t":"spectrum","id":"t::d","files":{}}\n')
    assert list(read_spectra([path]).lines) == ["t::a", "t::d"]


def test_what_is_past_a_bound_is_left_out_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spectra, "_MAX_TESTS", 1)
    path = write(tmp_path / "a", record("t::a"), record("t::b"))
    assert (len(read_spectra([path]).lines), len(read_spectra([path]).notes)) == (1, 1)
    monkeypatch.setattr(spectra, "_MAX_RANGES", 2)
    path = write(tmp_path / "a", record("t::a", {"x.py": [[1, 1], [3, 3]], "y.py": [[1, 1]]}))
    found = read_spectra([path])
    assert found.lines == {"t::a": {"x.py": ((1, 1), (3, 3))}}
    assert found.notes == ("only the first 2 ranges of lines are kept",)


def test_equal_pieces_are_kept_once(tmp_path: Path) -> None:
    records = [record(f"t::{number}", {"x.py": [[1, 5]]}) for number in range(3)]
    pieces = [lines["x.py"] for lines in read_spectra([write(tmp_path / "a", *records)]).lines.values()]
    assert pieces[0] is pieces[1] is pieces[2]


@given(RANGES)
def test_ranges_come_in_order_and_overlap_nowhere(scratch: Path, ranges: list[list[int]]) -> None:
    found = read_spectra([write(scratch, record(files={"x.py": ranges}))]).lines["t::a"].get("x.py", ())
    assert all(begin <= end for begin, end in found)
    assert all(one[1] < other[0] for one, other in pairwise(found))
    wanted = {line for begin, end in ranges for line in range(max(begin, 1), end + 1)}
    assert {line for begin, end in found for line in range(begin, end + 1)} == wanted


@given(st.lists(JSON, max_size=4), JSON, JSON, JSON)
def test_what_is_no_record_never_raises(
    scratch: Path, lines: list[Any], nodeid: Any, files: Any, tests: Any
) -> None:
    odd = {"t": "spectrum", "id": nodeid, "files": files, "tests": tests}
    found = read_spectra([write(scratch, *lines, odd, {"t": "spectrum_error", "text": files}, record())])
    assert "t::a" in found.lines
    for ranges in (part for each in found.lines.values() for part in each.values()):
        assert all(0 < begin <= end <= MAX_LINE_NUMBER for begin, end in ranges)


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_never_raise(scratch: Path, data: bytes) -> None:
    scratch.write_bytes(b'{"t":"spectrum","id":"a","files":' + data + b"\n")
    assert len(read_spectra([scratch]).lines) <= 1
