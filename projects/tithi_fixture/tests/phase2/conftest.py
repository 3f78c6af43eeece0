import pytest

from app.extensions import db
from app.models import Tenant
from tests.builders import weekday_hours


@pytest.fixture
def business(app):
    """A salon that is open on weekdays from nine to five."""
    with app.app_context():
        tenant = Tenant(slug="shear-delight", name="Shear Delight", currency="EUR")
        tenant.working_hours = weekday_hours()
        db.session.add(tenant)
        db.session.commit()
        return tenant
