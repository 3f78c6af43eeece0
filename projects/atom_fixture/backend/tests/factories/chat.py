"""Conversations."""

import factory

from core.models import ChatMessage, ChatSession
from tests.factories.base import BaseFactory
from tests.factories.workspaces import UserFactory


class ChatSessionFactory(BaseFactory):
    class Meta:
        model = ChatSession

    user = factory.SubFactory(UserFactory)


class ChatMessageFactory(BaseFactory):
    class Meta:
        model = ChatMessage

    session = factory.SubFactory(ChatSessionFactory)
    workspace = factory.SelfAttribute("session.user.workspace")
    content = factory.Faker("sentence")
