"""Agents, and what they run."""

import factory

from core.models import AgentExecution, AgentFeedback, AgentRegistry, AgentSchedule
from tests.factories.base import BaseFactory
from tests.factories.workspaces import UserFactory


class AgentFactory(BaseFactory):
    class Meta:
        model = AgentRegistry

    name = factory.Sequence(lambda n: f"Agent {n}")
    category = "operations"
    module_path = "agents.operations"
    class_name = "OperationsAgent"
    user = factory.SubFactory(UserFactory)
    workspace = factory.SelfAttribute("user.workspace")


class AgentExecutionFactory(BaseFactory):
    class Meta:
        model = AgentExecution

    agent = factory.SubFactory(AgentFactory)
    workspace = factory.SelfAttribute("agent.workspace")


class AgentFeedbackFactory(BaseFactory):
    class Meta:
        model = AgentFeedback

    agent = factory.SubFactory(AgentFactory)
    user = factory.SubFactory(UserFactory)
    original_output = "The invoice is due on Monday."
    user_correction = "The invoice is due on Tuesday."


class AgentScheduleFactory(BaseFactory):
    class Meta:
        model = AgentSchedule

    agent = factory.SubFactory(AgentFactory)
    workspace = factory.SelfAttribute("agent.workspace")
