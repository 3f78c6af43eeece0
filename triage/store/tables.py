"""The tables as the newest schema version has them; `migrations.py` makes them."""

from sqlalchemy import BigInteger, Column, Double, Integer, LargeBinary, MetaData, SmallInteger, Table, Text

metadata = MetaData()

triage_schema = Table("triage_schema", metadata, Column("version", Integer, nullable=False))

project = Table(
    "project",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
)

run = Table(
    "run",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("project_id", Integer, nullable=False),
    Column("public_id", Text, nullable=False),
    Column("started_us", BigInteger, nullable=False),
    Column("duration_us", BigInteger, nullable=False),
    Column("status", Text),
    Column("exit_status", BigInteger),
    Column("total", Integer, nullable=False),
    Column("passed", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("errors", Integer, nullable=False),
    Column("skipped", Integer, nullable=False),
    Column("xfailed", Integer, nullable=False),
    Column("xpassed", Integer, nullable=False),
    Column("warnings", Integer, nullable=False),
    Column("commit_id", Text),
    Column("source", Text),
    Column("playbooks_fingerprint", Text, nullable=False),
    Column("tool_version", Text, nullable=False),
    Column("notes", Text, nullable=False),
)

run_summary = Table(
    "run_summary",
    metadata,
    Column("run_id", Integer, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
)

test = Table(
    "test",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("project_id", Integer, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("nodeid", Text, nullable=False),
)

cause = Table(
    "cause",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("playbook", Text),
    Column("fingerprint", Text),
    Column("signature", Text, nullable=False),
)

result = Table(
    "result",
    metadata,
    Column("run_id", Integer, primary_key=True, autoincrement=False),
    Column("test_id", Integer, primary_key=True, autoincrement=False),
    Column("outcome", SmallInteger, nullable=False),
    Column("duration_us", BigInteger, nullable=False),
)

failure = Table(
    "failure",
    metadata,
    Column("run_id", Integer, primary_key=True, autoincrement=False),
    Column("test_id", Integer, primary_key=True, autoincrement=False),
    Column("cause_id", Integer),
)

report = Table(
    "report",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("file", Text, nullable=False),
    Column("classified_us", BigInteger, nullable=False),
    Column("total", Integer, nullable=False),
    Column("passed", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("errors", Integer, nullable=False),
    Column("skipped", Integer, nullable=False),
    Column("xfailed", Integer, nullable=False),
    Column("xpassed", Integer, nullable=False),
    Column("warnings", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("merged", Integer, nullable=False),
    Column("error", Text),
)

report_group = Table(
    "report_group",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("report_id", Integer, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("playbook", Text),
    Column("fingerprint", Text),
    Column("signature", Text, nullable=False),
    Column("bucket", LargeBinary),
)

report_failure = Table(
    "report_failure",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("report_id", Integer, nullable=False),
    Column("group_id", Integer, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("repeats", Integer, nullable=False),
    Column("outcome", SmallInteger, nullable=False),
    Column("phase", Text),
    Column("confidence", Double, nullable=False),
    Column("key", Text, nullable=False),
    Column("nodeid", Text),
    Column("classname", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("exception", Text, nullable=False),
    Column("also", Text, nullable=False),
    Column("root", Text),
    Column("message", Text, nullable=False),
)

known_cluster = Table(
    "known_cluster",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("version", Text, nullable=False),
    Column("bucket", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("signature", Text, nullable=False),
    Column("seen_us", BigInteger, nullable=False),
)
