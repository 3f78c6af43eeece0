"""Clusters that several projects have."""

from typing import Any

from triage.clustering.across import shared


def cluster(signature: str, count: int = 1, fingerprint: str = "v2:1") -> dict[str, Any]:
    return {"fingerprint": fingerprint, "signature": signature, "count": count, "tests": []}


def test_a_cause_in_a_library_is_one_for_all_projects_whatever_their_own_places() -> None:
    said = "redis.exceptions.ConnectionError: Error # connecting to localhost"
    found = shared(
        {
            "shop": [cluster(f"{said} | app/a.py:f", 2), cluster(f"{said} | app/b.py:g", 1, "v2:2")],
            "blog": [cluster(f"{said} | blog/x.py:h", 4, "v2:3"), cluster("OSError: gone")],
            "news": [],
        }
    )
    assert found == [
        {
            "signature": said,
            "count": 7,
            "projects": [
                {"project": "shop", "fingerprint": "v2:1", "count": 2},
                {"project": "shop", "fingerprint": "v2:2", "count": 1},
                {"project": "blog", "fingerprint": "v2:3", "count": 4},
            ],
        }
    ]


def test_built_in_classes_are_one_cause_only_where_no_own_code_tells_them_apart() -> None:
    place, other = cluster("KeyError: 'id' | app/a.py:f"), cluster("KeyError: 'id' | app/b.py:f")
    assert shared({"shop": [place, other], "blog": [other | {"signature": "KeyError: 'id' | x.py:f"}]}) == []
    (found,) = shared({"shop": [cluster("OSError: gone")], "blog": [cluster("OSError: gone", 3)]})
    assert (found["signature"], found["count"]) == ("OSError: gone", 4)


def test_one_project_alone_shares_nothing_and_old_algorithms_are_not_compared() -> None:
    said = cluster("a.B: c")
    assert shared({"shop": [said, said]}) == []
    assert shared({"shop": [said], "blog": [said | {"fingerprint": "v1:1"}]}) == []
