"""Keys and the audit log."""

import factory

from core.models import ApiKey, AuditLog
from tests.factories.base import BaseFactory
from tests.factories.workspaces import UserFactory


class ApiKeyFactory(BaseFactory):
    class Meta:
        model = ApiKey

    name = factory.Sequence(lambda n: f"key {n}")
    prefix = factory.Sequence(lambda n: f"ak_{n:06d}")
    user = factory.SubFactory(UserFactory)


class AuditLogFactory(BaseFactory):
    class Meta:
        model = AuditLog

    user = factory.SubFactory(UserFactory)
    workspace = factory.SelfAttribute("user.workspace")
    action = "workspace.viewed"
