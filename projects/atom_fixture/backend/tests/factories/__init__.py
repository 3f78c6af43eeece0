"""Factories for test data, one module per area of the models."""

from tests.factories.agents import (
    AgentExecutionFactory,
    AgentFactory,
    AgentFeedbackFactory,
    AgentScheduleFactory,
)
from tests.factories.chat import ChatMessageFactory, ChatSessionFactory
from tests.factories.episodes import (
    EpisodeAccessLogFactory,
    EpisodeFactory,
    EpisodeSegmentFactory,
)
from tests.factories.security import ApiKeyFactory, AuditLogFactory
from tests.factories.workspaces import TeamFactory, UserFactory, WorkspaceFactory

__all__ = [
    "AgentExecutionFactory",
    "AgentFactory",
    "AgentFeedbackFactory",
    "AgentScheduleFactory",
    "ApiKeyFactory",
    "AuditLogFactory",
    "ChatMessageFactory",
    "ChatSessionFactory",
    "EpisodeAccessLogFactory",
    "EpisodeFactory",
    "EpisodeSegmentFactory",
    "TeamFactory",
    "UserFactory",
    "WorkspaceFactory",
]
