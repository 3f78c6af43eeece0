"""`triage playbooks explain`."""

from pathlib import Path
from typing import Annotated

import typer

from triage.cli.report import open_tools, stored_name
from triage.cli.run import Json, report_library
from triage.cli.state import command, state_of
from triage.errors import ExitStatus, UsageError

NodeId = Annotated[
    str,
    typer.Argument(metavar="NODEID", help="A test of the newest run, or a part of its id that is unique."),
]
OfPlaybook = Annotated[
    str | None, typer.Option("--playbook", help="Show clause by clause what this one wanted.", metavar="ID")
]
OfProject = Annotated[
    str | None, typer.Option("--project", help="A project's folder or name.", metavar="PROJECT")
]
InReport = Annotated[
    Path | None,
    typer.Option("--report", help="Look in this JUnit XML file, made anywhere, instead.", metavar="FILE"),
]


@command
def explain(
    context: typer.Context,
    nodeid: NodeId,
    playbook: OfPlaybook = None,
    project: OfProject = None,
    report: InReport = None,
    json: Json = False,
) -> ExitStatus:
    """Say why a test failed as it did, and why other playbooks lost; nothing is run."""
    from triage.explaining.report import explain_in_report  # noqa: PLC0415 - not for `--help`
    from triage.explaining.run import explain_test  # noqa: PLC0415 - likewise
    from triage.render.explanation import lines  # noqa: PLC0415 - likewise

    state = state_of(context)
    if report is not None and project is not None:
        raise UsageError("--report and --project exclude one another")
    with open_tools(state) as tools:
        if report is not None:
            document = explain_in_report(nodeid, report, tools, playbook)
        else:
            name = stored_name(project, tools.store) if project else None
            document = explain_test(nodeid, tools, project=name, playbook=playbook)
        report_library(tools, state)
    if json:
        state.console.document(document)
    else:
        state.console.data("\n".join(lines(document)))
    return ExitStatus.OK
