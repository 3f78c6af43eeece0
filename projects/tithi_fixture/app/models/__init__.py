from app.models.business import Booking, BookingStatus, Customer, Service, WorkingHours
from app.models.core import Membership, Role, Tenant, TenantStatus, User

__all__ = [
    "Booking",
    "BookingStatus",
    "Customer",
    "Membership",
    "Role",
    "Service",
    "Tenant",
    "TenantStatus",
    "User",
    "WorkingHours",
]
