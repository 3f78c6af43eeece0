"""Noise does not split a cluster, and other words at the same place are other clusters."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.clustering import clusters as module
from triage.clustering.clusters import REMEMBERED, bucket_of, clusters, memorable
from triage.clustering.covering import Cluster, covers
from triage.clustering.signature import fingerprint, parts_of
from triage.clustering.templates import MANY, MANY_NAMES

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def words(count: int, seed: int = 1) -> list[str]:
    """Different random words."""
    rng = random.Random(seed)
    return ["".join(rng.choices(LETTERS, k=9)) for _ in range(count)]


def said(*messages: str, type_: str = "ValueError", place: str = "app/a.py:f") -> list[str]:
    return [f"{type_}: {message} | {place}" for message in messages]


def names(signatures: list[str]) -> set[str]:
    return {one.signature for one in clusters(signatures).values()}


@pytest.mark.parametrize(
    "line",
    [
        "cannot load the settings of {}",
        "{} cannot load the settings",
        "cannot load the {} settings now",
        "request {} of {} was refused by the gate",
        "cannot load it [req={}]",
        "missing {}",
    ],
)
def test_noise_is_one_cluster(line: str) -> None:
    noise = words(60)
    found = names(said(*(line.format(a, b) for a, b in zip(noise[:30], noise[30:], strict=True))))
    assert found == set(said(line.format("<*>", "<*>").replace("[req=<*>]", "<*>")))


def test_noise_at_any_place_and_of_any_length_is_one_cluster() -> None:
    rng = random.Random(3)
    texts: list[str] = []
    for word in words(80):
        line = ["the", "gate", "refused", "this", "request", "of", "a", "guest"]
        line.insert(rng.randrange(len(line) + 1), " ".join([word, *words(rng.randrange(3), len(texts))]))
        texts.append(" ".join(line))
    assert len(names(said(*texts))) == 1


def test_causes_with_other_words_at_one_place_stay_apart_under_noise() -> None:
    noise = words(60)
    lines = ["cannot load settings for {}", "cannot load invoices for {}", "the quota of disk {} is used up"]
    texts = [line.format(word) for line in lines for word in noise[:20]]
    assert names(said(*texts)) == set(said(*(line.format("<*>") for line in lines)))


def test_few_samples_and_other_names_are_not_merged() -> None:
    few = said(*(f"cannot load the settings of {word}" for word in words(MANY - 1)))
    assert names(few) == set(few)
    columns = said(*(f"no such column: users.{word}" for word in words(MANY_NAMES - 1)))
    assert names(columns) == set(columns)
    keys = said(*(f"'{word}'" for word in words(MANY_NAMES - 1)), type_="KeyError")
    assert names(keys) == set(keys)
    plain = said("the disk is full", "the net is down", "no rows", "a lock is held")
    assert names(plain) == set(plain)


def test_a_name_that_takes_very_many_values_is_free() -> None:
    assert names(said(*(f"'{word}'" for word in words(40)), type_="KeyError")) == set(
        said("<*>", type_="KeyError")
    )
    without_code = said(*(f"'{word}'" for word in words(40)), type_="KeyError", place="tests/test_a.py")
    assert len(names(without_code)) == 40


def test_another_class_or_place_is_another_cluster() -> None:
    texts = [f"cannot load the settings of {word}" for word in words(20)]
    apart = [*said(*texts), *said(*texts, type_="OSError"), *said(*texts, place="app/b.py:f")]
    assert len(names(apart)) == 3


def test_messages_that_share_no_words_are_never_one_cluster() -> None:
    noise = words(400)
    texts = [" ".join(noise[at : at + 4]) for at in range(0, 400, 4)]
    assert len(names(said(*texts))) == 100


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.lists(st.lists(st.sampled_from(["load", "of", "x", "y", *LETTERS]), max_size=5), max_size=60),
    st.data(),
)
def test_neither_order_nor_repetition_changes_a_cluster(lines: list[list[str]], data: st.DataObject) -> None:
    texts = said(*map(" ".join, lines))
    found = clusters(texts)
    assert clusters(data.draw(st.permutations(texts + texts[:3]))) == found
    assert found.keys() == set(texts)
    for text, one in found.items():
        assert bucket_of(parts_of(one.signature)) == bucket_of(parts_of(text))
        assert covers(parts_of(one.signature).said.split(), parts_of(text).said.split())
        assert one.fingerprint == fingerprint(one.signature)


@pytest.mark.parametrize(
    ("template", "text", "holds"),
    [
        ("a <*> b", "a b", True),
        ("a <*> b", "a x y b", True),
        ("a <*> b", "a x b c", False),
        ("<*> a <*>", "x a a y", True),
        ("<*>", "", True),
        ("a", "a", True),
        ("a", "", False),
        ("<*> b", "b a b", True),
    ],
)
def test_a_template_covers_any_words_or_none_where_it_is_open(
    template: str, text: str, *, holds: bool
) -> None:
    assert covers(template.split(), text.split()) is holds


def test_the_most_specific_known_template_counts_and_the_first_identity_stays() -> None:
    wide, narrow = said("load <*> for <*>", "load settings for <*>")
    known = [Cluster("v2:1", wide), Cluster("v2:2", narrow)]
    texts = said("load settings for ann", "load invoices for ann")
    found = clusters(texts, lambda keys: dict.fromkeys(keys, known))
    assert [found[text].fingerprint for text in texts] == ["v2:2", "v2:1"]
    exact = [Cluster("v2:old", said("no seat for me")[0])]
    later = said(*(f"no seat for {word}" for word in words(10)))
    merged = set(clusters(later, lambda keys: dict.fromkeys(keys, exact)).values())
    assert merged == {Cluster("v2:old", said("no seat for <*>")[0])}
    assert memorable(merged, exact) == list(merged)


def test_a_place_with_more_than_the_sample_is_clustered_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SAMPLE", 20)
    assert len(names(said(*(f"no seat is free for {word}" for word in words(300))))) == 1


def test_what_is_remembered_of_one_place_is_bounded() -> None:
    many = [Cluster(f"v2:{n:03}", f"ValueError: {n}") for n in range(90)]
    kept = memorable([*many, Cluster("v2:t", "ValueError: <*>")], many[:10])
    assert kept[0].is_template
    assert len(kept) == 1 + REMEMBERED - 10
