from datetime import timedelta

import pytest

from app.models import BookingStatus, WorkingHours
from app.services import availability
from tests.builders import at, make_booking, make_service, make_tenant


@pytest.fixture
def service(session):
    """Half an hour, and a quarter to clean up."""
    return make_service(make_tenant(), duration_minutes=30, buffer_minutes=15)


def test_overlaps():
    morning, noon, whole_day = (at(9), at(11)), (at(11), at(13)), (at(8), at(18))
    assert not availability.overlaps(morning, noon)
    assert not availability.overlaps(noon, morning)
    assert availability.overlaps(whole_day, noon)
    assert availability.overlaps(noon, whole_day)
    assert availability.overlaps(morning, (at(10), at(12)))


def test_free_starts_leave_room_at_the_end():
    starts = availability.free_starts((at(9), at(10)), [], timedelta(minutes=30), timedelta(minutes=15))
    assert starts == [at(9), at(9, 15), at(9, 30)]


def test_open_day(service):
    slots = availability.available_slots(service, at(9, day=1).date(), step_minutes=60)
    assert slots == [at(hour, day=1) for hour in range(9, 17)]


def test_closed_day(service):
    assert availability.available_slots(service, at(9, day=5).date()) == []


def test_booking_blocks_its_buffer_too(service):
    make_booking(service, starts_at=at(9, day=1))
    slots = availability.available_slots(service, at(9, day=1).date())
    assert slots[0] == at(9, 45, day=1)


def test_finished_bookings_block_nothing(service):
    for status in (BookingStatus.CANCELLED, BookingStatus.NO_SHOW, BookingStatus.COMPLETED):
        make_booking(service, starts_at=at(9, day=1), status=status)
    assert availability.is_free(service, at(9, day=1))


def test_the_past_is_not_on_offer(service, monkeypatch):
    monkeypatch.setattr("app.clock.now", lambda: at(15, 40))
    slots = availability.available_slots(service, at(9).date())
    assert slots == [at(15, 45), at(16), at(16, 15)]


def test_retired_service_has_no_slots(service):
    service.active = False
    assert availability.available_slots(service, at(9, day=1).date()) == []


def test_lunch_break(session):
    tenant = make_tenant(
        working_hours=[
            WorkingHours(weekday=1, opens_minute=9 * 60, closes_minute=12 * 60),
            WorkingHours(weekday=1, opens_minute=13 * 60, closes_minute=15 * 60),
        ]
    )
    service = make_service(tenant, duration_minutes=60)
    slots = availability.available_slots(service, at(9, day=1).date(), step_minutes=30)
    assert at(11, day=1) in slots
    assert at(11, 30, day=1) not in slots
    assert at(13, day=1) in slots
    assert not availability.is_free(service, at(12, day=1))


def test_is_free_within_opening_times(service):
    starts = [at(8, 45, day=1), at(9, day=1), at(16, 15, day=1), at(16, 30, day=1)]
    assert [availability.is_free(service, start) for start in starts] == [False, True, True, False]


def test_is_free_ignores_the_booking_that_moves(service):
    booking = make_booking(service, starts_at=at(10, day=1))
    assert not availability.is_free(service, at(10, 15, day=1))
    assert availability.is_free(service, at(10, 15, day=1), ignore=booking)
