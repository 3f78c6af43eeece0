import uuid

import pytest

from app.errors import NotFound, ValidationError
from app.services import customers
from tests.builders import make_customer, make_tenant


@pytest.fixture
def tenant(session):
    return make_tenant()


def test_new_customer(tenant):
    customer = customers.find_or_create(tenant.id, " Mo@Example.org ", " Mo ", "555")
    assert (customer.email, customer.name, customer.phone) == ("mo@example.org", "Mo", "555")


def test_known_customer_keeps_the_name(tenant):
    known = make_customer(tenant, email="mo@example.org", name="Mo")
    assert customers.find_or_create(tenant.id, "MO@example.org", "Maurice") is known
    assert known.name == "Mo"


def test_malformed_address():
    with pytest.raises(ValidationError, match="not an e-mail address"):
        customers.normalize_email("mo@example")


def test_unknown_customer(tenant):
    with pytest.raises(NotFound):
        customers.get_customer(tenant.id, uuid.uuid4())


def test_search_is_sorted_by_name(tenant):
    make_customer(tenant, name="Zed Moor")
    make_customer(tenant, name="Amy Moor")
    make_customer(tenant, name="Other")
    assert [one.name for one in customers.search(tenant.id, "moor")] == ["Amy Moor", "Zed Moor"]
