"""Every relative link in the documentation leads somewhere, and every command that it names exists."""

import re
import sys
from pathlib import Path

from typer.main import get_command

from triage.cli import commands
from triage.cli.main import app

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
FENCE = re.compile(r"^```(?:sh|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"^```.*?^```|(`+)(?!`).*?(?<!`)\1(?!`)", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^(?:\$ )?(?:bin/)?triage(?: --?[a-z-]+(?: [A-Z]+)?)* ([a-z]+)", re.MULTILINE)


def problems(path: Path, known: set[str]) -> list[str]:
    """What is wrong in one page."""
    text = path.read_text("utf-8")
    links = LINK.findall(CODE.sub("", text))
    dead = [f"dead link {link}" for link in links if not (path.parent / link).exists()]
    named = {name for block in FENCE.findall(text) for name in COMMAND.findall(block)}
    return [*dead, *(f"no command {name!r}" for name in sorted(named - known))]


def main() -> int:
    commands.register(app)
    known = set(getattr(get_command(app), "commands", {}))
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("projects/*/*.md")]
    found = [f"{page.relative_to(ROOT)}: {one}" for page in pages for one in problems(page, known)]
    print("\n".join(found) or f"{len(pages)} pages are sound")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
