"""Which exception of a group decides, where the classes are known with their bases."""

from tests.builders import raised
from triage.junit.groups import decided

GROUP = raised("ExceptionGroup", "two failed", bases=("BaseExceptionGroup", "Exception"))
INNER = raised("ExceptionGroup", "inner", bases=("BaseExceptionGroup", "Exception"), via="group")
FIRST = raised("shop.Locked", "drawer 7", via="group")
SECOND = raised("shop.Locked", "drawer 8", via="group")
OTHER = raised("KeyError", "'x'", via="group")


def test_leaves_of_one_kind_hand_the_decision_to_the_first() -> None:
    chain = decided((GROUP, INNER, FIRST, SECOND))
    assert [(one.type, one.via) for one in chain] == [
        ("ExceptionGroup", "raised"),
        ("shop.Locked", "cause"),
        ("ExceptionGroup", "group"),
        ("shop.Locked", "group"),
    ]


def test_leaves_of_several_kinds_decide_nothing() -> None:
    assert decided((GROUP, FIRST, OTHER)) == (GROUP, FIRST, OTHER)


def test_a_chain_without_a_group_stays() -> None:
    chain = (raised(), raised("KeyError", "'x'", via="cause"))
    assert decided(chain) == chain
