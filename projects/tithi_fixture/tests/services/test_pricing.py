import pytest

from app.errors import ValidationError
from app.services import pricing
from tests.builders import at


def test_percentage_rounds_half_up():
    cases = [(1000, 15), (999, 50), (1, 49), (1, 50), (0, 90)]
    assert [pricing.percentage(*case) for case in cases] == [150, 500, 0, 1, 0]


def test_group_discount_grows_with_the_group():
    sizes = [1, 2, 3, 4, 5, 9, 10, 40]
    assert [pricing.group_discount(people) for people in sizes] == [0, 0, 5, 5, 10, 10, 15, 15]


def test_better_discount_counts():
    assert pricing.calculate_price(2000) == 2000
    assert pricing.calculate_price(2000, people=3) == 5700
    assert pricing.calculate_price(2000, people=3, discount_per_cent=20) == 4800
    assert pricing.calculate_price(2000, people=10, discount_per_cent=5) == 17000
    assert pricing.calculate_price(2000, discount_per_cent=100) == 0


@pytest.mark.parametrize("values", [{"people": 0}, {"discount_per_cent": -1}, {"discount_per_cent": 101}])
def test_impossible_prices(values):
    with pytest.raises(ValidationError):
        pricing.calculate_price(2000, **values)


def test_former_name_gives_the_same_price():
    assert pricing.quote_price(2000, people=5) == pricing.calculate_price(2000, people=5) == 9000


def test_cancellation_fee_by_time():
    starts_at = at(10, day=2)
    fees = {
        at(10, 0, day=1): 0,
        at(10, 1, day=1): 2500,
        at(9, 59, day=2): 2500,
        at(10, 0, day=2): 5000,
        at(11, 0, day=2): 5000,
    }
    assert {moment: pricing.cancellation_fee(5000, starts_at, moment) for moment in fees} == fees


def test_no_window_no_fee():
    assert pricing.cancellation_fee(5000, at(10), at(9, 59), window_hours=0) == 0


def test_format_money():
    assert pricing.format_money(0) == "$0.00"
    assert pricing.format_money(123456789) == "$1,234,567.89"
    assert pricing.format_money(-250, "EUR") == "-€2.50"
    assert pricing.format_money(5, "CHF") == "0.05 CHF"
