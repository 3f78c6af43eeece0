"""Registers every command."""

import typer

from triage.cli import fix, init, nightly, playbooks, report, reports, run, verify


def register(app: typer.Typer) -> None:
    """In the order of the help page."""
    app.command("run")(run.run)
    app.command("classify")(reports.classify)
    app.command("report")(report.report)
    app.command("plan")(report.plan)
    app.command("history")(report.history)
    app.command("fix")(fix.fix)
    app.command("verify")(verify.verify)
    app.command("nightly")(nightly.nightly)
    app.add_typer(playbooks.app, name="playbooks")
    app.command("init")(init.init)
