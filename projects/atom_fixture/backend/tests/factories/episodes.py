"""Episodes: what agents remember."""

import factory

from core.models import Episode, EpisodeAccessLog, EpisodeSegment
from tests.factories.agents import AgentFactory
from tests.factories.base import BaseFactory
from tests.factories.workspaces import UserFactory


class EpisodeFactory(BaseFactory):
    class Meta:
        model = Episode

    title = factory.Sequence(lambda n: f"Episode {n}")
    agent = factory.SubFactory(AgentFactory)
    user = factory.SelfAttribute("agent.user")
    workspace = factory.SelfAttribute("agent.workspace")


class EpisodeSegmentFactory(BaseFactory):
    class Meta:
        model = EpisodeSegment

    episode = factory.SubFactory(EpisodeFactory)
    sequence_order = factory.Sequence(lambda n: n)
    content = factory.Faker("sentence")


class EpisodeAccessLogFactory(BaseFactory):
    class Meta:
        model = EpisodeAccessLog

    episode = factory.SubFactory(EpisodeFactory)
    user = factory.SubFactory(UserFactory)
