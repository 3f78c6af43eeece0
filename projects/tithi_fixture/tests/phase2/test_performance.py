"""Work under load stays correct, and within limits that nobody should notice."""

import time
from datetime import timedelta

import pytest
from sqlalchemy import event

from app.extensions import db
from app.models import Service, Tenant
from app.services import availability, dashboard
from tests.builders import at, make_booking, make_service, make_tenant, weekday_hours


@pytest.fixture
def busy_service(app):
    """A service that everybody wants."""
    with app.app_context():
        tenant = Tenant(slug="rush-hour", name="Rush Hour", working_hours=weekday_hours())
        service = Service(tenant=tenant, name="Express cut", duration_minutes=15, price_cents=1500)
        db.session.add(service)
        db.session.commit()
        return service


class TestThroughput:
    @pytest.fixture
    def calendar_service(self, app):
        with app.app_context():
            tenant = make_tenant(slug="full-week")
            service = make_service(tenant, duration_minutes=20)
            for day in range(1, 5):
                for hour in range(9, 17, 2):
                    make_booking(service, starts_at=at(hour, day=day))
            return service

    def test_concurrent_bookings(self, app, busy_service):
        body = {"service_id": str(busy_service.id), "starts_at": at(12, day=1).isoformat()}
        statuses = [
            app.test_client()
            .post(
                "/api/rush-hour/bookings",
                json=body | {"email": f"guest{number}@example.org", "name": f"Guest {number}"},
            )
            .status_code
            for number in range(5)
        ]
        assert sorted(statuses) == [201, 409, 409, 409, 409]

    def test_availability_query(self, app, calendar_service):
        with app.app_context():
            began = time.perf_counter()
            slots = availability.available_slots(calendar_service, at(9, day=2).date())
            elapsed = time.perf_counter() - began
        assert at(9, day=2) not in slots
        assert at(10, day=2) in slots
        assert elapsed < 2

    def test_free_starts_over_a_crowded_day(self):
        opening = (at(0), at(0, day=1))
        busy = [(at(hour, 30), at(hour, 45)) for hour in range(24)]
        began = time.perf_counter()
        starts = availability.free_starts(opening, busy, timedelta(minutes=15), timedelta(minutes=5))
        assert len(starts) == 4 + 23 * 7 + 1
        assert time.perf_counter() - began < 2

    def test_status_counts_take_one_query(self, session):
        service = make_service(make_tenant())
        for hour in range(9, 15):
            make_booking(service, starts_at=at(hour, day=1))
        tenant_id = service.tenant_id
        statements = []

        def note(_connection, _cursor, statement, *_rest):
            statements.append(statement)

        event.listen(db.engine, "before_cursor_execute", note)
        assert dashboard.status_counts(tenant_id)["pending"] == 6
        assert len(statements) == 1
