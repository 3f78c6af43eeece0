"""Models of the agent platform.

A workspace is the tenant. Its users own agents; agents run (executions), are
corrected by people (feedback), run on a schedule and remember what happened
(episodes, made of segments, with a log of who read them).
"""

import enum
import uuid
from datetime import datetime, timedelta, timezone

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import relationship

from core.database import Base


def new_id():
    """Return a random primary key."""
    return str(uuid.uuid4())


def utcnow():
    """Return the current time in UTC, without a zone, as it is stored."""
    return datetime.now(timezone.utc).replace(tzinfo=None)


class WorkspaceStatus(str, enum.Enum):
    ACTIVE = "active"
    SUSPENDED = "suspended"


class UserRole(str, enum.Enum):
    MEMBER = "member"
    TEAM_LEAD = "team_lead"
    ADMIN = "admin"


class AgentStatus(str, enum.Enum):
    STUDENT = "student"
    INTERN = "intern"
    SUPERVISED = "supervised"
    AUTONOMOUS = "autonomous"


class ExecutionStatus(str, enum.Enum):
    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


class FeedbackStatus(str, enum.Enum):
    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class EpisodeStatus(str, enum.Enum):
    OPEN = "open"
    CLOSED = "closed"
    ARCHIVED = "archived"


team_members = Table(
    "team_members",
    Base.metadata,
    Column("team_id", ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
)


class Workspace(Base):
    """A tenant: everything else belongs to one."""

    __tablename__ = "workspaces"

    id = Column(String(36), primary_key=True, default=new_id)
    name = Column(String(120), nullable=False)
    slug = Column(String(60), nullable=False, unique=True)
    status = Column(String(20), nullable=False, default=WorkspaceStatus.ACTIVE.value)
    plan_tier = Column(String(20), nullable=False, default="free")
    created_at = Column(DateTime, nullable=False, default=utcnow)

    users = relationship("User", back_populates="workspace")
    teams = relationship("Team", back_populates="workspace")
    agents = relationship("AgentRegistry", back_populates="workspace")

    @property
    def is_active(self):
        return self.status == WorkspaceStatus.ACTIVE.value

    @property
    def member_count(self):
        return sum(1 for user in self.users if user.is_active)

    def suspend(self):
        self.status = WorkspaceStatus.SUSPENDED.value

    def reactivate(self):
        self.status = WorkspaceStatus.ACTIVE.value


class User(Base):
    """A person with access to one workspace."""

    __tablename__ = "users"

    id = Column(String(36), primary_key=True, default=new_id)
    email = Column(String(255), nullable=False, unique=True)
    first_name = Column(String(80), nullable=False, default="")
    last_name = Column(String(80), nullable=False, default="")
    role = Column(String(20), nullable=False, default=UserRole.MEMBER.value)
    is_active = Column(Boolean, nullable=False, default=True)
    workspace_id = Column(ForeignKey("workspaces.id"), nullable=False)
    created_at = Column(DateTime, nullable=False, default=utcnow)
    last_login_at = Column(DateTime)

    workspace = relationship("Workspace", back_populates="users")
    teams = relationship("Team", secondary=team_members, back_populates="members")
    agents = relationship(
        "AgentRegistry", back_populates="user", cascade="all, delete-orphan"
    )
    chat_sessions = relationship(
        "ChatSession", back_populates="user", cascade="all, delete-orphan"
    )
    api_keys = relationship(
        "ApiKey", back_populates="user", cascade="all, delete-orphan"
    )

    @property
    def display_name(self):
        full_name = f"{self.first_name} {self.last_name}".strip()
        return full_name or self.email

    @property
    def is_admin(self):
        return self.role == UserRole.ADMIN.value

    def record_login(self, moment=None):
        self.last_login_at = moment or utcnow()

    def deactivate(self):
        self.is_active = False
        for key in self.api_keys:
            key.revoke()


class Team(Base):
    """Users of one workspace who work together."""

    __tablename__ = "teams"
    __table_args__ = (UniqueConstraint("workspace_id", "name"),)

    id = Column(String(36), primary_key=True, default=new_id)
    name = Column(String(120), nullable=False)
    description = Column(Text)
    workspace_id = Column(ForeignKey("workspaces.id"), nullable=False)
    lead_id = Column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at = Column(DateTime, nullable=False, default=utcnow)

    workspace = relationship("Workspace", back_populates="teams")
    lead = relationship("User", foreign_keys=[lead_id])
    members = relationship("User", secondary=team_members, back_populates="teams")

    def add_member(self, user):
        """Add a user of the same workspace; adding one twice changes nothing."""
        if user.workspace_id != self.workspace_id:
            raise ValueError("user belongs to another workspace")
        if user not in self.members:
            self.members.append(user)


class AgentRegistry(Base):
    """An agent that a workspace has registered."""

    __tablename__ = "agent_registry"

    LADDER = [status.value for status in AgentStatus]

    id = Column(String(36), primary_key=True, default=new_id)
    name = Column(String(120), nullable=False)
    category = Column(String(60), nullable=False)
    module_path = Column(String(200), nullable=False)
    class_name = Column(String(120), nullable=False)
    description = Column(Text)
    status = Column(String(20), nullable=False, default=AgentStatus.STUDENT.value)
    confidence_score = Column(Float, nullable=False, default=0.5)
    workspace_id = Column(ForeignKey("workspaces.id"), nullable=False)
    user_id = Column(ForeignKey("users.id", ondelete="CASCADE"), nullable=False)
    created_at = Column(DateTime, nullable=False, default=utcnow)

    workspace = relationship("Workspace", back_populates="agents")
    user = relationship("User", back_populates="agents")
    executions = relationship(
        "AgentExecution", back_populates="agent", cascade="all, delete-orphan"
    )
    feedback = relationship(
        "AgentFeedback", back_populates="agent", cascade="all, delete-orphan"
    )
    episodes = relationship(
        "Episode", back_populates="agent", cascade="all, delete-orphan"
    )
    schedules = relationship(
        "AgentSchedule", back_populates="agent", cascade="all, delete-orphan"
    )

    @property
    def import_path(self):
        return f"{self.module_path}:{self.class_name}"

    def adjust_confidence(self, delta):
        """Move the score by `delta`, never below 0 nor above 1."""
        score = (self.confidence_score or 0.0) + delta
        self.confidence_score = min(1.0, max(0.0, score))
        return self.confidence_score

    def promote(self):
        """Go one step up the ladder; the last step stays where it is."""
        step = self.LADDER.index(self.status)
        self.status = self.LADDER[min(step + 1, len(self.LADDER) - 1)]
        return self.status


class AgentExecution(Base):
    """One run of an agent."""

    __tablename__ = "agent_executions"

    id = Column(String(36), primary_key=True, default=new_id)
    agent_id = Column(ForeignKey("agent_registry.id"), nullable=False)
    workspace_id = Column(ForeignKey("workspaces.id"), nullable=False)
    status = Column(String(20), nullable=False, default=ExecutionStatus.PENDING.value)
    input_summary = Column(Text)
    result_summary = Column(Text)
    error_message = Column(Text)
    started_at = Column(DateTime, nullable=False, default=utcnow)
    completed_at = Column(DateTime)

    agent = relationship("AgentRegistry", back_populates="executions")
    workspace = relationship("Workspace")

    @property
    def duration_s(self):
        if self.completed_at is None:
            return None
        return (self.completed_at - self.started_at).total_seconds()

    def complete(self, summary, moment=None):
        self.status = ExecutionStatus.COMPLETED.value
        self.result_summary = summary
        self.completed_at = moment or utcnow()

    def fail(self, message, moment=None):
        self.status = ExecutionStatus.FAILED.value
        self.error_message = message
        self.completed_at = moment or utcnow()


class AgentFeedback(Base):
    """What a person said about an agent's output."""

    __tablename__ = "agent_feedback"

    id = Column(String(36), primary_key=True, default=new_id)
    agent_id = Column(ForeignKey("agent_registry.id"), nullable=False)
    user_id = Column(ForeignKey("users.id"), nullable=False)
    original_output = Column(Text, nullable=False)
    user_correction = Column(Text, nullable=False)
    status = Column(String(20), nullable=False, default=FeedbackStatus.PENDING.value)
    created_at = Column(DateTime, nullable=False, default=utcnow)
    reviewed_at = Column(DateTime)

    agent = relationship("AgentRegistry", back_populates="feedback")
    user = relationship("User")

    def accept(self):
        """Take the correction; the agent's confidence falls a little."""
        self.status = FeedbackStatus.ACCEPTED.value
        self.reviewed_at = utcnow()
        self.agent.adjust_confidence(-0.05)

    def reject(self):
        self.status = FeedbackStatus.REJECTED.value
        self.reviewed_at = utcnow()


class AgentSchedule(Base):
    """Runs an agent at a fixed interval."""

    __tablename__ = "agent_schedules"

    id = Column(String(36), primary_key=True, default=new_id)
    agent_id = Column(ForeignKey("agent_registry.id"), nullable=False)
    workspace_id = Column(ForeignKey("workspaces.id"), nullable=False)
    interval_min = Column(Integer, nullable=False, default=60)
    enabled = Column(Boolean, nullable=False, default=True)
    last_run_at = Column(DateTime)

    agent = relationship("AgentRegistry", back_populates="schedules")
    workspace = relationship("Workspace")

    def next_run_at(self, now):
        """Return when the agent is due, or None for a schedule that is switched off."""
        if not self.enabled:
            return None
        if self.last_run_at is None:
            return now
        return self.last_run_at + timedelta(minutes=self.interval_min)


class Episode(Base):
    """Something an agent remembers having done."""

    __tablename__ = "episodes"

    id = Column(String(36), primary_key=True, default=new_id)
    title = Column(String(200), nullable=False)
    summary = Column(Text)
    status = Column(String(20), nullable=False, default=EpisodeStatus.OPEN.value)
    importance_score = Column(Float, nullable=False, default=0.5)
    agent_id = Column(ForeignKey("agent_registry.id"), nullable=False)
    user_id = Column(ForeignKey("users.id"), nullable=False)
    workspace_id = Column(ForeignKey("workspaces.id"), nullable=False)
    started_at = Column(DateTime, nullable=False, default=utcnow)
    ended_at = Column(DateTime)

    agent = relationship("AgentRegistry", back_populates="episodes")
    user = relationship("User")
    workspace = relationship("Workspace")
    segments = relationship(
        "EpisodeSegment",
        back_populates="episode",
        cascade="all, delete-orphan",
        order_by="EpisodeSegment.sequence_order",
    )
    access_logs = relationship(
        "EpisodeAccessLog", back_populates="episode", cascade="all, delete-orphan"
    )

    def close(self, summary, moment=None):
        self.status = EpisodeStatus.CLOSED.value
        self.summary = summary
        self.ended_at = moment or utcnow()

    def decay(self, factor=0.9, archive_below=0.1):
        """Lower the importance; an episode that hardly matters is archived."""
        self.importance_score *= factor
        if self.importance_score < archive_below:
            self.status = EpisodeStatus.ARCHIVED.value

    @property
    def transcript(self):
        return "\n".join(segment.content for segment in self.segments)


class EpisodeSegment(Base):
    """One step of an episode."""

    __tablename__ = "episode_segments"
    __table_args__ = (UniqueConstraint("episode_id", "sequence_order"),)

    id = Column(String(36), primary_key=True, default=new_id)
    episode_id = Column(ForeignKey("episodes.id"), nullable=False)
    segment_type = Column(String(30), nullable=False, default="conversation")
    sequence_order = Column(Integer, nullable=False, default=0)
    content = Column(Text, nullable=False)
    created_at = Column(DateTime, nullable=False, default=utcnow)

    episode = relationship("Episode", back_populates="segments")

    def preview(self, length=40):
        if len(self.content) <= length:
            return self.content
        return self.content[: length - 1].rstrip() + "…"


class EpisodeAccessLog(Base):
    """Who looked at an episode, when and how."""

    __tablename__ = "episode_access_logs"

    id = Column(String(36), primary_key=True, default=new_id)
    episode_id = Column(ForeignKey("episodes.id"), nullable=False)
    user_id = Column(ForeignKey("users.id"), nullable=False)
    access_type = Column(String(30), nullable=False, default="read")
    results_count = Column(Integer, nullable=False, default=0)
    accessed_at = Column(DateTime, nullable=False, default=utcnow)

    episode = relationship("Episode", back_populates="access_logs")
    user = relationship("User")

    @property
    def is_search(self):
        return self.access_type.endswith("_search")


class ChatSession(Base):
    """A conversation of a user with the platform."""

    __tablename__ = "chat_sessions"

    id = Column(String(36), primary_key=True, default=new_id)
    user_id = Column(ForeignKey("users.id", ondelete="CASCADE"), nullable=False)
    title = Column(String(200), nullable=False, default="New conversation")
    created_at = Column(DateTime, nullable=False, default=utcnow)
    archived_at = Column(DateTime)

    user = relationship("User", back_populates="chat_sessions")
    messages = relationship(
        "ChatMessage",
        back_populates="session",
        cascade="all, delete-orphan",
        order_by="ChatMessage.position",
    )

    def rename(self, title):
        title = title.strip()
        if not title:
            raise ValueError("a conversation needs a title")
        self.title = title

    def archive(self):
        self.archived_at = utcnow()


class ChatMessage(Base):
    """One message of a conversation."""

    __tablename__ = "chat_messages"

    id = Column(String(36), primary_key=True, default=new_id)
    session_id = Column(
        ForeignKey("chat_sessions.id", ondelete="CASCADE"), nullable=False
    )
    workspace_id = Column(ForeignKey("workspaces.id"), nullable=False)
    role = Column(String(20), nullable=False, default="user")
    content = Column(Text, nullable=False)
    position = Column(Integer, nullable=False, default=0)
    created_at = Column(DateTime, nullable=False, default=utcnow)

    session = relationship("ChatSession", back_populates="messages")
    workspace = relationship("Workspace")


class ApiKey(Base):
    """A key with which a program acts for a user."""

    __tablename__ = "api_keys"

    id = Column(String(36), primary_key=True, default=new_id)
    name = Column(String(80), nullable=False)
    prefix = Column(String(12), nullable=False, unique=True)
    user_id = Column(ForeignKey("users.id", ondelete="CASCADE"), nullable=False)
    created_at = Column(DateTime, nullable=False, default=utcnow)
    expires_at = Column(DateTime)
    revoked_at = Column(DateTime)

    user = relationship("User", back_populates="api_keys")

    def is_valid(self, now):
        if self.revoked_at is not None:
            return False
        return self.expires_at is None or now < self.expires_at

    def revoke(self):
        if self.revoked_at is None:
            self.revoked_at = utcnow()


class AuditLog(Base):
    """What was done in a workspace, and by whom."""

    __tablename__ = "audit_logs"

    id = Column(String(36), primary_key=True, default=new_id)
    workspace_id = Column(ForeignKey("workspaces.id"), nullable=False)
    user_id = Column(ForeignKey("users.id"), nullable=False)
    action = Column(String(80), nullable=False)
    detail = Column(Text)
    created_at = Column(DateTime, nullable=False, default=utcnow)

    workspace = relationship("Workspace")
    user = relationship("User")

    @property
    def subject(self):
        return self.action.partition(".")[0]
