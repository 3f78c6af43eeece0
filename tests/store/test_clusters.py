"""Clusters of unknown failures keep their identity in the history."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.store.builders import cases_of, report_of, run_of, spooled
from triage.clustering.clusters import REMEMBERED, Bucket, bucket_of, clusters
from triage.clustering.signature import fingerprint, parts_of
from triage.model.case import Problem
from triage.model.failure import Failure
from triage.model.history import SpooledGroup
from triage.model.run import Counts
from triage.model.terms import Phase
from triage.store import clusters as module
from triage.store import tables
from triage.store.store import Store

PLACE = "app/service.py:book"


def noisy(number: int, words: str = "no seat is free for") -> str:
    return f"ValueError: {words} guest{chr(97 + number % 26)}{chr(97 + number // 26)} | {PLACE}"


def classify(store: Store, signatures: Iterable[str]) -> list[SpooledGroup]:
    spool_of = [
        spooled(number, fingerprint=fingerprint(text), signature=text)
        for number, text in enumerate(signatures)
    ]
    with store.spool("a.xml") as spool:
        spool.add(spool_of)
        spool.commit(Counts())
    counted = {group.fingerprint: group.count for group in spool.clusters()}
    assert Counter(each.fingerprint for each in spool.failures()) == counted
    return list(spool.clusters())


def run(store: Store, run_id: str, signatures: Iterable[str]) -> list[str]:
    """As a run does: the history is asked, and what was found is recorded."""
    texts = list(signatures)
    found = clusters(texts, store.known_clusters)
    ran = run_of(cases_of("F" * len(texts)))
    failures = tuple(
        Failure(
            case,
            Problem(Phase.CALL, case.outcome),
            signature=found[text].signature,
            fingerprint=found[text].fingerprint,
        )
        for case, text in zip(ran.cases, texts, strict=True)
    )
    store.record(report_of(ran, run_id, failures=failures), ran, "{}")
    return [found[text].fingerprint for text in texts]


def test_words_that_vary_freely_do_not_split_a_cluster_of_a_report(store: Store) -> None:
    other = f"ValueError: the hall is closed | {PLACE}"
    groups = classify(store, [*map(noisy, range(12)), other, "KeyError: 'a' | x.py:f", noisy(3)])
    assert [(group.signature, group.count) for group in groups] == [
        (f"ValueError: no seat is free for <*> | {PLACE}", 13),
        (other, 1),
        ("KeyError: 'a' | x.py:f", 1),
    ]


def test_a_cluster_keeps_the_first_identity_it_had_when_its_words_turn_out_to_vary(store: Store) -> None:
    (first,) = classify(store, [noisy(0)])
    second = run(store, "r1", map(noisy, range(1, 5)))
    assert first.fingerprint not in second
    assert set(run(store, "r2", map(noisy, range(5, 15)))) == {first.fingerprint}
    (again,) = classify(store, map(noisy, (0, 2, 40)))
    assert (again.fingerprint, again.count) == (first.fingerprint, 3)
    assert run(store, "r3", [noisy(77)]) == [first.fingerprint]
    assert run(store, "r4", ["OSError: gone | a.py:f"]) == [fingerprint("OSError: gone | a.py:f")]


def test_a_known_template_is_found_by_one_failure_in_either_line(store: Store) -> None:
    (found,) = classify(store, map(noisy, range(30)))
    assert found.fingerprint == fingerprint(found.signature)
    assert run(store, "r1", [noisy(99)]) == [found.fingerprint]


def test_a_place_with_more_signatures_than_the_sample_is_clustered_whole(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SAMPLE", 20)
    groups = classify(store, [*map(noisy, range(90)), *(noisy(one, "the hall of") for one in range(3))])
    assert groups[0].count == 90
    assert sum(group.count for group in groups) == 93


def test_of_one_place_no_more_is_remembered_than_is_of_use(store: Store) -> None:
    texts = [f"OSError: x{'a' * n} y{'a' * n} | a.py:f" for n in range(200)]
    assert len(classify(store, texts)) == 200
    with store._database.reading() as connection:
        rows = connection.execute(tables.known_cluster.select()).all()
    assert len(rows) == REMEMBERED
    assert {bytes(row.bucket) for row in rows} == {bucket_of(parts_of(texts[0]))}


def test_clusters_of_another_algorithm_are_not_compared_and_it_is_said(store: Store) -> None:
    assert not store.is_other_algorithm()
    ran = run_of(cases_of("F"))
    store.record(report_of(ran, "r0"), ran, "{}")  # its failure has a fingerprint of v1
    assert store.is_other_algorithm()
    assert store.known_clusters([bucket_of(parts_of("sig t0"))]) == {}
    run(store, "r1", [noisy(1)])
    assert not store.is_other_algorithm()


def test_what_did_not_fail_for_long_is_forgotten(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    classify(store, [noisy(1)])
    key = bucket_of(parts_of(noisy(1)))
    run(store, "r1", ["OSError: gone | a.py:f"])
    assert store.known_clusters([key])
    monkeypatch.setattr(module, "_FORGOTTEN", timedelta(0))
    run(store, "r2", ["OSError: gone | a.py:f"])
    assert store.known_clusters([key]) == {}


def test_what_a_run_knows_by_a_playbook_is_no_cluster(store: Store) -> None:
    ran = run_of(cases_of("."))
    store.record(replace(report_of(ran, "r1"), failures=()), ran, "{}")
    with store._database.reading() as connection:
        assert connection.execute(tables.known_cluster.select()).all() == []
    assert Bucket([]).cluster(parts_of(noisy(1))).fingerprint == fingerprint(noisy(1))
