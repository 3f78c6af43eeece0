"""Which lines are suspected first."""

from collections.abc import Mapping
from itertools import pairwise
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.model.observation import Place
from triage.probes.spectra import Lines, Spectra
from triage.proving.spectrum import LIMIT, Suspect, rank, suspects

FILES = ("app/a.py", "app/b.py", "tests/test_a.py")
TESTS = tuple("abcdef")


def ranges_of(lines: set[int]) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    for line in sorted(lines):
        if found and found[-1][1] == line - 1:
            found[-1] = (found[-1][0], line)
        else:
            found.append((line, line))
    return tuple(found)


def lines_of(ranges: tuple[tuple[int, int], ...]) -> set[int]:
    return {line for begin, end in ranges for line in range(begin, end + 1)}


SPECTRA = st.dictionaries(
    st.sampled_from(TESTS),
    st.dictionaries(st.sampled_from(FILES), st.sets(st.integers(1, 30)).map(ranges_of)),
)
NAMES = st.lists(st.sampled_from((*TESTS, "unknown")))


def covered(spectra: Mapping[str, Lines], tests: set[str], file: str, line: int) -> int:
    return sum(line in lines_of(spectra[test].get(file, ())) for test in tests)


@given(SPECTRA, NAMES, NAMES)
def test_every_score_is_the_formula_of_all_lines_that_fail(
    spectra: Mapping[str, Lines], failing: list[str], passing: list[str]
) -> None:
    fails = set(failing) & spectra.keys()
    passes = (set(passing) & spectra.keys()) - fails
    found = rank(spectra, failing, passing, limit=10_000)
    reached = {
        (file, line) for test in fails for file, part in spectra[test].items() for line in lines_of(part)
    }
    assert {(one.file, one.line) for one in found} == reached
    assert [one.rank for one in found] == list(range(1, len(found) + 1))
    for one in found:
        failed, passed = (covered(spectra, tests, one.file, one.line) for tests in (fails, passes))
        assert one.score == pytest.approx(failed / sqrt(len(fails) * (failed + passed)))
        assert 0 < one.score <= 1
    assert all(first.score >= second.score - 1e-9 for first, second in pairwise(found))


@given(SPECTRA, NAMES, NAMES)
def test_what_all_failing_and_no_passing_tests_execute_is_first(
    spectra: Mapping[str, Lines], failing: list[str], passing: list[str]
) -> None:
    marked = {
        test: {**files, "app/bug.py": ((7, 7),)} if test in failing else files
        for test, files in spectra.items()
    }
    found = rank(marked, failing, passing, limit=10_000)
    if set(failing) & spectra.keys():
        best = [one for one in found if one.score == 1.0]
        assert best == list(found[: len(best)])
        assert ("app/bug.py", 7) in {(one.file, one.line) for one in best}
    else:
        assert found == ()


@given(SPECTRA, NAMES, NAMES, st.randoms(use_true_random=False))
def test_the_order_of_what_is_given_decides_nothing(
    spectra: Mapping[str, Lines], failing: list[str], passing: list[str], random: object
) -> None:
    turned = {test: dict(reversed(list(files.items()))) for test, files in reversed(list(spectra.items()))}
    assert rank(turned, failing[::-1], passing[::-1]) == rank(spectra, failing, passing)


@given(
    SPECTRA, NAMES, NAMES, st.integers(1, 12), st.lists(st.tuples(st.sampled_from(FILES), st.integers(1, 30)))
)
def test_a_shorter_list_is_the_head_of_the_longer_one(
    spectra: Mapping[str, Lines],
    failing: list[str],
    passing: list[str],
    limit: int,
    steps: list[tuple[str, int]],
) -> None:
    frames = [Place(file, line) for file, line in steps]
    every = rank(spectra, failing, passing, 10_000, test_files={FILES[2]}, frames=frames)
    assert rank(spectra, failing, passing, limit, test_files={FILES[2]}, frames=frames) == every[:limit]


def test_equal_scores_go_by_passing_tests_then_product_then_traceback_then_place() -> None:
    everything = {"app/b.py": ((1, 2),), "app/a.py": ((5, 5),), "tests/t.py": ((1, 1),)}
    one = {"app/c.py": ((3, 3),)}  # 1 of 4 failing and no passing test: as good as 2 of 4 and 2 passing ones
    spectra: dict[str, Lines] = {"f1": {**everything, **one}, "f2": everything, "f3": {}, "f4": {}}
    spectra |= {"p1": everything, "p2": everything}
    found = rank(
        spectra,
        ["f1", "f2", "f3", "f4"],
        ["p1", "p2"],
        test_files={"tests/t.py"},
        frames=[Place("app/a.py", 5), Place("app/b.py", 2)],
    )
    places = [("app/c.py", 3), ("app/b.py", 2), ("app/a.py", 5), ("app/b.py", 1), ("tests/t.py", 1)]
    assert [(suspect.file, suspect.line) for suspect in found] == places
    assert {suspect.score for suspect in found} == {0.5}


def test_a_long_stretch_costs_no_more_than_the_limit() -> None:
    found = rank({"f": {"app/a.py": ((1, 900_000),)}}, ["f"], [])
    assert [suspect.line for suspect in found] == list(range(1, LIMIT + 1))


def test_a_test_that_failed_and_passed_counts_as_failing() -> None:
    spectra: dict[str, Lines] = {"f": {"app/a.py": ((1, 1),)}}
    assert rank(spectra, ["f"], ["f"]) == (Suspect("app/a.py", 1, 1.0, 1),)


def test_code_of_tests_that_the_records_mark_comes_last_of_equals() -> None:
    read = Spectra({"f": {"a_test.py": ((1, 1),), "b.py": ((1, 1),)}}, frozenset({"a_test.py"}))
    assert [one.file for one in suspects(read, ["f"], [])] == ["b.py", "a_test.py"]
