"""Unit tests of the ORM models: defaults, relationships, constraints, behaviour."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from core.models import (
    AgentExecution,
    AgentFeedback,
    AgentRegistry,
    AgentSchedule,
    AgentStatus,
    ApiKey,
    AuditLog,
    ChatMessage,
    ChatSession,
    Episode,
    EpisodeAccessLog,
    EpisodeSegment,
    EpisodeStatus,
    ExecutionStatus,
    FeedbackStatus,
    Team,
    User,
    UserRole,
    Workspace,
    WorkspaceStatus,
)
from tests.factories import (
    AgentExecutionFactory,
    AgentFactory,
    AgentFeedbackFactory,
    AgentScheduleFactory,
    ApiKeyFactory,
    AuditLogFactory,
    ChatSessionFactory,
    EpisodeAccessLogFactory,
    EpisodeFactory,
    EpisodeSegmentFactory,
    TeamFactory,
    UserFactory,
    WorkspaceFactory,
)

NOON = datetime(2026, 3, 2, 12, 0)


class TestWorkspaceModel:
    """Workspaces: the tenants."""

    def test_workspace_creation_defaults(self, db):
        workspace = Workspace(name="Acme Corporation", slug="acme")
        db.add(workspace)
        db.commit()

        assert len(workspace.id) == 36
        assert workspace.status == WorkspaceStatus.ACTIVE.value
        assert workspace.plan_tier == "free"
        assert workspace.created_at is not None

    def test_workspace_suspend_and_reactivate(self, db):
        workspace = WorkspaceFactory(name="Northwind Traders", slug="northwind")
        assert workspace.is_active

        workspace.suspend()
        assert not workspace.is_active

        workspace.reactivate()
        assert workspace.is_active
        assert db.query(Workspace).filter_by(slug="northwind").one().is_active

    def test_workspace_slug_unique(self, db):
        db.add(Workspace(name="Globex", slug="globex"))
        db.commit()

        with pytest.raises(IntegrityError):
            db.add(Workspace(name="Globex Europe", slug="globex"))
            db.commit()
        db.rollback()

    def test_workspace_relationship(self, db):
        workspace = WorkspaceFactory(name="Initech")
        user = User(
            email="peter.gibbons@example.com",
            first_name="Peter",
            last_name="Gibbons",
        )
        db.add(user)
        db.commit()

        assert user.workspace is not None
        assert user in user.workspace.users
        assert db.get(Workspace, workspace.id).name == "Initech"

    def test_workspace_member_count(self, db):
        workspace = WorkspaceFactory()
        UserFactory(workspace=workspace)
        UserFactory(workspace=workspace, is_active=False)
        newcomer = User(email="samir@example.com", workspace_id=workspace.id)
        db.add(newcomer)
        db.commit()

        assert newcomer.workspace.member_count == 2


class TestTeamModel:
    """Teams inside a workspace."""

    def test_team_add_member(self):
        team = TeamFactory(name="Support")
        colleague = UserFactory(workspace=team.workspace)
        stranger = UserFactory()

        team.add_member(colleague)
        team.add_member(colleague)
        assert team.members == [colleague]

        with pytest.raises(ValueError, match="another workspace"):
            team.add_member(stranger)

    def test_team_workspace(self, db):
        lead = UserFactory(role=UserRole.TEAM_LEAD.value)
        workspace = Workspace(name="Umbrella", slug="umbrella")
        db.add(workspace)
        team = Team(
            name="Night shift",
            description="Answers between 22:00 and 06:00",
            workspace_id=workspace.id,
            lead_id=lead.id,
        )
        db.add(team)
        db.commit()

        assert team.workspace.id == workspace.id
        assert team.lead.id == lead.id
        assert team in workspace.teams

    def test_team_name_unique_per_workspace(self, db):
        workspace = WorkspaceFactory()
        other = WorkspaceFactory()
        db.add(Team(name="Billing", workspace_id=workspace.id))
        db.add(Team(name="Billing", workspace_id=other.id))
        db.commit()

        with pytest.raises(IntegrityError):
            db.add(Team(name="Billing", workspace_id=workspace.id))
            db.commit()
        db.rollback()

    def test_team_lead_is_optional(self, db):
        workspace = WorkspaceFactory()
        team = Team(name="Research", workspace_id=workspace.id)
        db.add(team)
        db.commit()

        assert team.lead is None
        assert team.members == []


class TestUserModel:
    """People and what they may do."""

    def test_user_creation_defaults(self, db):
        user = UserFactory(email="ada.lovelace@example.com")

        stored = db.get(User, user.id)
        assert stored.email == "ada.lovelace@example.com"
        assert stored.role == UserRole.MEMBER.value
        assert stored.is_active
        assert stored.last_login_at is None

    def test_user_display_name_and_rights(self):
        user = UserFactory(first_name="Grace", last_name="Hopper", role="admin")
        nameless = UserFactory(first_name="", last_name="")
        key = ApiKeyFactory(user=user)

        assert user.display_name == "Grace Hopper"
        assert nameless.display_name == nameless.email
        assert user.is_admin
        assert not nameless.is_admin

        user.record_login(NOON)
        assert user.last_login_at == NOON

        user.deactivate()
        assert not user.is_active
        assert key.revoked_at is not None

    def test_user_workspace(self, db):
        workspace = WorkspaceFactory(name="Analytical Engines")
        user = User(
            email="ada.lovelace@example.com",
            first_name="Ada",
            last_name="Lovelace",
            workspace_id=workspace.id,
        )
        db.add(user)
        db.commit()

        assert user.workspace.name == "Analytical Engines"
        assert user.display_name == "Ada Lovelace"

    def test_user_teams(self, db):
        workspace = WorkspaceFactory()
        user = User(email="mary@example.com", workspace_id=workspace.id)
        team = Team(name="Mathematics", workspace_id=workspace.id)
        db.add_all([user, team])
        db.commit()

        team.add_member(user)
        db.commit()
        assert user.teams == [team]

    def test_user_email_unique(self, db):
        workspace = WorkspaceFactory()
        db.add(User(email="charles@example.com", workspace_id=workspace.id))
        db.commit()

        with pytest.raises(IntegrityError):
            db.add(User(email="charles@example.com", workspace_id=workspace.id))
            db.commit()
        db.rollback()


class TestAgentRegistryModel:
    """Registered agents."""

    def test_agent_confidence_bounds(self):
        agent = AgentFactory(module_path="agents.sales", class_name="LeadAgent")

        assert agent.import_path == "agents.sales:LeadAgent"
        assert agent.adjust_confidence(0.2) == pytest.approx(0.7)
        assert agent.adjust_confidence(5) == 1.0
        assert agent.adjust_confidence(-9) == 0.0

    def test_agent_promotion(self):
        agent = AgentFactory()

        steps = [agent.promote() for _ in range(4)]
        assert steps == ["intern", "supervised", "autonomous", "autonomous"]

    def test_agent_creation_defaults(self, db):
        owner = UserFactory()
        agent = AgentRegistry(
            name="Invoice clerk",
            category="finance",
            module_path="agents.finance",
            class_name="InvoiceAgent",
            user_id=owner.id,
        )
        db.add(agent)
        db.commit()

        assert len(agent.id) == 36
        assert agent.status == AgentStatus.STUDENT.value
        assert agent.confidence_score == 0.5
        assert agent.user.id == owner.id
        assert agent.executions == []

    def test_agent_unique_id_constraint(self, db):
        agent = AgentFactory()

        with pytest.raises(IntegrityError):
            db.add(
                AgentRegistry(
                    id=agent.id,
                    name="Twin",
                    category="operations",
                    module_path="agents.operations",
                    class_name="TwinAgent",
                    user_id=agent.user_id,
                    workspace_id=agent.workspace_id,
                )
            )
            db.commit()
        db.rollback()

    def test_agent_cascade_delete_user(self, db):
        owner = UserFactory()
        agent = AgentRegistry(
            name="Travel planner",
            category="assistance",
            module_path="agents.travel",
            class_name="TravelAgent",
            user_id=owner.id,
            workspace_id=owner.workspace_id,
        )
        db.add(agent)
        db.commit()
        agent_id = agent.id

        db.delete(db.get(User, owner.id))
        db.commit()
        assert db.get(AgentRegistry, agent_id) is None

    def test_agent_workspace(self, db):
        owner = UserFactory()
        agent = AgentRegistry(
            name="Stock keeper",
            category="operations",
            module_path="agents.stock",
            class_name="StockAgent",
            user_id=owner.id,
            workspace_id=owner.workspace_id,
        )
        db.add(agent)
        db.commit()

        assert agent.workspace.id == owner.workspace_id
        assert agent in agent.workspace.agents


class TestAgentExecutionModel:
    """Runs of an agent."""

    def test_execution_outcomes(self):
        finished = AgentExecutionFactory(started_at=NOON)
        assert finished.duration_s is None

        finished.complete("3 invoices sent", NOON + timedelta(seconds=90))
        assert finished.status == ExecutionStatus.COMPLETED.value
        assert finished.duration_s == 90

        broken = AgentExecutionFactory(agent=finished.agent, started_at=NOON)
        broken.fail("mailbox is full", NOON + timedelta(seconds=5))
        assert broken.status == ExecutionStatus.FAILED.value
        assert broken.error_message == "mailbox is full"

    def test_agent_execution_relationship(self, db):
        agent = AgentFactory()
        execution = AgentExecution(
            agent_id=agent.id,
            status=ExecutionStatus.RUNNING.value,
            input_summary="Send the invoices of March",
        )
        db.add(execution)
        db.commit()

        assert execution.agent.id == agent.id
        assert execution in execution.agent.executions

    def test_execution_creation_defaults(self, db):
        agent = AgentFactory()
        execution = AgentExecution(agent_id=agent.id, workspace_id=agent.workspace_id)
        db.add(execution)
        db.commit()

        assert execution.status == ExecutionStatus.PENDING.value
        assert execution.started_at is not None
        assert execution.completed_at is None

    def test_executions_of_one_agent(self, db):
        agent = AgentFactory()
        for summary in ("first", "second", "third"):
            execution = AgentExecution(
                agent_id=agent.id,
                workspace_id=agent.workspace_id,
                input_summary=summary,
            )
            db.add(execution)
        db.commit()

        found = db.query(AgentExecution).filter_by(agent_id=agent.id).all()
        assert {run.input_summary for run in found} == {"first", "second", "third"}


class TestAgentFeedbackModel:
    """Corrections that people make."""

    def test_feedback_review(self):
        taken = AgentFeedbackFactory()
        taken.accept()
        assert taken.status == FeedbackStatus.ACCEPTED.value
        assert taken.agent.confidence_score == pytest.approx(0.45)

        refused = AgentFeedbackFactory()
        refused.reject()
        assert refused.status == FeedbackStatus.REJECTED.value
        assert refused.agent.confidence_score == 0.5

    def test_agent_feedback_relationship(self, db):
        agent = AgentFactory()
        feedback = AgentFeedback(
            agent_id=agent.id,
            user_id="reviewer-1",
            original_output="The parcel left on Monday.",
            user_correction="The parcel left on Tuesday.",
        )
        db.add(feedback)
        db.commit()

        assert feedback.agent.id == agent.id
        assert feedback in feedback.agent.feedback
        assert feedback.user is not None

    def test_feedback_creation_defaults(self, db):
        agent = AgentFactory()
        reviewer = UserFactory(workspace=agent.workspace)
        feedback = AgentFeedback(
            agent_id=agent.id,
            user_id=reviewer.id,
            original_output="Total: 90",
            user_correction="Total: 99",
        )
        db.add(feedback)
        db.commit()

        assert feedback.status == FeedbackStatus.PENDING.value
        assert feedback.reviewed_at is None

    def test_feedback_deleted_with_agent(self, db):
        agent = AgentFactory()
        reviewer = UserFactory(workspace=agent.workspace)
        feedback = AgentFeedback(
            agent_id=agent.id,
            user_id=reviewer.id,
            original_output="Yes",
            user_correction="No",
        )
        db.add(feedback)
        db.commit()
        feedback_id = feedback.id

        db.delete(db.get(AgentRegistry, agent.id))
        db.commit()
        assert db.get(AgentFeedback, feedback_id) is None


class TestEpisodeModel:
    """What agents remember."""

    def test_episode_close_and_decay(self):
        episode = EpisodeFactory()
        episode.close("All guests have a room", NOON)
        assert episode.status == EpisodeStatus.CLOSED.value
        assert episode.ended_at == NOON

        episode.decay()
        assert episode.importance_score == pytest.approx(0.45)
        assert episode.status == EpisodeStatus.CLOSED.value

        episode.decay(factor=0.1)
        assert episode.status == EpisodeStatus.ARCHIVED.value

    def test_episode_transcript(self):
        episode = EpisodeFactory()
        EpisodeSegmentFactory(episode=episode, sequence_order=1, content="Hello.")
        EpisodeSegmentFactory(episode=episode, sequence_order=2, content="Goodbye.")

        assert episode.transcript == "Hello.\nGoodbye."

    def test_episode_participants(self, db):
        agent = AgentFactory()
        episode = Episode(
            title="Booking a meeting room",
            agent_id=agent.id,
            workspace_id=agent.workspace_id,
        )
        db.add(episode)
        db.commit()

        assert episode.agent.id == agent.id
        assert episode.workspace.id == agent.workspace.id
        assert episode.user is not None

    def test_episode_creation_defaults(self, db):
        agent = AgentFactory()
        episode = Episode(
            title="Ordering paper",
            agent_id=agent.id,
            user_id=agent.user_id,
            workspace_id=agent.workspace_id,
        )
        db.add(episode)
        db.commit()

        assert episode.status == EpisodeStatus.OPEN.value
        assert episode.importance_score == 0.5
        assert episode.segments == []


class TestEpisodeSegmentModel:
    """The steps of an episode."""

    def test_segment_preview(self):
        short = EpisodeSegmentFactory(content="Hello.")
        long = EpisodeSegmentFactory(content="word " * 30)

        assert short.preview() == "Hello."
        assert long.preview(12) == "word word w…"

    def test_episode_segment_relationship(self, db):
        agent = AgentFactory()
        episode = Episode(
            title="Sending the newsletter",
            agent_id=agent.id,
            user_id=agent.user_id,
            workspace_id=agent.workspace_id,
        )
        db.add(episode)
        segment = EpisodeSegment(
            episode_id=episode.id,
            sequence_order=1,
            content="Collected 40 addresses",
        )
        db.add(segment)
        db.commit()

        assert segment.episode.id == episode.id
        assert episode.segments == [segment]

    def test_segment_order_unique_in_episode(self, db):
        episode = EpisodeFactory()
        db.add(EpisodeSegment(episode_id=episode.id, sequence_order=1, content="a"))
        db.commit()

        with pytest.raises(IntegrityError):
            db.add(EpisodeSegment(episode_id=episode.id, sequence_order=1, content="b"))
            db.commit()
        db.rollback()


class TestEpisodeAccessLogModel:
    """Who read an episode."""

    def test_access_log_is_search(self):
        read = EpisodeAccessLogFactory()
        search = EpisodeAccessLogFactory(access_type="semantic_search")

        assert not read.is_search
        assert search.is_search

    def test_episode_access_log(self, db):
        episode = EpisodeFactory()
        log = EpisodeAccessLog(
            episode_id=episode.id,
            access_type="temporal_search",
            results_count=3,
        )
        db.add(log)
        db.commit()

        assert log.episode.id == episode.id
        assert log.results_count == 3
        assert log.accessed_at is not None

    def test_access_logs_deleted_with_episode(self, db):
        episode = EpisodeFactory()
        reader = UserFactory(workspace=episode.workspace)
        log = EpisodeAccessLog(episode_id=episode.id, user_id=reader.id)
        db.add(log)
        db.commit()
        log_id = log.id

        db.delete(db.get(Episode, episode.id))
        db.commit()
        assert db.get(EpisodeAccessLog, log_id) is None


class TestChatSessionModel:
    """Conversations."""

    def test_chat_session_rename_and_archive(self):
        chat = ChatSessionFactory()
        assert chat.title == "New conversation"

        chat.rename("  Budget 2027 ")
        assert chat.title == "Budget 2027"
        with pytest.raises(ValueError, match="needs a title"):
            chat.rename("   ")

        chat.archive()
        assert chat.archived_at is not None

    def test_chat_session_creation_defaults(self, db):
        chat = ChatSession(title="Quarterly review")
        db.add(chat)
        db.commit()

        assert chat.created_at is not None
        assert chat.archived_at is None
        assert chat.messages == []

    def test_chat_session_user(self, db):
        user = UserFactory()
        chat = ChatSession(user_id=user.id, title="Holiday plans")
        db.add(chat)
        db.commit()

        assert chat.user.id == user.id
        assert chat in chat.user.chat_sessions


class TestChatMessageModel:
    """Messages of a conversation."""

    def test_chat_message_creation_defaults(self, db):
        workspace = WorkspaceFactory()
        message = ChatMessage(
            session_id="session-1",
            workspace_id=workspace.id,
            content="Which invoices are overdue?",
        )
        db.add(message)
        db.commit()

        assert message.role == "user"
        assert message.position == 0
        assert message.session is not None

    def test_chat_message_order(self, db):
        chat = ChatSessionFactory()
        for position, content in ((2, "Two of them."), (1, "How many are overdue?")):
            message = ChatMessage(
                session_id=chat.id,
                workspace_id=chat.user.workspace_id,
                position=position,
                content=content,
            )
            db.add(message)
        db.commit()

        stored = db.query(ChatMessage).filter_by(session_id=chat.id)
        ordered = stored.order_by(ChatMessage.position).all()
        assert [message.position for message in ordered] == [1, 2]


class TestAuditLogModel:
    """The audit log of a workspace."""

    def test_audit_log_subject(self):
        entry = AuditLogFactory(action="agent.promoted")

        assert entry.subject == "agent"

    def test_audit_log_creation(self, db):
        entry = AuditLog(
            workspace_id="default",
            user_id="system",
            action="agent.created",
            detail="Invoice clerk",
        )
        db.add(entry)
        db.commit()

        assert entry.created_at is not None
        assert entry.workspace is not None
        assert entry.user is not None


class TestApiKeyModel:
    """Keys for programs."""

    def test_api_key_validity(self):
        key = ApiKeyFactory(expires_at=NOON)
        assert key.is_valid(NOON - timedelta(hours=1))
        assert not key.is_valid(NOON)

        endless = ApiKeyFactory()
        assert endless.is_valid(NOON)
        endless.revoke()
        assert not endless.is_valid(NOON)

    def test_api_key_requires_user(self, db):
        with pytest.raises(IntegrityError):
            db.add(ApiKey(name="orphan", prefix="ak_orphan", user_id=None))
            db.flush()

    def test_api_key_user(self, db):
        user = UserFactory()
        key = ApiKey(name="build server", prefix="ak_build", user_id=user.id)
        db.add(key)
        db.commit()

        assert key.user.id == user.id
        assert key in key.user.api_keys

    def test_api_key_prefix_unique(self, db):
        user = UserFactory()
        db.add(ApiKey(name="laptop", prefix="ak_laptop", user_id=user.id))
        db.commit()

        with pytest.raises(IntegrityError):
            db.add(ApiKey(name="old laptop", prefix="ak_laptop", user_id=user.id))
            db.commit()
        db.rollback()


class TestAgentScheduleModel:
    """Agents that run at fixed intervals."""

    def test_schedule_next_run(self):
        schedule = AgentScheduleFactory(interval_min=30)
        assert schedule.next_run_at(NOON) == NOON

        schedule.last_run_at = NOON
        assert schedule.next_run_at(NOON) == NOON + timedelta(minutes=30)

        schedule.enabled = False
        assert schedule.next_run_at(NOON) is None

    def test_schedule_agent_and_workspace(self, db):
        workspace = Workspace(name="Northwind", slug="northwind")
        db.add(workspace)
        db.commit()
        owner = User(email="nancy@northwind.example", workspace_id=workspace.id)
        db.add(owner)
        db.commit()
        agent = AgentRegistry(
            name="Order taker",
            category="sales",
            module_path="agents.orders",
            class_name="OrderAgent",
            user_id=owner.id,
            workspace_id=workspace.id,
        )
        db.add(agent)
        db.commit()
        schedule = AgentSchedule(agent_id=agent.id, workspace_id=workspace.id)
        db.add(schedule)
        db.commit()

        assert schedule.interval_min == 60
        assert schedule.agent.id == agent.id
        assert schedule.workspace.id == workspace.id
