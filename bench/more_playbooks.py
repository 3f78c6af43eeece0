"""Writes valid playbooks as another team could have them: each with an expression of its own.

Usage: python bench/more_playbooks.py FOLDER [COUNT]
"""

import sys
from pathlib import Path

SERVICES = (
    *("stripe", "redis", "kafka", "rabbitmq", "minio", "vault", "consul", "mailgun", "twilio", "sentry"),
    *("elastic", "mongo", "etcd", "jira", "slack", "okta", "algolia", "datadog", "neo4j", "clickhouse"),
)
# Symptoms in the forms that playbooks have; NAME, Name and a number stand for what differs.
FORMS = (
    (
        "refused",
        "exception: ConnectionError\n    message: 'NAME at (?P<host>[\\w.-]+):(?P<port>\\d+) refused'",
    ),
    ("slow", "message: 'NAME did not answer within (?P<seconds>[\\d.]+) ?s(?:econds)?'"),
    (
        "denied",
        "exception: [NameError4xx, PermissionError]\n    message: '(?i)NAME[^\\n]*(?:denied|forbidden)'",
    ),
    (
        "broken-reply",
        "message: 'Name reply of (?P<size>\\d+) bytes is no (?:JSON|XML)'\n    raised_in: NAME/*",
    ),
    ("no-credentials", "exception: NAME.errors.AuthenticationError"),
    ("quota", "message: '\\bNAME (?:quota|rate limit) (?:of \\d+ )?exceeded\\b'\n    unless: 'dry run'"),
    ("gone", "exception: NAME.errors.NotFound\n    message: \"no such (?P<kind>\\\\w+): '(?P<key>[^']+)'\""),
    ("schema", "message: 'NAME: field \"?(?P<field>\\w+)\"? (?:is missing|must be [a-z]+)'"),
    ("mocked", "exception: AssertionError\n    message: 'Expected .{0,80}Name(?:Client|Session)\\.\\w+'"),
    ("closed", "exception: RuntimeError\n    message: 'NAME (?:pool|client) is (?:already )?closed'"),
)
PLAYBOOK = """\
id: {id}
title: {title}
status: experimental
category: environment
severity: medium
level: specific
why: A service that the tests use did not do what they expect of it.
symptoms:
  - {symptom}
plan:
  title: Put a stand-in for {service} in its place
  phase: 2
  effort_min: {{base: 30, per_site: 10}}
  steps: [replace the client of {service} in the fixture that makes it]
  risk: low
  mitigation: keep one test against the service itself
  rollback: revert the commit
review_by: 2027-06-01
"""


def write(folder: Path, count: int) -> None:
    """At most 200 playbooks into `folder`, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    pairs = [(service, *form) for service in SERVICES for form in FORMS]
    for service, kind, symptom in pairs[:count]:
        name = f"{service}-{kind}"
        text = PLAYBOOK.format(
            id=name,
            title=f"{service.capitalize()} {kind.replace('-', ' ')}",
            service=service,
            symptom=symptom.replace("NAME", service).replace("Name", service.capitalize()),
        )
        (folder / f"{name}.yaml").write_text(text, "utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else len(SERVICES) * len(FORMS))
