"""Prices, in cents."""

import warnings
from datetime import datetime, timedelta

from app.errors import ValidationError

SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£"}
GROUP_DISCOUNTS = ((10, 15), (5, 10), (3, 5))  # least number of people, per cent


def percentage(amount_cents: int, per_cent: int) -> int:
    """A share of an amount, half a cent rounded up."""
    return (amount_cents * per_cent + 50) // 100


def group_discount(people: int) -> int:
    """Per cent off for a party of that size."""
    return next((per_cent for least, per_cent in GROUP_DISCOUNTS if people >= least), 0)


def calculate_price(price_cents: int, *, people: int = 1, discount_per_cent: int = 0) -> int:
    """Price for a party; the better one of group and given discount counts.

    Raises:
        ValidationError: no people, or a discount outside 0 to 100.
    """
    if people < 1:
        raise ValidationError("a booking is for at least one person", people=people)
    if not 0 <= discount_per_cent <= 100:
        raise ValidationError("a discount is between 0 and 100 per cent", discount=discount_per_cent)
    total = price_cents * people
    return total - percentage(total, max(discount_per_cent, group_discount(people)))


def quote_price(price_cents: int, people: int = 1) -> int:
    """Former name of `calculate_price`; mobile clients up to 2.3 still ask for it."""
    warnings.warn("quote_price is now calculate_price", DeprecationWarning, stacklevel=2)
    return calculate_price(price_cents, people=people)


def cancellation_fee(
    price_cents: int, starts_at: datetime, cancelled_at: datetime, *, window_hours: int = 24
) -> int:
    """Nothing before the window, half within it, everything after the start."""
    if cancelled_at >= starts_at:
        return price_cents
    if starts_at - cancelled_at < timedelta(hours=window_hours):
        return percentage(price_cents, 50)
    return 0


def format_money(cents: int, currency: str = "USD") -> str:
    sign = "-" if cents < 0 else ""
    whole, rest = divmod(abs(cents), 100)
    amount = f"{whole:,}.{rest:02d}"
    symbol = SYMBOLS.get(currency)
    return f"{sign}{symbol}{amount}" if symbol else f"{sign}{amount} {currency}"
